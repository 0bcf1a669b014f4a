"""A disaster: ten thousand presses within a minute from two thousand homes, and what becomes of them.

`python -m tests.bench.storm [presses] [homes] [picture.png]`: real Mosquitto, PostgreSQL 15, gateway, desk and chromium
with an operator at the board. Every home's first press is timed from its publication to its `recorded` receipt. While
the storm lasts the operator's keys are timed too. The last line of output is JSON.
"""

import asyncio
import json
import random
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Page

from gateway.contract import messages, topics
from gateway.contract.topics import TopicKind
from gateway.model.ids import new_ulid
from gateway.store.pool import Database
from tests.bench.alarm import CLOCK, CpuWatch, board_page, prepare, quantile
from tests.kit import servers
from tests.kit.community import AREA
from tests.kit.gateway import running_gateway, running_program
from tests.kit.mqtt import Peer, peer

PRESSES = 10_000
HOMES = 2_000
DURATION_S = 60.0
QUIET_S = 60.0
BOOT = 7


@dataclass(slots=True)
class Storm:
    """When each press was published and each receipt came, by (device, seq), in monotonic seconds."""

    sent_s: dict[tuple[str, int], float] = field(default_factory=dict)
    receipted_s: dict[tuple[str, int], float] = field(default_factory=dict)

    def waits_s(self, *, first_only: bool) -> list[float]:
        """Return how long presses waited for their receipts."""
        chosen = (key for key in self.receipted_s if not first_only or key[1] == 1)
        return [self.receipted_s[key] - self.sent_s[key] for key in chosen]


def schedule(presses: int, homes: int) -> list[tuple[float, str, int]]:
    """Return (seconds, device, seq) of every press, by a fixed seed: each home once, then again at random."""
    chance = random.Random(20260719)
    devices = [f"sb-{number}" for number in range(homes)] + [
        f"sb-{chance.randrange(homes)}" for _ in range(presses - homes)
    ]
    counted: dict[str, int] = {}
    times = sorted(chance.uniform(0, DURATION_S) for _ in devices)
    chance.shuffle(devices)
    plan = []
    for at_s, device in zip(times, devices, strict=True):
        counted[device] = counted.get(device, 0) + 1
        plan.append((at_s, device, counted[device]))
    return plan


async def press_all(speaker: Peer, storm: Storm, plan: list[tuple[float, str, int]]) -> None:
    """Publish every press at its time."""
    begun = time.monotonic()
    for at_s, device, seq in plan:
        if (pause_s := begun + at_s - time.monotonic()) > 0:
            await asyncio.sleep(pause_s)
        now = CLOCK.now()
        event = messages.Event(new_ulid(now), BOOT, seq, now, "sos_pressed", {"held_ms": 2000})
        storm.sent_s[device, seq] = time.monotonic()
        speaker.client.publish(topics.up_evt(AREA, device), event.encode(), 1)


async def hear_receipts(listener: Peer, storm: Storm) -> None:
    """Note when each `recorded` receipt comes."""
    while True:
        topic, payload = await listener.inbox.get()
        receipt = messages.decode(TopicKind.DOWN_RECEIPT, payload)
        assert isinstance(receipt, messages.Receipt)
        if receipt.state == "recorded":
            key = (topics.parse(topic).device_id, receipt.seq)
            storm.receipted_s.setdefault(key, time.monotonic())


async def time_keys(page: Page, taken_ms: list[float]) -> None:
    """Ask the page every two seconds for two frames: how long an operator waits for any answer of the screen."""
    while True:
        begun = time.monotonic()
        await page.keyboard.press("ArrowDown")
        await page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        taken_ms.append((time.monotonic() - begun) * 1000)
        await asyncio.sleep(2.0)


@dataclass(frozen=True, slots=True)
class Size:
    """How big the storm is, and where its picture goes."""

    presses: int = PRESSES
    homes: int = HOMES
    picture: Path | None = None


async def measure(broker: servers.Mosquitto, dsn: str, page: Page, size: Size) -> dict[str, object]:
    """Let the storm pass and return the figures."""
    database, storm, keys_ms = Database(dsn, max_size=2), Storm(), list[float]()
    await database.start()
    where = (broker.host, broker.port, "gateway", broker.credentials["gateway"])
    receipts = f"linli/1/{AREA}/+/down/receipt"
    async with (
        peer(*where, client_id="storm-buttons") as speaker,
        peer(*where, receipts, client_id="storm-lamps") as listener,
    ):
        others = [asyncio.create_task(hear_receipts(listener, storm)), asyncio.create_task(time_keys(page, keys_ms))]
        cpu, begun = CpuWatch(), time.monotonic()
        await press_all(speaker, storm, schedule(size.presses, size.homes))
        pressed_in_s = time.monotonic() - begun
        if size.picture is not None:
            await page.screenshot(path=size.picture)
        while len(storm.receipted_s) < size.presses and time.monotonic() - begun < pressed_in_s + QUIET_S:
            await asyncio.sleep(0.1)
        drained_in_s = time.monotonic() - begun
        shares = cpu.shares()
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
    ledger = await database.fetchrow(
        "select (select count(*) from alarm_presses) as presses, count(*) as alarms, sum(press_count) as counted,"
        " count(notified_at) as seen from alarms"
    )
    await database.stop()
    assert ledger is not None
    first, every = storm.waits_s(first_only=True), storm.waits_s(first_only=False)
    return {
        "bench": "storm",
        "presses": size.presses,
        "homes": size.homes,
        "pressed_in_s": round(pressed_in_s, 1),
        "in_ledger": ledger["presses"],
        "alarms": ledger["alarms"],
        "counted_on_alarms": int(ledger["counted"]),
        "receipted": len(storm.receipted_s),
        "first_p50_s": round(quantile(first, 0.5), 3),
        "first_p99_s": round(quantile(first, 0.99), 3),
        "every_p99_s": round(quantile(every, 0.99), 3),
        "drained_in_s": round(drained_in_s, 1),
        "seen_by_desk": ledger["seen"],
        "key_p50_ms": round(quantile(keys_ms, 0.5)),
        "key_max_ms": round(max(keys_ms)),
        "cores": shares,
    }


async def run(size: Size) -> dict[str, object]:
    """Start everything, measure, stop everything."""
    with (
        servers.running_mosquitto() as broker,
        servers.running_postgres(servers.DEBIAN_POSTGRESQL) as postgres,
    ):
        dsn = postgres.create("storm")
        await prepare(dsn, size.homes)
        with running_gateway(broker, dsn) as gateway, running_program(gateway, "security_video", "desk") as url:
            async with board_page(url) as page:
                return await measure(broker, dsn, page, size)


def main(*words: str) -> dict[str, object]:
    """Return the figures of one storm: presses, homes, and the file for a picture of the board."""
    presses = int(words[0]) if words else PRESSES
    homes = int(words[1]) if len(words) > 1 else HOMES
    picture = Path(words[2]) if len(words) > 2 else None
    return asyncio.run(run(Size(presses, homes, picture)))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:])) + "\n")
