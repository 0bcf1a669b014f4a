"""What supervisors change: shifts, whole rosters as CSV, drills; each after role and area, each on record."""

from typing import Literal

from aiohttp import web
from pydantic import Field

from gateway.accounts.drill_book import DrillBook
from gateway.accounts.roster_lines import Line
from gateway.accounts.rosters import Rosters
from gateway.contract import codec
from gateway.model.errors import NotFound
from gateway.model.people import Person
from gateway.store import drills, duty
from gateway.store.pool import Database
from gateway.web import sessions
from gateway.web.params import Body, body_of, query_of

ROLE = "supervisor"


class ShiftBody(Body):
    """One shift as the form says it; times by the community's wall clock, `2026-07-19T20:00`."""

    area_id: str = Field(max_length=12)
    person: str = Field(max_length=100)
    phone: str = Field("", max_length=60)
    role: str = Field("operator", max_length=20)
    begins: str = Field(max_length=40)
    ends: str = Field(max_length=40)


class RemoveBody(Body):
    """Which shift is taken away."""

    shift_id: str = Field(min_length=1, max_length=40)


class ImportQuery(Body):
    """Whether the good lines of a file are taken although others are refused."""

    partial: Literal["", "1"] = ""


class DrillBody(Body):
    """Where, how long, what for; and that the asker knows what it means."""

    area_id: str = Field(pattern=r"^[0-9]{12}$")
    minutes: int
    note: str = Field(max_length=500)
    understood: Literal[True]


class EndBody(Body):
    """Which drill ends."""

    drill_id: str = Field(min_length=1, max_length=40)


class DutyApi:
    """Handlers under /api/duty/ and /api/drills."""

    def __init__(self, database: Database, rosters: Rosters, book: DrillBook) -> None:
        self._database = database
        self._rosters = rosters
        self._book = book

    async def add(self, request: web.Request) -> web.Response:
        """POST: one shift."""
        person = sessions.check_role(request, ROLE)
        said = await body_of(request, ShiftBody)
        line = Line(1, said.area_id, said.person.strip(), said.phone.strip(), said.role, said.begins, said.ends)
        shift = await self._rosters.add(line, by=person, address=_from(request))
        return _json({"ok": True, "shift_id": shift.shift_id})

    async def remove(self, request: web.Request) -> web.Response:
        """POST: take a shift away."""
        sessions.check_role(request, ROLE)
        shift_id = (await body_of(request, RemoveBody)).shift_id
        shift = await duty.find_shift(self._database, shift_id)
        if shift is None:
            raise NotFound("there is no such shift", place=shift_id, cure="Look at the roster again.")
        person = sessions.check_area(request, shift.area_id)
        await self._rosters.remove(shift_id, by=person, address=_from(request))
        return _json({"ok": True})

    async def import_csv(self, request: web.Request) -> web.Response:
        """POST: the bytes of a CSV file; the answer names every refused line, and nothing is stored half unasked."""
        person = sessions.check_role(request, ROLE)
        partial = query_of(request, ImportQuery).partial == "1"
        result = await self._rosters.import_csv(
            await request.read(), by=person, partial=partial, address=_from(request)
        )
        refused = [{"line": one.number, "reason": one.reason, "value": one.value} for one in result.refused]
        return _json({"ok": not refused, "added": len(result.added), "refused": refused})

    async def start_drill(self, request: web.Request) -> web.Response:
        """POST: begin a drill now."""
        sessions.check_role(request, ROLE)
        said = await body_of(request, DrillBody)
        person = sessions.check_area(request, said.area_id)
        drill = await self._book.start(said.area_id, said.minutes, said.note, by=person, address=_from(request))
        return _json({"ok": True, "drill_id": drill.drill_id})

    async def end_drill(self, request: web.Request) -> web.Response:
        """POST: end a drill before its time."""
        sessions.check_role(request, ROLE)
        drill_id = (await body_of(request, EndBody)).drill_id
        drill = await drills.find_drill(self._database, drill_id)
        if drill is None:
            raise NotFound("no such drill", place=drill_id, cure="Look at the list again.")
        person: Person = sessions.check_area(request, drill.area_id)
        await self._book.end(drill_id, by=person, address=_from(request))
        return _json({"ok": True})


def _from(request: web.Request) -> str:
    return request.remote or ""


def _json(value: object) -> web.Response:
    return web.Response(body=codec.encode(value), content_type="application/json")
