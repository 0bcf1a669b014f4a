import pytest

from gateway.contract import topics
from gateway.ingest.roster import Roster
from gateway.model.errors import BadInput
from gateway.model.registry import Device
from gateway.store import registry
from tests.kit.clock import FakeClock
from tests.kit.community import AREA, OTHER_AREA, registered


async def test_a_device_registered_a_moment_ago_is_no_stranger(database_dsn: str) -> None:
    """The copy may be old: an unknown id is looked up before it is refused."""
    async with registered(database_dsn) as database:
        roster = Roster(database, FakeClock())
        await roster.load()
        async with database.transaction() as connection:
            await registry.put_device(connection, Device("new-1", AREA, None, None, "sensor"))
        found = await roster.recognise(topics.parse(topics.up_tele(AREA, "new-1")))
        assert found.device_id == "new-1"


@pytest.mark.parametrize(
    ("area", "device", "reason"), [(AREA, "nobody", "unknown_device"), (OTHER_AREA, "sos-0301", "area_mismatch")]
)
async def test_strangers_and_liars_are_named(database_dsn: str, area: str, device: str, reason: str) -> None:
    """Who is not registered, or not in the area that the topic says, is refused under its own reason."""
    async with registered(database_dsn) as database:
        roster = Roster(database, FakeClock())
        await roster.load()
        with pytest.raises(BadInput) as refused:
            await roster.recognise(topics.parse(topics.up_tele(area, device)))
        assert refused.value.reason == reason
