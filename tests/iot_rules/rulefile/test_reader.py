"""Rule files: what is taken, and every mistake with its line, its rule and its cure."""

import tomllib
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_stubs.sensors import PROFILES
from gateway.contract.messages import Meta
from iot_rules.conditions.triggers import State, Threshold
from iot_rules.rulefile.positions import find_positions
from iot_rules.rulefile.problems import Problem, RuleFileRefused
from iot_rules.rulefile.reader import read_rule_file
from iot_rules.rulefile.vocabulary import KNOWN_EVENTS, KNOWN_PROPERTIES, Vocabulary
from iot_rules.rules import Gap, GapPolicy, ShowOnTv
from tests.kit.rules import DOOR, SMOKE

GOOD = """\
format = 1

[[rule]]
id = "door-open"
inputs.door = { property = "open", device = "door-0301" }
inputs.temp = { property = "temp" }
when = { input = "door", is = true }
for = "10 min"
during = { from = "22:00", to = "06:00", days = "workdays" }
if = "temp < 10.0"
gap = "2 min"
cooldown = "30 min"
budget = "5 per 1 h"
then = [{ do = "show_on_tv", title = "门开着已经{minutes}分钟" }]
else = [{ do = "clear_tv" }]

[[rule]]
id = "too-warm"
inputs.temp = { property = "temp" }
when = { input = "temp", above = "30 °C", hysteresis = "2 °C" }
then = [{ do = "tell_desk", text = "太热" }]
"""
VOCABULARY = Vocabulary().with_registry([DOOR, SMOKE], [])


def problems(text: str) -> list[str]:
    with pytest.raises(RuleFileRefused) as refused:
        read_rule_file("rules.toml", text.encode(), VOCABULARY)
    return [str(one) for one in refused.value.problems]


def test_a_good_file_says_what_it_means() -> None:
    """Durations, limits with hysteresis, windows and policies arrive in the rule as they were written."""
    door, warm = read_rule_file("rules.toml", GOOD.encode(), VOCABULARY).rules
    assert door.trigger == State("door", equals=True) and door.hold == timedelta(minutes=10)
    assert door.gap == Gap(GapPolicy.FORGIVE, timedelta(minutes=2)) and door.budget.fires == 5
    assert warm.trigger == Threshold("temp", is_above=True, limit=30.0, hysteresis=2.0)
    assert isinstance(door.then[0], ShowOnTv)


@pytest.mark.parametrize(
    ("good", "bad", "line", "says", "cure"),
    [
        ('device = "door-0301"', 'device = "door-0310"', 5, 'no device "door-0310"', 'Did you mean "door-0301"?'),
        ('property = "open"', 'property = "opne"', 5, 'no device reports a property "opne"', 'Did you mean "open"?'),
        ('property = "open", device = "door-0301"', 'kind = "doors"', 5, 'no device is of the kind "doors"', "Known:"),
        ('property = "open"', 'event = "smok"', 5, 'no device reports an event "smok"', '"smoke"'),
        ('for = "10 min"', 'for = "10"', 8, '"10" has no unit', 'Write "10 min" or "10 s".'),
        ('for = "10 min"', "for = 10", 8, "10 has no unit", 'Write "10 min" or "10 s".'),
        ('for = "10 min"', 'for = "10 mins"', 8, '"mins" is no unit of time', 'Write "10 min"'),
        ('for = "10 min"', 'fro = "10 min"', 8, '"fro" is not known here', 'Did you mean "for"?'),
        ('above = "30 °C"', 'above = "30 °F"', 20, 'the unit "°F" is not that of temp', 'Write "30 °C"'),
        ('above = "30 °C"', "above = 30", 20, "30 has no unit", 'Write "30 °C"'),
        ('above = "30 °C"', 'above = "30 °C", below = "5 °C"', 20, "exactly one of is, above, below", "Write is"),
        ('hysteresis = "2 °C"', 'hysteresis = "-2 °C"', 20, "hysteresis is negative", "positive"),
        ("is = true", 'is = "yes"', 7, "open is a flag", "Write is = true."),
        ("is = true", 'above = "1"', 7, "open is no number", "Write is = true instead of above."),
        ('input = "door", is', 'input = "dor", is', 7, 'no input is named "dor"', 'Did you mean "door"?'),
        ('id = "too-warm"', 'id = "door-open"', 18, "is there twice", "id of its own"),
        ('id = "too-warm"', 'id = "Too Warm"', 18, "is no id", "a-z"),
        ('if = "temp < 10.0"', 'if = "temp < 10"', 10, "no matching overload", "35.0"),
        ('if = "temp < 10.0"', 'if = "tmp < 10.0"', 10, "undeclared reference to 'tmp'", "door, temp, workday"),
        ('if = "temp < 10.0"', 'if = "temp < "', 10, "Syntax error", "&&"),
        ('from = "22:00"', 'from = "25:00"', 9, '"25:00" is no time of the day', '"22:00"'),
        ('days = "workdays"', 'days = "weekdays"', 9, '"weekdays" is not known', 'Did you mean "workdays"?'),
        ('do = "clear_tv"', 'do = "clear_vt"', 15, "is no deed", 'Did you mean "clear_tv"?'),
        ('do = "clear_tv"', 'do = "command"', 15, "commands cannot be sent yet", "tell_desk"),
        ('do = "clear_tv"', 'do = "alarm", kind = "smoke"', 15, "cannot be the end of something", "rule of its own"),
        ("{minutes}分钟", "{minuets}分钟", 14, "{minuets} stands for nothing", "{minutes}"),
        ("{minutes}分钟", "{分钟", 14, "stands for nothing", "{minutes}"),
        ('title = "门开着已经{minutes}分钟"', f'title = "{"长" * 21}"', 14, "is 21 characters wide", "holds 16"),
        ('title = "门开着已经{minutes}分钟"', 'text = "x"', 14, '"title" is missing', "Add title"),
        ('budget = "5 per 1 h"', "budget = 5", 13, "is no budget", '"30 per 1 h"'),
        ('then = [{ do = "tell_desk", text = "太热" }]', "then = []", 21, "the rule does nothing", "show_on_tv"),
        ('then = [{ do = "tell_desk", text = "太热" }]', "", 17, '"then" is missing', "Add then"),
        ('when = { input = "temp", above', 'when = "temp > 30" # ', 20, "when must be a table", "Write when = {"),
        ("format = 1", "format = 2", 1, "not a whole number from 1 to 1", "format = 1"),
        ("format = 1", 'time_zone = "Asia/Peking"', 1, "is no time zone", "Asia/Shanghai"),
        ('for = "10 min"', 'for = "10 min', 8, "not TOML", "name = value"),
        ('cooldown = "30 min"', 'mode = "single"', 12, "mode is for rules about events", "Leave it out"),
    ],
)
def test_each_mistake_names_its_line_and_its_cure(good: str, bad: str, line: int, says: str, cure: str) -> None:
    """A rule file with one mistake is refused with file:line, what is wrong, and what to write instead."""
    assert good in GOOD
    said = problems(GOOD.replace(good, bad, 1))
    matching = [one for one in said if says in one]
    assert matching, said
    assert matching[0].startswith(f"rules.toml:{line}:") and cure in matching[0]


def test_a_mistake_in_a_condition_names_its_column() -> None:
    """The column of a CEL mistake counts from the line's beginning, not the expression's."""
    (said,) = problems(GOOD.replace("temp < 10.0", "temp < 10"))
    assert said.startswith("rules.toml:10:12:")


def test_all_mistakes_are_told_at_once() -> None:
    """Two mistakes in two rules are two lines, in the order of the file, each with its rule."""
    said = problems(GOOD.replace('"10 min"', '"10"').replace('"30 °C"', "30"))
    assert [one.split(": ")[1] for one in said] == ['rule "door-open"', 'rule "too-warm"']


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\x00", b"[[rule", b"rule = 3", b"[rule]\nid = 'x'", b"a" * 600_000])
def test_what_is_no_rule_file_is_refused_with_its_place(content: bytes) -> None:
    """Noise, half a file and oversized files are refused like any other mistake."""
    with pytest.raises(RuleFileRefused) as refused:
        read_rule_file("rules.toml", content, VOCABULARY)
    assert refused.value.place.startswith("rules.toml:") and refused.value.cure


def test_a_switched_off_rule_is_checked_and_does_not_run() -> None:
    """`enabled = false` keeps a rule in the file and out of the engine."""
    text = GOOD.replace('id = "too-warm"', 'id = "too-warm"\nenabled = false')
    assert [rule.rule_id for rule in read_rule_file("rules.toml", text.encode(), VOCABULARY).rules] == ["door-open"]
    assert problems(text.replace('above = "30 °C"', "above = 30"))


def test_a_community_rule_must_name_its_other_devices() -> None:
    """Beside the trigger, an input of a whole community could be anybody's."""
    text = GOOD.replace('id = "door-open"', 'id = "door-open"\nscope = "community"')
    assert "temp could be many devices" in problems(text)[0]


def test_words_known_without_a_registry_are_those_of_the_village() -> None:
    """`check` without a database knows every property, unit and event that the simulated devices report."""
    parts = [part for profile in PROFILES.values() for part in profile.parts.values()]
    metas = [Meta(kind="sensor", model="x", parts=profile.parts) for profile in PROFILES.values()]
    said = Vocabulary(properties={}).with_registry([], metas)
    assert {name: KNOWN_PROPERTIES.get(name) for name in said.properties} == said.properties
    assert {event for part in parts for event in part.events} <= KNOWN_EVENTS


def test_every_value_of_a_real_file_has_a_place() -> None:
    """The places of the preset and of the village: no value without its line, and the line has its key."""
    for path in (Path("iot_rules/presets/village.toml"), Path("firmware_stubs/villages/liuwan.toml")):
        text = (Path(__file__).parents[3] / path).read_text(encoding="utf-8")
        places, lines = find_positions(text), text.splitlines()
        for leaf in leaves(tomllib.loads(text), ()):
            assert leaf in places.values
            if isinstance(leaf[-1], str):
                assert leaf[-1] in lines[places.of(leaf).line - 1]


def leaves(value: object, path: tuple[str | int, ...]) -> list[tuple[str | int, ...]]:
    if isinstance(value, dict):
        return [leaf for key, one in value.items() for leaf in leaves(one, (*path, key))]
    if isinstance(value, list):
        return [leaf for number, one in enumerate(value) for leaf in leaves(one, (*path, number))]
    return [path]


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(GOOD)), st.text("[]{}=\"',.#\n a1\\门", max_size=4), st.integers(0, 12))
def test_no_damage_to_a_file_is_an_accident(at: int, put: str, cut: int) -> None:
    """However a file is damaged, it is read or refused with problems; nothing else comes out."""
    damaged = GOOD[:at] + put + GOOD[at + cut :]
    refused: tuple[Problem, ...] = ()
    try:
        read_rule_file("rules.toml", damaged.encode(), VOCABULARY)
    except RuleFileRefused as error:
        refused = error.problems
    assert all(one.line >= 1 and one.cure for one in refused)
