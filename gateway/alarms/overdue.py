"""What should have happened by now and has not, judged from the rows alone; and what to do about it. Pure.

Shares nothing with the engine that it watches: it reads an alarm's own chain, counts by itself and believes only rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from gateway.contract.times import to_ms
from gateway.store.oversight import Incident, OpenTimer, Unsent, WaitingAlarm

#: Nothing fires the timers.
ENGINE_DEAD: Final = "engine_dead"
#: Nobody tries to send what waits.
DELIVERY_STUCK: Final = "delivery_stuck"
#: It is tried, and somebody outside does not take it; no alarm of its own, for no one here can mend it.
OUTSIDE_REFUSES: Final = "outside_refuses"

#: Kinds that raise an alarm.
ALARMING: Final = (ENGINE_DEAD, DELIVERY_STUCK)
KINDS: Final = (*ALARMING, OUTSIDE_REFUSES)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long after its time something may be missing."""

    slack_s: float = 10.0
    unsent_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is missing since `since`; `reference` is the same at every look and in every process."""

    kind: str
    reference: str
    subject: str
    since: datetime


class Deed(StrEnum):
    """What the auditor does about one kind of finding."""

    RAISE = "raise"
    NOTE_END = "note_end"
    NOTHING = "nothing"


def findings_of(
    now: datetime,
    patience: Patience,
    alarms: Iterable[WaitingAlarm],
    timers: Iterable[OpenTimer],
    unsent: Iterable[Unsent],
) -> tuple[Finding, ...]:
    """Return everything that is overdue, the oldest first."""
    slack, unsent_for = timedelta(seconds=patience.slack_s), timedelta(seconds=patience.unsent_s)
    found = [finding for alarm in alarms if (finding := _missed_step(alarm, now - slack)) is not None]
    found += [
        Finding(ENGINE_DEAD, f"timer:{timer.timer_id}", f"{timer.alarm_no} {timer.kind}", timer.due_at)
        for timer in timers
        if timer.due_at < now - slack
    ]
    found += [
        Finding(OUTSIDE_REFUSES if row.is_tried else DELIVERY_STUCK, f"{row.what}:{row.row_id}", row.subject, row.since)
        for row in unsent
        if row.since < now - unsent_for
    ]
    return tuple(sorted(found, key=lambda finding: (finding.since, finding.reference)))


def _missed_step(alarm: WaitingAlarm, before: datetime) -> Finding | None:
    """Return the first step of the alarm's own chain whose time came before `before` and whose level is not reached."""
    for step in alarm.chain:
        due_at = alarm.waiting_since + timedelta(seconds=float(str(step["after_s"])))
        is_waited_for = step["kind"] != "unseen" or alarm.state == "raised"
        if is_waited_for and due_at < before and int(str(step["level"])) > alarm.escalation_level:
            reference = f"step:{alarm.alarm_id}:{to_ms(alarm.waiting_since)}:{step['kind']}"
            return Finding(ENGINE_DEAD, reference, f"{alarm.alarm_no} {step['kind']}", due_at)
    return None


def deed_of(*, is_found: bool, incident: Incident | None) -> Deed:
    """Return what follows from a finding, and from the platform's own open alarm about it."""
    is_running = incident is not None and not incident.is_over
    if is_found:
        return Deed.NOTHING if is_running else Deed.RAISE
    return Deed.NOTE_END if is_running else Deed.NOTHING
