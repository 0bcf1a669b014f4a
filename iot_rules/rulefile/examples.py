"""Examples inside a rule file: what happens when, and what the rule should then have done, at which minute."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time

from iot_rules.conditions.schedule import DAY
from iot_rules.conditions.truth import Value
from iot_rules.rulefile.deeds import DEED_WORDS
from iot_rules.rulefile.problems import nearest
from iot_rules.rulefile.table import Table
from iot_rules.rules import Input

#: A plain Thursday; examples that mean another day say `date`.
DEFAULT_DATE = date(2026, 1, 15)

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
_PRESENCE_KEYS = ("offline", "online")


@dataclass(frozen=True, slots=True)
class Given:
    """At `at` (local, without zone) the device behind `input` says `value`, or becomes `presence`; or a restart."""

    at: datetime
    input: str = ""
    value: Value | None = None
    presence: str = ""
    is_restart: bool = False


@dataclass(frozen=True, slots=True)
class Expected:
    """A deed by its word; `at` is None where the minute does not matter."""

    deed: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """One given-when-then; it runs until `until` and must have done exactly what `then` says, in that order."""

    name: str
    line: int
    given: tuple[Given, ...]
    until: datetime
    then: tuple[Expected, ...]


def read_examples(table: Table, inputs: dict[str, Input]) -> tuple[Example, ...]:
    """Return the examples of one rule."""
    return tuple(_read_example(one, inputs) for one in table.tables("example"))


def _read_example(table: Table, inputs: dict[str, Input]) -> Example:
    table.expect_keys(("name", "date", "when", "until", "then"), ("name", "when", "until"))
    day = table.values.get("date", DEFAULT_DATE)
    if not isinstance(day, date) or isinstance(day, datetime):
        table.wrong("date", f"date = {day!r} is no date", "Write date = 2026-01-15, without quotation marks.")
        day = DEFAULT_DATE
    now = datetime.combine(day, time())
    given: list[Given] = []
    for one in table.tables("when"):
        now = _moment(one, "at", now)
        given.append(_read_given(one, now, inputs))
    until = _moment(table, "until", now)
    then = tuple(_read_expected(one, given[0].at if given else now) for one in table.tables("then"))
    line = table.report.positions.of(table.path).line
    return Example(table.text("name"), line, tuple(given), until, then)


def _read_given(table: Table, at: datetime, inputs: dict[str, Input]) -> Given:
    table.expect_keys(("at", *_PRESENCE_KEYS, "restart", *inputs), ("at",))
    if table.has("restart"):
        return Given(at, is_restart=True)
    for presence in _PRESENCE_KEYS:
        if table.has(presence):
            return Given(at, table.word(presence, inputs, next(iter(inputs), "")), presence=presence)
    said = [key for key in table.values if key in inputs]
    if len(said) != 1:
        table.wrong("", "it must say one thing", f'Write {{ at = "22:30", {next(iter(inputs), "door")} = true }}.')
        return Given(at)
    value = table.values[said[0]]
    if not isinstance(value, (bool, int, float, str)):
        table.wrong(said[0], f"{value!r} is no value", "Write true, a number without unit, or a text.")
        return Given(at, said[0])
    return Given(at, said[0], float(value) if isinstance(value, int) and not isinstance(value, bool) else value)


def _read_expected(table: Table, start: datetime) -> Expected:
    table.expect_keys(("at", "do"), ("do",))
    word = table.text("do")
    if word not in DEED_WORDS:
        table.wrong("do", f'do = "{word}" is no deed', nearest(word, DEED_WORDS))
    return Expected(word, _moment(table, "at", start) if table.has("at") else None)


def _moment(table: Table, key: str, after: datetime) -> datetime:
    """Return the next moment at or after `after` with this time of the day."""
    found = _CLOCK.fullmatch(table.text(key, "00:00"))
    if not found:
        table.wrong(key, f'{key} = "{table.text(key)}" is no time of the day', f'Write {key} = "22:30".')
        return after
    clock = time(int(found[1]), int(found[2]), int(found[3] or 0))
    moment = datetime.combine(after.date(), clock)
    return moment if moment >= after else moment + DAY
