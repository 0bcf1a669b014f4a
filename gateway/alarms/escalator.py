"""The escalation engine: looks for timers that are due, all its knowledge is in the database.

One runs in the gateway. Another stands by in the desk with a lag: it does only what the first has left undone, so that
a gateway that is down delays an escalation by seconds. Both at once are harmless: a timer is done once.
"""

import asyncio
from datetime import timedelta
from typing import Final

from gateway.alarms.firing import Outside
from gateway.alarms.ledger import AlarmLedger
from gateway.runtime.clock import Clock
from gateway.runtime.service import KeptRunning, Statistics, keep_running

LOOK_EVERY_S: Final = 0.5
#: The standby acts on what is this much overdue.
STANDBY_LAG_S: Final = 3.0
AT_ONCE: Final = 50


class Escalator:
    """Fires what is due more than `lag_s` ago; a service."""

    def __init__(
        self, ledger: AlarmLedger, clock: Clock, *, lag_s: float = 0.0, outside: Outside | None = None
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._lag = timedelta(seconds=lag_s)
        self._outside = outside
        self._looking: KeptRunning = keep_running("escalator", self._look)
        self._fired = 0

    async def start(self) -> None:
        await self._looking.start()

    async def stop(self) -> None:
        await self._looking.stop()

    def statistics(self) -> Statistics:
        return {"fired": self._fired, **self._looking.statistics()}

    async def _look(self) -> None:
        while True:
            while await self.fire_once() == AT_ONCE:
                pass
            await asyncio.sleep(await self._pause_s())

    async def fire_once(self) -> int:
        """Fire at most `AT_ONCE` timers that are due now; return how many."""
        fired = await self._ledger.fire_due(self._clock.now() - self._lag, AT_ONCE, self._outside)
        self._fired += fired
        return fired

    async def _pause_s(self) -> float:
        """Sleep until the next timer, but never longer than a look takes place: others may write timers too."""
        due_at = await self._ledger.next_due()
        if due_at is None:
            return LOOK_EVERY_S
        until_s = (due_at + self._lag - self._clock.now()).total_seconds()
        return min(LOOK_EVERY_S, max(0.02, until_s))
