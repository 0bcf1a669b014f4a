"""Events that the gateway recorded, read again: a broker that loses its store loses no alarm of a rule.

A device stops repeating an event when the gateway has recorded it. If the broker then forgets what it kept for us,
only the database still knows. What came by both roads is one fact: the engine knows its identity, and so does the wish.
"""

import asyncio
from datetime import timedelta

from gateway.runtime import logs, metrics
from gateway.runtime.clock import Clock
from gateway.store.rules import RuleStore
from iot_rules.engine.facts import Happened
from iot_rules.runner.decider import Decider

log = logs.get(__name__)

EVERY_S = 3.0
#: A transaction may become visible this long after the moment that it wrote down.
OVERLAP = timedelta(seconds=30)
BATCH = 500

_FOUND = metrics.counter("linli_rule_events_recovered", "Events that only the database had for the rules.")


class Backlog:
    """Reads the recorded events beside MQTT, a few seconds behind it."""

    def __init__(self, store: RuleStore, decider: Decider, clock: Clock) -> None:
        self._store = store
        self._decider = decider
        self._clock = clock

    async def follow(self) -> None:
        """Read again and again; ends only by cancellation."""
        while True:
            while await self.read() == BATCH:
                pass
            await asyncio.sleep(EVERY_S)

    async def read(self) -> int:
        """Hand the recorded events on and return how many there were; those that are known already are passed over."""
        now = self._clock.now()
        events = await self._store.recorded_events(self._decider.event_kinds, OVERLAP, BATCH)
        for event in events:
            fact = Happened(event.device_id, event.event_id, event.boot, event.seq, event.at, event.kind)
            if not await self._decider.take(fact):
                _FOUND.inc()
                log.info("event_recovered", device=event.device_id, kind=event.kind, boot=event.boot, seq=event.seq)
        await self._store.mark_read(events[-1].received_at + OVERLAP if len(events) == BATCH else now)
        return len(events)
