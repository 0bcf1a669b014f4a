"""What devices say becomes rows, on Mosquitto with PostgreSQL 15 and on the embedded pair alike."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.alarms.ledger import AlarmLedger
from gateway.alarms.shelter.reception import Reception
from gateway.alarms.shelter.spool import Spool, spool_path
from gateway.contract import codec, messages, topics
from gateway.ingest.pipeline import Pipeline
from gateway.ingest.settings import GatewaySettings
from gateway.model.ids import new_ulid
from gateway.outbound.outbox import Outbox
from gateway.runtime.clock import SystemClock, to_ms
from gateway.runtime.service import running
from gateway.runtime.settings import MqttSettings
from gateway.store import registry, series
from gateway.store.pool import Database
from tests.kit.community import AREA, DEVICES, OTHER_AREA, registered
from tests.kit.mqtt import Peer, peer

PATIENCE_S = 15.0
CLOCK = SystemClock()


@dataclass(frozen=True, slots=True)
class Star:
    """A running pipeline with a device `meter-0301`, a button `sos-0301` and their database."""

    database: Database
    pipeline: Pipeline
    meter: Peer
    button: Peer

    async def tell(
        self, payload: bytes, *, device: str = "meter-0301", area: str = AREA, what: str = "up/tele"
    ) -> None:
        speaker = self.button if device == "sos-0301" else self.meter
        await speaker.publish(f"linli/1/{area}/{device}/{what}", payload)

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not await condition():
                await asyncio.sleep(0.02)

    async def until_refused(self, reason: str) -> None:
        async def is_refused() -> bool:
            return (await registry.quarantine_counts(self.database)).get(reason, 0) > 0

        await self.until(is_refused)

    async def readings(self) -> int:
        return int(await self.database.fetchval("select count(*) from readings"))

    async def until_stored(self, count: int) -> None:
        async def is_stored() -> bool:
            return await self.readings() >= count

        await self.until(is_stored)


@pytest.fixture(params=["real", "embedded"])
async def star(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Star]:
    is_real = request.param == "real"
    broker: Any = request.getfixturevalue("mosquitto" if is_real else "embedded_broker")
    dsn = request.getfixturevalue("database_dsn" if is_real else "embedded_database_dsn")
    passwords = {device.device_id: broker.add_user(device.device_id) for device in DEVICES[:4]}
    mqtt = MqttSettings(
        host=broker.host,
        port=broker.port,
        username="gateway",
        password=broker.credentials["gateway"],
        protocol=5 if is_real else 4,
    )
    async with registered(dsn) as database:
        reception = Reception(database, AlarmLedger(database, CLOCK), Spool(spool_path(tmp_path, "gateway")), CLOCK)
        pipeline = Pipeline(database, CLOCK, mqtt, GatewaySettings(), reception)
        outbox = Outbox(database, pipeline.control, CLOCK, batch=100)
        async with running([reception, pipeline, outbox]):
            for session in pipeline.sessions:
                await session.wait_connected()
            receipts = topics.down_receipt(AREA, "sos-0301")
            async with (
                peer(broker.host, broker.port, "meter-0301", passwords["meter-0301"]) as meter,
                peer(broker.host, broker.port, "sos-0301", passwords["sos-0301"], receipts) as button,
            ):
                yield Star(database, pipeline, meter, button)


def telemetry(seq: int, at_ms: int | None = None, **values: object) -> bytes:
    at_ms = to_ms(CLOCK.now()) if at_ms is None else at_ms
    return codec.encode({"ts": at_ms, "boot": 1, "seq": seq, "p": values or {"power": 23.5}})


def event(seq: int, kind: str = "sos_pressed") -> messages.Event:
    now = CLOCK.now()
    return messages.Event(new_ulid(now), 1, seq, now, kind)


NOW_MS = to_ms(CLOCK.now())
DAY_MS = to_ms(CLOCK.now()) - to_ms(CLOCK.now() - timedelta(days=1))

BAD_TELEMETRY = {
    "broken_json": b'{"ts":',
    "too_deep": b'{"p":' + b"[" * 20 + b"]" * 20 + b"}",
    "not_finite": b'{"ts":%d,"boot":1,"seq":9,"p":{"power":NaN}}' % NOW_MS,
    "missing_field": b'{"ts":%d,"p":{"power":1}}' % NOW_MS,
    "wrong_type": b'{"ts":%d,"boot":"one","seq":9,"p":{"power":1}}' % NOW_MS,
    "oversized": b'{"pad":"' + b"x" * 70_000 + b'"}',
    "future_timestamp": telemetry(9, NOW_MS + DAY_MS),
    "ancient_timestamp": telemetry(9, NOW_MS - 30 * DAY_MS),
    "broken_utf8": b'{"p":"\xff\xfe"}',
}


@pytest.mark.parametrize("reason", BAD_TELEMETRY)
async def test_what_is_not_understood_is_counted_kept_and_stops_nothing(star: Star, reason: str) -> None:
    """Each kind of bad message is counted under its reason, a sample is kept, and the next good one is stored."""
    await star.tell(BAD_TELEMETRY[reason])
    await star.tell(telemetry(10))
    await star.until_stored(1)
    await star.until_refused(reason)
    row = await star.database.fetchrow("select * from quarantine where reason = $1", reason)
    assert row is not None
    assert row["device_id"] == "meter-0301"
    assert row["sample"] == BAD_TELEMETRY[reason][:4096]
    assert row["detail"]


async def test_a_device_that_speaks_from_another_area_is_not_believed(star: Star) -> None:
    """The area in the topic must be the registry's; a mismatch is a security event and stores nothing."""
    await star.tell(telemetry(1), area=OTHER_AREA)
    await star.tell(telemetry(2))
    await star.until_stored(1)
    await star.until_refused("area_mismatch")
    assert await star.readings() == 1


async def test_a_device_that_nobody_registered_goes_to_quarantine(star: Star) -> None:
    """A stranger with a valid password stores nothing and leaves a sample."""
    await star.database.execute("delete from devices where device_id = 'meter-0301'")
    star.pipeline.roster._devices.pop("meter-0301", None)
    await star.tell(telemetry(1))
    await star.until_refused("unknown_device")
    assert await star.readings() == 0


async def test_a_redelivery_adds_nothing(star: Star) -> None:
    """The same (device, boot, seq) delivered three times, and out of order, is stored once each."""
    payloads = {seq: telemetry(seq, NOW_MS + seq) for seq in (1, 2, 3)}
    for seq in (3, 1, 3, 2, 2, 1):
        await star.tell(payloads[seq])
    await star.until_stored(3)
    await star.tell(telemetry(99, NOW_MS + 99))
    await star.until_stored(4)
    assert await star.readings() == 4


async def test_numbers_words_and_switches_are_all_kept(star: Star) -> None:
    """A number is a value, yes and no are 1 and 0, a word is kept as a word; the newest of each is at hand."""
    await star.tell(telemetry(1, power=3.5, on=True, mode="eco"))
    await star.until_stored(3)
    latest = await series.latest(star.database, "meter-0301")
    assert (latest["power"].value, latest["on"].value, latest["mode"].text_value) == (3.5, 1.0, "eco")


async def test_a_batch_of_history_lands_in_the_past(star: Star) -> None:
    """History of last month is stored at its own times, across partitions, once."""
    samples = [{"ts": NOW_MS - day * DAY_MS, "p": {"energy": day}} for day in range(30, 0, -1)]
    batch = codec.encode({"boot": 1, "seq": 5, "hist": True, "batch": samples})
    await star.tell(batch)
    await star.tell(batch)
    await star.until_stored(30)
    await star.tell(telemetry(6))
    await star.until_stored(31)
    summary = await series.summary(star.database, "meter-0301", "energy")
    assert (summary.readings, summary.total) == (30, sum(range(1, 31)))


async def test_a_press_comes_back_as_a_receipt_after_its_row(star: Star) -> None:
    """A pressed button gets `recorded` with the alarm's number, and the row is there by then."""
    press = event(1)
    await star.tell(press.encode(), device="sos-0301", what="up/evt")
    topic, payload = await star.button.next_message()
    assert topic == topics.down_receipt(AREA, "sos-0301")
    receipt = messages.decode(topics.TopicKind.DOWN_RECEIPT, payload)
    assert isinstance(receipt, messages.Receipt)
    assert (receipt.event_id, receipt.state) == (press.event_id, "recorded")
    assert await star.database.fetchval("select alarm_no from alarms") == receipt.alarm_no


async def test_a_repeated_press_is_one_alarm_and_answered_again(star: Star) -> None:
    """A button that did not hear its receipt asks again: one row, and the same number a second time."""
    press = event(2).encode()
    await star.tell(press, device="sos-0301", what="up/evt")
    first = await star.button.next_message()
    await star.tell(press, device="sos-0301", what="up/evt")
    second = await star.button.next_message()
    numbers = {codec.decode(payload)["no"] for _, payload in (first, second)}
    assert len(numbers) == 1
    assert await star.database.fetchval("select count(*) from alarms") == 1


async def test_an_event_that_is_no_alarm_is_recorded_and_receipted(star: Star) -> None:
    """Smoke is a matter of rules: the event is stored once, its receipt has no alarm number, no alarm is raised."""
    await star.tell(event(3, "smoke").encode(), device="sos-0301", what="up/evt")
    _, payload = await star.button.next_message()
    assert "no" not in codec.decode(payload)
    assert await star.database.fetchval("select count(*) from device_events") == 1
    assert await star.database.fetchval("select count(*) from alarms") == 0


async def test_a_cancellation_is_receipted_as_one(star: Star) -> None:
    """A household that takes its alarm back is told `cancelled`; the alarm stays for a person to verify."""
    await star.tell(event(4).encode(), device="sos-0301", what="up/evt")
    await star.button.next_message()
    await star.tell(event(5, "cancelled").encode(), device="sos-0301", what="up/evt")
    _, payload = await star.button.next_message()
    assert codec.decode(payload)["st"] == "cancelled"
    alarms = await AlarmLedger(star.database, CLOCK).open_alarms(AREA)
    assert [alarm.cancelled_by_user_at is not None for alarm in alarms] == [True]


async def test_presence_follows_the_device_and_not_a_stale_will(star: Star) -> None:
    """Words of presence are kept with their boot; the will of an earlier boot changes nothing."""

    async def presence_is(wanted: str) -> bool:
        device = await registry.device(star.database, "meter-0301")
        return device is not None and device.presence == wanted

    def status(state: str, boot: int) -> bytes:
        return messages.Status(state, boot, CLOCK.now()).encode()

    await star.tell(status("online", 5), what="status")
    await star.until(lambda: presence_is("online"))
    await star.tell(status("offline", 4), what="status")
    await star.tell(telemetry(1))
    await star.until_stored(1)
    assert await presence_is("online")
    await star.tell(status("offline", 5), what="status")
    await star.until(lambda: presence_is("offline"))
    changes = await star.database.fetch("select presence from presence_changes order by at")
    assert [row["presence"] for row in changes] == ["online", "offline"]
