"""What timers that are due do to their alarms, in one transaction: the hand of the escalation.

Alarms are locked first, in the order of their ids; those that somebody is working on at this moment are passed over
and looked at again in the next round. Every deed says how late it is where that is more than a second.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol

from gateway.alarms import escalation, states
from gateway.alarms.entry import Entry
from gateway.alarms.escalation import Deed, Timer
from gateway.model.alarms import Action, Alarm, Delays
from gateway.model.people import PLATFORM
from gateway.runtime import logs, metrics
from gateway.runtime.clock import to_ms
from gateway.store import alarms as rows
from gateway.store.alarms import SQL
from gateway.store.pool import Connection

log = logs.get(__name__)

#: A deed that comes this much after its time says so.
LATE_S: Final = 1.0

_FIRED = metrics.counter("linli_escalations", "Timers that did something to an alarm.", ("kind",))
_DELAY = metrics.histogram(
    "linli_escalation_delay_seconds",
    "From the time of a step of the escalation to its doing.",
    buckets=(0.1, 0.5, 1, 2, 5, 10, 30, 60, 300),
)


class Outside(Protocol):
    """Who tells the world outside the house."""

    async def tell(self, connection: Connection, alarm: Alarm, reason: str, now: datetime) -> None:
        """Put what is to be told into the same transaction; it is sent after the commit."""
        ...


async def begin_chain(entry: Entry, alarm: Alarm) -> None:
    """Set a new round of the alarm's own chain, counted from now."""
    steps = escalation.steps_of(alarm.chain)
    times = escalation.due_times(steps, entry.now)
    timers = [
        (step.kind, step.level, step.area_id, step.area_name, due_at) for step, due_at in zip(steps, times, strict=True)
    ]
    await rows.put_timers(entry.connection, alarm.alarm_id, timers)


class Firing:
    """One round over what is due."""

    def __init__(self, entry: Entry, delays: Delays, outside: Outside | None) -> None:
        self._entry = entry
        self._delays = delays
        self._outside = outside
        self._done: dict[str, list[int]] = {"fired": [], "void": []}

    async def fire(self, due_before: datetime, limit: int) -> int:
        """Do what is due; return how many timers were dealt with."""
        connection = self._entry.connection
        due = await connection.fetch(SQL["list_due_timers"], due_before, limit)
        if not due:
            return 0
        locked = await connection.fetch(SQL["lock_alarms"], sorted({row["alarm_id"] for row in due}))
        alarms = {row["alarm_id"]: rows.alarm_of(row) for row in locked}
        for row in await connection.fetch(SQL["read_due_timers"], list(alarms), due_before):
            timer = Timer(*row)
            alarms[timer.alarm_id] = await self._do(timer, alarms[timer.alarm_id])
        for outcome, timer_ids in self._done.items():
            await rows.finish_timers(connection, timer_ids, outcome, self._entry.now)
        return sum(len(timer_ids) for timer_ids in self._done.values())

    async def _do(self, timer: Timer, alarm: Alarm) -> Alarm:
        deed = escalation.deed_of(timer, alarm)
        if deed is Deed.NOTHING:
            self._done["void"].append(timer.timer_id)
            return alarm
        late_s = (self._entry.now - timer.due_at).total_seconds()
        _DELAY.observe(max(0.0, late_s))
        _FIRED.labels(timer.kind).inc()
        log.info("escalation", alarm_no=alarm.alarm_no, kind=timer.kind, late_s=round(late_s, 1))
        details = _details(timer, late_s)
        if deed is Deed.ESCALATE:
            self._done["fired"].append(timer.timer_id)
            return await self._escalate(timer, alarm, details)
        if deed is Deed.EXPIRE:
            self._done["fired"].append(timer.timer_id)
            return await self._expire(alarm, details)
        return await self._remind(alarm, details)

    async def _escalate(self, timer: Timer, alarm: Alarm, details: Mapping[str, object]) -> Alarm:
        level = max(timer.level, alarm.escalation_level)
        after = await rows.write_step(self._entry.connection, alarm, alarm.state, {"escalation_level": level})
        kind = "unseen" if timer.kind == escalation.UNSEEN else "escalated"
        self._entry.tell(after, kind, PLATFORM, details)
        if timer.kind == escalation.SUPERVISOR and self._outside is not None and not after.is_drill:
            # A signature that expired begins another round, and the outside is told again.
            reason = "unanswered" if timer.round == 1 else f"unanswered_{timer.round}"
            await self._outside.tell(self._entry.connection, after, reason, self._entry.now)
        return after

    async def _expire(self, alarm: Alarm, details: Mapping[str, object]) -> Alarm:
        """Nobody has it any more: the alarm rings again, and its chain begins anew."""
        state = states.step(alarm.state, Action.EXPIRE)
        nobody = {"acknowledged_at": None, "acknowledged_by": None, "acknowledged_name": None}
        after = await rows.write_step(self._entry.connection, alarm, state, nobody)
        said = {**details, "was": alarm.acknowledged_name or ""}
        self._entry.tell(after, "expired", PLATFORM, said, before=alarm)
        await begin_chain(self._entry, after)
        return after

    async def _remind(self, alarm: Alarm, details: Mapping[str, object]) -> Alarm:
        """Somebody has it and nothing moves: it rings at the desks, and the next progress is waited for."""
        row = await self._entry.connection.fetchrow(SQL["bump_version"], alarm.alarm_id)
        assert row is not None  # noqa: S101  the row is locked by this transaction
        after = rows.alarm_of(row)
        due_at = self._entry.now + timedelta(seconds=self._delays.progress_s)
        await rows.arm_progress(self._entry.connection, alarm.alarm_id, due_at)
        self._entry.tell(after, "reminded", PLATFORM, details)
        return after


def _details(timer: Timer, late_s: float) -> dict[str, object]:
    facts: dict[str, object] = {"due_at": to_ms(timer.due_at)}
    if timer.target_area:
        facts |= {"step": timer.kind, "level": timer.level, "target_area": timer.target_area}
        facts |= {"target_name": timer.target_name}
    return {**facts, "late_by_s": round(late_s, 1)} if late_s > LATE_S else facts
