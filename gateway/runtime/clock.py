"""The only clock: wall time as aware UTC, monotonic time in seconds, never mixed."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Where a program gets its time; tests hand in one that they move themselves."""

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds that only ever rise; the zero means nothing."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        return time.monotonic()


class SteadyClock:
    """Wall time that goes on evenly: set once, then driven by the machine's time since boot, sleep included.

    A machine whose clock is set forward or back while a program runs moves none of its deadlines.
    """

    def __init__(self) -> None:
        self._offset = datetime.now(UTC) - _since_boot()

    def now(self) -> datetime:
        return _since_boot() + self._offset

    def monotonic_s(self) -> float:
        return time.monotonic()

    def align(self, wall: datetime) -> None:
        """Take `wall` (aware) for now."""
        self._offset = wall - _since_boot()


def _since_boot() -> datetime:
    return _EPOCH + timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME))


def monotonic_ns() -> int:
    """Nanoseconds of the machine-wide monotonic clock: comparable between processes of one boot."""
    return time.monotonic_ns()


def wall_ns() -> int:
    """Nanoseconds since 1970 by the wall clock."""
    return time.time_ns()


def to_ms(moment: datetime) -> int:
    """Return `moment` (aware) as milliseconds since 1970."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def from_ms(milliseconds: int) -> datetime:
    """Return milliseconds since 1970 as aware UTC; OverflowError outside years 1 to 9999."""
    return _EPOCH + timedelta(milliseconds=milliseconds)
