"""Who is on duty: exact to the second, by area, and red where nobody is."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from gateway.model.errors import BadInput
from gateway.model.registry import Area
from gateway.store import duty, registry
from gateway.store.duty import Shift
from gateway.store.pool import Database
from tests.kit.clock import BEGINNING
from tests.kit.community import AREA, OTHER_AREA, registered

STREET = "110105001000"
HOURS = timedelta(hours=1)


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    async with registered(database_dsn) as one:
        async with one.transaction() as connection:
            await registry.put_area(connection, Area(STREET, "双井街道", "Shuangjing"))
        yield one


def shift(number: int, begins_at: datetime, hours: float = 12, *, area_id: str = AREA, role: str = "operator") -> Shift:
    ends_at = begins_at + hours * HOURS
    return Shift(f"shift-{number}", area_id, f"值班员{number}", "13800000000", role, begins_at, ends_at)


async def put(database: Database, *shifts: Shift) -> None:
    async with database.transaction() as connection:
        await duty.add_shifts(connection, shifts)


async def test_an_area_without_a_shift_keeps_no_roster(database: Database) -> None:
    """No roster is not the same as nobody on duty: such an area is asked by its desk alone."""
    state = await duty.roster_state(database, [AREA, STREET], BEGINNING)
    assert state == {AREA: (False, ()), STREET: (False, ())}
    assert not await duty.keeps_roster(database, AREA)
    assert await duty.gaps(database, "110105", BEGINNING) == []


async def test_a_shift_begins_with_its_first_moment_and_ends_before_its_last(database: Database) -> None:
    """Two shifts that meet leave neither a gap nor two people; afterwards the roster stands and nobody is there."""
    await put(database, shift(1, BEGINNING), shift(2, BEGINNING + 12 * HOURS))
    moments = (BEGINNING - timedelta(microseconds=1), BEGINNING, BEGINNING + 12 * HOURS, BEGINNING + 24 * HOURS)
    named = [(await duty.roster_state(database, [AREA], moment))[AREA] for moment in moments]
    assert named == [(True, ()), (True, ("值班员1",)), (True, ("值班员2",)), (True, ())]
    assert [[one.shift_id for one in await duty.on_duty(database, AREA, moment)] for moment in moments] == [
        [],
        ["shift-1"],
        ["shift-2"],
        [],
    ]
    assert await duty.gaps(database, "110105", BEGINNING) == []
    assert await duty.gaps(database, "110105", BEGINNING + 24 * HOURS) == [(AREA, "柳湾社区")]
    assert await duty.gaps(database, OTHER_AREA, BEGINNING + 24 * HOURS) == []


async def test_one_query_answers_for_every_level_of_the_chain(database: Database) -> None:
    """Community, street and an area that nobody knows are answered together, each for itself alone."""
    await put(database, shift(1, BEGINNING, area_id=STREET), shift(2, BEGINNING + 12 * HOURS))
    state = await duty.roster_state(database, [AREA, STREET, "999999999999"], BEGINNING)
    assert state == {AREA: (True, ()), STREET: (True, ("值班员1",)), "999999999999": (False, ())}
    assert await duty.keeps_roster(database, STREET) and not await duty.keeps_roster(database, OTHER_AREA)


async def test_supervisors_stand_first(database: Database) -> None:
    """Who may close is named before who may sign."""
    await put(database, shift(1, BEGINNING), shift(2, BEGINNING, role="supervisor"))
    assert [one.role for one in await duty.on_duty(database, AREA, BEGINNING)] == ["supervisor", "operator"]


async def test_the_weeks_shifts_are_those_that_touch_it(database: Database) -> None:
    """A shift that only ends in the week is in it; one that ends as it begins is not."""
    week = (BEGINNING, BEGINNING + 168 * HOURS)
    await put(
        database,
        shift(1, BEGINNING - 12 * HOURS),
        shift(2, BEGINNING - 6 * HOURS),
        shift(3, week[1] - HOURS),
        shift(4, week[1]),
        shift(5, BEGINNING, area_id=STREET),
    )
    found = await duty.list_shifts(database, "110105001", *week)
    assert [one.shift_id for one in found] == ["shift-5", "shift-2", "shift-3"]
    assert found[0].area_name == "双井街道"


async def test_a_shift_is_removed_once(database: Database) -> None:
    """The second removal tells that there is nothing left."""
    await put(database, shift(1, BEGINNING))
    stored = await duty.find_shift(database, "shift-1")
    assert stored is not None and stored.person_name == "值班员1"
    assert [await duty.remove_shift(database, "shift-1") for _ in range(2)] == [True, False]
    assert await duty.find_shift(database, "shift-1") is None


async def test_the_database_refuses_what_is_no_shift(database: Database) -> None:
    """An end before its begin and an unknown area are refused together with all that came with them."""
    for bad in (shift(2, BEGINNING, -1), shift(2, BEGINNING, area_id="999999999999")):
        with pytest.raises(BadInput):
            await put(database, shift(1, BEGINNING), bad)
    assert await duty.find_shift(database, "shift-1") is None
