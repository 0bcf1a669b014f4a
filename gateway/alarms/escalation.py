"""Who is asked next when nobody answers: the chain of an alarm, and what a timer that is due means. Pure.

Rules in prose. An alarm goes from its community to the street, the district and the district's supervisor at the times
of `Delays`; each desk is added, none is relieved. Where a roster is kept and nobody is on duty, the step that would
wait for that desk does not wait: the next one is asked at once. The chain is decided once, when the alarm is raised.
A timer that is due acts only if what it waited for has not happened: `unseen` waits for a rendering, the chain for an
acknowledgement, `progress` for the next step of the work.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from gateway.model.alarms import Alarm, AlarmState, Delays
from gateway.model.ids import outer_area

UNSEEN: Final = "unseen"
STREET: Final = "street"
DISTRICT: Final = "district"
SUPERVISOR: Final = "supervisor"
PROGRESS: Final = "progress"

#: Digits of an area code that each step's desks share.
_DIGITS: Final[Mapping[str, int]] = MappingProxyType({UNSEEN: 9, STREET: 9, DISTRICT: 6, SUPERVISOR: 6})
_LEVELS: Final[Mapping[str, int]] = MappingProxyType({UNSEEN: 1, STREET: 1, DISTRICT: 2, SUPERVISOR: 3})
#: Somebody owns it and the next step is waited for.
AT_WORK: Final = frozenset({AlarmState.ACKNOWLEDGED, AlarmState.VERIFIED, AlarmState.DISPATCHED, AlarmState.ON_SCENE})


@dataclass(frozen=True, slots=True)
class Step:
    """One desk that will be asked, and when; `brought_forward` because nobody is on duty before it."""

    kind: str
    level: int
    after_s: float
    area_id: str
    area_name: str
    brought_forward: bool = False

    def document(self) -> dict[str, object]:
        """The step as the alarm's row keeps it."""
        facts: dict[str, object] = {
            "kind": self.kind,
            "level": self.level,
            "after_s": self.after_s,
            "area": self.area_id,
            "name": self.area_name,
        }
        return {**facts, "nobody": True} if self.brought_forward else facts


@dataclass(frozen=True, slots=True)
class Timer:
    """One row of `alarm_timers` that is not done."""

    timer_id: int
    alarm_id: str
    round: int
    kind: str
    level: int
    target_area: str
    target_name: str
    due_at: datetime


class Deed(StrEnum):
    """What a timer does when it is due."""

    ESCALATE = "escalate"
    EXPIRE = "expire"
    REMIND = "remind"
    NOTHING = "nothing"


def areas_asked(area_id: str) -> tuple[str, ...]:
    """Return the areas whose names and rosters `chain_of` needs: the community, its street, its district."""
    return (area_id, outer_area(area_id, 9), outer_area(area_id, 6))


def chain_of(area_id: str, delays: Delays, names: Mapping[str, str], deserted: Iterable[str] = ()) -> tuple[Step, ...]:
    """Return the steps in their order; `deserted` are areas that keep a roster and have nobody on duty."""
    empty = frozenset(deserted)
    after = {
        UNSEEN: delays.unseen_s,
        STREET: delays.street_s,
        DISTRICT: delays.district_s,
        SUPERVISOR: delays.supervisor_s,
    }
    asked_before = {UNSEEN: area_id, STREET: area_id, DISTRICT: outer_area(area_id, 9)}
    steps: list[Step] = []
    is_open_road = True
    for kind, after_s in after.items():
        before = asked_before.get(kind)
        # A step is brought forward only as long as every desk before it is deserted.
        is_open_road = is_open_road and before in empty
        target = outer_area(area_id, _DIGITS[kind])
        wait_s = 0.0 if is_open_road else after_s
        steps.append(Step(kind, _LEVELS[kind], wait_s, target, names.get(target, ""), brought_forward=is_open_road))
    return tuple(steps)


def due_times(steps: Sequence[Step], since: datetime) -> list[datetime]:
    """Return when each step is due."""
    return [since + timedelta(seconds=step.after_s) for step in steps]


def deed_of(timer: Timer, alarm: Alarm) -> Deed:
    """Return what `timer`, which is due, does to `alarm` as it is now."""
    if timer.kind == UNSEEN:
        return Deed.ESCALATE if alarm.state is AlarmState.RAISED else Deed.NOTHING
    if timer.kind != PROGRESS:
        return Deed.ESCALATE if alarm.is_waiting else Deed.NOTHING
    if alarm.state is AlarmState.ACKNOWLEDGED:
        return Deed.EXPIRE
    return Deed.REMIND if alarm.state in AT_WORK else Deed.NOTHING


def steps_of(chain: Sequence[Mapping[str, object]]) -> tuple[Step, ...]:
    """Return the steps that an alarm's row keeps."""
    return tuple(
        Step(
            str(one["kind"]),
            int(str(one["level"])),
            float(str(one["after_s"])),
            str(one["area"]),
            str(one["name"]),
            brought_forward=bool(one.get("nobody")),
        )
        for one in chain
    )
