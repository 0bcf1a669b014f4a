"""Messages as dataclasses: each field says its key, its type and one sentence; all else follows from that.

A message is a frozen dataclass whose fields carry `wire(key, type, about)` as metadata; that is the one table from
which reading, writing, schemas and the documentation come. Unknown keys are ignored. An optional field may be left
out or be null.
"""

import dataclasses
from dataclasses import MISSING, dataclass
from typing import Any, TypeVar

from gateway.contract.fields import Schema, WireType, wrong_type
from gateway.model.errors import BadInput

T = TypeVar("T")


def wire(key: str, kind: WireType, about: str) -> dict[str, Any]:
    """Metadata of a dataclass field: its key in JSON, its type, and one sentence for the documentation."""
    return {"key": key, "kind": kind, "about": about}


@dataclass(frozen=True, slots=True)
class Nested:
    """An object that is read as the dataclass `record`."""

    record: type[Any]

    def read(self, raw: object, place: str) -> Any:
        return read_record(self.record, raw, place)

    def write(self, value: Any) -> object:
        return write_record(value)

    def schema(self) -> Schema:
        return record_schema(self.record)


@dataclass(frozen=True, slots=True)
class Row:
    """One field of a record, as its dataclass declares it."""

    name: str
    key: str
    kind: WireType
    about: str
    is_required: bool
    default: object


_ROWS: dict[type[Any], tuple[Row, ...]] = {}


def rows(record: type[Any]) -> tuple[Row, ...]:
    """The fields of a record in order, read from the metadata of its dataclass once."""
    if record not in _ROWS:
        _ROWS[record] = _read_rows(record)
    return _ROWS[record]


def _read_rows(record: type[Any]) -> tuple[Row, ...]:
    return tuple(
        Row(
            field.name,
            field.metadata["key"],
            field.metadata["kind"],
            field.metadata["about"],
            is_required=field.default is MISSING and field.default_factory is MISSING,
            default=field.default if field.default_factory is MISSING else field.default_factory(),
        )
        for field in dataclasses.fields(record)
    )


def read_record(record: type[T], raw: object, place: str = "$") -> T:
    """Return the dataclass `record` of a parsed JSON object.

    Raises:
        BadInput: reason `missing_field`, `wrong_type` or what the field's type says.
    """
    if not isinstance(raw, dict):
        raise wrong_type(raw, "an object", place)
    values: dict[str, Any] = {}
    for row in rows(record):
        item = raw.get(row.key)
        if item is not None:
            values[row.name] = row.kind.read(item, f"{place}.{row.key}")
        elif row.is_required:
            raise BadInput(
                f"the key {row.key!r} is missing",
                reason="missing_field",
                place=place,
                cure=f"{row.about} It must be there.",
            )
    return record(**values)


def write_record(value: Any) -> dict[str, object]:
    """Return the JSON object of a record; optional fields that have their default are left out."""
    document: dict[str, object] = {}
    for row in rows(type(value)):
        item = getattr(value, row.name)
        if row.is_required or item != row.default:
            document[row.key] = row.kind.write(item)
    return document


def record_schema(record: type[Any]) -> Schema:
    """Describe a record as JSON Schema; optional fields may be null."""
    properties: dict[str, Schema] = {}
    for row in rows(record):
        schema = row.kind.schema()
        if not row.is_required:
            schema = {"anyOf": [schema, {"type": "null"}]}
        properties[row.key] = {"description": row.about, **schema}
    return {
        "type": "object",
        "properties": properties,
        "required": [row.key for row in rows(record) if row.is_required],
    }
