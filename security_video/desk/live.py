"""Camera pictures for pages: one WebSocket for all tiles, the list of cameras, and snapshots.

A message of `/live` is four bytes (length of the header, big-endian), the header as JSON, and the picture.

    picture  {"type":"picture","camera","epoch","seq","captured_ms","published_ms","width","height","state","reason",
              "since_ms","now_ms"} + JPEG
    health   {"type":"health","camera","state","reason","since_ms","captured_ms","now_ms"}     captured_ms may be null
    pong     {"type":"pong","echo","now_ms"}     answers {"ping": any number}: the page's way to the server's clock
    refused  {"type":"refused","camera" or null,"reason","message"}

The page says, as JSON texts: {"watch":["cam-1",{"camera":"cam-2","pace":"alarmed"}]} replaces its tiles,
{"credit":{"cam-1":1}} gives credit back, {"ping":123.4}. One text may hold all three.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import WSMsgType, web

from gateway.contract import codec
from gateway.model.errors import BadInput, NotFound, Unavailable
from gateway.model.people import Person
from gateway.runtime import logs, metrics
from gateway.runtime.clock import Clock, to_ms
from gateway.web import sessions, sockets
from gateway.web.routes import Route
from security_video.hub import CameraView, Hub
from security_video.settings import VideoSettings
from security_video.tiles import MOST_CREDIT, Pace, TileSet

log = logs.get(__name__)

ROLES: Final = ("operator", "supervisor", "official")
MOST_MESSAGE_BYTES: Final = 16 * 1024
LENGTH_BYTES: Final = 4
#: Answers that wait for a page that does not read.
MOST_ANSWERS: Final = 128

_PROGRAM: Final = "desk_live"
_VIEWERS = metrics.gauge("linli_live_pages_count", "Pages that show camera tiles now.")
_SENT = metrics.counter("linli_tile_pictures", "Pictures sent to pages.")


class Live:
    """The roads of camera pictures out of the desk."""

    def __init__(self, hub: Hub, settings: VideoSettings, clock: Clock) -> None:
        self._hub = hub
        self._clock = clock
        self._rates_hz = {
            Pace.IDLE: settings.idle_rate_hz,
            Pace.SELECTED: settings.selected_rate_hz,
            Pace.ALARMED: settings.alarmed_rate_hz,
        }

    def routes(self) -> tuple[Route, ...]:
        """Return the addresses to mount into the desk's server."""
        return (
            Route("GET", "/live", self.answer_live),
            Route("GET", "/cameras.json", self.answer_cameras),
            Route("GET", "/snapshot/{camera}.jpg", self.answer_snapshot),
        )

    async def answer_live(self, request: web.Request) -> web.StreamResponse:
        """Serve one page's tiles until it goes away."""
        async with sockets.opened(request, *ROLES, max_message_bytes=MOST_MESSAGE_BYTES) as socket:
            page = _Page(socket, self._hub, self._clock, TileSet(self._rates_hz), sessions.person_of(request))
            with _VIEWERS.track_inprogress():
                await page.serve()
        return socket

    async def answer_cameras(self, request: web.Request) -> web.Response:
        """List the cameras that the person may see, with their health."""
        person = sessions.check_role(request, *ROLES)
        rows = [self._row(view) for view in self._hub.cameras() if person.may_see(view.plan.area_id)]
        body = codec.encode({"now_ms": to_ms(self._clock.now()), "cameras": rows})
        return web.Response(body=body, content_type="application/json")

    async def answer_snapshot(self, request: web.Request) -> web.Response:
        """Answer the newest picture; its age and the camera's state are in the headers."""
        person = sessions.check_role(request, *ROLES)
        view = self._hub.camera(request.match_info["camera"])
        if view is None or not person.may_see(view.plan.area_id):
            raise NotFound("there is no such camera", place=request.path, cure="Read /cameras.json.")
        if view.frame is None:
            raise Unavailable(f"no picture yet ({view.health.reason})", place=view.plan.camera_id)
        headers = {
            "Cache-Control": "no-store",
            "X-Captured-Ms": f"{view.frame.header.captured_ns / 1e6:.0f}",
            "X-Camera-State": view.health.state.value,
        }
        return web.Response(body=view.frame.payload, content_type="image/jpeg", headers=headers)

    def _row(self, view: CameraView) -> dict[str, Any]:
        names = {"id": view.plan.camera_id, "name": view.plan.name, "area": view.plan.area_id}
        return {**names, **_health_facts(view)}


class _Page:
    """One open page: one task reads what it says, one sends what is due."""

    def __init__(self, socket: web.WebSocketResponse, hub: Hub, clock: Clock, tiles: TileSet, person: Person) -> None:
        self._socket = socket
        self._hub = hub
        self._clock = clock
        self._tiles = tiles
        self._person = person
        self._news = asyncio.Event()
        self._watched: frozenset[str] = frozenset()
        self._answers: list[dict[str, Any]] = []

    async def serve(self) -> None:
        """Run until the socket closes."""
        stop_listening = self._hub.listen(self._hear_hub)
        sending = asyncio.create_task(self._send_always())
        try:
            await self._read_always()
        finally:
            stop_listening()
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await sending

    def _hear_hub(self, camera_id: str) -> None:
        if camera_id in self._watched:
            self._news.set()

    async def _read_always(self) -> None:
        async for message in self._socket:
            if message.type is WSMsgType.TEXT:
                try:
                    self._obey(codec.decode(message.data.encode()))
                except BadInput as error:
                    self._refuse(None, error.reason, str(error))
            self._news.set()

    def _obey(self, document: Mapping[str, object]) -> None:
        if "watch" in document:
            self._watch(wanted_tiles(document["watch"]))
        if "credit" in document:
            for camera_id, count in given_credit(document["credit"]).items():
                # Credit for a tile that was just taken off the page is no mistake.
                self._tiles.give(camera_id, count)
        if "ping" in document:
            echo = document["ping"]
            if not isinstance(echo, int | float):
                raise BadInput("ping must be a number", reason="wrong_type", place="$.ping")
            self._answer({"type": "pong", "echo": echo})

    def _watch(self, wanted: Mapping[str, Pace]) -> None:
        allowed = {}
        for camera_id, pace in wanted.items():
            view = self._hub.camera(camera_id)
            if view is not None and self._person.may_see(view.plan.area_id):
                allowed[camera_id] = pace
            else:
                self._refuse(camera_id, "unknown_camera", "there is no such camera for you")
        if new := set(allowed) - self._watched:
            log.info("cameras_watched", person=self._person.name, cameras=sorted(new))
        self._tiles.watch(allowed)
        self._watched = frozenset(self._tiles.cameras())

    def _refuse(self, camera_id: str | None, reason: str, message: str) -> None:
        metrics.dropped(_PROGRAM, reason)
        self._answer({"type": "refused", "camera": camera_id, "reason": reason, "message": message})

    def _answer(self, facts: dict[str, Any]) -> None:
        if len(self._answers) < MOST_ANSWERS:
            self._answers.append(facts)
        else:
            metrics.dropped(_PROGRAM, "page_asks_too_fast")

    async def _send_always(self) -> None:
        while not self._socket.closed:
            self._news.clear()
            views = self._views()
            await self._send_answers()
            await self._send_pictures(views)
            await self._send_health(views)
            newest = {camera_id: view.version for camera_id, view in views.items()}
            wait_s = self._tiles.wait_s(newest, self._clock.monotonic_s())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(wait_s, 0.005)):
                    await self._news.wait()

    def _views(self) -> dict[str, CameraView]:
        """Return the page's cameras; one that was taken off the list is taken off the page, and the page is told."""
        found = {camera_id: self._hub.camera(camera_id) for camera_id in self._tiles.cameras()}
        for camera_id in [camera_id for camera_id, view in found.items() if view is None]:
            self._tiles.drop(camera_id)
            self._refuse(camera_id, "unknown_camera", "the camera was taken off the list")
        return {camera_id: view for camera_id, view in found.items() if view is not None}

    async def _send_answers(self) -> None:
        answers, self._answers = self._answers, []
        for answer in answers:
            await self._send(answer)

    async def _send_pictures(self, views: Mapping[str, CameraView]) -> None:
        newest = {camera_id: view.version for camera_id, view in views.items()}
        while (camera_id := self._tiles.next_picture(newest, self._clock.monotonic_s())) is not None:
            # Ask again: while the last one was sent, a newer one may have come.
            view = self._hub.camera(camera_id) or views[camera_id]
            self._tiles.note_picture(camera_id, view.version, view.health.state, self._clock.monotonic_s())
            newest[camera_id] = view.version
            if view.frame is not None:
                _SENT.inc()
                await self._send(picture_facts(view), view.frame.payload)

    async def _send_health(self, views: Mapping[str, CameraView]) -> None:
        states = {camera_id: view.health.state.value for camera_id, view in views.items()}
        for camera_id in self._tiles.silent_tiles(states, self._clock.monotonic_s()):
            self._tiles.note_health(camera_id, states[camera_id], self._clock.monotonic_s())
            await self._send({"type": "health", "camera": camera_id, **_health_facts(views[camera_id])})

    async def _send(self, facts: Mapping[str, Any], payload: bytes = b"") -> None:
        header = codec.encode({**facts, "now_ms": to_ms(self._clock.now())})
        await self._socket.send_bytes(len(header).to_bytes(LENGTH_BYTES) + header + payload)


def picture_facts(view: CameraView) -> dict[str, Any]:
    """Return the header of a picture message, without the time of sending."""
    if view.frame is None:
        raise Unavailable("no picture yet", place=view.plan.camera_id)
    header = view.frame.header
    return {
        "type": "picture",
        "camera": view.plan.camera_id,
        "epoch": header.epoch,
        "seq": header.seq,
        "published_ms": header.published_ns / 1e6,
        "width": header.width,
        "height": header.height,
        **_health_facts(view),
    }


def wanted_tiles(raw: object) -> dict[str, Pace]:
    """Read a watch list: ids, or objects with `camera` and `pace`; BadInput names the entry."""
    if not isinstance(raw, list):
        raise BadInput("watch must be a list", reason="wrong_type", place="$.watch", cure='Send {"watch":["cam-1"]}.')
    return dict(_wanted(entry, f"$.watch[{number}]") for number, entry in enumerate(raw))


def _wanted(entry: object, place: str) -> tuple[str, Pace]:
    camera_id, pace = (entry.get("camera"), entry.get("pace", "idle")) if isinstance(entry, dict) else (entry, "idle")
    if not isinstance(camera_id, str) or pace not in set(Pace):
        cure = f'Send an id or {{"camera": id, "pace": one of {", ".join(Pace)}}}.'
        raise BadInput("not a tile", reason="bad_tile", place=place, cure=cure)
    return camera_id, Pace(pace)


def given_credit(raw: object) -> dict[str, int]:
    """Read credits per camera, whole numbers from 0; BadInput names the camera."""
    if not isinstance(raw, dict):
        raise BadInput("credit must be an object", reason="wrong_type", place="$.credit")
    for camera_id, count in raw.items():
        if type(count) is not int or count < 0:
            raise BadInput("credit is a whole number", reason="bad_credit", place=f"$.credit.{camera_id}")
    return {camera_id: min(count, MOST_CREDIT) for camera_id, count in raw.items()}


def _health_facts(view: CameraView) -> dict[str, Any]:
    return {
        "state": view.health.state.value,
        "reason": view.health.reason,
        "since_ms": to_ms(view.health.since),
        "captured_ms": view.frame.header.captured_ns / 1e6 if view.frame else None,
    }
