"""What came in while the database was away, on this machine's disk until the ledger has it.

Presses, cancellations and other events of devices, one JSON line each, fsynced before anybody is told; whatever was
settled is a line too. The desk follows the same file. What is kept in memory is the pending lines alone.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from gateway.alarms.shelter.lines import Line, LineFile
from gateway.contract import codec
from gateway.model.alarms import Cancellation, Press
from gateway.model.errors import Unavailable
from gateway.runtime import logs, metrics
from gateway.runtime.clock import from_ms, to_ms
from gateway.store.events import DeviceEvent

log = logs.get(__name__)

FOLDER: Final = "spool"
SUFFIX: Final = ".spool"
#: Once nothing is pending, a file of this size is begun anew.
WORTH_CLEARING_BYTES: Final = 100_000

_KEPT = metrics.counter("linli_spooled", "Messages taken in while the database was away.", ("kind",))

#: How the line of an event that is no alarm begins.
_EVENT: Final = b'{"op":"event"'

Key = tuple[str, int, int]
Said = Press | Cancellation | DeviceEvent


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept; events that are no alarms may take half of it."""

    most: int = 100_000
    size_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Kept:
    """One message of the spool, with its device's area."""

    said: Said
    area_id: str
    spooled_at: datetime
    line: Line = field(default_factory=dict, repr=False, compare=False)

    @property
    def key(self) -> Key:
        return key_of(self.said)


def key_of(said: Said) -> Key:
    """Return the identity of a message on every road."""
    return said.device_id, said.boot, said.seq


def spool_path(data_dir: Path, program: str) -> Path:
    """Return where `program` keeps its spool."""
    return data_dir / FOLDER / f"{program}{SUFFIX}"


class Spool:
    """The spool of one program. Methods block on the disk and want one caller at a time."""

    def __init__(self, path: Path, limits: Limits | None = None) -> None:
        self._file = LineFile(path)
        self._limits = limits or Limits()
        self._pending: dict[Key, bytes] = {}
        self._devices: dict[str, int] = {}
        self._alarms = 0

    def open(self) -> None:
        """Read what an earlier run left pending and begin the file anew with it. ConfigurationError: it is in use."""
        for line in self._file.open():
            self._take(line)
        self._file.begin_anew(self._pending.values())
        if self._pending:
            log.warning("spool_pending", path=str(self._file.path), pending=len(self._pending))

    def _take(self, line: Line) -> None:
        """Take a line of the file; one that lacks something is counted and left out."""
        try:
            key = (line["device"], line["boot"], line["seq"]) if "device" in line else None
            if key is None:
                return
            if line["op"] == "settled":
                self._forget(key)
            else:
                kept_of(line)
                self._remember(key, line)
        except (KeyError, TypeError, ValueError) as error:
            metrics.dropped("spool", "unclear_line")
            log.error("unclear_spool_line", path=str(self._file.path), error=str(error))

    def __len__(self) -> int:
        return len(self._pending)

    @property
    def size_bytes(self) -> int:
        """How long the file is."""
        return self._file.size_bytes

    @property
    def alarms(self) -> int:
        """How many presses and cancellations are pending."""
        return self._alarms

    def has(self, key: Key) -> bool:
        """Tell whether a message is pending."""
        return key in self._pending

    def has_device(self, device_id: str) -> bool:
        """Tell whether something of this device is pending."""
        return device_id in self._devices

    def pending(self) -> list[Key]:
        """Return what is pending, oldest first."""
        return list(self._pending)

    def find(self, key: Key) -> Kept | None:
        """Return a pending message or None."""
        raw = self._pending.get(key)
        return None if raw is None else kept_of(codec.parse(raw))

    def append(self, said: Said, *, area_id: str, at: datetime) -> bool:
        """Keep a message: it is on the disk when this returns; False where it was there already.

        Unavailable where the disk refuses or the spool is full: then nobody may be told that it was taken.
        """
        key = key_of(said)
        if key in self._pending:
            return False
        line = line_of(said, area_id, at)
        try:
            self._refuse_full(said)
            if self._file.is_sick:
                self._file.begin_anew(self._pending.values())
            self._file.append(line)
        except Unavailable as error:
            metrics.dropped("spool", "not_kept")
            log.error("spool_refuses", device=said.device_id, boot=said.boot, seq=said.seq, error=str(error))
            raise
        self._remember(key, line)
        _KEPT.labels(line["op"]).inc()
        return True

    def _refuse_full(self, said: Said) -> None:
        share = 0.5 if isinstance(said, DeviceEvent) else 1.0
        if self._file.size_bytes >= self._limits.size_bytes * share:
            self._file.begin_anew(self._pending.values())
        is_long = self._file.size_bytes >= self._limits.size_bytes * share
        if is_long or len(self._pending) >= self._limits.most * share:
            raise Unavailable(
                f"the spool is full ({len(self._pending)} messages, {self._file.size_bytes} bytes)",
                place=str(self._file.path),
                cure="Bring the database back; the device goes on repeating.",
            )

    def settle(self, key: Key, alarm_id: str = "", why: str = "") -> None:
        """Note that the ledger has it as `alarm_id`, or refused it and why; needs no fsync: recording is idempotent."""
        if not self._forget(key):
            return
        try:
            line = {"op": "settled", "device": key[0], "boot": key[1], "seq": key[2], "alarm": alarm_id, "why": why}
            self._file.append(line, must_last=False)
        except Unavailable as error:
            metrics.dropped("spool", "settling_not_noted")
            log.error("spool_refuses", settled=key, error=str(error))

    def clear(self) -> None:
        """Begin the file anew where nothing is pending and it has become long; the followers have read it by now."""
        if not self._pending and (self._file.size_bytes > WORTH_CLEARING_BYTES or self._file.is_sick):
            self._file.begin_anew()

    def close(self) -> None:
        """Let another process open it; closing twice does nothing."""
        self._file.close()

    def _remember(self, key: Key, line: Line) -> None:
        if key in self._pending:
            return
        # A copy of its own length: the encoder hands out bytes that go on holding its whole buffer.
        self._pending[key] = bytes(memoryview(codec.encode(line)))
        self._devices[key[0]] = self._devices.get(key[0], 0) + 1
        self._alarms += line["op"] != "event"

    def _forget(self, key: Key) -> bool:
        raw = self._pending.pop(key, None)
        if raw is None:
            return False
        self._devices[key[0]] -= 1
        if not self._devices[key[0]]:
            del self._devices[key[0]]
        self._alarms -= not raw.startswith(_EVENT)
        return True


def line_of(said: Said, area_id: str, at: datetime) -> dict[str, Any]:
    """Return the line of a message that was taken in at `at`."""
    line: dict[str, Any] = {
        "device": said.device_id,
        "boot": said.boot,
        "seq": said.seq,
        "id": said.event_id,
        "area": area_id,
        "at": to_ms(at),
    }
    if isinstance(said, Cancellation):
        return {"op": "cancel", **line, "ts": to_ms(said.device_at), "src": said.source}
    if isinstance(said, DeviceEvent):
        return {"op": "event", **line, "ts": to_ms(said.at), "e": said.kind, "d": dict(said.details)}
    return {
        "op": "press",
        **line,
        "ts": to_ms(said.device_at),
        "e": said.kind,
        "src": said.source,
        "level": said.level,
        "late_s": said.late_by_s,
        "suspicion": said.suspicion,
        "clock_wrong": said.is_clock_wrong,
        "silent": said.is_silent,
        "d": dict(said.details),
    }


def kept_of(line: Any) -> Kept:
    """Return what a line says; KeyError, TypeError or ValueError where it is not a line of `line_of`."""
    spooled_at, ids = from_ms(line["at"]), (line["device"], line["boot"], line["seq"])
    said_at = from_ms(line["ts"])
    said: Said
    if line["op"] == "cancel":
        said = Cancellation(*ids, line["id"], said_at, line["src"])
    elif line["op"] == "event":
        said = DeviceEvent(*ids, line["id"], line["area"], line["e"], said_at, spooled_at, line["d"])
    elif line["op"] == "press":
        said = Press(
            *ids,
            kind=line["e"],
            source=line["src"],
            event_id=line["id"],
            device_at=said_at,
            level=line["level"],
            details=line["d"],
            late_by_s=line["late_s"],
            suspicion=line["suspicion"],
            is_clock_wrong=line["clock_wrong"],
            is_silent=line["silent"],
        )
        said = replace(said, spooled_at=spooled_at)
    else:
        raise ValueError(f"{line['op']!r} is no kind of line")
    return Kept(said, line["area"], spooled_at, line)
