"""The ledger: the only writer of alarm rows; every change is one transaction with its history and its outbox rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.alarms import failpoints, states
from gateway.alarms.steps import CHANGES, EVENT_OF, Said
from gateway.model.alarms import (
    LEVEL_OF_KIND,
    Action,
    Alarm,
    AlarmEvent,
    AlarmState,
    Cancellation,
    Outcome,
    Press,
    Receipt,
    Verdict,
)
from gateway.model.errors import BadInput, Conflict, Forbidden, NotFound
from gateway.model.ids import area_prefix, new_ulid
from gateway.model.people import PLATFORM, Person
from gateway.runtime import logs, metrics
from gateway.runtime.clock import Clock, to_ms
from gateway.store import alarms as rows
from gateway.store import events
from gateway.store.pool import Connection, Database, Record

log = logs.get(__name__)
SQL = rows.SQL
DEFAULT_LEVEL = 2

_RAISED = metrics.counter("linli_alarms_raised", "Alarms that the ledger opened.", ("kind", "source"))
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

    def __init__(self, database: Database, clock: Clock, *, time_zone: str = "Asia/Shanghai") -> None:
        self._database = database
        self._clock = clock
        self._zone = ZoneInfo(time_zone)

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
            async with self._database.transaction() as connection:
                receipt = await self._record(connection, press)
                failpoints.hit("after_insert_before_commit")
        except Conflict:
            known = await self._repeated(press)
            if known is None:
                raise
            receipt = known
        failpoints.hit("after_commit_before_receipt")
        if receipt.is_new:
            log.info("alarm_raised", alarm_no=receipt.alarm_no, device=press.device_id, source=press.source)
        return receipt

    async def cancel(self, cancellation: Cancellation) -> Receipt:
        """Record that the household takes its latest open alarm back; nothing is deleted and nobody is sent home.

        Idempotent by (device, boot, seq). NotFound where there is nothing to take back.
        """
        if (known := await self._repeated(cancellation)) is not None:
            return known
        async with self._database.transaction() as connection:
            source = await self._source(connection, cancellation.device_id)
            await connection.execute(SQL["lock_source"], source.lock_key)
            row = await connection.fetchrow(SQL["find_cancellable"], source.household_id, source.device_id)
            if row is None:
                raise NotFound("there is no open alarm to take back", place=cancellation.device_id)
            now = self._clock.now()
            marked = await connection.fetchrow(SQL["mark_cancelled"], row["alarm_id"], now)
            alarm = rows.alarm_of(_present(marked))
            await self._insert_press(connection, cancellation, alarm, "cancelled", now)
            await self._tell(connection, alarm, "cancelled", PLATFORM, {"source": cancellation.source})
            await self._queue_receipt(connection, cancellation, alarm, "cancelled", now)
        log.info("alarm_cancelled_by_user", alarm_no=alarm.alarm_no)
        return _receipt(alarm, now, is_new=True)

    async def confirm_rendered(self, alarm_id: str, *, desk: str, by: Person) -> Alarm:
        """Record that a desk has drawn the alarm; the first one moves RAISED to NOTIFIED, later ones change nothing."""
        async with self._database.transaction() as connection:
            alarm = await self._lock(connection, alarm_id, by)
            if alarm.state is not AlarmState.RAISED:
                return alarm
            state = states.step(alarm.state, Action.RENDER)
            after = await rows.write_step(connection, alarm, state, {"notified_at": self._clock.now()})
            await self._tell(connection, after, "rendered", by, {"desk": desk}, before=alarm)
            await self._queue_receipt(connection, alarm, after, "seen", self._clock.now())
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
        forbids it, BadInput(missing_field) where the action lacks its fact. Forbidden outside the person's area.
        """
        async with self._database.transaction() as connection:
            alarm = await self._lock(connection, alarm_id, by)
            await self._refuse_stale(connection, alarm, action, version)
            state = states.step(alarm.state, action)
            now = self._clock.now()
            changed = CHANGES[action](alarm, by, now, Said(note, verdict, dispatched_to, outcome))
            after = await rows.write_step(connection, alarm, state, changed)
            details = {name: value for name, value in changed.items() if isinstance(value, str)}
            await self._tell(connection, after, EVENT_OF[action], by, {**details, "note": note}, before=alarm)
        log.info("alarm_stepped", alarm_no=after.alarm_no, action=action, by=by.name, state=after.state)
        return after

    async def add_note(self, alarm_id: str, text: str, *, by: Person) -> Alarm:
        """Add a line to the history; BadInput where it is empty or longer than 500 characters."""
        text = text.strip()
        if not 0 < len(text) <= MAX_NOTE:
            raise BadInput("a note has 1 to 500 characters", reason="out_of_range", place="note", cure="Shorten it.")
        async with self._database.transaction() as connection:
            await self._lock(connection, alarm_id, by)
            alarm = rows.alarm_of(_present(await connection.fetchrow(SQL["bump_version"], alarm_id)))
            await self._tell(connection, alarm, "note", by, {"note": text})
        return alarm

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
        """Return a household's newest alarm or None."""
        found = await rows.list_for_household(self._database, household_id, 1)
        return found[0] if found else None

    async def _repeated(self, press: Press | Cancellation) -> Receipt | None:
        """Return the receipt of a press that is there already, and have a device told again that asks again."""
        row = await self._database.fetchrow(SQL["find_press"], press.device_id, press.boot, press.seq)
        if row is None:
            return None
        _REPEATED.labels(press.source).inc()
        alarm, recorded_at = rows.alarm_of(row), row["press_recorded_at"]
        if press.source == "mqtt":
            state = "cancelled" if isinstance(press, Cancellation) else "recorded"
            async with self._database.transaction() as connection:
                await self._queue_receipt(connection, press, alarm, state, recorded_at)
        return _receipt(alarm, recorded_at, is_new=False)

    async def _record(self, connection: Connection, press: Press) -> Receipt:
        source = await self._source(connection, press.device_id)
        await connection.execute(SQL["lock_source"], source.lock_key)
        now = self._clock.now()
        found = await connection.fetchrow(SQL["find_open_incident"], source.household_id, source.device_id, press.kind)
        if found is None:
            alarm, kind = await self._open(connection, press, source, now), "raised"
        else:
            counted = await connection.fetchrow(SQL["count_press"], found["alarm_id"])
            alarm, kind = rows.alarm_of(_present(counted)), "pressed_again"
        await self._insert_press(connection, press, alarm, press.kind, now)
        await self._tell(connection, alarm, kind, PLATFORM, {"source": press.source, **press.details})
        await self._queue_receipt(connection, press, alarm, "recorded", now)
        return _receipt(alarm, now, is_new=True)

    async def _open(self, connection: Connection, press: Press, source: _Source, now: datetime) -> Alarm:
        local_day = now.astimezone(self._zone).date()
        number = await connection.fetchval(SQL["take_number"], local_day)
        row = await connection.fetchrow(
            SQL["insert_alarm"],
            new_ulid(now),
            f"A{local_day:%Y%m%d}-{number:04d}",
            press.device_id,
            press.boot,
            press.seq,
            press.event_id,
            source.household_id,
            source.area_id,
            press.kind,
            press.level or LEVEL_OF_KIND.get(press.kind, DEFAULT_LEVEL),
            press.source,
            now,
            press.device_at,
            dict(press.details),
        )
        _RAISED.labels(press.kind, press.source).inc()
        return rows.alarm_of(_present(row))

    async def _source(self, connection: Connection, device_id: str) -> _Source:
        row = await connection.fetchrow(SQL["find_source"], device_id)
        if row is None:
            raise NotFound("the registry does not know this device", place=device_id, cure="Register the device.")
        return _Source(row["device_id"], row["household_id"], row["area_id"])

    async def _insert_press(
        self,
        connection: Connection,
        press: Press | Cancellation,
        alarm: Alarm,
        kind: str,
        now: datetime,
    ) -> None:
        await connection.execute(
            SQL["insert_press"],
            press.device_id,
            press.boot,
            press.seq,
            press.event_id,
            alarm.alarm_id,
            kind,
            press.source,
            press.device_at,
            now,
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

    async def _tell(
        self,
        connection: Connection,
        alarm: Alarm,
        kind: str,
        by: Person,
        details: Mapping[str, object],
        *,
        before: Alarm | None = None,
    ) -> None:
        facts = {name: value for name, value in details.items() if value not in ("", None)}
        now = self._clock.now()
        from_state = before.state if before else None
        to_state = alarm.state if before or kind == "raised" else None
        await connection.execute(
            SQL["insert_event"],
            *(alarm.alarm_id, alarm.version, kind, now, by.person_id, by.display_name, from_state, to_state, facts),
        )
        await connection.execute(SQL["notify_alarm"], alarm.alarm_id, alarm.household_id)

    async def _queue_receipt(
        self,
        connection: Connection,
        press: Press | Cancellation | Alarm,
        alarm: Alarm,
        state: str,
        now: datetime,
    ) -> None:
        payload = {
            "id": press.event_id,
            "boot": press.boot,
            "seq": press.seq,
            "st": state,
            "no": alarm.alarm_no,
            "at": to_ms(now),
        }
        area_id = await connection.fetchval(SQL["area_of_device"], press.device_id)
        await events.put_receipt(connection, press.device_id, area_id, payload, now)


MAX_NOTE = 500


def _present(row: Record | None) -> Record:
    assert row is not None  # noqa: S101  a returning statement on a locked row
    return row


def _receipt(alarm: Alarm, recorded_at: datetime, *, is_new: bool) -> Receipt:
    is_cancelled = alarm.cancelled_by_user_at is not None
    return Receipt(alarm.alarm_id, alarm.alarm_no, alarm.state, recorded_at, is_new, is_cancelled)
