"""What an independent eye reads about the escalation, with queries of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.model.people import PLATFORM
from gateway.store.pool import Database
from gateway.store.queries import named

SQL = named("oversight")
#: Enough to know that something is wrong; the oldest come first.
AT_MOST = 500


@dataclass(frozen=True, slots=True)
class WaitingAlarm:
    """An alarm that nobody has signed; `chain` as its row keeps it, counted from `waiting_since`."""

    alarm_id: str
    alarm_no: str
    state: str
    escalation_level: int
    chain: Sequence[Mapping[str, object]]
    waiting_since: datetime


@dataclass(frozen=True, slots=True)
class OpenTimer:
    """A timer that is due and not done."""

    timer_id: int
    alarm_no: str
    kind: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Unsent:
    """A receipt or an outside message that waits; `is_tried` where somebody tries it and it is not taken."""

    what: str
    row_id: int
    subject: str
    since: datetime
    is_tried: bool


@dataclass(frozen=True, slots=True)
class Incident:
    """An open alarm of the platform about itself; `is_over` where its end has been noted."""

    alarm_id: str
    is_over: bool


async def list_waiting(database: Database, area_prefix: str) -> list[WaitingAlarm]:
    """Return unsigned alarms that have a chain, oldest first."""
    return [WaitingAlarm(*row) for row in await database.fetch(SQL["list_waiting"], area_prefix, AT_MOST)]


async def list_open_timers(database: Database, area_prefix: str, due_before: datetime) -> list[OpenTimer]:
    """Return timers that should have been done before `due_before`, the longest overdue first."""
    return [OpenTimer(*row) for row in await database.fetch(SQL["list_open_timers"], area_prefix, due_before, AT_MOST)]


async def list_unsent(database: Database, area_prefix: str, before: datetime) -> list[Unsent]:
    """Return what should have gone out before `before`, the oldest first."""
    return [Unsent(*row) for row in await database.fetch(SQL["list_unsent"], area_prefix, before, AT_MOST)]


async def find_incident(database: Database, kind: str, area_id: str) -> Incident | None:
    """Return the platform's own open alarm of this kind."""
    row = await database.fetchrow(SQL["find_incident"], kind, area_id, PLATFORM.person_id)
    return Incident(*row) if row else None
