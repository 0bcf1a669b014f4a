"""The ledger: the only writer of alarm rows; every change is one transaction with its history and its outbox rows."""

import contextlib
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.alarms import failpoints, firing, states
from gateway.alarms.circumstances import CircumstancesReader
from gateway.alarms.entry import Entry
from gateway.alarms.escalation import AT_WORK
from gateway.alarms.firing import Firing, Outside
from gateway.alarms.steps import CHANGES, EVENT_OF, Said
from gateway.model.alarms import (
    LEVEL_OF_KIND,
    Action,
    Alarm,
    AlarmEvent,
    AlarmState,
    Cancellation,
    Delays,
    Outcome,
    Press,
    Receipt,
    Verdict,
)
from gateway.model.errors import BadInput, Conflict, Forbidden, NotFound
from gateway.model.ids import area_prefix, new_ulid
from gateway.model.people import PLATFORM, Person
from gateway.runtime import logs, metrics
from gateway.runtime.clock import Clock
from gateway.store import alarms as rows
from gateway.store.pool import Connection, Database, Record

log = logs.get(__name__)
SQL = rows.SQL
DEFAULT_LEVEL = 2

_RAISED = metrics.counter("linli_alarms_raised", "Alarms that the ledger opened.", ("kind", "source"))
_DIFFERENT = metrics.counter(
    "linli_alarm_replay_differs", "Presses that came again under a used identity, saying something else.", ("source",)
)
_REPEATED = metrics.counter("linli_alarm_repeats", "Presses that the ledger had already.", ("source",))


@dataclass(frozen=True, slots=True)
class _Source:
    device_id: str
    household_id: str | None
    area_id: str

    @property
    def lock_key(self) -> str:
        return self.household_id or self.device_id


class AlarmLedger:
    """Raises, cancels and moves alarms; safe to call from several programs at once on the same database."""

    def __init__(
        self, database: Database, clock: Clock, *, time_zone: str = "Asia/Shanghai", delays: Delays | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._zone = ZoneInfo(time_zone)
        self._delays = delays or Delays()
        self._circumstances = CircumstancesReader(self._delays)

    async def raise_alarm(self, press: Press) -> Receipt:
        """Record `press` once and for ever; the same (device, boot, seq) gets the same receipt again.

        The first press of a household opens an alarm; while that is open, unresolved and not taken back, further
        presses of the same kind are kept and counted on it. The receipt is true after the commit, which this method
        waits for. NotFound for a device that the registry does not know; Unavailable while the database is away:
        repeat the same press.
        """
        if (known := await self._repeated(press)) is not None:
            return known
        try:
            async with self._entry() as entry:
                source = await self._source(entry.connection, press.device_id)
                receipt = await self._record(entry, press, source)
        except Conflict:
            known = await self._repeated(press)
            if known is None:
                raise
            receipt = known
        failpoints.hit("after_commit_before_receipt")
        if receipt.is_new:
            log.info("alarm_raised", alarm_no=receipt.alarm_no, device=press.device_id, source=press.source)
        return receipt

    async def raise_platform_alarm(
        self, kind: str, area_id: str, reference: str, details: Mapping[str, object]
    ) -> Receipt:
        """Raise an alarm of the platform about itself; the same `reference` raises it once, whoever says it."""
        press = _platform_press(kind, area_id, reference, details, self._clock.now())
        if (known := await self._repeated(press)) is not None:
            return known
        try:
            async with self._entry() as entry:
                receipt = await self._record(entry, press, _Source(press.device_id, None, area_id))
        except Conflict:
            known = await self._repeated(press)
            if known is None:
                raise
            return known
        log.error("platform_alarm_raised", alarm_no=receipt.alarm_no, kind=kind, area=area_id)
        return receipt

    async def cancel(self, cancellation: Cancellation) -> Receipt:
        """Record that the household takes its latest open alarm back; nothing is deleted and nobody is sent home.

        Idempotent by (device, boot, seq). NotFound where there is nothing to take back; a silent alarm is nothing.
        """
        if (known := await self._repeated(cancellation)) is not None:
            return known
        async with self._entry() as entry:
            source = await self._source(entry.connection, cancellation.device_id)
            await entry.connection.execute(SQL["lock_source"], source.lock_key)
            identity = (source.device_id, cancellation.boot, cancellation.seq)
            row = await entry.connection.fetchrow(SQL["find_cancellable"], source.household_id, *identity)
            if row is None:
                raise NotFound("there is no open alarm to take back", place=cancellation.device_id)
            marked = await entry.connection.fetchrow(SQL["mark_cancelled"], row["alarm_id"], entry.now)
            alarm = rows.alarm_of(_present(marked))
            await self._insert_press(entry, cancellation, alarm, "cancelled")
            entry.tell(alarm, "cancelled", PLATFORM, {"source": cancellation.source})
            entry.answer(cancellation, alarm, "cancelled")
        log.info("alarm_cancelled_by_user", alarm_no=alarm.alarm_no)
        return _receipt(alarm, entry.now, is_new=True)

    async def confirm_rendered(self, alarm_id: str, *, desk: str, by: Person) -> Alarm:
        """Record that a desk has drawn the alarm; the first one moves RAISED to NOTIFIED, later ones change nothing.

        NotFound, and Forbidden outside the person's area.
        """
        async with self._entry() as entry:
            alarm = await self._lock(entry.connection, alarm_id, by)
            return await self._render(entry, alarm, desk, by)

    async def confirm_all_rendered(self, alarm_ids: Sequence[str], *, desk: str, by: Person) -> list[Alarm]:
        """Do the same for many alarms in one transaction; those outside the person's area are left out."""
        async with self._entry() as entry:
            found = await entry.connection.fetch(SQL["lock_alarms_waiting"], list(alarm_ids))
            alarms = [rows.alarm_of(row) for row in found]
            return [await self._render(entry, alarm, desk, by) for alarm in alarms if by.may_see(alarm.area_id)]

    async def _render(self, entry: Entry, alarm: Alarm, desk: str, by: Person) -> Alarm:
        if alarm.state is not AlarmState.RAISED:
            return alarm
        state = states.step(alarm.state, Action.RENDER)
        after = await rows.write_step(entry.connection, alarm, state, {"notified_at": entry.now})
        entry.tell(after, "rendered", by, {"desk": desk}, before=alarm)
        entry.answer(alarm, after, "seen")
        return after

    async def step(
        self,
        alarm_id: str,
        action: Action,
        *,
        by: Person,
        version: int,
        note: str = "",
        verdict: Verdict | None = None,
        dispatched_to: str = "",
        outcome: Outcome | None = None,
    ) -> Alarm:
        """Do one thing to an alarm as a named person and return the alarm after it.

        Conflict where `version` is not the alarm's: somebody was faster. BadInput(illegal_transition) where the table
        forbids it, BadInput(missing_field) where the action lacks its fact. Forbidden outside the person's area, and
        for the second step of two that need two people.
        """
        if action in states.MACHINE_ACTIONS:
            raise BadInput(f"{action.value} is not for people", reason="illegal_transition", place="action")
        async with self._entry() as entry:
            alarm = await self._lock(entry.connection, alarm_id, by)
            await self._refuse_stale(entry.connection, alarm, action, version)
            state = states.step(alarm.state, action)
            changed = CHANGES[action](alarm, by, entry.now, Said(note, verdict, dispatched_to, outcome))
            after = await rows.write_step(entry.connection, alarm, state, changed)
            await self._set_timers(entry, after)
            details = {name: value for name, value in changed.items() if isinstance(value, str)}
            was_real = {"drill_was_real": True} if alarm.is_drill and not after.is_drill else {}
            entry.tell(after, EVENT_OF[action], by, {**details, **was_real, "note": note}, before=alarm)
        log.info("alarm_stepped", alarm_no=after.alarm_no, action=action, by=by.name, state=after.state)
        return after

    async def add_note(self, alarm_id: str, text: str, *, by: Person) -> Alarm:
        """Add a line to the history; BadInput where it is empty or longer than 500 characters."""
        text = text.strip()
        if not 0 < len(text) <= MAX_NOTE:
            raise BadInput("a note has 1 to 500 characters", reason="out_of_range", place="note", cure="Shorten it.")
        async with self._entry() as entry:
            before = await self._lock(entry.connection, alarm_id, by)
            _refuse_closed(before)
            alarm = rows.alarm_of(_present(await entry.connection.fetchrow(SQL["bump_version"], alarm_id)))
            if alarm.acknowledged_by == by.person_id:
                await self._set_timers(entry, alarm)
            entry.tell(alarm, "note", by, {"note": text})
        return alarm

    async def add_evidence(self, alarm_id: str, found: Sequence[Mapping[str, object]], *, by: Person) -> Alarm:
        """Tie clips or pictures to an alarm: `{"kind", "ref", "at"}` each; nothing takes them away again."""
        async with self._entry() as entry:
            _refuse_closed(await self._lock(entry.connection, alarm_id, by))
            row = await entry.connection.fetchrow(SQL["add_evidence"], alarm_id, [dict(one) for one in found])
            alarm = rows.alarm_of(_present(row))
            entry.tell(alarm, "evidence", by, {"count": len(found)})
        return alarm

    async def fire_due(self, due_before: datetime, limit: int, outside: Outside | None = None) -> int:
        """Do what timers that were due by then ask for; return how many were dealt with. Several may do it at once."""
        async with self._entry() as entry:
            return await Firing(entry, self._delays, outside).fire(due_before, limit)

    async def next_due(self) -> datetime | None:
        """Return when the next timer is due, None where none waits."""
        found: datetime | None = await self._database.fetchval(SQL["next_due"])
        return found

    async def alarm(self, alarm_id: str) -> Alarm:
        """Return one alarm; NotFound."""
        found = await rows.find(self._database, alarm_id)
        if found is None:
            raise NotFound("no such alarm", place=alarm_id)
        return found

    async def open_alarms(self, area_id: str) -> list[Alarm]:
        """Return every alarm inside `area_id` that is not closed, gravest and oldest first."""
        return await rows.list_open(self._database, area_prefix(area_id))

    async def recent(self, area_id: str, limit: int = 50) -> list[Alarm]:
        """Return the newest alarms inside `area_id`, newest first."""
        return await rows.list_recent(self._database, area_prefix(area_id), limit)

    async def history(self, alarm_id: str) -> list[AlarmEvent]:
        """Return everything that happened to an alarm, oldest first."""
        return await rows.history(self._database, alarm_id)

    async def latest_for_household(self, household_id: str) -> Alarm | None:
        """Return a household's newest alarm as its own screens may show it, or None; a silent one is not shown."""
        found = await rows.list_for_household(self._database, household_id, 1)
        return found[0] if found else None

    @contextlib.asynccontextmanager
    async def _entry(self) -> AsyncIterator[Entry]:
        async with self._database.transaction() as connection:
            entry = Entry(connection, self._clock.now())
            yield entry
            await entry.close()
            if entry.has_history:
                failpoints.hit("after_insert_before_commit")

    async def _repeated(self, press: Press | Cancellation) -> Receipt | None:
        """Return the receipt of a press that is there already, and have a device told again that asks again."""
        row = await self._database.fetchrow(SQL["find_press"], press.device_id, press.boot, press.seq)
        if row is None:
            return None
        _REPEATED.labels(press.source).inc()
        _note_difference(row, press)
        alarm, recorded_at = rows.alarm_of(row), row["press_recorded_at"]
        if press.source == "mqtt":
            state = "cancelled" if isinstance(press, Cancellation) else "recorded"
            async with self._entry() as entry:
                entry.answer(press, alarm, state, recorded_at)
        return _receipt(alarm, recorded_at, is_new=False)

    async def _record(self, entry: Entry, press: Press, source: _Source) -> Receipt:
        connection = entry.connection
        await connection.execute(SQL["lock_source"], source.lock_key)
        found = await connection.fetchrow(
            SQL["find_open_incident"], source.household_id, source.device_id, press.kind, press.is_silent
        )
        details = {"source": press.source, **press.details}
        if found is None:
            alarm = await self._open(entry, press, source, details)
        else:
            counted = await connection.fetchrow(SQL["count_press"], found["alarm_id"], entry.now)
            alarm = rows.alarm_of(_present(counted))
            entry.tell(alarm, "pressed_again", PLATFORM, details)
        await self._insert_press(entry, press, alarm, press.kind)
        entry.answer(press, alarm, "recorded")
        return _receipt(alarm, entry.now, is_new=True)

    async def _open(self, entry: Entry, press: Press, source: _Source, details: Mapping[str, object]) -> Alarm:
        around = await self._circumstances.read(entry.connection, source.area_id, entry.now)
        level = press.level or LEVEL_OF_KIND.get(press.kind, DEFAULT_LEVEL)
        chain = around.chain if level <= self._delays.levels else ()
        row = await entry.connection.fetchrow(
            SQL["insert_alarm"],
            *(new_ulid(entry.now), entry.now.astimezone(self._zone).date(), press.device_id, press.boot, press.seq),
            *(press.event_id, source.household_id, source.area_id, press.kind, level, press.source, entry.now),
            *(press.device_at, dict(press.details), press.late_by_s, press.suspicion, press.is_clock_wrong),
            *(press.is_silent, around.is_drill, [step.document() for step in chain], press.spooled_at),
        )
        alarm = rows.alarm_of(_present(row))
        # What an alarm is stands in the chain too, or a superuser could change it unseen.
        what = {"alarm_no": alarm.alarm_no, "kind": alarm.kind, "level": level, "household_id": alarm.household_id}
        entry.tell(alarm, "raised", PLATFORM, {**details, **what})
        if chain and chain[0].brought_forward:
            entry.tell(alarm, "nobody_on_duty", PLATFORM, {"areas": list(around.deserted)})
        await firing.begin_chain(entry, alarm)
        _RAISED.labels(press.kind, press.source).inc()
        return alarm

    async def _set_timers(self, entry: Entry, alarm: Alarm) -> None:
        """After a step of a person nothing escalates; while there is work, the next progress is waited for."""
        await rows.void_timers(entry.connection, alarm.alarm_id, entry.now)
        if alarm.state in AT_WORK:
            due_at = entry.now + timedelta(seconds=self._delays.progress_s)
            await rows.arm_progress(entry.connection, alarm.alarm_id, due_at)

    async def _source(self, connection: Connection, device_id: str) -> _Source:
        row = await connection.fetchrow(SQL["find_source"], device_id)
        if row is None:
            raise NotFound("the registry does not know this device", place=device_id, cure="Register the device.")
        return _Source(row["device_id"], row["household_id"], row["area_id"])

    async def _insert_press(self, entry: Entry, press: Press | Cancellation, alarm: Alarm, kind: str) -> None:
        await entry.connection.execute(
            SQL["insert_press"],
            *(press.device_id, press.boot, press.seq, press.event_id, alarm.alarm_id, kind, press.source),
            *(press.device_at, entry.now),
        )

    async def _lock(self, connection: Connection, alarm_id: str, by: Person) -> Alarm:
        row = await connection.fetchrow(SQL["lock_alarm"], alarm_id)
        if row is None:
            raise NotFound("no such alarm", place=alarm_id)
        alarm = rows.alarm_of(row)
        if not by.may_see(alarm.area_id):
            raise Forbidden(
                f"{by.display_name} has no rights in area {alarm.area_id}",
                place=alarm.alarm_no,
                cure="Hand the alarm to a desk of that area.",
            )
        return alarm

    async def _refuse_stale(self, connection: Connection, alarm: Alarm, action: Action, version: int) -> None:
        """Refuse a step that was decided on an older state; notes and repeated presses in between do not matter."""
        if version == alarm.version or (action is Action.ACKNOWLEDGE and alarm.acknowledged_by is None):
            return
        stepped_at = await connection.fetchval(SQL["last_step_version"], alarm.alarm_id)
        if stepped_at <= version <= alarm.version:
            return
        owner = f"{alarm.acknowledged_name} has it" if alarm.acknowledged_name else "it has changed"
        raise Conflict(
            f"{owner} (state {alarm.state.value}, version {alarm.version}, not {version})",
            place=alarm.alarm_no,
            cure="Read the alarm again.",
        )


MAX_NOTE = 500


def _platform_press(kind: str, area_id: str, reference: str, details: Mapping[str, object], now: datetime) -> Press:
    """Return a press whose identity is made from `reference` (48 bits of its SHA-256 as the boot)."""
    boot = int.from_bytes(hashlib.sha256(f"{kind}:{reference}".encode()).digest()[:6], "big")
    facts = {**details, "reference": reference}
    return Press(f"_auditor-{area_id}", boot, 0, kind, "platform", new_ulid(now), now, level=1, details=facts)


def _note_difference(row: Record, press: Press | Cancellation) -> None:
    """Tell where somebody says something else under an identity that was used before."""
    kind = press.kind if isinstance(press, Press) else "cancelled"
    said = (press.event_id, kind, press.device_at)
    if said != (row["press_event_id"], row["press_kind"], row["press_device_at"]):
        _DIFFERENT.labels(press.source).inc()
        log.warning("alarm_replay_differs", device=press.device_id, boot=press.boot, seq=press.seq)


def _refuse_closed(alarm: Alarm) -> None:
    if not alarm.is_open:
        raise BadInput(
            "the alarm is closed", reason="illegal_transition", place=alarm.alarm_no, cure="Nothing follows."
        )


def _present(row: Record | None) -> Record:
    assert row is not None  # noqa: S101  a returning statement on a locked row
    return row


def _receipt(alarm: Alarm, recorded_at: datetime, *, is_new: bool) -> Receipt:
    is_cancelled = alarm.cancelled_by_user_at is not None
    return Receipt(alarm.alarm_id, alarm.alarm_no, alarm.state, recorded_at, is_new, is_cancelled)
