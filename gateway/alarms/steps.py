"""What each action writes: the facts that a step needs and the columns that it changes, pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from gateway.model.alarms import Action, Alarm, Outcome, Verdict
from gateway.model.errors import BadInput, Forbidden
from gateway.model.people import Person


@dataclass(frozen=True, slots=True)
class Said:
    """What the person who does a step says with it."""

    note: str
    verdict: Verdict | None
    dispatched_to: str
    outcome: Outcome | None


def _acknowledged(_alarm: Alarm, by: Person, now: datetime, _said: Said) -> dict[str, Any]:
    return {"acknowledged_at": now, "acknowledged_by": by.person_id, "acknowledged_name": by.display_name}


def _verified(alarm: Alarm, _by: Person, now: datetime, said: Said) -> dict[str, Any]:
    verdict = _required(said.verdict, "verdict", "true, false or unclear")
    # A real emergency in the middle of a drill is one from the moment that somebody has found out.
    is_drill = alarm.is_drill and verdict is not Verdict.TRUE
    return {"verified_at": now, "verdict": verdict, "is_drill": is_drill}


def _dispatched(_alarm: Alarm, _by: Person, now: datetime, said: Said) -> dict[str, Any]:
    return {"dispatched_at": now, "dispatched_to": _required(said.dispatched_to.strip(), "dispatched_to", "who goes")}


def _arrived(_alarm: Alarm, _by: Person, now: datetime, _said: Said) -> dict[str, Any]:
    return {"on_scene_at": now}


def _resolved(alarm: Alarm, by: Person, now: datetime, said: Said) -> dict[str, Any]:
    if alarm.needs_second_person:
        _required(said.note.strip(), "note", "the reason, for the person who closes it")
    outcome = _required(said.outcome, "outcome", "true, false, test, hoax or duplicate")
    return {
        "resolved_at": now,
        "outcome": outcome,
        "resolved_by": by.person_id,
        "resolved_name": by.display_name,
    }


def _closed(alarm: Alarm, by: Person, now: datetime, said: Said) -> dict[str, Any]:
    if alarm.needs_second_person:
        _check_second_person(alarm, by)
    else:
        _required(said.note.strip(), "note", "the reason for closing")
    outcome = _required(said.outcome or alarm.outcome, "outcome", "true, false, test, hoax or duplicate")
    return {
        "resolved_at": alarm.resolved_at or now,
        "outcome": outcome,
        "closed_at": now,
        "closed_by": by.person_id,
        "closed_name": by.display_name,
    }


def _check_second_person(alarm: Alarm, by: Person) -> None:
    if alarm.resolved_by is None:
        raise Forbidden(
            "an alarm of level 1 is closed by two people",
            place="action",
            cure="Resolve it with its outcome and reason; another person closes it.",
        )
    if alarm.resolved_by == by.person_id:
        raise Forbidden(
            f"{by.display_name} has resolved it and cannot close it too",
            place="action",
            cure="Another operator or the supervisor looks at it and closes it.",
        )


Change = Callable[[Alarm, Person, datetime, Said], dict[str, Any]]

#: Columns that an action changes; BadInput(missing_field) where its fact was not said.
CHANGES: Mapping[Action, Change] = MappingProxyType(
    {
        Action.ACKNOWLEDGE: _acknowledged,
        Action.VERIFY: _verified,
        Action.DISPATCH: _dispatched,
        Action.ARRIVE: _arrived,
        Action.RESOLVE: _resolved,
        Action.CLOSE: _closed,
    }
)

#: The word in the history.
EVENT_OF: Mapping[Action, str] = MappingProxyType(
    {
        Action.ACKNOWLEDGE: "acknowledged",
        Action.VERIFY: "verified",
        Action.DISPATCH: "dispatched",
        Action.ARRIVE: "on_scene",
        Action.RESOLVE: "resolved",
        Action.CLOSE: "closed",
    }
)


def _required(value: Any, name: str, meaning: str) -> Any:
    if not value:
        raise BadInput(f"{name} is missing", reason="missing_field", place=name, cure=f"Say {meaning}.")
    return value
