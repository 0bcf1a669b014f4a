"""One time for all programs: the database's, taken at the start, compared every minute.

A deadline that one program writes is read by another, perhaps on another machine; they must mean the same moment.
Small differences are taken over; a jump is told loudly and not followed, because it would move every deadline.
"""

import asyncio
import contextlib
from datetime import datetime
from typing import Final

from gateway.model.errors import Unavailable
from gateway.runtime import logs, metrics
from gateway.runtime.clock import Clock, SteadyClock
from gateway.runtime.service import KeptRunning, Statistics, keep_running
from gateway.store.pool import Database

log = logs.get(__name__)

LOOK_EVERY_S: Final = 60.0
PATIENCE_S: Final = 2.0
#: Less than this is the way there and back.
IGNORED_S: Final = 0.1
#: More than this is no drift: somebody has set a clock.
JUMP_S: Final = 2.0

_SKEW = metrics.gauge("linli_clock_skew_seconds", "The database's clock less this program's, when last compared.")


class Timekeeper:
    """Keeps a program's clock with the database's; a service. Other clocks than a SteadyClock are only compared."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._looking: KeptRunning = keep_running("timekeeper", self._look)
        self._skew_s = 0.0

    async def start(self) -> None:
        """Take the database's time; where it is away, the machine's own time stands."""
        with contextlib.suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await self._compare(at_start=True)
        await self._looking.start()

    async def stop(self) -> None:
        await self._looking.stop()

    def statistics(self) -> Statistics:
        return {"skew_s": round(self._skew_s, 3), **self._looking.statistics()}

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self._compare(at_start=False)

    async def _compare(self, *, at_start: bool) -> None:
        before = self._clock.now()
        told: datetime = await self._database.fetchval("select clock_timestamp()")
        after = self._clock.now()
        middle = before + (after - before) / 2
        self._skew_s = (told - middle).total_seconds()
        _SKEW.set(self._skew_s)
        if abs(self._skew_s) <= IGNORED_S:
            return
        is_jump = abs(self._skew_s) > JUMP_S
        if is_jump:
            log.error("clock_differs", skew_s=round(self._skew_s, 1), taken_over=at_start)
        if isinstance(self._clock, SteadyClock) and (at_start or not is_jump):
            self._clock.align(told + (after - middle))
