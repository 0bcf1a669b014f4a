"""Buttons in homes, in a process that may be killed at any moment: `python -m tests.chaos.devices FILE`.

The truth of a run is what these devices have on disk. An event counts as attempted once it stands in the device's
journal; it is written to `attempts.jsonl` right after that, before anything is sent, and what a kill left between the
two is caught up from the journal at the next start. A receipt is written BEFORE the journal learns of it, so that no
event is settled whose receipt is not known to us. The files are appended and synced line by line.

A device whose folder holds a file `burn` is unplugged and burnt right after its next PUBACK: nobody repeats then.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from firmware_stubs import log
from firmware_stubs.button import PARTS
from firmware_stubs.clock import SystemClock
from firmware_stubs.device import Device, Identity
from firmware_stubs.events import EventSender, Timing
from firmware_stubs.journal import Journal
from firmware_stubs.second_road import SecondRoad
from firmware_stubs.settings import Broker
from gateway.contract.alarm_post import AlarmAnswer
from gateway.contract.messages import Event, Message, Meta, Receipt
from gateway.contract.times import to_ms
from gateway.contract.topics import TopicKind

ATTEMPTS, RECEIPTS, PUBACKS, SILENCED = "attempts.jsonl", "receipts.jsonl", "pubacks.jsonl", "silenced.jsonl"
#: While this file is there, nobody presses; what was pressed goes on being sent.
QUIET = "quiet"
BURN = "burn"
#: The product's own pauses, but shorter at the end: a run has minutes, not hours.
TIMING = Timing((1.0, 2.0, 4.0, 6.0))
CANCELLED_SHARE = 0.12
#: A resident who has this many presses unanswered calls 110 instead.
MOST_PENDING = 5


@dataclass(frozen=True, slots=True)
class Box:
    """One button: whose it is, and how it proves that."""

    device_id: str
    household_id: str
    password: str
    token: str


@dataclass(frozen=True, slots=True)
class Street:
    """What one process of devices is told in its file."""

    folder: str
    area_id: str
    broker_port: int
    protocol: int
    api_url: str
    seed: int
    press_every_s: float
    boxes: Sequence[Box]

    @classmethod
    def read(cls, path: Path) -> Self:
        facts: dict[str, Any] = json.loads(path.read_text())
        return cls(**{**facts, "boxes": [Box(**box) for box in facts["boxes"]]})

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))


class Diary:
    """What a device did and heard, on disk before the next step is taken."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._files = {name: _append_only(folder / name) for name in (ATTEMPTS, RECEIPTS, PUBACKS, SILENCED)}

    def close(self) -> None:
        for descriptor in self._files.values():
            os.close(descriptor)

    def attempted(self, device_id: str, event: Event) -> None:
        self._write(ATTEMPTS, {**_identity(device_id, event), "kind": event.kind, "at": to_ms(event.at)})

    def receipted(self, device_id: str, event: Event | Receipt, state: str, alarm_no: str, road: str) -> None:
        facts = {"state": state, "no": alarm_no, "road": road, "at": _now_ms()}
        self._write(RECEIPTS, {**_identity(device_id, event), **facts})

    def pubacked(self, device_id: str, event: Event) -> None:
        self._write(PUBACKS, {**_identity(device_id, event), "at": _now_ms()})

    def silenced(self, device_id: str) -> None:
        self._write(SILENCED, {"device": device_id, "at": _now_ms()})

    def _write(self, name: str, facts: Mapping[str, object]) -> None:
        os.write(self._files[name], json.dumps(facts).encode() + b"\n")
        os.fsync(self._files[name])


def _append_only(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _now_ms() -> int:
    return round(time.time() * 1000)


def _identity(device_id: str, event: Event | Receipt) -> dict[str, object]:
    return {"device": device_id, "boot": event.boot, "seq": event.seq, "id": event.event_id}


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield what a diary says; a last line that was torn is nothing yet."""
    if not path.exists():
        return
    for raw in path.read_bytes().split(b"\n"):
        if raw.endswith(b"}"):
            yield json.loads(raw)


class HeardRoad(SecondRoad):
    """The second road, whose answers are in the diary before the journal learns of them."""

    def __init__(self, api_url: str, token: str, diary: Diary) -> None:
        super().__init__(api_url, token)
        self._diary = diary

    async def post(self, device_id: str, event: Event) -> AlarmAnswer | None:
        answer = await super().post(device_id, event)
        if answer is not None and answer.alarm is not None:
            self._diary.receipted(device_id, event, "recorded", answer.alarm.alarm_no, "https")
        return answer


class HeardDevice(Device):
    """A device that says when the broker has acknowledged one of its events."""

    on_puback: Callable[[Event], None] = staticmethod(lambda _event: None)

    async def publish(self, kind: TopicKind, message: Message) -> None:
        await super().publish(kind, message)
        if isinstance(message, Event):
            self.on_puback(message)


class Home:
    """One button with its journal and its diary; presses at moments that the seed decides."""

    def __init__(self, street: Street, box: Box) -> None:
        self._street = street
        self._id = box.device_id
        clock = SystemClock()
        self._diary = Diary(Path(street.folder) / box.device_id)
        self._journal = Journal.open(self._diary.folder, clock.now())
        self._catch_up()
        identity = Identity(street.area_id, box.device_id, box.password, box.household_id)
        broker = Broker("127.0.0.1", street.broker_port, street.protocol)
        meta = Meta("button", "Linli Key 1", parts=PARTS)
        self._device = HeardDevice(broker, identity, meta, self._journal.boot, clock)
        road = HeardRoad(street.api_url, box.token, self._diary) if street.api_url else None
        self._sender = EventSender(self._device, self._journal, road, TIMING)
        self._device.on_message = self._hear
        self._device.on_puback = self._puback
        self._burnt = asyncio.Event()
        self._rng = random.Random(f"{street.seed}:{box.device_id}:{len(list(lines(self._diary.folder / ATTEMPTS)))}")

    def _catch_up(self) -> None:
        """Write down the press that a kill kept us from writing down."""
        known = {facts["id"] for facts in lines(self._diary.folder / ATTEMPTS)}
        for event in self._journal.pending:
            if event.event_id not in known:
                self._diary.attempted(self._id, event)

    def _hear(self, message: Message) -> None:
        if isinstance(message, Receipt):
            self._diary.receipted(self._id, message, message.state, message.alarm_no, "mqtt")
        self._sender.receive(message)

    def _puback(self, event: Event) -> None:
        self._diary.pubacked(self._id, event)
        if (self._diary.folder / BURN).exists() and not self._burnt.is_set():
            self._burnt.set()
            self._diary.silenced(self._id)
            self._device.cut()

    async def live(self) -> None:
        """Press, sometimes take it back, until cancelled or burnt."""
        if any(lines(self._diary.folder / SILENCED)):
            return
        try:
            await self._device.start()
            await self._sender.start()
            await self._press_until_burnt()
        finally:
            await self._sender.stop()
            await self._device.stop()
            self._journal.close()
            self._diary.close()

    async def _press_until_burnt(self) -> None:
        pressing = asyncio.create_task(self._press_for_ever())
        burnt = asyncio.create_task(self._burnt.wait())
        try:
            done, _ = await asyncio.wait({pressing, burnt}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (pressing, burnt):
                task.cancel()
            await asyncio.gather(pressing, burnt, return_exceptions=True)

    async def _press_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._rng.expovariate(1 / self._street.press_every_s))
            if self._is_quiet() or len(self._sender.pending) >= MOST_PENDING:
                continue
            self._report("sos_pressed")
            if self._rng.random() < CANCELLED_SHARE:
                await asyncio.sleep(self._rng.uniform(0.05, 2.0))
                if not self._is_quiet():
                    self._report("cancelled")

    def _is_quiet(self) -> bool:
        return (Path(self._street.folder) / QUIET).exists()

    def _report(self, kind: str) -> None:
        """Journal, then diary; the sender wakes only when we let go of the loop."""
        self._diary.attempted(self._id, self._sender.report(kind, {"key": "red"}))


async def run(street: Street) -> None:
    """Live in every home until SIGTERM."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    ended = asyncio.create_task(stopped.wait())
    homes = {asyncio.create_task(Home(street, box).live()) for box in street.boxes}
    waiting: set[asyncio.Task[Any]] = {ended, *homes}
    while not ended.done():  # a burnt home ends; one with an error ends the street, so that somebody sees it
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    for task in homes:
        task.cancel()
    await asyncio.gather(*homes, return_exceptions=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Buttons that press and repeat until they are receipted.")
    parser.add_argument("file", type=Path)
    log.configure("WARNING")
    asyncio.run(run(Street.read(parser.parse_args().file)))


if __name__ == "__main__":
    main()
