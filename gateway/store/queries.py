"""Named SQL: `sql/queries/<module>.sql` holds `-- name: verb_noun` blocks, read once."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@cache
def named(module: str) -> Mapping[str, str]:
    """Return the queries of one module by name; KeyError for a name that the file does not have."""
    text = (files("gateway.store") / "sql" / "queries" / f"{module}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)[1:]
    return MappingProxyType({name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)})
