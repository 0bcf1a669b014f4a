"""A cursor over one table of a rule file: typed access that notes a problem and goes on with a harmless value."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, TypeVar

from iot_rules.rulefile.positions import Path, Position, Positions
from iot_rules.rulefile.problems import Problem, nearest
from iot_rules.rulefile.quantities import NotAQuantity, read_duration

T = TypeVar("T")


@dataclass(slots=True)
class Report:
    """The problems of one file as they are found."""

    file: str
    positions: Positions
    problems: list[Problem] = field(default_factory=list)

    def add(self, where: Position, rule_id: str, message: str, cure: str) -> None:
        self.problems.append(Problem(self.file, where.line, where.column, rule_id, message, cure))


@dataclass(frozen=True, slots=True)
class Table:
    """One table with its path; `rule_id` stands in every problem."""

    report: Report
    values: Mapping[str, Any]
    path: Path
    rule_id: str = ""

    def has(self, key: str) -> bool:
        return key in self.values

    def wrong(self, key: str, message: str, cure: str) -> None:
        """Note a problem with `key`; with the table itself where the key is empty or absent."""
        where = self.report.positions.of((*self.path, key) if key in self.values else self.path)
        self.report.add(where, self.rule_id, message, cure)

    def expect_keys(self, known: Collection[str], required: Collection[str] = ()) -> None:
        """Note every key that is not known and every one that is missing."""
        for key in self.values:
            if key not in known:
                self.wrong(key, f'"{key}" is not known here', nearest(key, known))
        for key in required:
            if key not in self.values:
                self.wrong("", f'"{key}" is missing', f"Add {key} = … to it.")

    def text(self, key: str, default: str = "") -> str:
        value = self.values.get(key, default)
        if isinstance(value, str):
            return value
        self.wrong(key, f"{key} must be text", f'Write {key} = "{value}".')
        return default

    def whole(self, key: str, default: int, low: int, high: int) -> int:
        value = self.values.get(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.wrong(key, f"{key} = {value!r} is not a whole number from {low} to {high}", f"Write {key} = {default}.")
        return default

    def flag(self, key: str, *, default: bool = False) -> bool:
        value = self.values.get(key, default)
        if isinstance(value, bool):
            return value
        self.wrong(key, f"{key} must be true or false", f"Write {key} = true, without quotation marks.")
        return default

    def word(self, key: str, known: Collection[str], default: str) -> str:
        value = self.text(key, default)
        if value in known:
            return value
        self.wrong(key, f'{key} = "{value}" is not known', nearest(value, known))
        return default

    def duration(self, key: str, default: timedelta) -> timedelta:
        return self.quantity(key, read_duration, default)

    def quantity(self, key: str, read: Callable[[object], T], default: T) -> T:
        """Read a value with its unit; the problem names what was written."""
        if key not in self.values:
            return default
        try:
            return read(self.values[key])
        except NotAQuantity as problem:
            self.wrong(key, f"{key}: {problem}", problem.cure)
            return default

    def table(self, key: str) -> "Table":
        """Return the table under `key`, empty where it is absent or something else."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            self.wrong(key, f"{key} must be a table", f"Write {key} = {{ … }}.")
            value = {}
        return replace(self, values=value, path=(*self.path, key))

    def tables(self, key: str) -> list["Table"]:
        """Return the list of tables under `key`."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.wrong(key, f"{key} must be a list of tables", f"Write [[{key}]], or {key} = [{{ … }}].")
            return []
        return [replace(self, values=one, path=(*self.path, key, number)) for number, one in enumerate(value)]
