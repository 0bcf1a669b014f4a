"""Drains the outbox: receipts go out once their transaction has committed, and again until the broker has them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gateway.alarms import failpoints
from gateway.contract import messages, topics
from gateway.contract.signing import sign_receipt
from gateway.model.errors import BadInput, Unavailable
from gateway.mqtt.session import Session
from gateway.runtime import logs, metrics
from gateway.runtime.clock import Clock, from_ms
from gateway.runtime.service import KeptRunning, Statistics, keep_running
from gateway.store import events
from gateway.store.events import OutboxRow
from gateway.store.feed import Feed
from gateway.store.pool import Database

log = logs.get(__name__)

POLL_S = 1.0

_SENT = metrics.counter("linli_outbox_sent", "Things told to devices and acknowledged by the broker.", ("kind",))


class Outbox:
    """Sends what waits, in order, as long as the broker is there; a service."""

    def __init__(self, database: Database, session: Session, clock: Clock, *, batch: int) -> None:
        self._database = database
        self._session = session
        self._clock = clock
        self._batch = batch
        self._draining: KeptRunning = keep_running("outbox", self._follow)
        self._counts = {"sent": 0, "refused": 0}

    async def start(self) -> None:
        await self._draining.start()

    async def stop(self) -> None:
        await self._draining.stop()

    def statistics(self) -> Statistics:
        return dict(self._counts)

    async def _follow(self) -> None:
        async for _ in Feed(self._database, "linli_outbox").changes(POLL_S):
            try:
                await self._drain()
            except Unavailable as error:
                # Not begun anew with a growing pause: who waits for a receipt gets it as soon as the database is back.
                log.info("outbox_waits", error=str(error))

    async def _drain(self) -> None:
        while self._session.is_connected:
            rows = await events.claim(self._database, self._clock.now(), self._batch)
            done = [row.outbox_id for row in rows if await self._send(row)]
            if done:
                await events.finish(self._database, done, self._clock.now())
            if len(rows) < self._batch:
                return

    async def _send(self, row: OutboxRow) -> bool:
        try:
            message = _signed(row, self._receipt(row.payload))
            topic = topics.down_receipt(row.area_id, row.device_id)
            await self._session.publish(topic, message.encode())
        except Unavailable as error:
            log.info("outbox_waits", device=row.device_id, error=str(error))
            return False
        except (BadInput, KeyError) as error:
            # Ours, not the device's: it would never become sendable, so it is counted and put aside.
            self._counts["refused"] += 1
            metrics.dropped("gateway", "outbox_refused")
            log.error("outbox_refused", device=row.device_id, error=str(error))
            return True
        failpoints.hit("after_receipt_before_done")
        self._counts["sent"] += 1
        _SENT.labels(row.kind).inc()
        return True

    def _receipt(self, payload: Mapping[str, Any]) -> messages.Receipt:
        return messages.Receipt(
            event_id=payload["id"],
            boot=payload["boot"],
            seq=payload["seq"],
            state=payload["st"],
            at=from_ms(payload["at"]),
            now=self._clock.now(),
            alarm_no=payload.get("no", ""),
            why=payload.get("why", ""),
        )


def _signed(row: OutboxRow, receipt: messages.Receipt) -> messages.Receipt:
    """Return the receipt with the signature that a device with a key waits for."""
    if row.alarm_key is None:
        return receipt
    return replace(receipt, signature=sign_receipt(row.alarm_key, row.device_id, receipt))
