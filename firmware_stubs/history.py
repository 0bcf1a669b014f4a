"""The past of a device: batches with an identity of their own, so that sending them again adds nothing."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from firmware_stubs import meter
from firmware_stubs.device import Device
from firmware_stubs.sensors import PROFILES, Values
from gateway.contract.messages import Sample, Telemetry
from gateway.contract.times import from_ms, to_ms
from gateway.contract.topics import TopicKind
from gateway.model.errors import Unavailable

#: At most this many messages wait for their PUBACK at once.
WINDOW: Final = 100
#: All invented history belongs to this boot; live boots are far above (seconds since 1970).
HISTORY_BOOT: Final = 1
_HOUR_MS: Final = 3_600_000


def hour_number(at: datetime) -> int:
    """Return the number of the whole hour that has ended at or before `at`: the seq of its batch."""
    return to_ms(at) // _HOUR_MS


def meter_hour(seed: str, hour: int) -> Telemetry:
    """Return the six readings of the hour that ends at hour number `hour`."""
    end = from_ms(hour * _HOUR_MS)
    moments = [end - meter.STEP * steps for steps in range(5, -1, -1)]
    samples = tuple(Sample(at, {"energy_wh": meter.energy_wh(seed, at)}) for at in moments)
    return Telemetry(HISTORY_BOOT, hour, history=True, samples=samples)


def air_hour(seed: str, hour: int) -> Telemetry:
    """Return the hourly value at hour number `hour`."""
    at = from_ms(hour * _HOUR_MS)
    values: Values = PROFILES["air_station"].measure(seed, at)
    return Telemetry(HISTORY_BOOT, hour, history=True, samples=(Sample(at, values),))


HOUR_OF_PROFILE: Final[dict[str, Callable[[str, int], Telemetry]]] = {"meter": meter_hour, "air_station": air_hour}


def days(profile: str, seed: str, now: datetime, count: int) -> Iterator[Telemetry]:
    """Yield the batches of the last `count` days, oldest first, up to the last whole hour."""
    make = HOUR_OF_PROFILE[profile]
    first = hour_number(now - timedelta(days=count)) + 1
    for hour in range(first, hour_number(now) + 1):
        yield make(seed, hour)


async def send_all(device: Device, batches: Iterable[Telemetry]) -> int:
    """Publish every batch with at most WINDOW unacknowledged; a batch that got lost is sent again. Returns how many."""
    window = asyncio.Semaphore(WINDOW)
    count = 0
    async with asyncio.TaskGroup() as group:
        for batch in batches:
            await window.acquire()
            task = group.create_task(_send(device, batch))
            task.add_done_callback(lambda _task: window.release())
            count += 1
    return count


async def _send(device: Device, batch: Telemetry) -> None:
    """Publish until the broker has acknowledged; the same identity makes a repetition harmless."""
    while True:
        await device.connected.wait()
        try:
            await device.publish(TopicKind.UP_TELE, batch)
            return
        except Unavailable:
            await asyncio.sleep(0.2)
