"""What holds in an area when an alarm is raised: the chain that it will go, deserted desks, a running drill.

Kept for a second for each area, so that a storm asks the database once a second and not once a press.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gateway.alarms import escalation
from gateway.alarms.escalation import Step
from gateway.model.alarms import Delays
from gateway.store import drills, duty, registry
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
        asked = escalation.areas_asked(area_id)
        names = await registry.area_names(connection, asked)
        rosters = await duty.roster_state(connection, asked, now)
        deserted = tuple(area for area, (keeps_roster, on_duty) in rosters.items() if keeps_roster and not on_duty)
        is_drill = await drills.active_drill(connection, area_id, now) is not None
        return Circumstances(escalation.chain_of(area_id, self._delays, names, deserted), deserted, is_drill, now)
