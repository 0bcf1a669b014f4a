"""A wire that can be cut: a TCP proxy between a client and a server, with faults on demand."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
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
        self._open = asyncio.Event()
        self._open.set()
        self._refuses = False
        self._delay_s = 0.0
        self._cut_at_bytes: int | None = None
        self._change: Callable[[bytes], bytes] = bytes
        self.port = 0
        self.lines_opened = 0
        self.bytes_down = 0

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
        self._open.clear()

    def delay(self, seconds: float) -> None:
        """Hold every chunk back for `seconds`, in both directions."""
        self._delay_s = seconds

    def cut_after(self, size_bytes: int) -> None:
        """Reset each line once `size_bytes` more have come down from the server: an answer that breaks off."""
        self._cut_at_bytes = self.bytes_down + size_bytes

    def spoil(self, change: Callable[[bytes], bytes]) -> None:
        """Send every chunk from the server through `change` first: noise on the line."""
        self._change = change

    def mend(self) -> None:
        """Let everything through again."""
        self._refuses, self._delay_s, self._cut_at_bytes, self._change = False, 0.0, None, bytes
        self._open.set()

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
                both.create_task(self._pump(reader, far_writer, down=False))
                both.create_task(self._pump(far_reader, writer, down=True))
        except* OSError:
            pass
        finally:
            self._writers.discard(far_writer)
            _reset(far_writer)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, down: bool) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            await self._open.wait()
            if self._delay_s:
                await asyncio.sleep(self._delay_s)
            if down:
                chunk = self._limited(self._change(chunk))
            writer.write(chunk)
            await writer.drain()
        raise ConnectionResetError  # one side has gone: the other learns it at once

    def _limited(self, chunk: bytes) -> bytes:
        if self._cut_at_bytes is not None and self.bytes_down + len(chunk) > self._cut_at_bytes:
            raise ConnectionResetError
        self.bytes_down += len(chunk)
        return chunk


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close without goodbye: SO_LINGER of zero makes the kernel send RST."""
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError, RuntimeError):
        writer.transport.abort()
