"""The rules' program: sessions, loops and the order in which they start.

Registry, then rules, then what was remembered, then the broker; time goes on when the backlog has been heard.
"""

import asyncio
import contextlib
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from gateway.alarms.ledger import AlarmLedger
from gateway.model.errors import BadInput, Unavailable
from gateway.mqtt.session import Delivery, Session
from gateway.runtime import logs, metrics
from gateway.runtime.clock import Clock
from gateway.runtime.service import KeptRunning, Statistics, keep_running
from gateway.runtime.settings import Settings
from gateway.store.feed import Feed
from gateway.store.migrate import migrate
from gateway.store.pool import Database
from gateway.store.rules import RuleStore
from iot_rules.engine.facts import Fact
from iot_rules.engine.registry import Registry
from iot_rules.rulefile.vocabulary import Vocabulary
from iot_rules.runner.backlog import Backlog
from iot_rules.runner.carrier import Carrier
from iot_rules.runner.decider import Decider
from iot_rules.runner.hearing import SUBSCRIPTIONS, fact_of
from iot_rules.runner.rulebook import Known, Rulebook, load_known
from iot_rules.settings import RulesSettings

log = logs.get(__name__)

BROKER_PATIENCE_S = 10.0
REGISTRY_POLL_S = 60.0
JANITOR_EVERY_S = 3600.0
#: Most messages in one transaction; an alarm waits for no batch to fill.
BATCH_MAX = 100
#: Devices that never stop talking must not keep time from going on for ever.
SETTLE_AT_MOST = 10


@dataclass(slots=True)
class _Quiet:
    """When the backlog counts as heard: some quiet after a connect, or at most ten times as long."""

    clock: Clock
    settle_s: float
    connected_s: float | None = None
    heard_s: float = 0.0
    is_settled: bool = False

    def connect(self) -> None:
        self.connected_s, self.is_settled = self.clock.monotonic_s(), False

    def hear(self) -> None:
        self.heard_s = self.clock.monotonic_s()

    def look(self) -> bool:
        """Tell whether time may go on."""
        if not self.is_settled and self.connected_s is not None:
            now_s = self.clock.monotonic_s()
            quiet_s = now_s - max(self.heard_s, self.connected_s)
            self.is_settled = quiet_s >= self.settle_s or now_s - self.connected_s >= SETTLE_AT_MOST * self.settle_s
        return self.is_settled


class RuleRunner:
    """Hears devices, decides, carries out; a service."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        own = settings.of(RulesSettings)
        self._own = own
        self._database = database
        self._clock = clock
        self._store = RuleStore(database)
        ledger = AlarmLedger(database, clock, time_zone=settings.node.time_zone, delays=settings.delays)
        self._carrier = Carrier(database, clock, ledger)
        self._decider = Decider(self._store, clock, self._carrier.wake)
        self._backlog = Backlog(self._store, self._decider, clock)
        self._rulebook = Rulebook(own.file, self._store, clock)
        self._known = Known(Registry(), Vocabulary())
        self._quiet = _Quiet(clock, own.settle_s)
        self._reload = asyncio.Event()
        self._session = Session(
            settings.mqtt,
            f"linli-rules-{own.name}",
            SUBSCRIPTIONS,
            on_batch=self._hear,
            batch_max=BATCH_MAX,
            receive_maximum=own.receive_maximum,
            on_connected=self._connected,
        )
        self._loops: tuple[KeptRunning, ...] = (
            keep_running("rules-registry", self._follow_registry),
            keep_running("rules-file", self._watch_file),
            keep_running("rules-carrier", self._carrier.follow),
            keep_running("rules-time", self._let_time_pass),
            keep_running("rules-backlog", self._backlog.follow),
            keep_running("rules-janitor", self._tidy),
        )

    async def start(self) -> None:
        await self._database.assert_durable()
        await migrate(self._database)
        await self._know()
        await self._decider.load(self._rulebook.rules, self._known.registry)
        for loop in self._loops:
            await loop.start()
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._reload.set)
        await self._session.start()
        with contextlib.suppress(Unavailable):
            await self._session.wait_connected(BROKER_PATIENCE_S)

    async def stop(self) -> None:
        await self._session.stop()
        for loop in reversed(self._loops):
            await loop.stop()
        asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)

    def statistics(self) -> Statistics:
        problems = {"rule_file_problems": len(self._rulebook.problems)}
        return {**self._decider.statistics(), **self._carrier.statistics(), **problems}

    @property
    def rules(self) -> int:
        """How many rules run."""
        return len(self._rulebook.rules)

    async def _know(self) -> None:
        """Read the registry, and the rule file against it."""
        self._known = await load_known(self._database)
        await self._rulebook.read(self._known.vocabulary)

    async def _relearn(self) -> None:
        await self._know()
        await self._decider.adopt(self._rulebook.rules, self._known.registry)

    async def _hear(self, deliveries: Sequence[Delivery]) -> None:
        self._quiet.hear()
        heard = [fact_of(delivery, self._known.registry) for delivery in deliveries]
        facts = [fact for fact in heard if fact is not None]
        try:
            reasons = await self._decider.take_all(facts)
        except BadInput:
            # One of them holds what the database cannot; alone it is counted, and the others go through.
            reasons = [await self._take_alone(fact) for fact in facts]
        for reason in filter(None, reasons):
            metrics.dropped("rules", reason)

    async def _take_alone(self, fact: Fact) -> str:
        try:
            return await self._decider.take(fact)
        except BadInput as error:
            log.warning("fact_refused", device=fact.device_id, error=str(error))
            return error.reason

    async def _connected(self, is_session_present: bool) -> None:  # noqa: FBT001  the session's own word
        self._quiet.connect()
        log.info("hearing", session_present=is_session_present)
        await self._decider.see_again()

    async def _let_time_pass(self) -> None:
        """Look at what is due, while devices are heard; in a blind time nobody knows whether a state still holds."""
        next_due_at = None
        while True:
            if self._session.is_connected and self._quiet.look():
                next_due_at = await self._decider.tick()
            wait = timedelta(seconds=self._own.tick_s)
            if next_due_at is not None:
                wait = min(wait, max(timedelta(milliseconds=10), next_due_at - self._clock.now()))
            await asyncio.sleep(wait.total_seconds())

    async def _follow_registry(self) -> None:
        async for payload in Feed(self._database, "linli_registry").changes(REGISTRY_POLL_S):
            known = await load_known(self._database)
            if known.vocabulary != self._known.vocabulary:
                log.info("registry_changed", devices=len(known.registry), notified=bool(payload))
                await self._relearn()

    async def _watch_file(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._own.reload_s):
                    await self._reload.wait()
            if self._reload.is_set() or self._rulebook.has_changed():
                self._reload.clear()
                await self._relearn()

    async def _tidy(self) -> None:
        while True:
            await self._store.prune(self._clock.now() - timedelta(days=self._own.keep_days))
            await asyncio.sleep(JANITOR_EVERY_S)
