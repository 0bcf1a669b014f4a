"""Rows of alarms, presses and their history; written by the ledger alone, read by everybody."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.model.alarms import Alarm, AlarmEvent, AlarmState, Outcome, Verdict
from gateway.store.pool import Connection, Database, Record
from gateway.store.queries import named

SQL = named("alarms")


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One line of an alarm's history before it is written; the database adds its place in the chain."""

    stream: str
    alarm_id: str
    version: int
    kind: str
    at: datetime
    by_id: str
    by_name: str
    from_state: str | None
    to_state: str | None
    details: Mapping[str, object]


_PLAIN_COLUMNS = tuple(
    name for name in Alarm.__dataclass_fields__ if name not in {"state", "verdict", "outcome", "details"}
)

#: Columns that `write_step` takes after the id and the state, in its order.
STEP_COLUMNS = (
    "notified_at",
    "acknowledged_at",
    "acknowledged_by",
    "acknowledged_name",
    "verdict",
    "verified_at",
    "dispatched_at",
    "dispatched_to",
    "on_scene_at",
    "resolved_at",
    "outcome",
    "closed_at",
    "closed_by",
    "resolved_by",
    "resolved_name",
    "closed_name",
    "is_drill",
    "escalation_level",
)


def alarm_of(row: Record) -> Alarm:
    """Build an Alarm from a row of `alarms`."""
    return Alarm(
        **{name: row[name] for name in _PLAIN_COLUMNS},
        state=AlarmState(row["state"]),
        verdict=Verdict(row["verdict"]) if row["verdict"] else None,
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        details=row["details"],
    )


def event_of(row: Record) -> AlarmEvent:
    """Build an AlarmEvent from a row of `alarm_events`."""
    return AlarmEvent(**{name: row[name] for name in AlarmEvent.__dataclass_fields__})


async def find(database: Database | Connection, alarm_id: str) -> Alarm | None:
    """Return one alarm or None."""
    row = await database.fetchrow(SQL["find_alarm"], alarm_id)
    return alarm_of(row) if row else None


async def list_open(database: Database, area_prefix: str) -> list[Alarm]:
    """Return every alarm that is not closed, gravest and oldest first."""
    return [alarm_of(row) for row in await database.fetch(SQL["list_open"], area_prefix)]


async def list_recent(database: Database, area_prefix: str, limit: int) -> list[Alarm]:
    """Return the newest alarms, newest first."""
    return [alarm_of(row) for row in await database.fetch(SQL["list_recent"], area_prefix, limit)]


async def list_since(database: Database, area_prefix: str, since: datetime) -> list[Alarm]:
    """Return every alarm raised at `since` or later, oldest first."""
    return [alarm_of(row) for row in await database.fetch(SQL["list_since"], area_prefix, since)]


async def list_for_household(database: Database, household_id: str, limit: int) -> list[Alarm]:
    """Return a household's newest alarms as its own screens may show them (no silent one), newest first."""
    return [alarm_of(row) for row in await database.fetch(SQL["list_for_household"], household_id, limit)]


async def history(database: Database, alarm_id: str) -> list[AlarmEvent]:
    """Return the history of one alarm, oldest first."""
    return [event_of(row) for row in await database.fetch(SQL["list_history"], alarm_id)]


async def count_in_year(database: Database, household_id: str, now: datetime) -> tuple[int, int]:
    """Return (alarms, false alarms) of a household in the twelve months before `now`."""
    row = await database.fetchrow(SQL["count_in_year"], household_id, now)
    return (row["alarms"], row["false_alarms"]) if row else (0, 0)


async def write_step(connection: Connection, alarm: Alarm, state: AlarmState, changed: Mapping[str, Any]) -> Alarm:
    """Write the new state and the changed columns of progress; the version rises by one."""
    values = [changed.get(name, getattr(alarm, name)) for name in STEP_COLUMNS]
    row = await connection.fetchrow(SQL["write_step"], alarm.alarm_id, state, *values)
    assert row is not None  # noqa: S101  the row is locked by this transaction
    return alarm_of(row)


async def append_history(connection: Connection, lines: Iterable[HistoryRow]) -> None:
    """Append lines to their areas' chains: areas in one order everywhere, lines of an area in the order given.

    Desks, televisions and the outbox are woken at the commit.
    """
    ordered = sorted(lines, key=lambda line: line.stream)
    names = [name for name in HistoryRow.__dataclass_fields__ if name != "stream"]
    await connection.execute(SQL["append_history"], *([getattr(line, name) for line in ordered] for name in names))


async def put_timers(
    connection: Connection, alarm_id: str, timers: Sequence[tuple[str, int, str, str, datetime]]
) -> None:
    """Begin a new round of timers, each (kind, level, target area, its name, when it is due)."""
    if timers:
        columns = [[timer[place] for timer in timers] for place in range(5)]
        await connection.execute(SQL["put_timers"], alarm_id, *columns)


async def void_timers(connection: Connection, alarm_id: str, now: datetime) -> None:
    """Take back what an alarm still waits for."""
    await connection.execute(SQL["void_timers"], alarm_id, now)


async def arm_progress(connection: Connection, alarm_id: str, due_at: datetime) -> None:
    """Wait for the next step of the work until `due_at`; a second call moves the time."""
    await connection.execute(SQL["arm_progress"], alarm_id, due_at)


async def finish_timers(connection: Connection, timer_ids: Sequence[int], outcome: str, now: datetime) -> None:
    """Note that timers have `fired`, or are `void` because what they waited for had happened."""
    if timer_ids:
        await connection.execute(SQL["finish_timers"], list(timer_ids), outcome, now)
