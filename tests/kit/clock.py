"""A clock that goes only when it is told to."""

from datetime import UTC, datetime, timedelta

BEGINNING = datetime(2026, 7, 19, 20, 0, tzinfo=UTC)


class FakeClock:
    """Implements gateway.runtime.clock.Clock; both of its hands move together, by `advance`."""

    def __init__(self, start: datetime = BEGINNING) -> None:
        self._now = start
        self._monotonic_s = 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic_s(self) -> float:
        return self._monotonic_s

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self._now += timedelta(seconds=seconds)
        self._monotonic_s += seconds

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back; the monotonic hand stays, as in a real machine."""
        self._now += timedelta(seconds=seconds)
