"""What a rule remembers for one device, as values: durations, cooldowns, deadlines, and the book that orders them.

Every moment is wall time (aware UTC), so that a value means the same after a restart. Nothing here reads a clock.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from iot_rules.conditions.truth import Truth, Value
from iot_rules.rules import Cause

#: Identities of the newest events of one device; an older one that comes again is left to the ledger's own key.
REMEMBERED_EVENTS = 64

Key = tuple[str, str]


class Phase(StrEnum):
    """IDLE, ARMED (a duration runs), ACTIVE (fired, its `else` is owed), MUTED (decided not to fire)."""

    IDLE = "idle"
    ARMED = "armed"
    ACTIVE = "active"
    MUTED = "muted"


@dataclass(frozen=True, slots=True)
class Episode:
    """The state of one rule for one device.

    `reading` is the trigger alone, `truth` the trigger and the window together, at the last look. `due_at` belongs to
    the phase: ARMED fires at it, ACTIVE with a limited activity ends at it. `look_at` is the next moment at which
    the answer may change by itself: a window's edge. `absent_at` is set while the device is away.
    """

    fingerprint: str
    phase: Phase = Phase.IDLE
    reading: Truth = Truth.UNKNOWN
    truth: Truth = Truth.UNKNOWN
    since: datetime | None = None
    due_at: datetime | None = None
    look_at: datetime | None = None
    absent_at: datetime | None = None
    started_at: datetime | None = None
    cooled_at: datetime | None = None
    fired_at: tuple[datetime, ...] = ()
    cause: Cause | None = None
    chain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of one device: newest identities, values that rules name, presence, and who commanded it."""

    boot: int = -1
    seq: int = -1
    events: tuple[tuple[int, int], ...] = ()
    values: tuple[tuple[str, Value], ...] = ()
    presence: str = ""
    presence_boot: int = -1
    heard_at: datetime | None = None
    chain: tuple[str, ...] = ()
    chain_until: datetime | None = None

    def value(self, key: str) -> Value | None:
        return dict(self.values).get(key)


class TimerBook:
    """Deadlines in order; a deadline that was moved stays in the heap and is passed over when it comes up."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, Key]] = []
        self._newest: dict[Key, datetime] = {}

    def set(self, key: Key, at: datetime | None) -> None:
        """Set, move or (None) remove the one deadline of `key`."""
        if self._newest.get(key) == at:
            return
        if at is None:
            self._newest.pop(key, None)
            return
        self._newest[key] = at
        heapq.heappush(self._heap, (at, key))

    def next_at(self) -> datetime | None:
        """Return the earliest deadline."""
        self._drop_stale()
        return self._heap[0][0] if self._heap else None

    def due(self, now: datetime) -> Iterator[Key]:
        """Yield the keys whose deadline is not after `now`, in order; they stay until they are set anew."""
        reached = sorted((at, key) for key, at in self._newest.items() if at <= now) if self._has_due(now) else ()
        for _, key in reached:
            yield key

    def _has_due(self, now: datetime) -> bool:
        earliest = self.next_at()
        return earliest is not None and earliest <= now

    def _drop_stale(self) -> None:
        while self._heap and self._newest.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)


def to_row(value: Episode | Memory) -> dict[str, object]:
    """Return a value as JSON can carry it; fields that stand at their default are left out."""
    fresh = Memory() if isinstance(value, Memory) else Episode("")
    row: dict[str, object] = {}
    for name in value.__dataclass_fields__:
        held = getattr(value, name)
        if held != getattr(fresh, name):
            row[name] = _plain(held)
    return row


def episode_from_row(row: Mapping[str, object]) -> Episode:
    """Return what `to_row` was given; KeyError, TypeError or ValueError where the row is not of that shape."""
    cause = row.get("cause")
    return Episode(
        fingerprint=str(row["fingerprint"]),
        phase=Phase(str(row.get("phase", Phase.IDLE))),
        reading=Truth(str(row.get("reading", Truth.UNKNOWN))),
        truth=Truth(str(row.get("truth", Truth.UNKNOWN))),
        cause=_cause(cause) if isinstance(cause, Mapping) else None,
        chain=tuple(map(str, _list(row, "chain"))),
        fired_at=tuple(datetime.fromisoformat(str(at)) for at in _list(row, "fired_at")),
        **{name: _moment(row, name) for name in _MOMENTS},
    )


_MOMENTS = ("since", "due_at", "look_at", "absent_at", "started_at", "cooled_at")


def memory_from_row(row: Mapping[str, object]) -> Memory:
    """Return what `to_row` was given; TypeError or ValueError where the row is not of that shape."""
    return Memory(
        boot=_int(row, "boot"),
        seq=_int(row, "seq"),
        events=tuple((int(boot), int(seq)) for boot, seq in _list(row, "events")),
        values=tuple((str(name), value) for name, value in _list(row, "values")),
        presence=str(row.get("presence", "")),
        presence_boot=_int(row, "presence_boot"),
        heard_at=_moment(row, "heard_at"),
        chain=tuple(map(str, _list(row, "chain"))),
        chain_until=_moment(row, "chain_until"),
    )


def cause_to_row(cause: Cause) -> dict[str, object]:
    """Return a cause as JSON can carry it."""
    return {name: _plain(getattr(cause, name)) for name in cause.__dataclass_fields__}


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
        case tuple():
            return [_plain(item) for item in value]
        case Cause():
            return cause_to_row(value)
        case StrEnum():
            return value.value
        case _:
            return value


def _cause(row: Mapping[object, object]) -> Cause:
    return Cause(
        device_id=str(row["device_id"]),
        boot=int(str(row["boot"])),
        seq=int(str(row["seq"])),
        event_id=str(row["event_id"]),
        at=datetime.fromisoformat(str(row["at"])),
    )


def _moment(row: Mapping[str, object], name: str) -> datetime | None:
    held = row.get(name)
    return None if held is None else datetime.fromisoformat(str(held))


def _int(row: Mapping[str, object], name: str) -> int:
    return int(str(row.get(name, -1)))


def _list(row: Mapping[str, object], name: str) -> Iterable[tuple[str, Value]]:
    held = row.get(name, ())
    if not isinstance(held, (list, tuple)):
        raise TypeError(f"{name} is no list")
    return held
