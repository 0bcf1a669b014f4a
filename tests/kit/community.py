"""A small community for tests: one area, two homes, a button, a meter, a smoke detector."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.model.people import Person
from gateway.model.registry import Area, Camera, Device, Household
from gateway.store import registry
from gateway.store.pool import Database

AREA = "110105001001"
OTHER_AREA = "110105001002"
HOME = "hh-0301"
TOKEN = "token-of-hh-0301-token"
OPERATOR = Person("p-zhou", "zhoumin", "周敏", frozenset({"operator"}), AREA)
SECOND = Person("p-li", "liqiang", "李强", frozenset({"operator"}), AREA)
STRANGER = Person("p-far", "far", "远方", frozenset({"operator"}), "330106001001")

DEVICES = (
    Device("stb-0301", AREA, HOME, None, "stb", "机顶盒"),
    Device("sos-0301", AREA, HOME, None, "button", "报警按钮"),
    Device("smoke-0301", AREA, HOME, None, "sensor", "烟感"),
    Device("meter-0301", AREA, HOME, None, "meter", "电表"),
    Device("stb-0302", AREA, "hh-0302", None, "stb", "机顶盒"),
    Device("air-01", AREA, None, None, "sensor", "空气站"),
)


async def register(database: Database) -> None:
    """Write the community into an empty registry."""
    async with database.transaction() as connection:
        await registry.put_area(connection, Area(AREA, "柳湾社区", "Liuwan"))
        await registry.put_area(connection, Area(OTHER_AREA, "河西社区", "Hexi"))
        for number in (301, 302):
            await registry.put_household(connection, home(number))
        await registry.put_camera(connection, Camera("cam-08", AREA, "3号楼门", "", 30, 40, 0, 90, 30, "testcard:8"))
        for device in DEVICES:
            await registry.put_device(connection, device)
        await registry.notify_registry(connection)


def home(number: int) -> Household:
    """Return the household `hh-0<number>`."""
    return Household(
        household_id=f"hh-0{number}",
        area_id=AREA,
        building="3号楼",
        unit="2单元",
        room=str(number),
        address=f"3号楼 2单元 {number}",
        resident_name="王桂兰",
        resident_note={"age": 78},
        map_x=30.0,
        map_y=50.0,
        tv_token=f"token-of-hh-0{number}-token",
    )


@asynccontextmanager
async def registered(dsn: str) -> AsyncIterator[Database]:
    """Connect to a migrated database and register the community."""
    database = Database(dsn, max_size=12)
    await database.start()
    try:
        await register(database)
        yield database
    finally:
        await database.stop()
