"""The WebSocket of alarms: a snapshot, then changes without a gap, beats in between, and confirmations back.

To the page   `snapshot` (all that is open), `alarm` (one changed), `notices` (the rules' open lines), `status`
              (the platform's health), `beat`.
From the page `rendered` (this alarm is on a person's screen), `resync` (a number was missing: all again).
Every message carries `seq`; all but a beat raise it by one, a beat repeats the last one plus one.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from aiohttp import WSMsgType, web

from gateway.alarms.ledger import AlarmLedger
from gateway.contract import codec
from gateway.model.errors import BadInput, LinliError
from gateway.runtime import logs, metrics
from gateway.runtime.clock import Clock, to_ms
from gateway.web import params, sessions, sockets
from security_video.desk import seats
from security_video.desk.board import Board, Viewer
from security_video.desk.notices import NoticeBoard
from security_video.desk.shapes import AlarmRow, Notices, Status, alarm_row
from security_video.desk.status import StatusWatch

log = logs.get(__name__)

BEAT_S: Final = 1.0
ROLES: Final = ("operator", "supervisor")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that is open, and the platform's health."""

    seq: int
    server_ms: int
    alarms: Sequence[AlarmRow]
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

    t: Literal["rendered", "resync"]
    alarm_id: str = ""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a line's news come from."""

    board: Board
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
        async with sockets.opened(request, *ROLES, max_message_bytes=4096) as socket:
            with self._sources.board.viewing(person, seat) as viewer:
                await self._converse(socket, viewer)
        return socket

    async def _converse(self, socket: web.WebSocketResponse, viewer: Viewer) -> None:
        line = _Line(socket, viewer, self._sources)
        talking = asyncio.create_task(line.talk())
        try:
            await self._listen(socket, viewer)
        finally:
            talking.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await talking

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
        if said.t == "resync":
            viewer.is_stale = True
            return
        await self._ledger.confirm_rendered(said.alarm_id, desk=viewer.seat, by=viewer.person)


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
        self._notices: Notices | None = None
        self._status: Status | None = None

    async def talk(self) -> None:
        """Tell the page everything, then every change, and beat when there is none."""
        await self._tell_everything()
        while not self._socket.closed:
            face = None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BEAT_S):
                    face = await self._viewer.news.get()
            if self._viewer.is_stale:
                await self._tell_everything()
            elif face is not None:
                await self._send(AlarmChanged(self._next(), self._now_ms(), alarm_row(face)))
            else:
                await self._send(self._small_news())

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
        while not self._viewer.news.empty():
            self._viewer.news.get_nowait()
        rows = [alarm_row(face) for face in self._sources.board.open_for(self._viewer.person)]
        self._status, self._notices = self._status_now(), self._notices_now()
        await self._send(Snapshot(self._next(), self._now_ms(), rows, self._notices, self._status))

    def _notices_now(self) -> Notices:
        return self._sources.notices.open_for(self._viewer.person)

    def _status_now(self) -> Status:
        blind_since = self._sources.board.blind_since
        return Status(self._sources.watch.items(), None if blind_since is None else to_ms(blind_since))

    async def _send(self, message: object) -> None:
        await self._socket.send_str(codec.encode(message).decode())

    def _next(self) -> int:
        self._seq += 1
        return self._seq

    def _now_ms(self) -> int:
        return to_ms(self._sources.clock.now())
