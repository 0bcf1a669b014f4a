"""A wire that can be cut: a TCP proxy between a client and a server, with faults on demand."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

CHUNK_BYTES = 65536


class Wire:
    """Forwards 127.0.0.1:`port` to `target_port`; `async with` opens and closes it.

    Faults hold for the lines that are open and for new ones, until `mend`.
    """

    def __init__(self, target_port: int, *, target_host: str = "127.0.0.1") -> None:
        self._target = (target_host, target_port)
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._up, self._down = _Direction(), _Direction()
        self._refuses = False
        self._change: Callable[[bytes], bytes] = bytes
        self.port = 0
        self.lines_opened = 0

    @property
    def bytes_down(self) -> int:
        """What has come from the server so far, over all lines."""
        return self._down.bytes_passed

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.reset()
        for line in tuple(self._lines):
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    def cut(self) -> None:
        """Reset every open line and refuse new ones."""
        self._refuses = True
        self.reset()

    def reset(self) -> None:
        """Reset every open line (RST, no goodbye); new ones are let through."""
        for writer in tuple(self._writers):
            _reset(writer)

    def black_hole(self) -> None:
        """Keep every line open and let nothing through: the half-open connection of a dead router."""
        self.drop(up=True, down=True)

    def drop(self, *, up: bool = False, down: bool = False) -> None:
        """Keep every line open and let nothing through in these directions: the road back may still be there."""
        for direction, is_dropped in ((self._up, up), (self._down, down)):
            if is_dropped:
                direction.open.clear()

    def delay(self, seconds: float) -> None:
        """Hold every chunk back for `seconds`, in both directions."""
        self._up.delay_s = self._down.delay_s = seconds

    def drip(self, size_bytes: int, every_s: float = 0.01) -> None:
        """Let `size_bytes` through at a time, `every_s` apart, in both directions: a line that is nearly dead."""
        for direction in (self._up, self._down):
            direction.drip_bytes, direction.drip_every_s = size_bytes, every_s

    def cut_after(self, size_bytes: int, *, up: bool = False) -> None:
        """Reset each line once `size_bytes` more have come down from the server (or up): words that break off."""
        direction = self._up if up else self._down
        direction.cut_at_bytes = direction.bytes_passed + size_bytes

    def spoil(self, change: Callable[[bytes], bytes]) -> None:
        """Send every chunk from the server through `change` first: noise on the line."""
        self._change = change

    def mend(self) -> None:
        """Let everything through again."""
        self._refuses, self._change = False, bytes
        for direction in (self._up, self._down):
            direction.mend()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.current_task()
        assert line is not None
        self._lines.add(line)
        self._writers.add(writer)
        try:
            await self._serve(reader, writer)
        finally:
            self._lines.discard(line)
            self._writers.discard(writer)
            _reset(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refuses:
            return
        self.lines_opened += 1
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            return
        self._writers.add(far_writer)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, far_writer, self._up))
                both.create_task(self._pump(far_reader, writer, self._down))
        except* OSError:
            pass
        finally:
            self._writers.discard(far_writer)
            _reset(far_writer)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: "_Direction") -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            if direction is self._down:
                chunk = self._change(chunk)
            while chunk:
                await direction.open.wait()
                if direction.delay_s:
                    await asyncio.sleep(direction.delay_s)
                piece, chunk = direction.bite(chunk)
                writer.write(piece)
                await writer.drain()
                if chunk:
                    await asyncio.sleep(direction.drip_every_s)
        raise ConnectionResetError  # one side has gone: the other learns it at once


@dataclass(slots=True)
class _Direction:
    """One way through the wire, and what is wrong with it now."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    delay_s: float = 0.0
    drip_bytes: int = CHUNK_BYTES
    drip_every_s: float = 0.0
    cut_at_bytes: int | None = None
    bytes_passed: int = 0

    def __post_init__(self) -> None:
        self.open.set()

    def mend(self) -> None:
        self.delay_s, self.drip_bytes, self.drip_every_s, self.cut_at_bytes = 0.0, CHUNK_BYTES, 0.0, None
        self.open.set()

    def bite(self, chunk: bytes) -> tuple[bytes, bytes]:
        """Return what passes now and what waits; ConnectionResetError where this line breaks off."""
        size = min(self.drip_bytes, len(chunk))
        if self.cut_at_bytes is not None:
            size = min(size, self.cut_at_bytes - self.bytes_passed)
            if size <= 0:
                raise ConnectionResetError
        self.bytes_passed += size
        return chunk[:size], chunk[size:]


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close without goodbye: SO_LINGER of zero makes the kernel send RST."""
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError, RuntimeError):
        writer.transport.abort()
