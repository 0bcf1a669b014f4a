"""A device on a broker, and the ear of a gateway that answers only when a test says so."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from firmware_stubs.clock import SystemClock
from firmware_stubs.device import Device, Identity
from firmware_stubs.events import EventSender, Timing
from firmware_stubs.journal import Journal
from firmware_stubs.second_road import SecondRoad
from firmware_stubs.settings import Broker
from gateway.contract import messages, topics
from gateway.contract.messages import Event, Meta, Receipt
from gateway.contract.signing import sign_receipt
from gateway.contract.topics import TopicKind
from tests.kit import servers
from tests.kit.mqtt import Peer, peer

AREA = "110105001001"
DEVICE = "sos-0301"
META = Meta("button", "Linli Key 1")
QUICK = Timing((0.2, 0.2, 0.4), second_road_after_s=0.5)


@dataclass(frozen=True, slots=True)
class Ear:
    """A gateway's connection: it hears everything and says what a test wants."""

    line: Peer

    async def event(self) -> Event:
        """Return the next event that any device publishes."""
        message = await self.next_of(TopicKind.UP_EVT)
        assert isinstance(message, Event)
        return message

    async def next_of(self, kind: TopicKind) -> messages.Message:
        """Return the next message of one kind; others are passed over."""
        while True:
            topic, payload = await self.line.next_message()
            if topics.parse(topic).kind is kind:
                return messages.decode(kind, payload)

    async def receipt(
        self, event: Event, state: str = "recorded", *, device_id: str = DEVICE, key: bytes | None = None
    ) -> None:
        """Answer an event; with the device's key the answer is signed."""
        number = "A20261120-0007" if state == "recorded" else ""
        receipt = Receipt(event.event_id, event.boot, event.seq, state, event.at, event.at, number)
        if key is not None:
            receipt = replace(receipt, signature=sign_receipt(key, device_id, receipt))
        await self.line.publish(topics.down_receipt(AREA, device_id), receipt.encode())


Listen = Callable[[servers.AnyBroker], contextlib.AbstractAsyncContextManager[Ear]]
Run = Callable[..., contextlib.AbstractAsyncContextManager[EventSender]]


@contextlib.asynccontextmanager
async def _listening(broker: servers.AnyBroker) -> AsyncIterator[Ear]:
    async with peer(broker.host, broker.port, "gateway", broker.credentials["gateway"], "linli/1/#") as line:
        yield Ear(line)


@contextlib.asynccontextmanager
async def _running(
    broker: servers.AnyBroker,
    folder: Path,
    *,
    port: int = 0,
    second_road: SecondRoad | None = None,
    timing: Timing = QUICK,
    key: bytes | None = None,
) -> AsyncIterator[EventSender]:
    password = broker.credentials.get(DEVICE) or broker.add_user(DEVICE)
    clock = SystemClock()
    journal = Journal.open(folder, clock.now())
    address = Broker(broker.host, port or broker.port, protocol=5)
    device = Device(address, Identity(AREA, DEVICE, password, "hh-0301", key), META, journal.boot, clock)
    sender = EventSender(device, journal, second_road, timing)
    device.on_message = sender.receive
    await device.start()
    await sender.start()
    try:
        yield sender
    finally:
        await sender.stop()
        await device.stop()
        journal.close()


@pytest.fixture
def listening() -> Listen:
    """Open the ear of a gateway on a broker."""
    return _listening


@pytest.fixture
def running() -> Run:
    """Run a button with its journal in a folder."""
    return _running
