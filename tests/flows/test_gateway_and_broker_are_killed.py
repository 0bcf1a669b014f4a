"""Power cuts in the middle of an alarm: one row, one receipt, and the box shows accepted."""

import asyncio
from pathlib import Path

import pytest

from gateway.alarms.failpoints import VARIABLE
from gateway.store.pool import Database
from tests.kit.box import WiredButton, running_button
from tests.kit.community import registered
from tests.kit.gateway import running_gateway
from tests.kit.servers import Mosquitto

PATIENCE_S = 30.0


async def assert_one_alarm_accepted(database: Database, box: WiredButton, event_id: str) -> None:
    """One alarm, one press, one receipt row, told; the lamp says accepted with the alarm's number."""
    assert await database.fetchval("select count(*) from alarms") == 1
    assert await database.fetchval("select count(*) from alarm_presses") == 1
    assert await database.fetchval("select press_count from alarms") == 1
    receipts = await database.fetch("select * from outbox where payload->>'st' = 'recorded'")
    assert len(receipts) == 1
    number = await database.fetchval("select alarm_no from alarms")
    assert box.button.lamp == "accepted"
    assert {(heard, state, no) for heard, state, no in box.receipts} == {(event_id, "recorded", number)}
    assert not box.sender.pending


@pytest.mark.parametrize(
    "failpoint",
    [
        "after_insert_before_commit",
        "after_commit_before_receipt",
        "after_commit_before_puback",
        "after_receipt_before_done",
    ],
)
async def test_a_gateway_killed_in_the_middle_of_an_alarm_loses_and_doubles_nothing(
    mosquitto: Mosquitto, database_dsn: str, tmp_path: Path, failpoint: str
) -> None:
    """SIGKILL at each named place; the next gateway finishes what the first began."""
    password = mosquitto.add_user("sos-0301")
    async with registered(database_dsn) as database:
        with running_gateway(mosquitto, database_dsn, environment={VARIABLE: failpoint}) as gateway:
            async with running_button(mosquitto, password, tmp_path / "box") as box:
                await asyncio.wait_for(box.device.connected.wait(), PATIENCE_S)
                event = box.button.press()
                assert event is not None
                await asyncio.to_thread(gateway.wait_until_killed)
                is_committed = failpoint != "after_insert_before_commit"
                assert await database.fetchval("select count(*) from alarms") == int(is_committed)
                await asyncio.to_thread(gateway.launch_again)
                await box.sender.wait_settled(event, PATIENCE_S)
                await assert_one_alarm_accepted(database, box, event.event_id)


async def test_a_broker_killed_with_an_alarm_in_flight_loses_and_doubles_nothing(
    mosquitto: Mosquitto, database_dsn: str, tmp_path: Path
) -> None:
    """The broker dies the moment the key is pressed and comes back; the journal brings the alarm through."""
    password = mosquitto.add_user("sos-0301")
    async with registered(database_dsn) as database:
        with running_gateway(mosquitto, database_dsn):
            async with running_button(mosquitto, password, tmp_path / "box") as box:
                await asyncio.wait_for(box.device.connected.wait(), PATIENCE_S)
                event = box.button.press()
                assert event is not None
                await asyncio.to_thread(mosquitto.kill)
                await asyncio.sleep(1.0)
                await asyncio.to_thread(mosquitto.launch)
                await box.sender.wait_settled(event, PATIENCE_S)
                await assert_one_alarm_accepted(database, box, event.event_id)


async def test_a_broker_that_stays_away_is_gone_around_by_https(
    mosquitto: Mosquitto, database_dsn: str, tmp_path: Path
) -> None:
    """With no broker at all the alarm arrives by the second road, once, and the lamp says accepted."""
    password = mosquitto.add_user("sos-0301")
    async with registered(database_dsn) as database:
        with running_gateway(mosquitto, database_dsn) as gateway:
            async with running_button(mosquitto, password, tmp_path / "box", gateway.url) as box:
                await asyncio.wait_for(box.device.connected.wait(), PATIENCE_S)
                await asyncio.to_thread(mosquitto.kill)
                event = box.button.press()
                assert event is not None
                settled = await box.sender.wait_settled(event, PATIENCE_S)
                assert settled.alarm_no == await database.fetchval("select alarm_no from alarms")
                assert await database.fetchval("select source from alarms") == "https"
                await asyncio.to_thread(mosquitto.launch)
                await asyncio.sleep(2.0)
                assert await database.fetchval("select count(*) from alarm_presses") == 1
