"""A device's flash memory: every event stands on disk before it is sent, until its receipt has come.

One JSON object per line, appended with fsync. A line that a power cut tore is ignored and cut off, and so is one
that does not parse; both are counted. A disk that refuses is counted too, and the event then lives in memory only.
What is settled is forgotten when the journal is next opened. One process at a time: a second opener is refused.
"""

import errno
import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from firmware_stubs import log
from gateway.contract.codec import decode as decode_json
from gateway.contract.messages import Event
from gateway.contract.times import from_ms, to_ms
from gateway.model.errors import BadInput, Conflict
from gateway.model.ids import new_ulid

FILE_NAME = "events.journal"
#: A ULID has no time before this, and a broken clock may say one.
EPOCH = from_ms(0)


@dataclass(frozen=True, slots=True)
class Settled:
    """How an event ended: the state of its last receipt and the number that it was given."""

    event_id: str
    state: str
    alarm_no: str


class Journal:
    """The events of one device. `boot` rises with every opening, `seq` with every event of a boot."""

    def __init__(self, path: Path, descriptor: int, boot: int, pending: dict[str, Event]) -> None:
        self._path = path
        self._descriptor = descriptor
        self.boot = boot
        self._seq = 0
        self._is_torn = False
        self._pending = pending

    @classmethod
    def open(cls, folder: Path, now: datetime) -> Self:
        """Open (or begin) the journal in `folder`, start a new boot and put both on disk.

        The boot is at least the seconds of `now`, so that a device that lost its memory does not repeat itself.

        Raises:
            Conflict: another process has it open.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / FILE_NAME
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise Conflict(
                "the device is running already", place=str(path), cure="Stop it, or speak to the running village."
            ) from error
        last_boot, pending = _read(path)
        boot = max(last_boot + 1, to_ms(now) // 1000)
        journal = cls(path, descriptor, boot, pending)
        journal._begin()
        return journal

    def _begin(self) -> None:
        """Write what still matters into the file in one stroke, so that it does not grow for ever."""
        lines = [_line({"op": "boot", "boot": self.boot}), *(_event_line(event) for event in self._pending.values())]
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(b"".join(lines))
            file.flush()
            os.fsync(file.fileno())
        new = os.open(fresh, os.O_RDWR | os.O_APPEND)
        fcntl.flock(new, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fresh.rename(self._path)
        _sync_folder(self._path.parent)
        os.close(self._descriptor)
        self._descriptor = new

    def record(self, kind: str, at: datetime, details: Mapping[str, object]) -> Event:
        """Put a new event on disk and return it; it may be sent only after that."""
        when = from_ms(to_ms(at))  # as the wire and the disk will say it
        event = Event(new_ulid(max(when, EPOCH)), self.boot, self._seq + 1, when, kind, dict(details))
        self._append(_event_line(event))
        self._seq += 1
        self._pending[event.event_id] = event
        return event

    def settle(self, event_id: str, state: str, alarm_no: str) -> bool:
        """Note that the event needs no more sending; False when it was settled before or is not ours."""
        if event_id not in self._pending:
            return False
        self._append(_line({"op": "settled", "id": event_id, "st": state, "no": alarm_no}))
        del self._pending[event_id]
        return True

    @property
    def pending(self) -> tuple[Event, ...]:
        """Events without their final receipt, oldest first."""
        return tuple(self._pending.values())

    def close(self) -> None:
        """Let another process open it; closing twice does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _append(self, line: bytes) -> None:
        """Write and sync; where the disk refuses, count it: an alarm that cannot be kept must still be sent."""
        data = b"\n" + line if self._is_torn else line
        self._is_torn = True
        try:
            if os.write(self._descriptor, data) < len(data):
                raise OSError(errno.ENOSPC, "only a part was written")
            self._is_torn = False
            os.fsync(self._descriptor)
        except OSError as error:
            log.dropped("journal_not_written", place=str(self._path), why=str(error))


def _line(facts: Mapping[str, object]) -> bytes:
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _event_line(event: Event) -> bytes:
    return _line({"op": "event", **event.document()})


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path) -> tuple[int, dict[str, Event]]:
    """Return the last boot and the events that are not settled; what cannot be read is counted and left out."""
    boot = 0
    pending: dict[str, Event] = {}
    for number, raw in enumerate(path.read_bytes().split(b"\n"), 1):
        entry = _entry(raw, f"{path}:{number}") if raw else None
        if entry is None:
            continue
        if isinstance(entry, Event):
            pending[entry.event_id] = entry
            boot = max(boot, entry.boot)
        elif entry.get("op") == "settled":
            pending.pop(str(entry.get("id")), None)
        elif isinstance(entry.get("boot"), int):
            boot = max(boot, int(entry["boot"]))
    return boot, pending


def _entry(raw: bytes, place: str) -> Event | dict[str, Any] | None:
    try:
        facts: dict[str, Any] = decode_json(raw)
        return Event.from_document(facts) if facts.get("op") == "event" else facts
    except BadInput as error:
        log.dropped("torn_journal_line", place=place, why=str(error))
        return None
