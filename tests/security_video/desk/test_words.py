"""Every word that a page or a script asks for is in the table, in both languages."""

import re
import tomllib
from pathlib import Path

from gateway.alarms.states import MACHINE_ACTIONS, TRANSITIONS
from gateway.model.alarms import LEVEL_OF_KIND, SUSPICIONS, AlarmState, Outcome, Verdict
from security_video.desk import words
from security_video.desk.words import LANGUAGES, WORDS_FILE, words_of
from security_video.health import State

TIMERS = ("unseen", "street", "district", "supervisor", "progress")
EVENTS = (
    *("rendered", "acknowledged", "verified", "dispatched", "on_scene", "resolved", "closed", "cancelled"),
    *("pressed_again", "unseen", "escalated", "expired", "reminded", "nobody_on_duty", "evidence"),
)
DESK = Path(words.__file__).parent
ASKED = (re.compile(r"\bsay\(\"([\w.]+\w)\""), re.compile(r"\bw\(['\"]([\w.]+\w)['\"]"))
FAMILY = re.compile(r"\b(?:word|sentences)\(\"(\w+)\"")


def sources() -> str:
    """Return the text of every page and script of the desk; the tiles have words of their own."""
    files = [path for suffix in ("*.js", "*.html") for path in DESK.rglob(suffix)]
    return "\n".join(path.read_text() for path in files if path.name not in {"tiles.js", "picture_line.js"})


def test_every_word_that_is_asked_for_is_there() -> None:
    """No page asks for a key that the table lacks, and no family of words is empty."""
    text, known = sources(), words_of("zh")
    asked = {key for pattern in ASKED for key in pattern.findall(text)}
    assert len(asked) > 40
    assert asked <= set(known)
    for family in set(FAMILY.findall(text)):
        assert any(key.startswith(f"{family}.") for key in known), family


def test_every_state_of_the_machine_has_a_word() -> None:
    """States, actions, verdicts, outcomes, levels, kinds and camera states of the code all have words."""
    known = words_of("en")
    keys = [f"state.{state}" for state in AlarmState]
    keys += [f"action.{action}" for _state, action in TRANSITIONS if action not in MACHINE_ACTIONS]
    keys += [f"verdict.{verdict}" for verdict in Verdict] + [f"outcome.{outcome}" for outcome in Outcome]
    keys += [f"level.{level}" for level in (1, 2, 3, 4)] + [f"kind.{kind}" for kind in LEVEL_OF_KIND]
    keys += [f"suspicion.{reason}" for reason in SUSPICIONS] + [f"course.{kind}" for kind in EVENTS]
    keys += [f"next.{kind}{form}" for kind in (*TIMERS, "reminder") for form in ("", ".now", ".late")]
    keys += [f"camera.{state}" for state in State]
    assert set(keys) <= set(known)


def test_both_languages_fill_the_same_places() -> None:
    """A sentence and its translation name the same {places}, so that no fact is lost by switching."""
    table = tomllib.loads(WORDS_FILE.read_text())
    assert all(len(pair) == len(LANGUAGES) for pair in table.values())
    optional = {"who", "to", "verdict", "outcome", "limit", "n"}
    for key, (chinese, english) in table.items():
        places = [set(re.findall(r"\{(\w+)\}", text)) for text in (chinese, english)]
        assert places[0] - optional == places[1] - optional, key
