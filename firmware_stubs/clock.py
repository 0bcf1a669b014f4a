"""The stubs' own clock: wall time for timestamps, monotonic time for waiting; tests hand in another."""

import time
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

#: A device that is less wrong than this leaves its clock alone.
TOLERANCE: Final = timedelta(seconds=60)


class Clock(Protocol):
    """Two clocks that are never mixed."""

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds that only ever grow."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        return time.monotonic()


class DeviceClock:
    """A device's own clock: another one and what the gateway has told it to add."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset = timedelta()

    def now(self) -> datetime:
        return self._clock.now() + self._offset

    def monotonic_s(self) -> float:
        return self._clock.monotonic_s()

    def hear(self, now: datetime) -> bool:
        """Take over the gateway's time where ours is wrong; tell whether it was."""
        if abs(now - self.now()) <= TOLERANCE:
            return False
        self._offset = now - self._clock.now()
        return True
