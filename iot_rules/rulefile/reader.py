"""Reading a whole rule file: rules and their examples, or every problem at once."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from iot_rules.conditions.expression import BadExpression, Expression, ValueType, compile_expression
from iot_rules.conditions.schedule import DEFAULT_PLACE, DEFAULT_ZONE, Days, Window
from iot_rules.conditions.triggers import Occurrence, Silence, Trigger
from iot_rules.rulefile.deeds import read_deeds
from iot_rules.rulefile.examples import Example, read_examples
from iot_rules.rulefile.positions import Position, Positions, find_positions
from iot_rules.rulefile.problems import Problem, RuleFileRefused
from iot_rules.rulefile.quantities import NotAQuantity, read_duration, read_edge
from iot_rules.rulefile.table import Report, Table
from iot_rules.rulefile.triggers import NO_TRIGGER, read_inputs, read_trigger
from iot_rules.rulefile.vocabulary import Vocabulary
from iot_rules.rules import DEFAULT_GAP_LIMIT, Budget, Gap, GapPolicy, Input, Mode, RaiseAlarm, Rule, Scope, Source

FORMAT = 1
MAX_BYTES = 512 * 1024

_FILE_KEYS = ("format", "time_zone", "place", "rule")
_RULE_KEYS = (
    "id", "version", "name", "note", "scope", "enabled", "inputs", "when", "for", "during", "if", "then", "else",
    "mode", "cooldown", "gap", "catch_up", "budget", "lasts", "fire_on_first", "example",
)  # fmt: skip
_RULE_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_BUDGET = re.compile(r"(\d+)\s+per\s+(.+)")


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A file that can be run; `examples` by rule id."""

    name: str
    rules: tuple[Rule, ...]
    examples: Mapping[str, tuple[Example, ...]]
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class _Place:
    zone: ZoneInfo
    point: tuple[float, float]


def read_rule_file(name: str, content: bytes, vocabulary: Vocabulary) -> RuleFile:
    """Return the rules of a file; RuleFileRefused with every problem, each with line, rule and cure."""
    document, positions = _parse(name, content)
    report = Report(name, positions)
    top = Table(report, document, ())
    top.expect_keys(_FILE_KEYS)
    top.whole("format", FORMAT, FORMAT, FORMAT)
    place = _read_place(top)
    rules: dict[str, Rule] = {}
    examples: dict[str, tuple[Example, ...]] = {}
    for table in top.tables("rule"):
        rule, said = _read_rule(replace(table, rule_id=str(table.values.get("id", ""))), place, vocabulary)
        if rule.rule_id in rules:
            table.wrong("id", f'the id "{rule.rule_id}" is there twice', "Give each rule an id of its own.")
        if table.flag("enabled", default=True):
            rules[rule.rule_id], examples[rule.rule_id] = rule, said
    if report.problems:
        raise RuleFileRefused(report.problems)
    return RuleFile(name, tuple(rules.values()), examples, place.zone)


def _parse(name: str, content: bytes) -> tuple[dict[str, Any], Positions]:
    if len(content) > MAX_BYTES:
        raise _broken(name, 1, 1, f"the file has {len(content)} bytes", f"At most {MAX_BYTES} are read; split it.")
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
        return tomllib.loads(text), find_positions(text)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _broken(name, line, 1, "this is not UTF-8 text", "Save the file as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+), column (\d+)", str(error))
        last = content.count(b"\n") + 1
        line, column = (int(found[1]), int(found[2])) if found else (last, 1)
        said = str(error).split(" (at ")[0]
        cure = "Each line is name = value; text stands in quotation marks, a rule begins with [[rule]]."
        raise _broken(name, line, column, f"not TOML: {said}", cure) from error


def _broken(name: str, line: int, column: int, message: str, cure: str) -> RuleFileRefused:
    return RuleFileRefused([Problem(name, line, column, "", message, cure)])


def _read_place(top: Table) -> _Place:
    written = top.text("time_zone", DEFAULT_ZONE.key)
    try:
        zone = ZoneInfo(written)
    except (ZoneInfoNotFoundError, ValueError):
        top.wrong("time_zone", f'"{written}" is no time zone', f'Write time_zone = "{DEFAULT_ZONE.key}".')
        zone = DEFAULT_ZONE
    point = top.values.get("place", list(DEFAULT_PLACE))
    if not (isinstance(point, list) and len(point) == 2 and all(isinstance(one, (int, float)) for one in point)):
        top.wrong("place", "place must be latitude and longitude", "Write place = [39.9, 116.4].")
        point = DEFAULT_PLACE
    return _Place(zone, (float(point[0]), float(point[1])))


def _read_rule(table: Table, place: _Place, vocabulary: Vocabulary) -> tuple[Rule, tuple[Example, ...]]:
    table.expect_keys(_RULE_KEYS, ("id", "when", "then"))
    if table.has("id") and not _RULE_ID.fullmatch(table.rule_id):
        table.wrong("id", f'id = "{table.rule_id}" is no id', "Write it with a-z, 0-9 and -.")
    inputs = read_inputs(table.table("inputs"), vocabulary)
    trigger = read_trigger(table.table("when"), inputs, vocabulary)
    rule = Rule(
        rule_id=table.rule_id,
        version=table.whole("version", 1, 1, 1_000_000),
        name=table.text("name", table.rule_id),
        scope=Scope(table.word("scope", [scope.value for scope in Scope], Scope.HOUSEHOLD.value)),
        inputs=tuple(inputs.values()),
        trigger=trigger,
        then=read_deeds(table, "then"),
        otherwise=read_deeds(table, "else"),
        window=_read_window(table, place),
        condition=_read_condition(table, inputs, vocabulary),
        **_read_times(table),
        **_read_limits(table),
    )
    _check_sense(table, rule)
    return rule, read_examples(table, inputs)


def _read_times(table: Table) -> dict[str, Any]:
    hold = table.duration("for", timedelta())
    return {
        "hold": hold,
        "gap": _read_gap(table, hold),
        "cooldown": table.duration("cooldown", timedelta()),
        "lasts": table.duration("lasts", timedelta()),
        "catch_up": _read_catch_up(table),
    }


def _read_limits(table: Table) -> dict[str, Any]:
    return {
        "budget": table.quantity("budget", _budget, Budget()),
        "mode": Mode(table.word("mode", [mode.value for mode in Mode], Mode.PARALLEL.value)),
        "fires_on_first": table.flag("fire_on_first"),
    }


def _read_gap(table: Table, hold: timedelta) -> Gap:
    if table.values.get("gap") in {GapPolicy.HOLD.value, GapPolicy.RESET.value}:
        return Gap(GapPolicy(table.text("gap")))
    usual = min(DEFAULT_GAP_LIMIT, hold / 2) if hold else DEFAULT_GAP_LIMIT
    return Gap(GapPolicy.FORGIVE, table.duration("gap", usual))


def _read_catch_up(table: Table) -> timedelta | None:
    match table.values.get("catch_up", "always"):
        case "always":
            return None
        case "never":
            return timedelta(seconds=5)
        case _:
            return table.duration("catch_up", timedelta())


def _budget(written: object) -> Budget:
    found = _BUDGET.fullmatch(str(written))
    if not found:
        raise NotAQuantity(f"{written!r} is no budget", 'Write "30 per 1 h".')
    return Budget(max(1, int(found[1])), max(timedelta(seconds=1), read_duration(found[2])))


def _read_window(table: Table, place: _Place) -> Window | None:
    if not table.has("during"):
        return None
    during = table.table("during")
    during.expect_keys(("from", "to", "days"))
    midnight = read_edge("00:00")
    return Window(
        begin=during.quantity("from", read_edge, midnight),
        end=during.quantity("to", read_edge, midnight),
        days=Days(during.word("days", [days.value for days in Days], Days.EVERY.value)),
        zone=place.zone,
        place=place.point,
    )


def _read_condition(table: Table, inputs: Mapping[str, Input], vocabulary: Vocabulary) -> Expression | None:
    text = table.text("if")
    if not text:
        return None
    names = {name: _type_of(one, vocabulary) for name, one in inputs.items() if one.source is not Source.EVENT}
    try:
        return compile_expression(text, {**names, "workday": ValueType.FLAG})
    except BadExpression as error:
        begin = table.report.positions.of_value((*table.path, "if"))
        column = error.column + (begin.column - 1 if error.line == 1 else 0)
        where = Position(begin.line + error.line - 1, column)
        table.report.add(where, table.rule_id, f"if: {error.message}", error.cure)
        return None


def _type_of(one: Input, vocabulary: Vocabulary) -> ValueType:
    if one.source is Source.DEVICE:
        return ValueType.TEXT
    known = vocabulary.properties.get(one.key)
    return known.type if known else ValueType.ANY


def _check_sense(table: Table, rule: Rule) -> None:
    """Refuse what can be written and means nothing."""
    if rule.trigger is NO_TRIGGER:
        return
    if table.has("for") and not rule.is_lasting:
        table.wrong("for", f"an {_word(rule.trigger)} has no duration", "Leave out `for`.")
    if table.has("mode") and not isinstance(rule.trigger, Occurrence):
        table.wrong("mode", "mode is for rules about events", "Leave it out: a state fires once until it ends.")
    if table.has("mode") and rule.mode is not Mode.PARALLEL and not rule.lasts:
        table.wrong("mode", f'mode = "{rule.mode.value}" needs an activity that lasts', 'Add lasts = "10 min".')
    if not rule.then and "then" in table.values and not table.values["then"]:
        table.wrong("then", "the rule does nothing", 'Write then = [{ do = "show_on_tv", title = "…" }].')
    if rule.otherwise and isinstance(rule.trigger, Occurrence) and not rule.lasts:
        table.wrong("else", "an event has no end", 'Add lasts = "10 min", or leave out `else`.')
    for number, one in enumerate(rule.otherwise):
        if isinstance(one, RaiseAlarm):
            entry = table.tables("else")[number]
            entry.wrong("do", "an alarm cannot be the end of something", "Write a rule of its own for it.")
    _check_neighbours(table, rule)


def _check_neighbours(table: Table, rule: Rule) -> None:
    if rule.scope is not Scope.COMMUNITY:
        return
    for one in rule.inputs:
        if one.name != rule.trigger.input and not one.device:
            where = table.table("inputs").table(one.name)
            where.wrong("", f"in a community, {one.name} could be many devices", 'Name one: device = "…".')


def _word(trigger: Trigger) -> str:
    return "silence" if isinstance(trigger, Silence) else "event"
