"""A small RTSP 1.0 server for one stream: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN; RTP inside the connection."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from firmware_stubs import log
from firmware_stubs.ip_camera.rtp import AccessUnit, Packetizer, interleaved

MOST_REQUEST_BYTES = 8192
#: A viewer that does not read is passed over until the next keyframe, from this many waiting bytes on.
MOST_UNSENT_BYTES = 1_000_000

PUBLIC = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"
_REASONS = {
    200: "OK", 400: "Bad Request", 404: "Not Found", 454: "Session Not Found", 455: "Method Not Valid In This State",
    461: "Unsupported Transport", 501: "Not Implemented", 505: "RTSP Version Not Supported",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Request:
    """One RTSP request; header names are lower-case."""

    method: str
    url: str
    version: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """One RTSP answer."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    def encode(self, cseq: str) -> bytes:
        """Return the bytes of the answer to the request numbered `cseq`."""
        lines = [f"RTSP/1.0 {self.status} {_REASONS[self.status]}", f"CSeq: {cseq}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.body:
            lines.append(f"Content-Length: {len(self.body.encode())}")
        return ("\r\n".join(lines) + "\r\n\r\n" + self.body).encode()


def parse_request(head: bytes) -> Request | None:
    """Return the request of a head (up to the empty line), or None where it is none."""
    try:
        first, *lines = head.decode("ascii").strip("\r\n").split("\r\n")
        method, url, version = first.split(" ")
    except (UnicodeDecodeError, ValueError):
        return None
    pairs = [line.partition(":") for line in lines if line]
    return Request(method, url, version, {name.strip().lower(): value.strip() for name, _, value in pairs})


class Conversation:
    """What one viewer has asked for so far; answers requests without touching the network."""

    def __init__(self, path: str, sdp: str) -> None:
        self.is_playing = False
        self.is_over = False
        self.channel = 0
        self._path = path
        self._sdp = sdp
        self._session = ""

    def answer(self, request: Request) -> Answer:
        """Return the answer to a request and follow it."""
        if request.version != "RTSP/1.0":
            return Answer(505)
        if "cseq" not in request.headers:
            return Answer(400)
        acts = {
            "OPTIONS": self._options, "DESCRIBE": self._describe, "SETUP": self._setup, "PLAY": self._play,
            "TEARDOWN": self._teardown, "GET_PARAMETER": self._keep_alive,
        }  # fmt: skip
        act = acts.get(request.method)
        return act(request) if act else Answer(501, {"Public": PUBLIC})

    def _options(self, _request: Request) -> Answer:
        return Answer(200, {"Public": PUBLIC})

    def _describe(self, request: Request) -> Answer:
        if not self._is_ours(request.url):
            return Answer(404)
        base = request.url.rstrip("/") + "/"
        return Answer(200, {"Content-Type": "application/sdp", "Content-Base": base}, self._sdp)

    def _setup(self, request: Request) -> Answer:
        transport = request.headers.get("transport", "")
        if not self._is_ours(request.url):
            return Answer(404)
        if not transport.startswith("RTP/AVP/TCP"):
            return Answer(461)
        self.channel = _channel(transport)
        self._session = self._session or secrets.token_hex(8)
        chosen = f"RTP/AVP/TCP;unicast;interleaved={self.channel}-{self.channel + 1}"
        return Answer(200, {"Transport": chosen, "Session": f"{self._session};timeout=60"})

    def _play(self, request: Request) -> Answer:
        if refusal := self._refuse_session(request):
            return refusal
        self.is_playing = True
        return Answer(200, {"Session": self._session, "Range": "npt=now-"})

    def _teardown(self, request: Request) -> Answer:
        if refusal := self._refuse_session(request):
            return refusal
        self.is_playing, self.is_over = False, True
        return Answer(200, {"Session": self._session})

    def _keep_alive(self, request: Request) -> Answer:
        return self._refuse_session(request) or Answer(200, {"Session": self._session})

    def _refuse_session(self, request: Request) -> Answer | None:
        if not self._session:
            return Answer(455)
        given = request.headers.get("session", "").partition(";")[0]
        return None if given == self._session else Answer(454)

    def _is_ours(self, url: str) -> bool:
        path = "/" + url.partition("://")[2].partition("/")[2]
        return path.partition("?")[0].rstrip("/").removesuffix("/track1") == self._path


def _channel(transport: str) -> int:
    for part in transport.split(";"):
        name, _, value = part.strip().partition("=")
        first = value.partition("-")[0]
        if name == "interleaved" and first.isdecimal() and int(first) < 255:
            return int(first)
    return 0


class Viewer:
    """One RTSP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, talk: Conversation) -> None:
        self.skipped = 0
        self._reader = reader
        self._writer = writer
        self._talk = talk
        self._packetizer = Packetizer(ssrc=secrets.randbits(32))
        self._is_waiting_for_key = True

    async def serve(self, on_play: Callable[[], None]) -> None:
        """Answer until the viewer leaves; `on_play` is called when it begins to watch."""
        with contextlib.suppress(asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            while not self._talk.is_over:
                request = await self._next_request()
                if request is None:
                    log.dropped("bad_rtsp_request")
                    self._writer.write(Answer(400).encode("0"))
                    return
                was_playing = self._talk.is_playing
                self._writer.write(self._talk.answer(request).encode(request.headers.get("cseq", "0")))
                await self._writer.drain()
                if self._talk.is_playing and not was_playing:
                    on_play()

    def show(self, picture: AccessUnit) -> None:
        """Send one picture, beginning with a keyframe; pass it over where the viewer does not keep up."""
        if not self._talk.is_playing or self._writer.is_closing():
            return
        if self._writer.transport.get_write_buffer_size() > MOST_UNSENT_BYTES:
            self._is_waiting_for_key = True
        if self._is_waiting_for_key and not picture.is_key:
            self.skipped += 1
            return
        self._is_waiting_for_key = False
        for packet in self._packetizer.packets(picture):
            self._writer.write(interleaved(packet, self._talk.channel))

    async def _next_request(self) -> Request | None:
        """Return the next request; packets that the viewer sends in between (RTCP) are read and passed over."""
        while (first := await self._reader.readexactly(1)) == b"$":
            length = int.from_bytes((await self._reader.readexactly(3))[1:])
            await self._reader.readexactly(length)
        head = first + await self._reader.readuntil(b"\r\n\r\n")
        return parse_request(head)
