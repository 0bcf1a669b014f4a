"""Pictures between processes over ZeroMQ ipc: a publisher per capture process, readers that pay with credit.

One ROUTER socket per publisher, one DEALER per reader and publisher. A reader says `open` with its window, then gives
credit back for every picture that it has worked off; after a second of silence it says `open` again, which heals a
publisher that was started again, a lost message and a reader that was forgotten. Sockets lie in a folder of mode 0700:
its permissions are the access control. Nothing here ever waits for a reader.
"""

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import zmq

from gateway.contract import codec
from gateway.contract.frames import FrameHeader
from gateway.model.errors import BadInput, ConfigurationError, Unavailable
from gateway.runtime import logs, metrics
from gateway.runtime.clock import monotonic_ns, wall_ns
from security_video.fanout import Fanout, Slot

log = logs.get(__name__)

SUFFIX = ".ipc"
#: A unix socket's whole path has at most 107 bytes.
LONGEST_PATH = 107
MOST_PAYLOAD_BYTES = 8 * 1024 * 1024
MOST_CONTROL_BYTES = 1024
MOST_WINDOW = 256
#: Explicit and above every window, so that it is never the high-water mark that drops.
HIGH_WATER = 2 * MOST_WINDOW
REOPEN_AFTER_S = 1.0
#: A reader that was not heard for so long is stopped or gone.
FORGET_AFTER_S = 20.0
RESCAN_S = 0.5
#: How soon a line that is not connected yet is asked again.
CONNECTING_S = 0.05

_PROGRAM = "frame_bus"


def socket_folder(folder: Path) -> Path:
    """Return `folder`, made and private; ConfigurationError where it belongs to somebody else."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = folder.stat()
    if state.st_uid != os.geteuid():
        raise ConfigurationError("frame sockets need a folder of our own", place=str(folder), cure="Remove it.")
    if state.st_mode & 0o077:
        folder.chmod(0o700)
    return folder


def address_of(folder: Path, name: str) -> str:
    """Return the ZeroMQ address of publisher `name` in `folder`."""
    path = (folder / f"{name}{SUFFIX}").absolute()
    if len(os.fsencode(path)) > LONGEST_PATH:
        cure = "Choose a shorter [node] data_dir."
        raise ConfigurationError(f"a socket's path has at most {LONGEST_PATH} bytes", place=str(path), cure=cure)
    return f"ipc://{path}"


def _set_options(socket: "zmq.Socket[bytes]", most_bytes: int) -> None:
    """Say every option that has a dangerous default; before bind and connect, later they do nothing."""
    for option, value in (
        (zmq.SNDHWM, HIGH_WATER),
        (zmq.RCVHWM, HIGH_WATER),
        (zmq.LINGER, 0),
        (zmq.IMMEDIATE, 1),
        (zmq.MAXMSGSIZE, most_bytes),
        (zmq.HEARTBEAT_IVL, 2000),
        (zmq.HEARTBEAT_TIMEOUT, 6000),
        (zmq.HANDSHAKE_IVL, 5000),
        (zmq.RECONNECT_IVL, 100),
        (zmq.RECONNECT_IVL_MAX, 1000),
    ):
        socket.setsockopt(option, value)


def _bound(context: "zmq.Context[zmq.Socket[bytes]]", address: str) -> "zmq.Socket[bytes]":
    router = context.socket(zmq.ROUTER)
    _set_options(router, MOST_CONTROL_BYTES)
    # An unknown or vanished reader is an error that names it, not silence.
    router.setsockopt(zmq.ROUTER_MANDATORY, 1)
    try:
        router.bind(address)
    except zmq.ZMQError as error:
        router.close()
        context.term()
        raise Unavailable(f"frame socket cannot be bound: {error}", place=address) from error
    return router


class FramePublisher:
    """Hands pictures to whoever reads; `offer` may be called from any thread and returns at once."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._address = address_of(folder, name)
        self._fanout = Fanout()
        self._changed = threading.Condition()
        self._wake_out, self._wake_in = -1, -1
        self._is_woken = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Bind and serve until `stop`."""
        socket_folder(self._folder)
        context = zmq.Context()
        router = _bound(context, self._address)
        self._wake_out, self._wake_in = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        serve = threading.Thread(target=self._serve, args=(context, router), name=f"frames-{self._name}", daemon=True)
        self._thread = serve
        serve.start()

    def stop(self) -> None:
        """Close the socket and remove it; before `start` and twice is fine."""
        thread, self._thread = self._thread, None
        if thread is not None:
            os.write(self._wake_in, b"q")
            thread.join()
            os.close(self._wake_in)
            os.close(self._wake_out)

    def offer(self, header: FrameHeader, payload: bytes) -> None:
        """Make this the newest picture of its camera (with an empty payload: the newest state)."""
        with self._changed:
            self._fanout.offer(Slot(header, payload))
            is_quiet, self._is_woken = not self._is_woken, True
        if is_quiet:
            os.write(self._wake_in, b"w")

    def forget_camera(self, camera_id: str) -> None:
        """Drop what is kept of a camera."""
        with self._changed:
            self._fanout.forget_camera(camera_id)

    def wait_taken(self, camera_id: str, timeout_s: float) -> bool:
        """Wait until there are readers and all were sent the camera's newest picture; False after `timeout_s`."""
        with self._changed:
            return self._changed.wait_for(lambda: self._fanout.is_taken(camera_id), timeout_s)

    def statistics(self) -> dict[str, int]:
        with self._changed:
            counts = self._fanout.counts
            readers = len(self._fanout.readers())
        return {"offered": counts.offered, "sent": counts.sent, "overtaken": counts.overtaken, "readers": readers}

    def _serve(self, context: "zmq.Context[zmq.Socket[bytes]]", router: "zmq.Socket[bytes]") -> None:
        with context, router:
            poller = zmq.Poller()
            poller.register(router, zmq.POLLIN)
            poller.register(self._wake_out, zmq.POLLIN)
            while not self._is_quitting(dict(poller.poll(1000))):
                self._hear(router)
                self._send(router)
        Path(self._address.removeprefix("ipc://")).unlink(missing_ok=True)

    def _is_quitting(self, events: dict[object, int]) -> bool:
        if self._wake_out not in events:
            return False
        said = os.read(self._wake_out, 4096)
        # Only after the pipe is empty: an offer in between finds us woken, and its picture is sent right after this.
        with self._changed:
            self._is_woken = False
        return b"q" in said

    def _hear(self, router: "zmq.Socket[bytes]") -> None:
        now_s = monotonic_ns() / 1e9
        with contextlib.suppress(zmq.Again):
            while True:
                reader, *message = router.recv_multipart(zmq.NOBLOCK)
                with self._changed:
                    self._obey(reader, b"".join(message), now_s)
        with self._changed:
            for reader in self._fanout.silent(now_s, FORGET_AFTER_S):
                self._fanout.close(reader)
                metrics.dropped(_PROGRAM, "silent_reader")
                log.warning("reader_forgotten", publisher=self._name)

    def _obey(self, reader: bytes, message: bytes, now_s: float) -> None:
        try:
            wish = _Wish.decode(message)
        except BadInput as error:
            metrics.dropped(_PROGRAM, error.reason)
            return
        if wish.word == "open":
            self._fanout.open(reader, wish.count, now_s)
        elif wish.word == "close":
            self._fanout.close(reader)
        elif not self._fanout.credit(reader, wish.count, now_s):
            metrics.dropped(_PROGRAM, "unknown_reader")

    def _send(self, router: "zmq.Socket[bytes]") -> None:
        with self._changed:
            readers = self._fanout.readers()
        for reader in readers:
            while (slot := self._take(reader)) is not None:
                self._send_one(router, reader, slot)
        with self._changed:
            self._changed.notify_all()

    def _take(self, reader: bytes) -> Slot | None:
        with self._changed:
            return self._fanout.take(reader)

    def _send_one(self, router: "zmq.Socket[bytes]", reader: bytes, slot: Slot) -> None:
        header = replace(slot.header, published_ns=wall_ns()).encode()
        try:
            router.send_multipart([reader, header, slot.payload], zmq.NOBLOCK)
        except zmq.ZMQError as error:
            # Gone (EHOSTUNREACH) or not reading at all (EAGAIN): either way it opens again when it is back.
            metrics.dropped(_PROGRAM, "reader_unreachable")
            log.info("reader_gone", publisher=self._name, error=str(error))
            with self._changed:
                self._fanout.close(reader)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a reader says: `open` with a window, `credit` with a count, `close`."""

    word: str
    count: int = 0

    def encode(self) -> bytes:
        return codec.encode({"v": 1, "op": self.word, "n": self.count})

    @classmethod
    def decode(cls, message: bytes) -> "_Wish":
        document = codec.decode(message)
        word, count = document.get("op"), document.get("n")
        if word not in {"open", "credit", "close"} or type(count) is not int or not 0 <= count <= MOST_WINDOW:
            raise BadInput("not a wish of a reader", reason="bad_wish")
        return cls(str(word), count)


@dataclass(frozen=True, slots=True)
class Frame:
    """One message as it arrived; `payload` is empty when it is only about the camera's connection."""

    header: FrameHeader
    payload: bytes
    received_ns: int


@dataclass(slots=True)
class Received:
    """What a reader got: frames, pictures that were skipped on the way, messages that were refused."""

    frames: int = 0
    skipped: int = 0
    refused: int = 0


class FrameReader:
    """Reads the newest pictures of all publishers in a folder, also of those that start later; used by one thread.

    At most `window` pictures of each publisher are on their way. `receive` gives the credit of the frame before back,
    so a reader that takes its time slows down only itself.
    """

    def __init__(self, folder: Path, window: int = 8) -> None:
        self.received = Received()
        self._folder, self._window = folder, min(window, MOST_WINDOW)
        self._context = zmq.Context()
        self._poller = zmq.Poller()
        self._lines: dict[str, _Line] = {}
        self._ready: Iterator[_Line] = iter(())
        self._owed: _Line | None = None
        self._last: dict[tuple[str, bool], tuple[int, int]] = {}
        self._scanned_at_s = 0.0

    def receive(self, timeout_s: float) -> Frame | None:
        """Return the next frame, or None when nothing good came within `timeout_s` (or one message was refused)."""
        self._settle()
        self._scan()
        line = next(self._ready, None) or self._poll(timeout_s)
        if line is None:
            return None
        try:
            parts = line.socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return None
        self._owed, line.heard_at_s = line, monotonic_ns() / 1e9
        return self._checked(parts)

    def close(self) -> None:
        """Say goodbye and free the sockets; twice is fine."""
        for name in list(self._lines):
            self._drop(name)
        self._context.term()

    def _settle(self) -> None:
        line, self._owed = self._owed, None
        if line is not None:
            line.say(_Wish("credit", 1))

    def _scan(self) -> None:
        now_s = monotonic_ns() / 1e9
        if now_s - self._scanned_at_s >= RESCAN_S:
            self._scanned_at_s = now_s
            self._follow_folder()
        for line in self._lines.values():
            if now_s - line.heard_at_s >= REOPEN_AFTER_S and line.say(_Wish("open", self._window)):
                line.heard_at_s, line.is_open = now_s, True

    def _follow_folder(self) -> None:
        names = {file.stem for file in self._folder.glob(f"*{SUFFIX}")} if self._folder.is_dir() else set()
        for name in set(self._lines) - names:
            self._drop(name)
        for name in names - set(self._lines):
            self._connect(name)

    def _connect(self, name: str) -> None:
        socket = self._context.socket(zmq.DEALER)
        _set_options(socket, MOST_PAYLOAD_BYTES)
        socket.connect(address_of(self._folder, name))
        self._poller.register(socket, zmq.POLLIN)
        self._lines[name] = _Line(socket)

    def _drop(self, name: str) -> None:
        line = self._lines.pop(name)
        line.say(_Wish("close"))
        self._poller.unregister(line.socket)
        line.socket.close(linger=50)
        self._owed = None if self._owed is line else self._owed
        self._ready = iter(())

    def _poll(self, timeout_s: float) -> "_Line | None":
        if not self._lines:
            # The poller returns at once where it has nothing to wait for.
            time.sleep(min(timeout_s, RESCAN_S))
            return None
        by_socket = {line.socket: line for line in self._lines.values()}
        is_connecting = not all(line.is_open for line in self._lines.values())
        events = self._poller.poll(int(min(timeout_s, CONNECTING_S if is_connecting else RESCAN_S) * 1000))
        self._ready = iter([by_socket[socket] for socket, _ in events])
        return next(self._ready, None)

    def _checked(self, parts: list[bytes]) -> Frame | None:
        try:
            if len(parts) != 2:
                raise BadInput("a frame has two parts", reason="bad_frame_parts")
            header = FrameHeader.decode(parts[0])
            _check_whole(header, parts[1])
            self._check_order(header)
        except BadInput as error:
            self.received.refused += 1
            metrics.dropped(_PROGRAM, error.reason)
            return None
        self.received.frames += 1
        return Frame(header, parts[1], wall_ns())

    def _check_order(self, header: FrameHeader) -> None:
        key, now = (header.camera_id, header.encoding == "none"), (header.epoch, header.seq)
        before = self._last.get(key)
        if before is not None and now <= before:
            raise BadInput("an older picture after a newer one", reason="out_of_order")
        if before is not None and before[0] == now[0]:
            self.received.skipped += now[1] - before[1] - 1
        self._last[key] = now


@dataclass(slots=True)
class _Line:
    """The reader's end of one publisher."""

    socket: "zmq.Socket[bytes]"
    heard_at_s: float = 0.0
    is_open: bool = False

    def say(self, wish: _Wish) -> bool:
        """Send a wish; False while there is nobody to say it to: the next `open` says everything."""
        try:
            self.socket.send(wish.encode(), zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True


def _check_whole(header: FrameHeader, payload: bytes) -> None:
    """Refuse a picture that is not all there: JPEG begins with SOI and ends with EOI."""
    if header.encoding == "none" and not payload:
        return
    if header.encoding != "jpeg":
        raise BadInput("only JPEG travels here", reason="unknown_encoding")
    if not (payload.startswith(b"\xff\xd8") and payload.endswith(b"\xff\xd9")):
        raise BadInput("a picture is not whole", reason="torn_picture")
