import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from gateway.contract import codec, messages, topics
from gateway.contract.signing import alarm_key, check_receipt
from gateway.contract.topics import TopicKind
from gateway.model.ids import new_ulid
from gateway.mqtt.session import Session
from gateway.outbound.outbox import Outbox
from gateway.runtime.clock import SystemClock
from gateway.runtime.service import running
from gateway.runtime.settings import MqttSettings
from gateway.store import events, registry
from gateway.store.pool import Database
from tests.kit.community import AREA, registered
from tests.kit.mqtt import peer
from tests.kit.servers import Mosquitto

CLOCK = SystemClock()


def session_of(broker: Mosquitto) -> Session:
    password = broker.credentials["gateway"]
    settings = MqttSettings(host=broker.host, port=broker.port, username="gateway", password=password)
    return Session(settings, "test-outbox", [])


async def put(database: Database, seq: int, device_id: str = "sos-0301") -> None:
    payload = {"id": new_ulid(CLOCK.now()), "boot": 1, "seq": seq, "st": "recorded", "at": 1_800_000_000_000}
    async with database.transaction() as connection:
        await events.put_receipt(connection, device_id, AREA, payload, CLOCK.now())


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(15):
        while not await condition():
            await asyncio.sleep(0.02)


async def test_receipts_go_out_in_order_and_once(mosquitto: Mosquitto, database_dsn: str) -> None:
    """What was queued is told in its order, with the gateway's clock, and then done with."""
    password = mosquitto.add_user("sos-0301")
    async with registered(database_dsn) as database:
        session = session_of(mosquitto)
        topic = topics.down_receipt(AREA, "sos-0301")
        async with peer(mosquitto.host, mosquitto.port, "sos-0301", password, topic) as device:
            for seq in range(5):
                await put(database, seq)
            async with running([session, Outbox(database, session, CLOCK, batch=2)]):
                told = [codec.decode((await device.next_message())[1]) for _ in range(5)]

                async def is_done() -> bool:
                    return await events.count_waiting(database) == 0

                await until(is_done)
        assert [receipt["seq"] for receipt in told] == [0, 1, 2, 3, 4]
        assert all(receipt["now"] for receipt in told)
        assert device.inbox.empty()


async def _told(broker: Mosquitto, database: Database, name: str, password: str) -> messages.Message:
    """Queue a receipt for a device and return what it hears."""
    async with peer(broker.host, broker.port, name, password, topics.down_receipt(AREA, name)) as device:
        await put(database, 1, name)
        return messages.decode(TopicKind.DOWN_RECEIPT, (await device.next_message())[1])


async def test_receipts_are_signed_for_devices_that_have_a_key(mosquitto: Mosquitto, database_dsn: str) -> None:
    """A device with a key can tell that the gateway speaks; one without gets the plain receipt."""
    passwords = {name: mosquitto.add_user(name) for name in ("sos-0301", "stb-0301")}
    key = alarm_key("sos-0301", passwords["sos-0301"])
    async with registered(database_dsn) as database:
        async with database.transaction() as connection:
            await registry.write_alarm_keys(connection, {"sos-0301": key})
        session = session_of(mosquitto)
        async with running([session, Outbox(database, session, CLOCK, batch=2)]):
            told = {name: await _told(mosquitto, database, name, passwords[name]) for name in passwords}
    assert isinstance(told["sos-0301"], messages.Receipt) and isinstance(told["stb-0301"], messages.Receipt)
    assert check_receipt(key, "sos-0301", told["sos-0301"])
    assert not check_receipt(key, "stb-0301", told["sos-0301"])
    assert told["stb-0301"].signature == ""


async def test_what_cannot_be_told_waits_for_the_broker(mosquitto: Mosquitto, database_dsn: str) -> None:
    """With the broker away a receipt stays in the outbox and goes out when it is back."""
    async with registered(database_dsn) as database:
        session = session_of(mosquitto)
        async with running([session, Outbox(database, session, CLOCK, batch=10)]):
            await session.wait_connected()
            await asyncio.to_thread(mosquitto.kill)
            await put(database, 1)
            await asyncio.sleep(0.5)
            assert await events.count_waiting(database) == 1
            await asyncio.to_thread(mosquitto.launch)

            async def is_done() -> bool:
                return await events.count_waiting(database) == 0

            await until(is_done)


async def test_a_receipt_that_makes_no_sense_stops_nothing(mosquitto: Mosquitto, database_dsn: str) -> None:
    """A row of ours that cannot be encoded is put aside and counted; the next one goes out."""
    async with registered(database_dsn) as database:
        await database.execute(
            "insert into outbox (reference, kind, device_id, area_id, payload, created_at, next_attempt_at)"
            " values ('x', 'receipt', 'sos-0301', $1, $2, now(), now())",
            AREA,
            {"id": new_ulid(CLOCK.now()), "boot": 1, "seq": 1, "st": "nonsense", "at": 1_800_000_000_000},
        )
        await put(database, 2)
        session = session_of(mosquitto)
        outbox = Outbox(database, session, CLOCK, batch=10)
        async with running([session, outbox]):

            async def is_done() -> bool:
                return await events.count_waiting(database) == 0

            await until(is_done)
        assert outbox.statistics() == {"sent": 1, "refused": 1}


async def test_a_row_that_failed_for_days_stops_no_other(database_dsn: str) -> None:
    """However often a row has been tried, it is claimed again a minute later, and the others beside it."""
    async with registered(database_dsn) as database:
        for seq in (1, 2):
            await put(database, seq)
        await database.execute("update outbox set attempts = 5000 where payload->>'seq' = '1'")
        now = CLOCK.now() + timedelta(seconds=1)
        assert len(await events.claim(database, now, 10)) == 2
        waits = await database.fetch(
            "select next_attempt_at - $1::timestamptz as wait from outbox order by outbox_id", now
        )
        assert waits[0]["wait"] == timedelta(seconds=60)
