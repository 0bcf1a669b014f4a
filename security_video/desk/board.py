"""All open alarms in memory, kept equal to the ledger by wake-ups and polling, told to every open page."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from gateway.model.errors import Unavailable
from gateway.model.ids import area_prefix, is_within
from gateway.model.people import Person
from gateway.runtime import logs, metrics
from gateway.runtime.clock import Clock
from gateway.runtime.service import Statistics, keep_running
from gateway.store import desk
from gateway.store.desk import Face
from gateway.store.feed import Feed
from gateway.store.pool import Database

log = logs.get(__name__)

POLL_S = 1.0
BACKLOG = 500


@dataclass(eq=False, slots=True)
class Viewer:
    """One open page: who looks, from which seat, and what it has not been told yet."""

    person: Person
    seat: str
    news: "asyncio.Queue[Face]" = field(default_factory=lambda: asyncio.Queue(BACKLOG))
    #: Set when it fell behind, or when the ledger could be read again: tell it everything anew.
    is_stale: bool = False


class Board:
    """Follows the ledger of one area; a service. `blind_since` is set while the ledger cannot be read."""

    def __init__(self, database: Database, clock: Clock, area_id: str) -> None:
        self._database = database
        self._clock = clock
        self._area_id = area_id
        self._feed = Feed(database, "linli_alarms")
        self._keeper = keep_running("desk_board", self._follow)
        self._open: dict[str, Face] = {}
        self._viewers: set[Viewer] = set()
        self.blind_since: datetime | None = clock.now()

    async def start(self) -> None:
        """Read the open alarms once and begin to follow; a database that is away makes the board blind, not dead."""
        await self._take("")
        await self._keeper.start()

    async def stop(self) -> None:
        await self._keeper.stop()

    def statistics(self) -> Statistics:
        return {"open": len(self._open), "viewers": len(self._viewers), "blind": int(self.blind_since is not None)}

    @contextmanager
    def viewing(self, person: Person, seat: str) -> Iterator[Viewer]:
        """Tell a page every change inside the person's area for as long as the context lasts."""
        viewer = Viewer(person, seat)
        self._viewers.add(viewer)
        try:
            yield viewer
        finally:
            self._viewers.discard(viewer)

    def open_for(self, person: Person) -> list[Face]:
        """Return the open alarms that `person` may see."""
        return [face for face in self._open.values() if person.may_see(face.alarm.area_id)]

    def viewers_for(self, person: Person) -> list[Viewer]:
        """Return the open pages of people whose area overlaps with that of `person`."""
        return [
            viewer
            for viewer in self._viewers
            if person.may_see(viewer.person.area_id) or viewer.person.may_see(person.area_id)
        ]

    def take(self, face: Face) -> None:
        """Take a newer version of an alarm, from the feed or from a step that was just done here."""
        known = self._open.get(face.alarm.alarm_id)
        if known is not None and known.alarm.version >= face.alarm.version:
            return
        if known is None and not face.alarm.is_open:
            return
        if face.alarm.is_open:
            self._open[face.alarm.alarm_id] = face
        else:
            del self._open[face.alarm.alarm_id]
        for viewer in self._viewers:
            if viewer.person.may_see(face.alarm.area_id):
                _tell(viewer, face)

    async def _follow(self) -> None:
        async for alarm_id in self._feed.changes(POLL_S):
            await self._take(alarm_id)

    async def _take(self, alarm_id: str) -> None:
        try:
            await (self._take_one(alarm_id) if alarm_id else self._take_all())
        except Unavailable as error:
            self._lose(error)
        else:
            self._see()

    async def _take_one(self, alarm_id: str) -> None:
        face = await desk.find_face(self._database, alarm_id)
        if face is not None and is_within(face.alarm.area_id, self._area_id):
            self.take(face)

    async def _take_all(self) -> None:
        faces = await desk.list_open_faces(self._database, area_prefix(self._area_id))
        for face in faces:
            self.take(face)
        for gone in self._open.keys() - {face.alarm.alarm_id for face in faces}:
            await self._take_one(gone)

    def _lose(self, error: Unavailable) -> None:
        metrics.dropped("desk", "ledger_away")
        if self.blind_since is None:
            self.blind_since = self._clock.now()
            log.warning("board_blind", error=str(error))

    def _see(self) -> None:
        if self.blind_since is None:
            return
        self.blind_since = None
        log.info("board_sees", open=len(self._open))
        for viewer in self._viewers:
            viewer.is_stale = True


def _tell(viewer: Viewer, face: Face) -> None:
    if viewer.news.full():
        metrics.dropped("desk", "page_too_slow")
        viewer.is_stale = True
        return
    viewer.news.put_nowait(face)
