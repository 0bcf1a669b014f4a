"""A broken device shouts nonsense of every kind: each is refused by name, and its neighbours' words go through."""

import asyncio
from pathlib import Path

from firmware_stubs.device import Device
from firmware_stubs.faults import FAULTS, commit
from gateway.contract.messages import Telemetry
from gateway.contract.topics import TopicKind
from gateway.store.pool import Database
from tests.kit.box import WiredButton, running_button
from tests.kit.community import registered
from tests.kit.gateway import running_gateway
from tests.kit.servers import Mosquitto

PATIENCE_S = 30.0
#: What stands in quarantine for each fault; the others are good messages with a trap in their content, or never
#: reach the gateway: an unknown topic has no subscriber, and the broker's access rules stop another device's name.
REFUSED = {
    "other_area": "area_mismatch",
    "broken_json": "broken_json",
    "not_utf8": "broken_utf8",
    "too_deep": "too_deep",
    "too_long": "oversized",
    "not_a_number": "not_finite",
    "wrong_types": "wrong_type",
    "future": "future_timestamp",
    "ancient": "ancient_timestamp",
    "nineteen_seventy": "time_out_of_range",
}
#: How many readings of the faults' metric are stored afterwards: five equal ones are one.
STORED = {"duplicate": 1, "out_of_order": 4, "flood": 2000}


async def test_every_kind_of_nonsense_is_refused_by_name_and_the_next_good_word_goes_through(
    mosquitto: Mosquitto, database_dsn: str, tmp_path: Path
) -> None:
    """After each fault a good measurement is stored; after all of them a press is one alarm, and nobody else's."""
    password = mosquitto.add_user("sos-0301")
    async with registered(database_dsn) as database:
        with running_gateway(mosquitto, database_dsn):
            async with running_button(mosquitto, password, tmp_path / "box") as box:
                await asyncio.wait_for(box.device.connected.wait(), PATIENCE_S)
                await _commit_all(box.device, database)
                await _press(box)
                await _assert_refused_and_kept(database)


async def _commit_all(device: Device, database: Database) -> None:
    for number, name in enumerate(FAULTS):
        await commit(device, name)
        await _say_something_good(device, number)
        await _until_stored(database, number)


async def _say_something_good(device: Device, number: int) -> None:
    sample = Telemetry.live(device.boot, 1_000_000 + number, device.clock.now(), {"battery": float(number)})
    await device.publish(TopicKind.UP_TELE, sample)


async def _until_stored(database: Database, number: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await database.fetchval(
            "select count(*) from readings where metric = 'battery' and value = $1", float(number)
        ):
            await asyncio.sleep(0.02)


async def _press(box: WiredButton) -> None:
    event = box.button.press()
    assert event is not None
    settled = await box.sender.wait_settled(event, PATIENCE_S)
    assert settled.state == "recorded"


async def _assert_refused_and_kept(database: Database) -> None:
    rows = await database.fetch("select distinct reason, device_id from quarantine")
    assert {(row["reason"], row["device_id"]) for row in rows} == {(reason, "sos-0301") for reason in REFUSED.values()}
    stored = await database.fetchval("select count(*) from readings where metric = 'temp'")
    assert stored == sum(STORED.values())
    assert await database.fetchval("select count(*) from alarms") == 1
    assert await database.fetchval("select presence from devices where device_id = 'sos-0301'") == "online"
    assert set(REFUSED) | set(STORED) | {"wrong_topic", "other_device", "stale_will"} == set(FAULTS)
