"""Reads what a run left: the devices' diaries from their disks, the ledger from the database."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway.contract.times import from_ms
from gateway.store.pool import Database
from tests.chaos.devices import ATTEMPTS, PUBACKS, RECEIPTS, SILENCED, lines
from tests.chaos.history import (
    Attempt,
    Fault,
    History,
    Key,
    LedgerAlarm,
    LedgerEvent,
    LedgerPress,
    Pubacked,
    Receipted,
    RunSettings,
    Silenced,
    Timer,
)

ENGINES = ("gateway", "desk")
EVENTS_SQL = "select e.*, alarm_event_text(e) as text from alarm_events e order by e.event_id"


def attempts(homes: Path) -> list[Attempt]:
    """Return what stood in the devices' journals, in the order of its time."""
    found = [
        Attempt(facts["device"], facts["boot"], facts["seq"], facts["kind"], from_ms(facts["at"]), facts["id"])
        for facts in _diaries(homes, ATTEMPTS)
    ]
    return sorted(found, key=lambda one: one.at)


def receipts(homes: Path) -> list[Receipted]:
    """Return every receipt that a device has read, in the order of its time."""
    found = [
        Receipted(
            facts["device"], facts["boot"], facts["seq"], facts["no"], facts["state"], from_ms(facts["at"]),
            facts["id"], facts["road"],
        )
        for facts in _diaries(homes, RECEIPTS)
    ]  # fmt: skip
    return sorted(found, key=lambda one: one.at)


def silenced(homes: Path) -> list[Silenced]:
    return [Silenced(facts["device"], from_ms(facts["at"])) for facts in _diaries(homes, SILENCED)]


def unsettled(homes: Path) -> list[Key]:
    """Return the events of living devices that have no final receipt yet."""
    settled = {one.key for one in receipts(homes) if one.is_final}
    burnt = {one.device_id for one in silenced(homes)}
    return [one.key for one in attempts(homes) if one.key not in settled and one.device_id not in burnt]


def _diaries(homes: Path, name: str) -> list[dict[str, Any]]:
    return [facts for path in sorted(homes.glob(f"*/{name}")) for facts in lines(path)]


def _pubacks(homes: Path) -> list[Pubacked]:
    return [
        Pubacked(facts["device"], facts["boot"], facts["seq"], from_ms(facts["at"]))
        for facts in _diaries(homes, PUBACKS)
    ]


async def history(dsn: str, homes: Path, faults: Sequence[Fault], settings: RunSettings) -> History:
    """Return everything that the checker may look at."""
    database = Database(dsn, max_size=1, program="linli-chaos")
    await database.start()
    try:
        alarms = await database.fetch("select * from alarms order by alarm_no")
        presses = await database.fetch("select * from alarm_presses")
        events = await database.fetch(EVENTS_SQL)
        timers = await database.fetch("select * from alarm_timers order by timer_id")
        asides = await database.fetch("select device_id, boot, seq from device_events")
    finally:
        await database.stop()
    return History(
        attempts=tuple(attempts(homes)),
        receipts=tuple(receipts(homes)),
        alarms=tuple(LedgerAlarm(dict(row.items())) for row in alarms),
        presses=tuple(_built(LedgerPress, row) for row in presses),
        events=tuple(_built(LedgerEvent, row) for row in events),
        timers=tuple(_built(Timer, row) for row in timers),
        faults=tuple(sorted(faults, key=lambda fault: fault.begun)),
        settings=settings,
        asides=frozenset((row[0], row[1], row[2]) for row in asides),
        pubacks=tuple(_pubacks(homes)),
        silenced=tuple(silenced(homes)),
        engines=ENGINES,
    )


def _built(kind: Any, row: Any) -> Any:
    return kind(**{name: row[name] for name in kind.__dataclass_fields__})


async def overdue_timers(dsn: str, now: datetime) -> int:
    """Return how many timers are due and not done."""
    database = Database(dsn, max_size=1, program="linli-chaos")
    await database.start()
    try:
        found = await database.fetchval("select count(*) from alarm_timers where done_at is null and due_at <= $1", now)
    finally:
        await database.stop()
    return int(found)
