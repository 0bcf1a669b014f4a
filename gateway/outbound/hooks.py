"""Tells the outside world what nobody inside answers: a worker for each target, so that none waits for another.

At least once: what was on its way when the process was killed is sent again, with the same id to know it by.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from gateway.alarms import failpoints
from gateway.outbound.message import Answer, Target, message_of
from gateway.outbound.settings import HookSettings
from gateway.outbound.webhook import Webhook
from gateway.runtime import logs, metrics
from gateway.runtime.clock import Clock
from gateway.runtime.service import KeptRunning, Statistics, keep_running
from gateway.runtime.settings import NodeSettings
from gateway.store import hooks
from gateway.store.feed import Feed
from gateway.store.hooks import Delivery
from gateway.store.pool import Database

log = logs.get(__name__)

POLL_S: Final = 1.0
LONGEST_RETRY_S: Final = 60.0
#: A row that was claimed by a process that died is free again this long after its attempt would have ended.
LEASE_SPARE_S: Final = 5.0

_SENT = metrics.counter("linli_hooks_sent", "Messages that a target outside the house has taken.", ("target",))
_FAILED = metrics.counter("linli_hooks_failed", "Attempts that a target outside did not take.", ("target",))
_GIVEN_UP = metrics.counter("linli_hooks_given_up", "Messages that a target outside never took.", ("target",))
_WAITING = metrics.gauge("linli_hooks_waiting", "Messages that wait for their target outside.", ("target",))


def retry_after_s(attempts: int) -> float:
    """Return how long after the `attempts`-th failure the next attempt is: 2, 4, 8 … 60 seconds."""
    return min(LONGEST_RETRY_S, 2.0 ** min(attempts, 6))


@dataclass(frozen=True, slots=True)
class Promise:
    """What holds for all targets: how long something is tried, and what is said."""

    give_up_s: float = 86400.0
    with_address: bool = True
    desk_url: str = ""


def targets_of(settings: HookSettings, node: NodeSettings, clock: Clock) -> list[Target]:
    """Return everybody whom the settings name. ConfigurationError where an address means nothing."""
    posted: list[Target] = [Webhook(one, clock, timeout_s=settings.timeout_s) for one in settings.webhooks]
    if not settings.messengers:
        return posted
    from gateway.outbound.notifier import Notifier  # noqa: PLC0415  a quarter of a second that most houses save

    how = partial(Notifier, timeout_s=settings.notify_timeout_s, language=node.language, zone=ZoneInfo(node.time_zone))
    return [*posted, *(how(one) for one in settings.messengers)]


def promise_of(settings: HookSettings) -> Promise:
    """Return what the settings promise."""
    return Promise(settings.give_up_h * 3600, settings.with_address, settings.desk_url)


class Hooks:
    """Sends what waits in the table, one open request for each target; a service."""

    def __init__(self, database: Database, clock: Clock, targets: Sequence[Target], promise: Promise) -> None:
        self._database = database
        self._clock = clock
        self._promise = promise
        self._woken = {target.name: asyncio.Event() for target in targets}
        workers = [keep_running(f"hook_{target.name}", partial(self._work, target)) for target in targets]
        self._running: list[KeptRunning] = [*workers, keep_running("hooks", self._follow)]
        self._counts = {"sent": 0, "failed": 0, "given_up": 0}
        self._waiting: Mapping[str, int] = {}
        self._strangers: frozenset[str] = frozenset()
        self._looked_s = float("-inf")

    async def start(self) -> None:
        for each in self._running:
            await each.start()

    async def stop(self) -> None:
        for each in reversed(self._running):
            await each.stop()

    def statistics(self) -> Statistics:
        return {"targets": len(self._woken), **self._counts, "waiting": sum(self._waiting.values())}

    async def _follow(self) -> None:
        async for _ in Feed(self._database, "linli_hooks").changes(POLL_S):
            for woken in self._woken.values():
                woken.set()
            if self._clock.monotonic_s() - self._looked_s >= POLL_S:
                self._looked_s = self._clock.monotonic_s()
                await self._give_up_late()
                await self._count()

    async def _work(self, target: Target) -> None:
        woken, lease_s = self._woken[target.name], target.timeout_s + LEASE_SPARE_S
        while True:
            woken.clear()
            delivery = await hooks.claim(self._database, target.name, self._clock.now(), lease_s)
            if delivery is None:
                await _wait(woken)
            else:
                await self._deliver(target, delivery)

    async def _deliver(self, target: Target, delivery: Delivery) -> None:
        promise = self._promise
        message = message_of(delivery, with_address=promise.with_address, desk_url=promise.desk_url)
        answer = await target.tell(message)
        if answer.error:
            await self._note_failure(delivery, answer)
            return
        failpoints.hit("after_hook_before_done")
        await hooks.finish(self._database, delivery.delivery_id, self._clock.now())
        self._counts["sent"] += 1
        _SENT.labels(target.name).inc()
        log.info("hook_sent", target=target.name, delivery=delivery.reference, attempts=delivery.attempts)

    async def _note_failure(self, delivery: Delivery, answer: Answer) -> None:
        now = self._clock.now()
        self._counts["failed"] += 1
        _FAILED.labels(delivery.target).inc()
        if answer.is_final:
            await hooks.give_up(self._database, delivery.delivery_id, now, answer.error)
            self._say_given_up(delivery.target, delivery.reference, answer.error, delivery.attempts)
            return
        until = now + timedelta(seconds=retry_after_s(delivery.attempts))
        await hooks.put_off(self._database, delivery.delivery_id, until, answer.error)
        log.warning("hook_failed", target=delivery.target, delivery=delivery.reference, error=answer.error)

    async def _give_up_late(self) -> None:
        now = self._clock.now()
        for row in await hooks.give_up_late(self._database, now - timedelta(seconds=self._promise.give_up_s), now):
            self._say_given_up(row.target, row.reference, row.last_error, row.attempts)

    def _say_given_up(self, target: str, reference: str, error: str, attempts: int) -> None:
        self._counts["given_up"] += 1
        _GIVEN_UP.labels(target).inc()
        metrics.dropped("gateway", "hook_given_up")
        log.error("hook_given_up", target=target, delivery=reference, error=error, attempts=attempts)

    async def _count(self) -> None:
        self._waiting = await hooks.count_waiting(self._database)
        for name in self._woken:
            _WAITING.labels(name).set(self._waiting.get(name, 0))
        strangers = frozenset(self._waiting) - self._woken.keys()
        if strangers - self._strangers:
            # They wait until their time is over: the settings may come to name them again.
            log.error("hook_target_unknown", targets=sorted(strangers))
        self._strangers = strangers


async def _wait(woken: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(2 * POLL_S):
            await woken.wait()
