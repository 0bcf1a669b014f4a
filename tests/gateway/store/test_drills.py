"""Drills: an outer area's drill covers its communities, and ends when somebody ends it."""

from datetime import timedelta

import pytest

from gateway.model.errors import BadInput
from gateway.model.registry import Area
from gateway.store import drills, registry
from gateway.store.drills import Drill
from gateway.store.pool import Database
from tests.kit.clock import BEGINNING
from tests.kit.community import AREA, OTHER_AREA, registered

STREET = "110105001000"
HOUR = timedelta(hours=1)


def drill(name: str = "drill-1", area_id: str = AREA, hours: float = 1) -> Drill:
    return Drill(name, area_id, BEGINNING, BEGINNING + hours * HOUR, "夏季演练", "陈队")


async def put_street(database: Database) -> None:
    async with database.transaction() as connection:
        await registry.put_area(connection, Area(STREET, "双井街道", "Shuangjing"))


async def test_a_drill_covers_its_time_and_its_area(database_dsn: str) -> None:
    """It begins with its first moment, ends before its last, and leaves the neighbours alone."""
    async with registered(database_dsn) as database:
        await drills.start_drill(database, drill())
        moments = (BEGINNING - timedelta(microseconds=1), BEGINNING, BEGINNING + HOUR)
        found = [await drills.active_drill(database, AREA, moment) for moment in moments]
        assert found == [None, "drill-1", None]
        assert await drills.active_drill(database, OTHER_AREA, BEGINNING) is None


@pytest.mark.parametrize("outer", [STREET, "110105000000", "110000000000"])
async def test_an_outer_drill_covers_its_communities(database_dsn: str, outer: str) -> None:
    """A street's drill is every community's drill; a community's drill is not the street's."""
    async with registered(database_dsn) as database:
        async with database.transaction() as connection:
            await registry.put_area(connection, Area(outer, "上级", "Outer"))
        await drills.start_drill(database, drill(area_id=outer))
        assert await drills.active_drill(database, AREA, BEGINNING) == "drill-1"
        assert [one.drill_id for one in await drills.list_drills(database, AREA)] == ["drill-1"]


async def test_a_communitys_drill_is_not_the_streets(database_dsn: str) -> None:
    """What is practice in one community is an alarm next door and above."""
    async with registered(database_dsn) as database:
        await put_street(database)
        await drills.start_drill(database, drill())
        assert await drills.active_drill(database, STREET, BEGINNING) is None
        assert [one.drill_id for one in await drills.list_drills(database, STREET)] == ["drill-1"]
        assert await drills.list_drills(database, OTHER_AREA) == []


async def test_an_ended_drill_is_over_at_once_and_ends_once(database_dsn: str) -> None:
    """Ending it at its very first moment works too; a second end changes nothing, not even the name."""
    async with registered(database_dsn) as database:
        await drills.start_drill(database, drill())
        assert await drills.end_drill(database, "drill-1", BEGINNING, "李强")
        assert not await drills.end_drill(database, "drill-1", BEGINNING, "周敏")
        assert not await drills.end_drill(database, "no such", BEGINNING, "周敏")
        assert await drills.active_drill(database, AREA, BEGINNING + timedelta(microseconds=2)) is None
        ended = await drills.find_drill(database, "drill-1")
        assert ended is not None and ended.ended_by == "李强" and not ended.runs(BEGINNING)
        assert ended.ends_at < BEGINNING + timedelta(seconds=1)


async def test_a_drill_that_ran_out_cannot_be_ended(database_dsn: str) -> None:
    """Its end is on record as it was planned."""
    async with registered(database_dsn) as database:
        await drills.start_drill(database, drill())
        assert not await drills.end_drill(database, "drill-1", BEGINNING + HOUR, "李强")
        with pytest.raises(BadInput):
            await drills.start_drill(database, drill("drill-2", hours=-1))
