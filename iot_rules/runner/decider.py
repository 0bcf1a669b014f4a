"""Deciding durably: one fact or tick at a time, the step in the database before the engine believes it."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from gateway.runtime import logs, metrics
from gateway.runtime.clock import Clock
from gateway.runtime.service import Statistics
from gateway.store.rules import RuleStore
from iot_rules.engine.facts import Fact, Step
from iot_rules.engine.machine import Engine
from iot_rules.engine.registry import Registry
from iot_rules.rules import Rule
from iot_rules.runner.rows import load_state, step_to_rows

log = logs.get(__name__)

#: How often the moment until which time has passed is written down.
TICK_KEPT_EVERY = timedelta(seconds=5)
#: A shorter blindness is not worth a step.
SHORTEST_BLINDNESS = timedelta(seconds=10)

_DECIDED = metrics.counter("linli_rule_decisions", "What rules decided.", ("outcome",))
_LATE = metrics.histogram(
    "linli_rule_lateness_seconds",
    "From when a deed was due to when it was decided.",
    buckets=(0.01, 0.1, 0.5, 1, 2, 5, 30, 300, 3600),
)


class Decider:
    """Owns the engine. Everything that it returns from is in the database."""

    def __init__(self, store: RuleStore, clock: Clock, on_wish: Callable[[], None]) -> None:
        self._store = store
        self._clock = clock
        self._on_wish = on_wish
        self._lock = asyncio.Lock()
        self._engine = Engine((), Registry())
        self._tick_kept_at: datetime | None = None
        self._seen_at: datetime | None = None
        self._counts = {"facts": 0, "ignored": 0, "steps": 0, "wishes": 0}

    @property
    def event_kinds(self) -> tuple[str, ...]:
        """The kinds of events that the rules wait for."""
        return self._engine.event_kinds

    def statistics(self) -> Statistics:
        return {**self._counts, "rules": len(self._engine.rules), "devices": len(self._engine.registry)}

    async def load(self, rules: Sequence[Rule], registry: Registry) -> None:
        """Take up what was remembered when this program last ran; anything in memory is forgotten."""
        async with self._lock:
            if await self._store.ticked_at() is None:
                await self._store.tick(self._clock.now())  # the first start: nothing can have happened before
            state = await load_state(self._store)
            await self._replace(Engine(rules, registry, state))

    async def adopt(self, rules: Sequence[Rule], registry: Registry) -> None:
        """Change rules or registry; timers of unchanged rules go on."""
        async with self._lock:
            state = self._engine.export() if self._engine.rules else await load_state(self._store)
            await self._replace(Engine(rules, registry, state))

    async def take(self, fact: Fact) -> str:
        """Decide about one fact; see `take_all`."""
        return (await self.take_all([fact]))[0]

    async def take_all(self, facts: Sequence[Fact]) -> list[str]:
        """Decide about facts in their order, all in one transaction, and return why each was ignored, or nothing.

        Unavailable, or BadInput where the database cannot hold a value, leaves everything as it was.
        """
        async with self._lock:
            now = self._clock.now()
            step, reasons = Step(now), []
            for fact in facts:
                step = self._engine.plan(fact, now, step)
                reasons.append(step.ignored)
            await self._commit(step)
        self._counts["facts"] += len(facts)
        self._counts["ignored"] += sum(map(bool, reasons))
        return reasons

    async def tick(self) -> datetime | None:
        """Let time pass up to now and return the next deadline."""
        async with self._lock:
            now = self._clock.now()
            while not (step := self._engine.plan_due(now)).is_empty:
                await self._commit(step)
            self._engine.tick(now)
            if self._tick_kept_at is None or now - self._tick_kept_at >= TICK_KEPT_EVERY:
                await self._store.tick(now)
                self._tick_kept_at = now
            return self._engine.next_due_at()

    async def see_again(self) -> None:
        """Note that devices are heard again after a time in which they could not be."""
        async with self._lock:
            since, now = self._engine.ticked_at, self._clock.now()
            if since is not None and self._seen_at is not None:
                since = max(since, self._seen_at)  # a second reconnect before time went on gives back only the rest
            if since is None or now - since < SHORTEST_BLINDNESS:
                return
            self._seen_at = now
            log.info("blind", since=since.isoformat(), blind_s=round((now - since).total_seconds(), 1))
            await self._commit(self._engine.plan_blind(since, now))

    async def _replace(self, engine: Engine) -> None:
        if engine.forgotten and engine.rules:  # without any rule, nothing says that the timers are not wanted
            step = step_to_rows(Step(self._clock.now()), engine.forgotten)
            await self._store.commit(step, self._clock.now())
            log.info("timers_forgotten", timers=len(engine.forgotten))
        self._engine = engine

    async def _commit(self, step: Step) -> None:
        if step.is_empty:
            return
        await self._store.commit(step_to_rows(step), step.now)
        self._engine.accept(step)
        self._count(step)
        if step.wishes:
            self._on_wish()

    def _count(self, step: Step) -> None:
        self._counts["steps"] += 1
        self._counts["wishes"] += len(step.wishes)
        for trace in step.traces:
            _DECIDED.labels(trace.outcome).inc()
            log.info("rule_decided", rule=trace.rule_id, device=trace.device_id, outcome=trace.outcome)
        for wish in step.wishes:
            _LATE.observe(max(0.0, wish.late_s))
