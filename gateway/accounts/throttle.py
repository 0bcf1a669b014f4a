"""How long a guesser waits: a pure table of failures by name and by address."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.store.people import Failures

WINDOW = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Limit:
    """`free` failures cost nothing; the next wait `first_s`, doubled each time up to `longest_s`."""

    free: int
    first_s: float
    longest_s: float

    def wait_s(self, failures: int) -> float:
        """Return how long after the last of `failures` the next attempt may come."""
        if failures < self.free:
            return 0.0
        return min(self.longest_s, self.first_s * 2.0 ** min(failures - self.free, 20))


#: One account under attack waits soon; an address may be a whole office behind one router, so it waits later.
BY_NAME = Limit(free=5, first_s=5, longest_s=900)
BY_ADDRESS = Limit(free=20, first_s=5, longest_s=900)


def wait_s(failures: Failures, now: datetime) -> float:
    """Return the seconds until the next attempt is looked at; 0 means at once."""
    return max(
        _left_s(BY_NAME.wait_s(failures.by_name), failures.last_by_name, now),
        _left_s(BY_ADDRESS.wait_s(failures.by_address), failures.last_by_address, now),
    )


def _left_s(wait: float, last_at: datetime | None, now: datetime) -> float:
    if last_at is None or wait <= 0:
        return 0.0
    return max(0.0, wait - (now - last_at).total_seconds())
