"""Drills begun and ended by people: never longer than four hours, one at a time in an area, in the audit trail."""

from datetime import timedelta
from typing import Final

from gateway.accounts.sessions import Accounts
from gateway.model.errors import BadInput, Conflict, NotFound
from gateway.model.ids import new_ulid
from gateway.model.people import PLATFORM, Person
from gateway.runtime.clock import Clock
from gateway.store import drills, registry
from gateway.store.drills import Drill
from gateway.store.pool import Database

LONGEST_MINUTES: Final = 240
MAX_NOTE: Final = 200


class DrillBook:
    """The only road to drills for people: while one runs, alarms of its area are practice."""

    def __init__(self, database: Database, accounts: Accounts, clock: Clock) -> None:
        self._database = database
        self._accounts = accounts
        self._clock = clock

    async def start(self, area_id: str, minutes: int, note: str, *, by: Person, address: str = "") -> Drill:
        """Begin a drill now. Raises BadInput, NotFound for an unknown area, Conflict where one runs already."""
        note = note.strip()
        if not 1 <= minutes <= LONGEST_MINUTES:
            cure = f"A drill lasts 1 to {LONGEST_MINUTES} minutes."
            raise BadInput("a drill cannot be that long", reason="bad_minutes", place=f"minutes {minutes}", cure=cure)
        if not 1 <= len(note) <= MAX_NOTE:
            raise BadInput("a drill needs its reason", reason="missing_note", place="note", cure="Write what for.")
        area = await registry.area(self._database, area_id)
        if area is None:
            raise NotFound("no such area", place=area_id, cure="Register it first.")
        now = self._clock.now()
        drill = Drill(new_ulid(now), area_id, now, now + timedelta(minutes=minutes), note, by.display_name)
        async with self._database.transaction() as connection:
            await drills.lock_book(connection)
            if await drills.active_drill(connection, area_id, now) is not None:
                raise Conflict("a drill runs there already", place=area_id, cure="End that one first.")
            await drills.start_drill(connection, drill)
        facts = {"area_id": area_id, "minutes": minutes, "note": note}
        await self._accounts.record(by, "drill_started", drill.drill_id, address=address, details=facts)
        return drill

    async def end(self, drill_id: str, *, by: Person = PLATFORM, address: str = "") -> Drill:
        """End a drill before its time. Raises NotFound, Conflict where it is over."""
        drill = await drills.find_drill(self._database, drill_id)
        if drill is None:
            raise NotFound("no such drill", place=drill_id, cure="Look at the list again.")
        if not await drills.end_drill(self._database, drill_id, self._clock.now(), by.display_name):
            raise Conflict("this drill is over", place=drill_id, cure="Look at the list again.")
        facts = {"area_id": drill.area_id}
        await self._accounts.record(by, "drill_ended", drill_id, address=address, details=facts)
        return drill
