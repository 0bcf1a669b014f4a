"""All open alarms in memory, kept equal to the ledger by wake-ups and polling, told to every open page."""

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from gateway.model.alarms import Alarm
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
from security_video.desk.shapes import Seat
from security_video.desk.storms import Arrangement, arrange

log = logs.get(__name__)

POLL_S = 1.0
#: A ledger that has not answered for this long cannot be read, though its server may only hang.
BLIND_AFTER_S = 2.0
BACKLOG = 5000


@dataclass(eq=False, slots=True)
class Viewer:
    """One open page: who looks, from which seat, and what it has not been told yet."""

    person: Person
    seat: str
    #: Alarms that have changed since the page was told, each in its newest version: a storm is told in few words.
    news: dict[str, Face] = field(default_factory=dict)
    #: Set when there is something to tell.
    called: asyncio.Event = field(default_factory=asyncio.Event)
    #: Set when it fell behind, or when the ledger could be read again: tell it everything anew.
    is_stale: bool = False
    #: Whether the page is to be seen: a covered one confirms nothing.
    is_looking: bool = True
    #: Alarms that it says it shows, until the ledger has been told.
    rendered: dict[str, None] = field(default_factory=dict)
    has_rendered: asyncio.Event = field(default_factory=asyncio.Event)
    #: The alarm in its panel, which keeps a row of its own in any storm.
    selected: str = ""

    def hear(self, face: Face) -> None:
        """Keep a change until the page is told."""
        if len(self.news) >= BACKLOG:
            metrics.dropped("desk", "page_too_slow")
            self.is_stale = True
        else:
            self.news[face.alarm.alarm_id] = face
        self.called.set()


class Board:
    """Follows the ledger of one area; a service. `blind_since` is set while the ledger cannot be read."""

    def __init__(self, database: Database, clock: Clock, area_id: str) -> None:
        self._database = database
        self._clock = clock
        self._area_id = area_id
        self._feed = Feed(database, "linli_alarms")
        self._keeper = keep_running("desk_board", self._follow)
        self._reader = keep_running("desk_board_reader", self._read)
        self._open: dict[str, Face] = {}
        self._changed: set[str] = set()
        self._is_called = asyncio.Event()
        self._viewers: set[Viewer] = set()
        self.blind_since: datetime | None = clock.now()

    async def start(self) -> None:
        """Read the open alarms once and begin to follow; a database that is away makes the board blind, not dead."""
        await self._take(set())
        await self._reader.start()
        await self._keeper.start()

    async def stop(self) -> None:
        await self._keeper.stop()
        await self._reader.stop()

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
        """Return the open alarms that have come up to `person`."""
        return [face for face in self._open.values() if has_come_to(person, face.alarm)]

    def arranged_for(self, viewer: Viewer) -> Arrangement:
        """Return the open alarms of a page as rows and, in a storm, groups."""
        return arrange(self.open_for(viewer.person), keep={viewer.selected})

    def others_of(self, viewer: Viewer) -> tuple[Seat, ...]:
        """Return the other pages open for the viewer's area, by seat."""
        seats = {
            Seat(one.seat, one.person.display_name, one.is_looking)
            for one in self.viewers_for(viewer.person)
            if one is not viewer
        }
        return tuple(sorted(seats, key=lambda one: (one.seat.zfill(2), one.name)))

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
            if has_come_to(viewer.person, face.alarm):
                viewer.hear(face)

    def presses(self) -> set[tuple[str, int, int]]:
        """Return the identities of the presses that opened the alarms which the board shows."""
        return {(face.alarm.device_id, face.alarm.boot, face.alarm.seq) for face in self._open.values()}

    def call_viewers(self) -> None:
        """Have every open page told what it does not know yet."""
        for viewer in self._viewers:
            viewer.called.set()

    async def look_at(self, alarm_ids: Collection[str]) -> bool:
        """Read alarms now (none named: all that is open); False while the ledger cannot be read."""
        try:
            await (self._take_some(set(alarm_ids)) if alarm_ids else self._take_all())
        except Unavailable:
            return False
        return True

    async def _follow(self) -> None:
        async for alarm_id in self._feed.changes(POLL_S):
            self._changed.add(alarm_id)
            self._is_called.set()

    async def _read(self) -> None:
        """Read what has changed; what changes meanwhile is read together next, so a storm costs few queries."""
        while True:
            await self._is_called.wait()
            self._is_called.clear()
            changed, self._changed = self._changed, set()
            await self._take(changed)

    async def _take(self, changed: set[str]) -> None:
        """Take alarms by id; an empty id, or none, looks at all that is open."""
        named = changed - {""}
        hangs = Unavailable(f"no answer for {BLIND_AFTER_S:g} s", place="ledger")
        watch = asyncio.get_running_loop().call_later(BLIND_AFTER_S, self._lose, hangs)
        try:
            if named:
                await self._take_some(named)
            if len(named) == 0 or "" in changed:
                await self._take_all()
        except Unavailable as error:
            self._lose(error)
        else:
            self._see()
        finally:
            watch.cancel()

    async def _take_some(self, alarm_ids: Collection[str]) -> None:
        for face in await desk.read_faces(self._database, alarm_ids):
            if is_within(face.alarm.area_id, self._area_id):
                self.take(face)

    async def _take_all(self) -> None:
        versions = await desk.list_open_versions(self._database, area_prefix(self._area_id))
        known = {alarm_id: face.alarm.version for alarm_id, face in self._open.items()}
        newer = {alarm_id for alarm_id, version in versions.items() if known.get(alarm_id, 0) < version}
        if wanted := newer | (known.keys() - versions.keys()):
            await self._take_some(wanted)

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
            viewer.called.set()


def has_come_to(person: Person, alarm: Alarm) -> bool:
    """Tell whether a person's desk shows an alarm: it has come up to their area, or they supervise that."""
    return person.may_see(alarm.area_id) and (alarm.reaches(person.area_id) or person.has_role("supervisor"))
