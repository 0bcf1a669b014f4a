from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from gateway.store.pool import Database
from gateway.store.video import Stay, health_between, prune_health, write_health

NOON = datetime(2026, 7, 20, 12, tzinfo=UTC)


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    database = Database(database_dsn, min_size=1, max_size=2)
    await database.start()
    yield database
    await database.stop()


def a_stay(state: str, minutes: int, reason: str = "because") -> Stay:
    return Stay("cam-1", state, reason, NOON + timedelta(minutes=minutes), None)


async def written(database: Database) -> list[tuple[str, datetime, datetime | None]]:
    stays = await health_between(database, "cam-1", NOON - timedelta(days=1), NOON + timedelta(days=1))
    return [(stay.state, stay.since, stay.until) for stay in stays]


async def test_new_state_ends_the_one_before(database: Database) -> None:
    """A camera's stays follow each other without a gap, and only the last one is open."""
    for stay in (a_stay("live", 0), a_stay("frozen", 3), a_stay("live", 5)):
        await write_health(database, stay)
    at = [NOON + timedelta(minutes=minutes) for minutes in (0, 3, 5)]
    assert await written(database) == [("live", at[0], at[1]), ("frozen", at[1], at[2]), ("live", at[2], None)]


async def test_same_state_twice_is_one_stay(database: Database) -> None:
    """A desk that starts again and finds a camera as it was adds nothing."""
    await write_health(database, a_stay("live", 0))
    await write_health(database, a_stay("live", 7))
    assert await written(database) == [("live", NOON, None)]


async def test_state_that_began_before_the_last_one_ended_is_put_behind_it(database: Database) -> None:
    """Two desks whose clocks differ leave one line of stays, never two that overlap."""
    await write_health(database, a_stay("live", 5))
    await write_health(database, a_stay("late", 3))
    five = NOON + timedelta(minutes=5)
    assert await written(database) == [("live", five, five), ("late", five, None)]


async def test_old_stays_are_forgotten_and_open_ones_kept(database: Database) -> None:
    """Pruning takes what ended before the moment and never the open stay."""
    for stay in (a_stay("live", 0), a_stay("dark", 3), a_stay("live", 5)):
        await write_health(database, stay)
    await prune_health(database, NOON + timedelta(minutes=4))
    assert [state for state, _, _ in await written(database)] == ["dark", "live"]
