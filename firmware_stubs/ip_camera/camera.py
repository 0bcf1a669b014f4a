"""The whole camera: its sensor, its RTSP and HTTP servers, and the faults that can be switched on while it runs."""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from firmware_stubs import log
from firmware_stubs.clock import Clock, SystemClock
from firmware_stubs.ip_camera.rtp import describe
from firmware_stubs.ip_camera.rtsp import MOST_REQUEST_BYTES, Conversation, Viewer
from firmware_stubs.ip_camera.sensor import Fault, Lens, Sensor, Shot

HOST = "127.0.0.1"
RTSP_PATH = "/stream"
MJPEG_PATH = "/mjpeg"
BOUNDARY = "linli-picture"
NOISE_BYTES = 4096
NOISE_EVERY_S = 0.02

_Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class _Door:
    """One listening port; closed while the camera refuses."""

    serve: _Serve
    port: int
    server: asyncio.Server | None = None

    async def open(self) -> None:
        if self.server is None:
            self.server = await asyncio.start_server(self.serve, HOST, self.port, limit=MOST_REQUEST_BYTES)
            self.port = self.server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        server, self.server = self.server, None
        if server is not None:
            server.close()
            await server.wait_closed()


class IpCamera:
    """A camera on loopback; port 0 takes a free one, which stays the same for the camera's life."""

    def __init__(
        self, lens: Lens | None = None, *, rtsp_port: int = 0, http_port: int = 0, clock: Clock | None = None
    ) -> None:
        self.lens = lens or Lens()
        self.fault = Fault.NONE
        self._sensor = Sensor(self.lens, clock or SystemClock(), self._show)
        self._rtsp = _Door(self._meet(self._talk_rtsp), rtsp_port)
        self._http = _Door(self._meet(self._talk_http), http_port)
        self._sdp = ""
        self._viewers: set[Viewer] = set()
        self._browsers: set[asyncio.Queue[bytes]] = set()
        self._lines: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}

    @property
    def rtsp_url(self) -> str:
        return f"rtsp://{HOST}:{self._rtsp.port}{RTSP_PATH}"

    @property
    def mjpeg_url(self) -> str:
        return f"http://{HOST}:{self._http.port}{MJPEG_PATH}"

    async def start(self) -> None:
        """Film and listen."""
        self._sdp = describe(self._sensor.first_units(), self.lens.fps)
        for door in (self._rtsp, self._http):
            await door.open()
        self._sensor.start()
        log.info("ip_camera_started", rtsp=self.rtsp_url, mjpeg=self.mjpeg_url)

    async def stop(self) -> None:
        """End; also before `start`, also twice."""
        for door in (self._rtsp, self._http):
            await door.close()
        await self.hang_up()
        await asyncio.to_thread(self._sensor.stop)

    async def set_fault(self, fault: Fault) -> None:
        """Break the camera, or mend it with Fault.NONE; lines that are open meet the fault too."""
        self.fault = self._sensor.fault = fault
        log.info("ip_camera_fault", fault=fault.value, rtsp=self.rtsp_url)
        if fault is Fault.REFUSE:
            for door in (self._rtsp, self._http):
                await door.close()
            await self.hang_up()
        else:
            for door in (self._rtsp, self._http):
                await door.open()
        if fault is Fault.NOISE:
            await self.hang_up()

    async def hang_up(self) -> None:
        """Cut every open line, as a switch does that loses power."""
        tasks = [task for task in self._lines.values() if task is not None]
        for line in self._lines:
            line.transport.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _meet(self, talk: _Serve) -> _Serve:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._lines[writer] = asyncio.current_task()
            try:
                with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                    await (self._misbehave(writer) if self.fault in {Fault.HANG, Fault.NOISE} else talk(reader, writer))
            finally:
                del self._lines[writer]
                writer.close()

        return serve

    async def _misbehave(self, writer: asyncio.StreamWriter) -> None:
        while self.fault in {Fault.HANG, Fault.NOISE}:
            if self.fault is Fault.NOISE:
                writer.write(secrets.token_bytes(NOISE_BYTES))
                await writer.drain()
            await asyncio.sleep(NOISE_EVERY_S)

    async def _talk_rtsp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        viewer = Viewer(reader, writer, Conversation(RTSP_PATH, self._sdp))
        self._viewers.add(viewer)
        try:
            await viewer.serve(self._sensor.want_key)
        finally:
            self._viewers.discard(viewer)

    async def _talk_http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(f"GET {MJPEG_PATH} ".encode()):
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n".encode())
        newest: asyncio.Queue[bytes] = asyncio.Queue(1)
        self._browsers.add(newest)
        try:
            while True:
                picture = await newest.get()
                part = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                writer.write(part.encode() + picture + b"\r\n")
                await writer.drain()
        finally:
            self._browsers.discard(newest)

    def _show(self, shot: Shot) -> None:
        if self.fault is Fault.HANG:
            return
        for viewer in self._viewers:
            viewer.show(shot.unit)
        for newest in self._browsers:
            # Newest wins: a browser that is still busy gets this one instead of the one before.
            with contextlib.suppress(asyncio.QueueEmpty):
                newest.get_nowait()
            newest.put_nowait(shot.jpeg)
