from pathlib import Path

import pytest

from gateway import registration
from gateway.contract.signing import alarm_key
from gateway.model.errors import ConfigurationError
from gateway.store import registry
from gateway.store.pool import Database
from tests.kit.servers import REPOSITORY

AREA = "110105001001"
VILLAGE = REPOSITORY / "firmware_stubs" / "villages" / "liuwan.toml"


async def test_registering_twice_changes_nothing(database_dsn: str) -> None:
    """The second time a household keeps the token that its box already has."""
    community = registration.read(VILLAGE)
    await registration.register(database_dsn, community)
    database = Database(database_dsn)
    await database.start()
    before = await registry.households(database, "110105001001")
    assert await registration.register(database_dsn, community) == {"households": 8, "devices": 21, "cameras": 8}
    assert await registry.households(database, "110105001001") == before
    area = await registry.area(database, "110105001001")
    assert area is not None
    assert area.plan["shapes"]
    await database.stop()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[community]\narea_id = "11"\nname = "x"\n', "community.area_id"),
        ('[community]\narea_id = "110105001001"\nnmae = "x"\n', "community.name"),
        (
            '[community]\narea_id = "110105001001"\nname = "x"\n[[device]]\nid = "a"\nkind = "stb"\nhousehold = "h9"\n',
            "unknown household 'h9'",
        ),
        (
            '[community]\narea_id = "110105001001"\nname = "x"\n'
            '[[device]]\nid = "a"\nkind = "stb"\n[[device]]\nid = "a"\nkind = "stb"\n',
            "'a' stands twice",
        ),
    ],
)
def test_a_mistake_in_a_community_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    """The refusal says which entry is wrong."""
    path = tmp_path / "village.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        registration.read(path)
    assert said in str(refused.value)


def test_an_open_port_is_filled_in() -> None:
    """`{port}` of the file becomes the first port of the imitated cameras, `{port+1}` the next."""
    sources = {camera.source for camera in registration.read(VILLAGE, camera_port=24000).camera}
    assert {"rtsp://127.0.0.1:24000/stream", "http://127.0.0.1:24001/mjpeg"} <= sources
    assert not any("{" in source for source in sources)


async def test_a_device_with_a_password_gets_the_key_of_its_alarms(database_dsn: str) -> None:
    """The key is made from the password; without one there is no key, and registering again takes none away."""
    community = registration.read(VILLAGE)
    await registration.register(database_dsn, community, {"stb-0301": "secret", "stranger": "x"})
    await registration.register(database_dsn, community)
    database = Database(database_dsn)
    await database.start()
    devices = {device.device_id: device for device in await registry.devices(database, AREA)}
    await database.stop()
    assert devices["stb-0301"].alarm_key == alarm_key("stb-0301", "secret")
    assert {name for name, device in devices.items() if device.alarm_key} == {"stb-0301"}
    assert "alarm_key" not in repr(devices["stb-0301"])


async def test_silent_keys_come_from_the_file_and_stay_where_it_names_none(database_dsn: str) -> None:
    """The file sets them; a file without them leaves what was set by hand, and nobody reads them in a log."""
    await registration.register(database_dsn, registration.read(VILLAGE))
    database = Database(database_dsn)
    await database.start()
    assert await registry.write_silent_keys(database, "hh-0301", "13579")
    assert not await registry.write_silent_keys(database, "nobody", "13579")
    await registration.register(database_dsn, registration.read(VILLAGE))
    homes = {home.household_id: home for home in await registry.households(database, AREA)}
    assert (homes["hh-0301"].silent_keys, homes["hh-0302"].silent_keys) == ("13579", "2580")
    assert homes["hh-0303"].silent_keys == ""
    assert "2580" not in repr(homes["hh-0302"])
    await database.stop()


@pytest.mark.parametrize("digits", ["123", "123456789", "12a4", " 1234"])
def test_silent_keys_are_four_to_eight_digits(tmp_path: Path, digits: str) -> None:
    """A file with another sequence is refused by its place."""
    path = tmp_path / "village.toml"
    path.write_text(
        f'[community]\narea_id = "{AREA}"\nname = "x"\n'
        f'[[household]]\nid = "h-1"\naddress = "x"\nsilent_keys = "{digits}"\n'
    )
    with pytest.raises(ConfigurationError) as refused:
        registration.read(path)
    assert "silent_keys" in str(refused.value)


async def test_a_changed_password_is_a_changed_key(database_dsn: str) -> None:
    """At every start of the gateway the keys follow the passwords; devices without one keep what they have."""
    await registration.register(database_dsn, registration.read(VILLAGE), {"stb-0301": "old", "sos-0301": "kept"})
    database = Database(database_dsn)
    await database.start()
    for passwords in ({}, {"stb-0301": "new"}):
        async with database.transaction() as connection:
            await registration.give_keys(connection, passwords)
    keys = {device.device_id: device.alarm_key for device in await registry.devices(database, AREA)}
    await database.stop()
    assert keys["stb-0301"] == alarm_key("stb-0301", "new")
    assert keys["sos-0301"] == alarm_key("sos-0301", "kept")
