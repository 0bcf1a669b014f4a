"""What holds in an area when an alarm is raised: the chain that it will go, deserted desks, a running drill.

Kept for a second for each area, so that a storm asks the database once a second and not once a press.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gateway.alarms import escalation
from gateway.alarms.escalation import Step
from gateway.model.alarms import Delays
from gateway.model.ids import AREA_LEVEL_ENDS
from gateway.store.alarms import SQL
from gateway.store.pool import Connection

KEPT_S: Final = 1.0
MOST_AREAS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The chain of an alarm raised now, the areas before it where nobody is on duty, and whether it is a drill."""

    chain: tuple[Step, ...]
    deserted: tuple[str, ...]
    is_drill: bool
    read_at: datetime


class CircumstancesReader:
    """Reads and keeps them."""

    def __init__(self, delays: Delays) -> None:
        self._delays = delays
        self._kept: dict[str, Circumstances] = {}

    async def read(self, connection: Connection, area_id: str, now: datetime) -> Circumstances:
        """Return what holds in a community now, at most a second old."""
        kept = self._kept.get(area_id)
        if kept is not None and timedelta(0) <= now - kept.read_at < timedelta(seconds=KEPT_S):
            return kept
        fresh = await self._ask(connection, area_id, now)
        if len(self._kept) >= MOST_AREAS:
            self._kept.clear()
        self._kept[area_id] = fresh
        return fresh

    async def _ask(self, connection: Connection, area_id: str, now: datetime) -> Circumstances:
        outer = [escalation.outer_area(area_id, digits) for digits in AREA_LEVEL_ENDS]
        asked = escalation.areas_asked(area_id)
        rows = await connection.fetch(SQL["find_circumstances"], list(asked), outer, now)
        names = {row["area_id"]: row["name"] for row in rows}
        deserted = tuple(row["area_id"] for row in rows if row["keeps_roster"] and not row["is_manned"])
        is_drill = any(row["is_drill"] for row in rows)
        return Circumstances(escalation.chain_of(area_id, self._delays, names, deserted), deserted, is_drill, now)
