"""The reception: every press and cancellation comes through here, also while the database is away.

The ledger is asked first and waited for with patience. While it is known to be away, what comes in goes to the spool
on this machine's disk without touching it, the desks read it there, and a drain brings it into the ledger, oldest
first, when the database returns. The ledger is idempotent, so a commit whose outcome is unknown is simply repeated.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from gateway.alarms import failpoints
from gateway.alarms.ledger import AlarmLedger
from gateway.alarms.shelter.seen import SeenReader
from gateway.alarms.shelter.spool import Kept, Key, Said, Spool, key_of
from gateway.model.alarms import Cancellation, Press, Receipt
from gateway.model.errors import BadInput, Forbidden, LinliError, NotFound, Unavailable
from gateway.runtime import logs, metrics
from gateway.runtime.clock import Clock, to_ms
from gateway.runtime.service import KeptRunning, Statistics, keep_running
from gateway.store import desk, events
from gateway.store.events import DeviceEvent
from gateway.store.pool import Database

log = logs.get(__name__)

PATIENCE_S: Final = 1.0
#: How long a borrowed connection of a reception's database may hang before it is ended; see `Database`.
HANG_S: Final = 3.0
#: How many attempts may be under way at once; each may hang until its connection is ended.
MOST_ATTEMPTS: Final = 4
PROBE_S: Final = (0.5, 2.0)
SEEN_POLL_S: Final = 0.15
#: A spooled cancellation may have overtaken its press on the other road; after this there is nothing to take back.
CANCEL_PATIENCE_S: Final = 15.0
TROUBLE_RETRY_S: Final = 5.0
CLEAR_AFTER_S: Final = 5.0

OnSeen = Callable[[Kept, datetime], Awaitable[None]]

_PENDING = metrics.gauge("linli_spool_pending", "Messages in the spool that the ledger does not have yet.")


@dataclass(frozen=True, slots=True)
class Sheltered:
    """Taken in and on the disk, but not recorded: the same press must be said again until it is."""

    key: Key
    spooled_at: datetime
    is_seen: bool


def urgent_database(dsn: str, program: str) -> Database:
    """Return a database for a reception: a few connections that nothing else waits for, none of which hangs."""
    return Database(dsn, max_size=MOST_ATTEMPTS + 3, program=f"{program}-alarms", hang_s=HANG_S)


class Reception:
    """Takes presses in and brings them to the ledger, now or later; a service.

    `database` is the ledger's and has a `hang_s`. `on_seen` is awaited when a desk has shown an unrecorded press, at
    least once each, and again when the device repeats it; it raises Unavailable to be called again.
    """

    def __init__(
        self,
        database: Database,
        ledger: AlarmLedger,
        spool: Spool,
        clock: Clock,
        *,
        seen: SeenReader | None = None,
        on_seen: OnSeen | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.database = database
        self._ledger = ledger
        self._spool = spool
        self._clock = clock
        self._seen = seen
        self.on_seen = on_seen
        self._patience_s = patience_s
        self._disk = asyncio.Lock()
        self._slots = asyncio.Semaphore(MOST_ATTEMPTS)
        self._attempts: set[asyncio.Task[Receipt | None]] = set()
        self._wake = asyncio.Event()
        self._trouble: dict[Key, _Trouble] = {}
        self._seen_at: dict[Key, datetime] = {}
        self._untold: set[Key] = set()
        self._draining: KeptRunning = keep_running("spool_drain", self._drain)
        self._watching: KeptRunning = keep_running("spool_seen", self._watch_seen)
        self._counts = {"spooled": 0, "drained": 0, "refused": 0}
        self.is_away = False

    async def start(self) -> None:
        """Open the spool; what an earlier run left in it is drained from now on. ConfigurationError: it is in use."""
        await asyncio.to_thread(self._spool.open)
        self._wake.set()
        await self._draining.start()
        await self._watching.start()

    async def stop(self) -> None:
        await self._watching.stop()
        await self._draining.stop()
        if self._attempts:
            await asyncio.wait(self._attempts, timeout=self._patience_s)
        for attempt in tuple(self._attempts):
            attempt.cancel()
        async with self._disk:
            self._spool.close()

    def statistics(self) -> Statistics:
        return {
            **self._counts,
            "pending": len(self._spool),
            "attempts": len(self._attempts),
            "away": int(self.is_away),
            "spool_bytes": self._spool.size_bytes,
        }

    async def raise_alarm(self, press: Press, *, area_id: str = "") -> Receipt | Sheltered:
        """Record `press`, or keep it until that is possible; `area_id` is its device's.

        NotFound as the ledger says it. Unavailable only where both the ledger and the spool refuse.
        """
        taken = await self._take_in(press, area_id)
        assert taken is not None  # noqa: S101  only an event has no receipt here
        return taken

    async def cancel(self, cancellation: Cancellation, *, area_id: str = "") -> Receipt | Sheltered:
        """Record that a household takes its alarm back, or keep that; it stays behind the press that it means.

        NotFound where there is nothing to take back, Unavailable as for `raise_alarm`.
        """
        taken = await self._take_in(cancellation, area_id)
        assert taken is not None  # noqa: S101  only an event has no receipt here
        return taken

    async def note(self, event: DeviceEvent) -> None:
        """Record an event that is no alarm with its receipt, or keep it, so that no alarm waits behind it."""
        await self._take_in(event, event.area_id)

    def suspect(self) -> None:
        """Take the database for away: somebody else has waited for it in vain."""
        self.is_away = True
        self._wake.set()

    async def _take_in(self, said: Said, area_id: str) -> Receipt | Sheltered | None:
        key = key_of(said)
        if self._spool.has(key):
            self._untold.update({key} & self._seen_at.keys())
            return self._sheltered(key)
        if not self._must_wait(said):
            try:
                return await self._attempt(said)
            except (NotFound, BadInput, Forbidden):
                raise
            except LinliError as error:
                self._lose(str(error))
            except Exception as error:
                log.exception("ledger_failed", device=said.device_id, error=str(error))
                self._lose(str(error))
        return await self._shelter(said, area_id)

    def _must_wait(self, said: Said) -> bool:
        """Tell whether asking the ledger now is in vain, or would overtake what the same device said before."""
        if self.is_away or self._spool.has_device(said.device_id):
            return True
        return isinstance(said, Cancellation) and self._spool.alarms > 0

    async def _attempt(self, said: Said) -> Receipt | None:
        """Ask the ledger in a task that is never cut off in the middle of its commit, and wait for it a while."""
        try:
            async with asyncio.timeout(self._patience_s):
                await self._slots.acquire()
        except TimeoutError as error:
            raise Unavailable("too many attempts hang", place="ledger") from error
        attempt = asyncio.create_task(self._record(said), name=f"attempt-{said.device_id}-{said.seq}")
        self._attempts.add(attempt)
        attempt.add_done_callback(self._let_go)
        done, _ = await asyncio.wait({attempt}, timeout=self._patience_s)
        if not done:
            raise Unavailable(f"no answer for {self._patience_s:g} s", place="ledger")
        return attempt.result()

    def _let_go(self, attempt: asyncio.Task[Receipt | None]) -> None:
        self._attempts.discard(attempt)
        self._slots.release()
        if not attempt.cancelled():
            attempt.exception()  # heard: whoever was patient enough has it, for the others the drain repeats it

    async def _record(self, said: Said) -> Receipt | None:
        if isinstance(said, Press):
            return await self._ledger.raise_alarm(said)
        if isinstance(said, Cancellation):
            return await self._ledger.cancel(said)
        receipt = {"id": said.event_id, "boot": said.boot, "seq": said.seq, "st": "recorded"}
        now = self._clock.now()
        async with self.database.transaction() as connection:
            await events.insert_event(connection, said)
            # Also for a repetition: the device repeats because the first receipt has not reached it.
            told = {**receipt, "at": to_ms(now)}
            await events.put_receipt(connection, said.device_id, said.area_id, told, now)
        return None

    def _lose(self, why: str) -> None:
        if not self.is_away:
            log.error("ledger_away", why=why)
        self.is_away = True

    async def _shelter(self, said: Said, area_id: str) -> Sheltered:
        async with self._disk:
            is_new = await asyncio.to_thread(self._spool.append, said, area_id=area_id, at=self._clock.now())
        self._counts["spooled"] += is_new
        _PENDING.set(len(self._spool))
        self._wake.set()
        return self._sheltered(key_of(said))

    def _sheltered(self, key: Key) -> Sheltered:
        kept = self._spool.find(key)
        spooled_at = kept.spooled_at if kept else self._clock.now()
        return Sheltered(key, spooled_at, key in self._seen_at)

    # --- back into the ledger -----------------------------------------------------------------------------------------

    async def _drain(self) -> None:
        """Bring what is pending into the ledger, oldest first; while the database is away, try now and then."""
        while True:
            self._wake.clear()
            if not await self._drain_once():
                await asyncio.sleep(random.uniform(*PROBE_S))
            elif len(self._spool):
                await self._rest(TROUBLE_RETRY_S)
            else:
                await self._rest(CLEAR_AFTER_S)
                await self._clear()

    async def _rest(self, longest_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                await self._wake.wait()

    async def _clear(self) -> None:
        if not len(self._spool):
            async with self._disk:
                await asyncio.to_thread(self._spool.clear)

    async def _drain_once(self) -> bool:
        """Go through the spool; False as soon as the database is away."""
        if self.is_away and not len(self._spool):
            return await self._probe()
        for together in self._due():
            if not all(await asyncio.gather(*(self._drain_one(key) for key in together))):
                return False
        return True

    def _due(self) -> Iterator[list[Key]]:
        """Yield what may be recorded now, oldest first, a few of different devices together.

        Of one device nothing overtakes; a cancellation comes alone, after everything that was taken in before it.
        """
        held_back: set[str] = set()
        together: list[Key] = []
        for key in self._spool.pending():
            trouble = self._trouble.get(key)
            if key[0] in held_back or (trouble and trouble.retry_monotonic_s > self._clock.monotonic_s()):
                held_back.add(key[0])
                continue
            kept = self._spool.find(key)
            is_alone = kept is not None and isinstance(kept.said, Cancellation)
            if together and (is_alone or len(together) == MOST_ATTEMPTS or key[0] in {one[0] for one in together}):
                yield together
                together = []
            together.append(key)
            if is_alone:
                yield together
                together = []
        if together:
            yield together

    async def _probe(self) -> bool:
        try:
            await desk.ping(self.database)
        except LinliError:
            return False
        self._find_again()
        return True

    async def _drain_one(self, key: Key) -> bool:
        kept = self._spool.find(key)
        if kept is None:
            return True
        try:
            receipt = await self._record(_as_taken(kept))
        except Unavailable as error:
            self._lose(str(error))
            return False
        except (NotFound, BadInput, Forbidden) as error:
            await self._refuse(kept, error)
        except Exception as error:
            # One that the ledger cannot take must not stop those behind it.
            log.exception("spooled_message_fails", device=key[0], boot=key[1], seq=key[2], error=str(error))
            self._put_off(key)
        else:
            failpoints.hit("after_record_before_settle")
            await self._settle(key, receipt.alarm_id if receipt else "", "")
            self._counts["drained"] += 1
        self._find_again()
        return True

    def _find_again(self) -> None:
        if self.is_away:
            log.warning("ledger_back", pending=len(self._spool))
        self.is_away = False

    async def _refuse(self, kept: Kept, error: LinliError) -> None:
        """Give up what can never be recorded, loudly; no receipt was sent, so its device goes on repeating it."""
        if isinstance(kept.said, Cancellation) and self._put_off(kept.key) < CANCEL_PATIENCE_S:
            return
        self._counts["refused"] += 1
        metrics.dropped("spool", f"refused_{error.code}")
        log.error("spooled_message_refused", device=kept.said.device_id, seq=kept.said.seq, error=str(error))
        await self._settle(kept.key, "", error.code)

    def _put_off(self, key: Key) -> float:
        """Try this one again later; return for how many seconds that has gone on."""
        now_s = self._clock.monotonic_s()
        before = self._trouble.get(key)
        first_s = before.first_monotonic_s if before else now_s
        self._trouble[key] = _Trouble(first_s, now_s + TROUBLE_RETRY_S)
        return now_s - first_s

    async def _settle(self, key: Key, alarm_id: str, why: str) -> None:
        async with self._disk:
            self._spool.settle(key, alarm_id, why)
        self._trouble.pop(key, None)
        self._seen_at.pop(key, None)
        self._untold.discard(key)
        _PENDING.set(len(self._spool))

    # --- what the desks have shown ------------------------------------------------------------------------------------

    async def _watch_seen(self) -> None:
        while True:
            await asyncio.sleep(SEEN_POLL_S)
            if self._seen is None or not len(self._spool):
                continue
            for key, at in self._seen.read().items():
                if self._spool.has(key) and key not in self._seen_at:
                    self._seen_at[key] = at
                    self._untold.add(key)
            await self._tell()

    async def _tell(self) -> None:
        for key in tuple(self._untold):
            kept, at = self._spool.find(key), self._seen_at.get(key)
            self._untold.discard(key)
            if self.on_seen is None or kept is None or at is None:
                continue
            try:
                await self.on_seen(kept, at)
            except Unavailable as error:
                self._untold.add(key)
                log.info("seen_waits", device=key[0], error=str(error))
                return


@dataclass(frozen=True, slots=True)
class _Trouble:
    first_monotonic_s: float
    retry_monotonic_s: float


def _as_taken(kept: Kept) -> Said:
    """Return the message as it was taken in: a press says since when it lay in the spool."""
    return replace(kept.said, spooled_at=kept.spooled_at) if isinstance(kept.said, Press) else kept.said
