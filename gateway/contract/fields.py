"""The types of the wire: how each reads a JSON value, writes it, and describes itself as JSON Schema.

Every refusal is `BadInput` with the JSON path as its place. Records made of these types are in `records`.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol

from gateway.contract.codec import name_of
from gateway.contract.limits import END_YEAR, FIRST_YEAR, MAX_ID_CHARS, MAX_VALUE_CHARS, MAX_WHOLE
from gateway.contract.times import END_MS, FIRST_MS, from_any_ms, from_ms, to_ms
from gateway.model.errors import BadInput

Scalar = float | bool | str
Schema = dict[str, Any]

NAME_PATTERN = r"[A-Za-z][A-Za-z0-9_.-]{0,63}"
SLUG_PATTERN = r"[a-z][a-z0-9_]{0,63}"
ULID_PATTERN = r"[0-7][0-9A-HJKMNP-TV-Z]{25}"
ID_PATTERN = rf"[A-Za-z0-9][A-Za-z0-9._:-]{{0,{MAX_ID_CHARS - 1}}}"
HEX_PATTERN = r"[0-9a-f]{2,1024}"


class WireType(Protocol):
    """One type of the wire."""

    def read(self, raw: object, place: str) -> Any:
        """Return the Python value of a parsed JSON value, or raise BadInput."""

    def write(self, value: Any) -> object:
        """Return the JSON value of a Python value; the reverse of `read`."""

    def schema(self) -> Schema:
        """Describe what `read` accepts as JSON Schema 2020-12."""


def wrong_type(raw: object, wanted: str, place: str) -> BadInput:
    """The refusal of a value that has another JSON type than `wanted`."""
    return BadInput(
        f"{name_of(raw)} stands where {wanted} belongs", reason="wrong_type", place=place, cure=f"Send {wanted}."
    )


def _out_of_range(raw: object, wanted: str, place: str) -> BadInput:
    return BadInput(f"{raw} is not {wanted}", reason="out_of_range", place=place, cure=f"Send {wanted}.")


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number between `low` and `high`, both included; true and 1.0 are none."""

    low: int = 0
    high: int = MAX_WHOLE

    def read(self, raw: object, place: str) -> int:
        if type(raw) is not int:
            raise wrong_type(raw, "a whole number", place)
        if not self.low <= raw <= self.high:
            raise _out_of_range(raw, f"a whole number from {self.low} to {self.high}", place)
        return raw

    def write(self, value: int) -> object:
        return value

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time in milliseconds since 1970-01-01 UTC, from the year 2000 to the end of 2099."""

    def read(self, raw: object, place: str) -> datetime:
        if type(raw) is not int:
            raise wrong_type(raw, "a time in milliseconds", place)
        if not FIRST_MS <= raw < END_MS:
            raise BadInput(
                f"{raw} ms lies outside the years {FIRST_YEAR} to {END_YEAR - 1}",
                reason="time_out_of_range",
                place=place,
                cure="Send milliseconds since 1970-01-01 UTC; check the device's clock.",
            )
        return from_ms(raw)

    def write(self, value: datetime) -> object:
        return to_ms(value)

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": FIRST_MS, "maximum": END_MS - 1}


@dataclass(frozen=True, slots=True)
class AnyMoment:
    """A point in time by a clock that may be wrong: an alarm is taken whenever its device believes that it is."""

    def read(self, raw: object, place: str) -> datetime:
        if type(raw) is not int:
            raise wrong_type(raw, "a time in milliseconds", place)
        return from_any_ms(raw)

    def write(self, value: datetime) -> object:
        return to_ms(value)

    def schema(self) -> Schema:
        return {"type": "integer"}


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def read(self, raw: object, place: str) -> bool:
        if not isinstance(raw, bool):
            raise wrong_type(raw, "true or false", place)
        return raw

    def write(self, value: bool) -> object:  # noqa: FBT001 - the value of a field that is a truth value
        return value

    def schema(self) -> Schema:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Text:
    """A text of at most `longest` characters; with a `pattern`, the whole text must match it."""

    longest: int = MAX_VALUE_CHARS
    pattern: str = ""
    shortest: int = 0

    def read(self, raw: object, place: str) -> str:
        if not isinstance(raw, str):
            raise wrong_type(raw, "a text", place)
        if not self.shortest <= len(raw) <= self.longest:
            wanted = f"{self.shortest} to {self.longest} characters"
            raise BadInput(
                f"the text has {len(raw)} characters", reason="out_of_range", place=place, cure=f"Send {wanted}."
            )
        if self.pattern and re.fullmatch(self.pattern, raw) is None:
            raise BadInput(
                f"{raw[:40]!r} does not look like {self.pattern}",
                reason="bad_format",
                place=place,
                cure="Send a text of that form.",
            )
        return raw

    def write(self, value: str) -> object:
        return str(value)

    def schema(self) -> Schema:
        schema: Schema = {"type": "string", "maxLength": self.longest}
        if self.shortest:
            schema["minLength"] = self.shortest
        if self.pattern:
            schema["pattern"] = f"^(?:{self.pattern})$"
        return schema


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    def read(self, raw: object, place: str) -> str:
        if not isinstance(raw, str):
            raise wrong_type(raw, "a text", place)
        if raw not in self.words:
            raise BadInput(
                f"{raw[:40]!r} is not known",
                reason="unknown_word",
                place=place,
                cure=f"Use one of {', '.join(self.words)}.",
            )
        return raw

    def write(self, value: str) -> object:
        return str(value)

    def schema(self) -> Schema:
        return {"type": "string", "enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class Measured:
    """The value of a property: a finite number (always read as float), true or false, or a short text."""

    longest: int = MAX_VALUE_CHARS

    def read(self, raw: object, place: str) -> Scalar:
        if type(raw) is float and math.isfinite(raw):  # nearly always
            return raw
        if isinstance(raw, bool):
            return raw
        if isinstance(raw, (int, float)):
            return self._number(raw, place)
        if isinstance(raw, str):
            return Text(self.longest).read(raw, place)
        raise wrong_type(raw, "a number, true, false or a text", place)

    def _number(self, raw: float, place: str) -> float:
        try:
            number = float(raw)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise BadInput(
                "the number is not finite",
                reason="not_finite",
                place=place,
                cure="Leave a property out when it has no value.",
            )
        return number

    def write(self, value: Scalar) -> object:
        return value

    def schema(self) -> Schema:
        return {"anyOf": [{"type": ["number", "boolean"]}, {"type": "string", "maxLength": self.longest}]}


@dataclass(frozen=True, slots=True)
class Table:
    """An object whose keys are names and whose values are all of one type."""

    kind: WireType
    most: int
    key_pattern: str = NAME_PATTERN
    fewest: int = 0

    def read(self, raw: object, place: str) -> dict[str, Any]:
        if not isinstance(raw, dict):
            raise wrong_type(raw, "an object", place)
        _check_count(len(raw), (self.fewest, self.most), place)
        return {self._key(key, place): self.kind.read(item, f"{place}.{key}") for key, item in raw.items()}

    def _key(self, key: str, place: str) -> str:
        if not _is_name(self.key_pattern, key):
            raise BadInput(
                f"the key {key[:40]!r} does not look like {self.key_pattern}",
                reason="bad_name",
                place=place,
                cure="Rename the property.",
            )
        return key

    def write(self, value: Mapping[str, Any]) -> object:
        return {key: self.kind.write(item) for key, item in value.items()}

    def schema(self) -> Schema:
        return {
            "type": "object",
            "minProperties": self.fewest,
            "maxProperties": self.most,
            "propertyNames": {"pattern": f"^(?:{self.key_pattern})$"},
            "additionalProperties": self.kind.schema(),
        }


@dataclass(frozen=True, slots=True)
class Items:
    """A list of one type."""

    kind: WireType
    most: int
    fewest: int = 0

    def read(self, raw: object, place: str) -> tuple[Any, ...]:
        if not isinstance(raw, list):
            raise wrong_type(raw, "a list", place)
        _check_count(len(raw), (self.fewest, self.most), place)
        return tuple(self.kind.read(item, f"{place}[{index}]") for index, item in enumerate(raw))

    def write(self, value: tuple[Any, ...]) -> object:
        return [self.kind.write(item) for item in value]

    def schema(self) -> Schema:
        return {
            "type": "array",
            "minItems": self.fewest,
            "maxItems": self.most,
            "items": self.kind.schema(),
        }


@dataclass(frozen=True, slots=True)
class Details:
    """Any JSON object: facts that people read and no program relies on; bounded by the limits of the message."""

    def read(self, raw: object, place: str) -> dict[str, object]:
        if not isinstance(raw, dict):
            raise wrong_type(raw, "an object", place)
        _refuse_not_finite(raw, place)
        return raw

    def write(self, value: Mapping[str, object]) -> object:
        return dict(value)

    def schema(self) -> Schema:
        return {"type": "object"}


@lru_cache(maxsize=4096)
def _is_name(pattern: str, key: str) -> bool:
    """Devices say the same few names for ever, so each is looked at once."""
    return re.fullmatch(pattern, key) is not None


def _check_count(count: int, limits: tuple[int, int], place: str) -> None:
    fewest, most = limits
    if not fewest <= count <= most:
        raise BadInput(
            f"{count} entries",
            reason="out_of_range",
            place=place,
            cure=f"Send {fewest} to {most} entries.",
        )


def _refuse_not_finite(value: object, place: str) -> None:
    """Refuse NaN and infinity at any depth: a parser lets none through, but a sender's own value might hold one."""
    if isinstance(value, float) and not math.isfinite(value):
        raise BadInput("the number is not finite", reason="not_finite", place=place, cure="Leave it out.")
    if isinstance(value, Mapping):
        for key, item in value.items():
            _refuse_not_finite(item, f"{place}.{key}")
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            _refuse_not_finite(item, f"{place}[{index}]")
