"""An alarm as the queue shows it: its marks, its own chain, what happens to it next; and many alarms as one line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.alarms.escalation import DISTRICT, PROGRESS, STREET, SUPERVISOR, UNSEEN, steps_of
from gateway.alarms.facts import escalated_to
from gateway.alarms.states import legal_actions
from gateway.model.alarms import Action, Alarm, AlarmState
from gateway.runtime.clock import to_ms
from gateway.store.desk import Face, FaceTimer
from security_video.desk.storms import MANY_PRESSES, Group

LADDER: Final = frozenset({STREET, DISTRICT, SUPERVISOR})


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of an alarm's own chain: who is asked, how long after nobody has signed, and when that is."""

    kind: str
    name: str
    after_s: float
    at_ms: int


@dataclass(frozen=True, slots=True)
class NextStep:
    """What happens to an alarm by itself, and when; `name` is the area that is asked, empty where nobody is."""

    kind: str
    name: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """One alarm as the queue shows it; `actions` are the steps that the ledger allows now.

    `ladder` is the chain until 签收 since `waits_since_ms`; empty where nobody else is ever asked. `storm` names the
    group that the alarm belongs to, `presses_in_minute` is set from a household storm on.
    """

    alarm_id: str
    no: str
    version: int
    kind: str
    level: int
    state: str
    source: str
    area_id: str
    household_id: str | None
    address: str
    resident: str
    device_name: str
    device_kind: str
    raised_ms: int
    device_ms: int
    notified_ms: int | None
    acknowledged_ms: int | None
    acknowledged_by: str | None
    acknowledged_name: str | None
    verdict: str | None
    dispatched_to: str | None
    outcome: str | None
    closed_ms: int | None
    cancelled_ms: int | None
    press_count: int
    details: Mapping[str, object]
    actions: Sequence[str]
    area_name: str
    late_by_s: int
    suspicion: str
    is_clock_wrong: bool
    is_silent: bool
    is_drill: bool
    escalation_level: int
    escalated_to: str
    ladder: Sequence[Rung]
    waits_since_ms: int
    next_step: NextStep | None
    evidence: int
    last_press_ms: int
    presses_in_minute: int
    spooled_ms: int | None
    resolved_by: str | None
    resolved_name: str | None
    needs_second_person: bool
    storm: str = ""


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One line for many alarms: an area storm, or (no kind) what is in hand beyond the rows of a snapshot.

    `first` is the one to take first: the gravest, among those the oldest.
    """

    key: str
    area_id: str
    area_name: str
    kind: str
    is_drill: bool
    level: int
    count: int
    households: int
    oldest_ms: int
    newest_ms: int
    first: AlarmRow


@dataclass(frozen=True, slots=True)
class GroupPage:
    """Some rows of a group in the order of the work; `after` asks for the next, empty where there are none."""

    rows: Sequence[AlarmRow]
    after: str


def alarm_row(face: Face, storm: str = "") -> AlarmRow:
    """Return the row of an alarm; `storm` names the group that it belongs to."""
    alarm = face.alarm
    ladder, since_ms = ladder_of(face)
    return AlarmRow(
        alarm_id=alarm.alarm_id,
        no=alarm.short_no,
        version=alarm.version,
        kind=alarm.kind,
        level=alarm.level,
        state=alarm.state,
        source=alarm.source,
        area_id=alarm.area_id,
        household_id=alarm.household_id,
        address=face.address,
        resident=face.resident_name,
        device_name=face.device_name,
        device_kind=face.device_kind,
        raised_ms=to_ms(alarm.raised_at),
        device_ms=to_ms(alarm.device_at),
        notified_ms=ms_or_none(alarm.notified_at),
        acknowledged_ms=ms_or_none(alarm.acknowledged_at),
        acknowledged_by=alarm.acknowledged_by,
        acknowledged_name=alarm.acknowledged_name,
        verdict=alarm.verdict,
        dispatched_to=alarm.dispatched_to,
        outcome=alarm.outcome,
        closed_ms=ms_or_none(alarm.closed_at),
        cancelled_ms=ms_or_none(alarm.cancelled_by_user_at),
        press_count=alarm.press_count,
        details=alarm.details,
        actions=actions_of(alarm),
        area_name=face.area_name,
        late_by_s=alarm.late_by_s,
        suspicion=alarm.suspicion,
        is_clock_wrong=alarm.is_clock_wrong,
        is_silent=alarm.is_silent,
        is_drill=alarm.is_drill,
        escalation_level=alarm.escalation_level,
        escalated_to=escalated_to(alarm),
        ladder=ladder,
        waits_since_ms=since_ms,
        next_step=next_step(face),
        evidence=len(alarm.evidence),
        last_press_ms=to_ms(alarm.last_press_at or alarm.raised_at),
        presses_in_minute=face.presses_in_minute if face.presses_in_minute >= MANY_PRESSES else 0,
        spooled_ms=ms_or_none(alarm.spooled_at),
        resolved_by=alarm.resolved_by,
        resolved_name=alarm.resolved_name,
        needs_second_person=alarm.needs_second_person,
        storm=storm,
    )


def actions_of(alarm: Alarm) -> tuple[str, ...]:
    """Return what a person may do now: where two persons are needed, one resolves before another closes."""
    legal = legal_actions(alarm.state)
    if alarm.needs_second_person and alarm.state is not AlarmState.RESOLVED:
        return tuple(action for action in legal if action is not Action.CLOSE)
    return tuple(legal)


def ladder_of(face: Face) -> tuple[tuple[Rung, ...], int]:
    """Return the steps of the alarm's own chain until 签收, with the times of its newest round, and its beginning."""
    raised_ms = to_ms(face.alarm.raised_at)
    after = {step.kind: step.after_s for step in steps_of(face.alarm.chain)}
    steps = [timer for timer in face.timers if timer.kind in LADDER and timer.kind in after]
    steps.sort(key=lambda timer: timer.level)
    rungs = tuple(Rung(timer.kind, timer.name, after[timer.kind], timer.due_ms) for timer in steps)
    return rungs, min((rung.at_ms - round(rung.after_s * 1000) for rung in rungs), default=raised_ms)


def next_step(face: Face) -> NextStep | None:
    """Return what the alarm's open timers will do next that is not done already, None where nothing will happen."""
    for timer in face.timers:
        if timer.is_open and _still_matters(timer, face.alarm):
            return NextStep(timer.kind, timer.name, timer.due_ms)
    return None


def _still_matters(timer: FaceTimer, alarm: Alarm) -> bool:
    if timer.kind == PROGRESS or not alarm.is_waiting:
        return timer.kind == PROGRESS and not alarm.is_waiting
    return timer.level > alarm.escalation_level and (timer.kind != UNSEEN or alarm.state is AlarmState.RAISED)


def group_row(group: Group) -> GroupRow:
    """Return the line of a group."""
    alarms = [face.alarm for face in group.members]
    homes = {alarm.household_id or alarm.device_id for alarm in alarms}
    raised = [alarm.raised_at for alarm in alarms]
    first = group.members[0]
    return GroupRow(
        key=group.key.text,
        area_id=group.key.area_id,
        area_name=first.area_name,
        kind=group.key.kind,
        is_drill=group.key.is_drill,
        level=min(alarm.level for alarm in alarms),
        count=len(alarms),
        households=len(homes),
        oldest_ms=to_ms(min(raised)),
        newest_ms=to_ms(max(raised)),
        first=alarm_row(first, group.key.text),
    )


def ms_or_none(moment: datetime | None) -> int | None:
    """Return `moment` in ms since 1970, None for None."""
    return None if moment is None else to_ms(moment)
