"""A simulated button with its journal, wired up as the village wires it."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from firmware_stubs.button import PARTS, Button
from firmware_stubs.clock import SystemClock
from firmware_stubs.device import Device, Identity
from firmware_stubs.events import EventSender, Timing
from firmware_stubs.journal import Journal
from firmware_stubs.second_road import SecondRoad
from firmware_stubs.settings import Broker
from gateway.contract.messages import Meta
from tests.kit.community import AREA, TOKEN
from tests.kit.servers import Mosquitto


@dataclass(frozen=True, slots=True)
class WiredButton:
    """A running button; `receipts` is what its lamp has been told, in order."""

    button: Button
    sender: EventSender
    device: Device
    receipts: list[tuple[str, str, str]]


@contextlib.asynccontextmanager
async def running_button(
    broker: Mosquitto, password: str, folder: Path, api_url: str = ""
) -> AsyncIterator[WiredButton]:
    """`sos-0301` on `broker`; with `api_url` it also has the second road."""
    clock = SystemClock()
    journal = Journal.open(folder, clock.now())
    identity = Identity(AREA, "sos-0301", password, "hh-0301")
    device = Device(
        Broker(broker.host, broker.port), identity, Meta("button", "Linli Key 1", parts=PARTS), journal.boot, clock
    )
    road = SecondRoad(api_url, TOKEN) if api_url else None
    sender = EventSender(device, journal, road, Timing((0.5, 1.0, 1.0, 2.0), second_road_after_s=3.0))
    button = Button(sender)
    lamp, receipts = sender.on_receipt, list[tuple[str, str, str]]()

    def hear(event_id: str, state: str, alarm_no: str) -> None:
        receipts.append((event_id, state, alarm_no))
        lamp(event_id, state, alarm_no)

    sender.on_receipt = hear
    device.on_message = sender.receive
    await device.start()
    await sender.start()
    try:
        yield WiredButton(button, sender, device, receipts)
    finally:
        await sender.stop()
        await device.stop()
        journal.close()
