"""checkpoints.jsonl on disk: appended under a lock and synced, then brought to its copies byte for byte."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from gateway.alarms.audit import checkpoints, seal
from gateway.alarms.audit.checkpoints import Checkpoint, Heads
from gateway.alarms.audit.seal import Seal
from gateway.model.errors import BadInput, ConfigurationError

NAME: Final = "checkpoints.jsonl"
PUBLIC_KEY: Final = "audit.pub"
_LOCK_PATIENCE_S: Final = 1.0
_LOCK_ATTEMPTS: Final = 20
_BLOCK: Final = 65_536


class CheckpointFile:
    """The file in `folder`, and copies of it in other folders, which must exist: a missing one is not mounted."""

    def __init__(self, folder: Path, copies: Sequence[Path] = ()) -> None:
        self.folder = folder
        self.path = folder / NAME
        self._copies = copies
        #: The newest line that we have seen; a file that ends earlier was cut.
        self.newest: Checkpoint | None = None

    def look(self) -> Checkpoint | None:
        """Read the newest line from disk. Raises OSError, ConfigurationError."""
        self.newest = newest_in(self.path) if self.path.exists() else None
        return self.newest

    def append(self, heads: Heads, at: str, own: Seal) -> tuple[Checkpoint, bool]:
        """Sign `heads` as the next line and sync it; returns the line, and whether the file had been cut before.

        Heads that the newest line says already are not signed again. Raises OSError, ConfigurationError.
        """
        self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        seal.publish(own.public, self.folder / PUBLIC_KEY)
        with _locked(self.path) as file:
            _cut_torn_line(file)
            last = _last(file, self.path)
            was_cut = self.newest is not None and (last is None or last.number < self.newest.number)
            last = self.newest if was_cut else last
            if last is None or heads != last.heads:
                number, previous = (last.number + 1, last.anchor) if last else (1, checkpoints.NO_LINE)
                line = checkpoints.write(number, at, heads, previous, own)
                file.write(line + b"\n")
                file.flush()
                os.fsync(file.fileno())
                last = checkpoints.read(line)
        _sync_folder(self.folder)
        self.newest = last
        return last, was_cut

    def copy(self) -> None:
        """Bring every copy up to date. Raises OSError, and ConfigurationError where a copy says something else."""
        for folder in self._copies:
            with _locked(self.path):
                _bring_up(folder / PUBLIC_KEY, self.folder / PUBLIC_KEY)
                _bring_up(folder / NAME, self.path)


def newest_in(path: Path) -> Checkpoint | None:
    """Return the last whole line of a file; None where there is none. Raises OSError, ConfigurationError."""
    with path.open("rb") as file:
        return _last(file, path)


def lines_of(path: Path) -> Iterator[bytes]:
    """Yield the whole lines of a file without their ends; a last one without an end was never signed to its end."""
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield line[:-1]


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    with path.open("a+b") as file:
        _lock(file)
        yield file


def _lock(file: BinaryIO) -> None:
    """Wait a moment for another process to finish its line. Raises BlockingIOError (an OSError) where it does not."""
    for _ in range(_LOCK_ATTEMPTS):
        with contextlib.suppress(BlockingIOError):
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        time.sleep(_LOCK_PATIENCE_S / _LOCK_ATTEMPTS)
    return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _cut_torn_line(file: BinaryIO) -> None:
    """Take away a line that a crash has left without its end; it was never promised to anybody."""
    size = file.seek(0, os.SEEK_END)
    whole = _end_of_last_line(file, size)
    if whole < size:
        file.truncate(whole)


def _end_of_last_line(file: BinaryIO, size: int) -> int:
    """Return the offset behind the last line's end before `size`."""
    end = size
    while end:
        begin = max(0, end - _BLOCK)
        file.seek(begin)
        found = file.read(end - begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0


def _last(file: BinaryIO, path: Path) -> Checkpoint | None:
    end = _end_of_last_line(file, file.seek(0, os.SEEK_END))
    if not end:
        return None
    begin = _end_of_last_line(file, end - 1)
    file.seek(begin)
    try:
        return checkpoints.read(file.read(end - 1 - begin))
    except BadInput as error:
        cure = "Somebody has written into it. Keep it as evidence, and move it away so that a new one can begin."
        raise ConfigurationError("its last line is no checkpoint", place=str(path), cure=cure) from error


def _bring_up(target: Path, source: Path) -> None:
    """Append to `target` what `source` has more; what is there must be the same."""
    with source.open("rb") as file, target.open("a+b") as copy:
        there, here = copy.seek(0, os.SEEK_END), file.seek(0, os.SEEK_END)
        begin = max(0, there - _BLOCK)
        file.seek(begin)
        copy.seek(begin)
        if there > here or copy.read() != file.read(there - begin):
            cure = "One of them was changed. Keep both as evidence; `linli audit verify --checkpoints` reads either."
            raise ConfigurationError(f"it says something else than {source}", place=str(target), cure=cure)
        if there < here:
            while block := file.read(_BLOCK):
                copy.write(block)
            copy.flush()
            os.fsync(copy.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
