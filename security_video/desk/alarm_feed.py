"""The WebSocket of alarms: a snapshot, then changes without a gap, beats in between, and confirmations back.

To the page   `snapshot` (all that is open), `alarm` (one changed), `changes` (several, and the groups of a storm),
              `notices` (the rules' open lines), `status` (the platform's health, who else is there), `beat`.
From the page `rendered` (these alarms are on a person's screen), `looking` (whether the page is to be seen at all),
              `selected` (what its panel shows), `resync` (a number was missing: all again).
Every message carries `seq`; all but a beat raise it by one, a beat repeats the last one plus one. Changes come at
once, and then at most five times a second.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from aiohttp import WSMsgType, web
from pydantic import Field

from gateway.alarms.ledger import AlarmLedger
from gateway.contract import codec
from gateway.model.errors import BadInput, Forbidden, LinliError, NotFound, Unavailable
from gateway.runtime import logs, metrics
from gateway.runtime.clock import Clock, to_ms
from gateway.web import params, sessions, sockets
from security_video.desk import seats
from security_video.desk.alarm_rows import AlarmRow, GroupRow, alarm_row, group_row, ms_or_none
from security_video.desk.board import BACKLOG, Board, Viewer
from security_video.desk.notices import NoticeBoard
from security_video.desk.shapes import Notices, Status
from security_video.desk.status import StatusWatch
from security_video.desk.unrecorded import PREFIX, Unrecorded

log = logs.get(__name__)

BEAT_S: Final = 1.0
GAP_S: Final = 0.2
MOST_RENDERED: Final = 200
LONGEST_ID: Final = 160
ROLES: Final = ("operator", "supervisor")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that is open, and the platform's health."""

    seq: int
    server_ms: int
    alarms: Sequence[AlarmRow]
    groups: Sequence[GroupRow]
    notices: Notices
    status: Status
    t: Literal["snapshot"] = "snapshot"


@dataclass(frozen=True, slots=True)
class AlarmChanged:
    """One alarm in its newest version; a closed one leaves the queue."""

    seq: int
    server_ms: int
    alarm: AlarmRow
    t: Literal["alarm"] = "alarm"


@dataclass(frozen=True, slots=True)
class Changes:
    """Several alarms at once: those with a row in their newest version, those without one any more, all groups."""

    seq: int
    server_ms: int
    alarms: Sequence[AlarmRow]
    gone: Sequence[str]
    groups: Sequence[GroupRow]
    t: Literal["changes"] = "changes"


@dataclass(frozen=True, slots=True)
class NoticesChanged:
    """A rule has written a line for the desk, or somebody has taken one off."""

    seq: int
    server_ms: int
    notices: Notices
    t: Literal["notices"] = "notices"


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """The platform's health has changed."""

    seq: int
    server_ms: int
    status: Status
    t: Literal["status"] = "status"


@dataclass(frozen=True, slots=True)
class Beat:
    """Nothing has happened, and the line is there; `seq` is the number that the next message will carry."""

    seq: int
    server_ms: int
    t: Literal["beat"] = "beat"


class Said(params.Body):
    """What a page may say."""

    t: Literal["rendered", "resync", "looking", "selected"]
    alarm_id: str = Field("", max_length=LONGEST_ID)
    alarm_ids: tuple[str, ...] = Field((), max_length=MOST_RENDERED)
    is_looking: bool = True


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a line's news come from."""

    board: Board
    unrecorded: Unrecorded
    notices: NoticeBoard
    watch: StatusWatch
    clock: Clock


class AlarmFeed:
    """Handler of the feed's address; one `_Line` for each open page."""

    def __init__(self, ledger: AlarmLedger, sources: Sources) -> None:
        self._ledger = ledger
        self._sources = sources

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one page until it leaves, its session ends or the server stops."""
        person, seat = sessions.check_role(request, *ROLES), seats.seat_of(request)
        async with sockets.opened(request, *ROLES, max_message_bytes=16384) as socket:
            with self._sources.board.viewing(person, seat) as viewer:
                viewer.selected = request.query.get("selected", "")[:LONGEST_ID]
                await self._converse(socket, viewer)
        return socket

    async def _converse(self, socket: web.WebSocketResponse, viewer: Viewer) -> None:
        line = _Line(socket, viewer, self._sources)
        working = (asyncio.create_task(line.talk()), asyncio.create_task(self._confirm_always(viewer)))
        try:
            await self._listen(socket, viewer)
        finally:
            for task in working:
                task.cancel()
            for task in working:
                with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                    await task

    async def _listen(self, socket: web.WebSocketResponse, viewer: Viewer) -> None:
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                metrics.dropped("desk", "feed_not_text")
                continue
            try:
                await self._hear(viewer, said_of(message.data))
            except LinliError as error:
                metrics.dropped("desk", f"feed_{getattr(error, 'reason', error.code)}")
                log.warning("feed_message_refused", error=str(error), person=viewer.person.name)

    async def _hear(self, viewer: Viewer, said: Said) -> None:
        if said.t == "rendered":
            self._confirm(viewer, (said.alarm_id,) if said.alarm_id else said.alarm_ids)
            return
        if said.t == "resync":
            viewer.is_stale = True
        elif said.t == "looking":
            viewer.is_looking = said.is_looking
        else:
            viewer.selected = said.alarm_id
        viewer.called.set()

    def _confirm(self, viewer: Viewer, alarm_ids: Sequence[str]) -> None:
        """Take down what a person's screen shows; a covered page shows nothing, whatever it says.

        The ledger is told beside this: while it hangs, what is unrecorded must still be heard.
        """
        if not viewer.is_looking:
            metrics.dropped("desk", "feed_not_looking")
            return
        self._sources.unrecorded.note_rendered((one for one in alarm_ids if one.startswith(PREFIX)), viewer.seat)
        for alarm_id in alarm_ids:
            if not alarm_id.startswith(PREFIX) and len(viewer.rendered) < BACKLOG:
                viewer.rendered[alarm_id] = None
        if viewer.rendered:
            viewer.has_rendered.set()

    async def _confirm_always(self, viewer: Viewer) -> None:
        """Tell the ledger what was shown; what it could not be told the page says again."""
        while True:
            await viewer.has_rendered.wait()
            viewer.has_rendered.clear()
            shown, viewer.rendered = viewer.rendered, {}
            try:
                if len(shown) == 1:
                    await self._tell_ledger(viewer, *shown)
                else:
                    await self._tell_ledger_many(viewer, list(shown))
            except Unavailable as error:
                metrics.dropped("desk", "feed_unavailable")
                log.warning("feed_not_confirmed", error=str(error), alarms=len(shown))

    async def _tell_ledger(self, viewer: Viewer, alarm_id: str) -> None:
        try:
            await self._ledger.confirm_rendered(alarm_id, desk=viewer.seat, by=viewer.person)
        except (NotFound, Forbidden) as error:
            metrics.dropped("desk", f"feed_{error.code}")
            log.warning("feed_message_refused", error=str(error), person=viewer.person.name)

    async def _tell_ledger_many(self, viewer: Viewer, alarm_ids: Sequence[str]) -> None:
        told = await self._ledger.confirm_all_rendered(alarm_ids, desk=viewer.seat, by=viewer.person)
        for strange in set(alarm_ids) - {alarm.alarm_id for alarm in told}:
            metrics.dropped("desk", "feed_not_found")
            log.warning("feed_message_refused", alarm=strange, person=viewer.person.name)


def said_of(text: str) -> Said:
    """Return a page's message; BadInput where it is none."""
    try:
        return Said.model_validate(params.json_of(text.encode()))
    except ValueError as error:
        raise BadInput("no message of a page", reason="wrong_message", place="feed") from error


class _Line:
    """What one page is told, in order, numbered."""

    def __init__(self, socket: web.WebSocketResponse, viewer: Viewer, sources: Sources) -> None:
        self._socket = socket
        self._viewer = viewer
        self._sources = sources
        self._seq = 0
        self._told: dict[str, tuple[int, str]] = {}
        self._groups: Sequence[GroupRow] = ()
        self._notices: Notices | None = None
        self._status: Status | None = None

    async def talk(self) -> None:
        """Tell the page everything, then every change, and beat when there is none."""
        await self._tell_everything()
        beaten_s = self._sources.clock.monotonic_s()
        while not self._socket.closed:
            is_called = await self._called()
            if self._viewer.is_stale:
                await self._tell_everything()
            elif is_called:
                await self._tell_changes()
            if not is_called or self._sources.clock.monotonic_s() - beaten_s >= BEAT_S:
                await self._send(self._small_news())
                beaten_s = self._sources.clock.monotonic_s()
            if is_called:
                await asyncio.sleep(GAP_S)

    async def _called(self) -> bool:
        """Wait for something to tell, at most until the next beat."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BEAT_S):
                await self._viewer.called.wait()
        is_called = self._viewer.called.is_set()
        self._viewer.called.clear()
        return is_called

    async def _tell_changes(self) -> None:
        news, self._viewer.news = self._viewer.news, {}
        before, groups_before = self._told, self._groups
        rows = self._arrange()
        changed = [row for row in rows if before.get(row.alarm_id) != (row.version, row.storm)]
        closed = [alarm_row(face) for face in news.values() if not face.alarm.is_open and face.alarm.alarm_id in before]
        gone = before.keys() - self._told.keys() - {row.alarm_id for row in closed}
        told = [*changed, *closed]
        if len(told) == 1 and not gone and self._groups == groups_before:
            await self._send(AlarmChanged(self._next(), self._now_ms(), told[0]))
        elif told or gone or self._groups != groups_before:
            await self._send(Changes(self._next(), self._now_ms(), told, sorted(gone), self._groups))

    def _arrange(self) -> list[AlarmRow]:
        """Return the rows of now, and remember them and the groups as told."""
        arrangement = self._sources.board.arranged_for(self._viewer)
        storm_of = arrangement.storm_of
        rows = self._sources.unrecorded.rows_for(self._viewer.person)
        rows += [alarm_row(face, storm_of.get(face.alarm.alarm_id, "")) for face in arrangement.rows]
        self._told = {row.alarm_id: (row.version, row.storm) for row in rows}
        self._groups = tuple(group_row(group) for group in arrangement.groups)
        return rows

    def _small_news(self) -> object:
        """Return what has changed beside the alarms, or a beat where nothing has."""
        status, notices = self._status_now(), self._notices_now()
        if status != self._status:
            self._status = status
            return StatusChanged(self._next(), self._now_ms(), status)
        if notices != self._notices:
            self._notices = notices
            return NoticesChanged(self._next(), self._now_ms(), notices)
        return Beat(self._seq + 1, self._now_ms())

    async def _tell_everything(self) -> None:
        self._viewer.is_stale = False
        self._viewer.news.clear()
        rows = self._arrange()
        self._status, self._notices = self._status_now(), self._notices_now()
        await self._send(Snapshot(self._next(), self._now_ms(), rows, self._groups, self._notices, self._status))

    def _notices_now(self) -> Notices:
        return self._sources.notices.open_for(self._viewer.person)

    def _status_now(self) -> Status:
        board, watch, person = self._sources.board, self._sources.watch, self._viewer.person
        return Status(
            watch.items(),
            ms_or_none(board.blind_since),
            board.others_of(self._viewer),
            watch.unmanned_for(person),
            watch.drills_for(person),
        )

    async def _send(self, message: object) -> None:
        await self._socket.send_str(codec.encode(message).decode())

    def _next(self) -> int:
        self._seq += 1
        return self._seq

    def _now_ms(self) -> int:
        return to_ms(self._sources.clock.now())
