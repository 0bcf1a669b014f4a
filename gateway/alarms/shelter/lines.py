"""A file of JSON lines that one program appends to, with fsync, and others follow while it grows.

The first line names the file; a file that was begun anew has another name, and its followers read it from the start.
"""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from gateway.contract import codec
from gateway.model.errors import BadInput, ConfigurationError, Unavailable
from gateway.runtime import logs, metrics

log = logs.get(__name__)

CHUNK_BYTES: Final = 1_000_000

Line = Mapping[str, Any]


class LineFile:
    """The writer's end; one process at a time. Every method blocks on the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size_bytes = 0
        self._descriptor = -1
        #: Set after the disk has refused: what the file holds is not known any more, it must be begun anew.
        self.is_sick = False

    def open(self) -> Iterator[Line]:
        """Open or begin the file and return its whole lines one by one; what a power cut tore is counted, left out.

        ConfigurationError where another process has it open.
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise ConfigurationError(
                "another process writes this file", place=str(self.path), cure="Stop it; one program writes one spool."
            ) from error
        self._descriptor = descriptor
        return _whole_lines(self.path)

    def append(self, line: Line, *, must_last: bool = True) -> None:
        """Add a line; with `must_last` it is on the disk when this returns. Unavailable where the disk refuses."""
        if self.is_sick:
            raise Unavailable("the file must be begun anew", place=str(self.path))
        data = codec.encode(line) + b"\n"
        try:
            if os.write(self._descriptor, data) < len(data):
                raise OSError("only a part was written")
            if must_last:
                os.fsync(self._descriptor)
        except OSError as error:
            self._cut()
            raise Unavailable(f"the disk refuses ({error})", place=str(self.path), cure="Make room.") from error
        self.size_bytes += len(data)

    def _cut(self) -> None:
        """Take back what was half written; a disk that refused once may have lost more than this line."""
        self.is_sick = True
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, self.size_bytes)

    def begin_anew(self, lines: Iterable[bytes] = ()) -> None:
        """Replace the file by one that holds encoded `lines`, in one stroke. Unavailable where the disk refuses."""
        name = codec.encode({"op": "begin", "id": secrets.token_hex(8)})
        data = b"\n".join((name, *lines, b""))
        fresh = self.path.with_suffix(".new")
        new = -1
        try:
            new = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
            fcntl.flock(new, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _write_all(new, data)
            os.fsync(new)
            fresh.rename(self.path)
            _sync_folder(self.path.parent)
        except OSError as error:
            if new >= 0:
                os.close(new)
            raise Unavailable(f"the disk refuses ({error})", place=str(fresh), cure="Make room.") from error
        self.close()
        self._descriptor, self.size_bytes, self.is_sick = new, len(data), False

    def close(self) -> None:
        """Let another process open it; closing twice does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class LineReader:
    """A follower's end; needs no lock and may read while the writer writes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._name = b""
        self._offset = 0
        self._seen: tuple[int, int, int] | None = None

    def read(self) -> tuple[bool, Sequence[Line]]:
        """Return (the file was begun anew, lines that have come since the last time); the file may be gone."""
        try:
            found = self.path.stat()
            now = (found.st_ino, found.st_size, found.st_mtime_ns)
            if now == self._seen:
                return False, ()
            with self.path.open("rb") as file:
                return self._read(file, now)
        except FileNotFoundError:
            was_there, self._name, self._offset, self._seen = bool(self._name), b"", 0, None
            return was_there, ()

    def _read(self, file: Any, now: tuple[int, int, int]) -> tuple[bool, Sequence[Line]]:
        name = file.readline(200)
        is_anew = name != self._name
        if is_anew:
            if not name.endswith(b"\n"):
                return False, ()  # its first line is being written
            self._name, self._offset = name, 0
        file.seek(self._offset)
        chunk = file.read(CHUNK_BYTES)
        whole = chunk[: chunk.rfind(b"\n") + 1]
        self._offset += len(whole)
        self._seen = now if len(chunk) < CHUNK_BYTES else None
        return is_anew, [line for raw in whole.split(b"\n") if raw and (line := line_of(raw, self.path))]


def _whole_lines(path: Path) -> Iterator[Line]:
    with path.open("rb") as file:
        for raw in file:
            if raw.strip() and (line := line_of(raw, path)):
                yield line


def line_of(raw: bytes, path: Path) -> Line | None:
    """Return the object on a line, or None for one that is torn; that is counted."""
    try:
        line = codec.parse(raw)
    except BadInput as error:
        metrics.dropped("spool", "torn_line")
        log.warning("torn_line", path=str(path), error=str(error))
        return None
    return line if isinstance(line, Mapping) else None


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
