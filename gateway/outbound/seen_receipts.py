"""Tells a box that a desk has seen its press while the database is away: straight to the broker, without the outbox."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from gateway.alarms.shelter.spool import Kept
from gateway.contract import messages, topics
from gateway.contract.signing import sign_receipt
from gateway.mqtt.session import Session
from gateway.runtime import logs
from gateway.runtime.clock import Clock

log = logs.get(__name__)


class SeenReceipts:
    """Says `seen` over a session of the gateway; `key_of` returns the key of a device's receipts where it has one."""

    def __init__(self, session: Session, clock: Clock, key_of: Callable[[str], bytes | None]) -> None:
        self._session = session
        self._clock = clock
        self._key_of = key_of

    async def tell(self, kept: Kept, seen_at: datetime) -> None:
        """Publish the receipt; Unavailable where the broker is away."""
        said = kept.said
        receipt = messages.Receipt(said.event_id, said.boot, said.seq, "seen", seen_at, self._clock.now())
        if (key := self._key_of(said.device_id)) is not None:
            receipt = replace(receipt, signature=sign_receipt(key, said.device_id, receipt))
        await self._session.publish(topics.down_receipt(kept.area_id, said.device_id), receipt.encode())
        log.info("seen_told", device=said.device_id, boot=said.boot, seq=said.seq)
