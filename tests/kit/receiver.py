"""Somebody outside the house: a receiver of web hooks that answers as a test says, and a few that behave badly."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

_ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Heard:
    """One request that arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """Keeps what it hears and gives `answers` in their order, 204 when there are none left."""

    heard: list[Heard] = field(default_factory=list)
    answers: deque[int] = field(default_factory=deque)
    location: str = ""
    url: str = ""
    open_now: int = 0
    most_open: int = 0

    async def take(self, request: web.Request) -> web.Response:
        self.open_now += 1
        self.most_open = max(self.most_open, self.open_now)
        self.heard.append(Heard(request.path, dict(request.headers), await request.read()))
        self.open_now -= 1
        status = self.answers.popleft() if self.answers else 204
        headers = {"Location": self.location} if 300 <= status < 400 else {}
        return web.Response(status=status, headers=headers)


@contextlib.asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A well-behaved receiver on a free port of 127.0.0.1."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()


Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def hangs(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Accept, and never say anything."""
    await asyncio.Event().wait()


async def resets(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept, and break off."""
    writer.transport.abort()


async def drips(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a status line of which every byte takes its time, and which never ends."""
    writer.write(b"HTTP/1.1 200 ")
    while True:
        writer.write(b"O")
        await writer.drain()
        await asyncio.sleep(0.05)


async def never_ends(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer 200 with a body without an end, as fast as it goes."""
    writer.write(_ENDLESS)
    while True:
        writer.write(bytes(65536))
        await writer.drain()


async def floods_headers(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with header lines without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: " + b"a" * 1000 + b"\r\n")
        await writer.drain()


@dataclass(slots=True)
class Bad:
    """A receiver that behaves badly; `calls` counts its connections, `open_now` those that still stand."""

    url: str = ""
    calls: int = 0
    open_now: int = 0
    most_open: int = 0


@contextlib.asynccontextmanager
async def behaving(how: Behaviour) -> AsyncIterator[Bad]:
    """A receiver on a free port of 127.0.0.1 that does `how` with each connection."""
    bad = Bad()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        bad.calls += 1
        bad.open_now += 1
        bad.most_open = max(bad.most_open, bad.open_now)
        try:
            await _until_left(how(reader, writer), reader)
        finally:
            bad.open_now -= 1
            writer.transport.abort()
            tasks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    bad.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield bad
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _until_left(doing: Awaitable[None], reader: asyncio.StreamReader) -> None:
    """Go on with `doing` until the other side has closed the connection."""
    deed = asyncio.ensure_future(doing)
    reading = asyncio.ensure_future(_drained(reader))
    try:
        await asyncio.wait({deed, reading}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in (deed, reading):
            each.cancel()
        await asyncio.gather(deed, reading, return_exceptions=True)


async def _drained(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(OSError):
        while await reader.read(65536):
            pass
