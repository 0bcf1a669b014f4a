"""Programs mean the same moment when they write a deadline, whatever their machines' clocks say."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from gateway.runtime.clock import SteadyClock, SystemClock
from gateway.store.pool import Database
from gateway.store.timekeeper import Timekeeper


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    database = Database(database_dsn, max_size=1)
    await database.start()
    yield database
    await database.stop()


def apart_s(clock: SteadyClock) -> float:
    return abs((clock.now() - datetime.now(UTC)).total_seconds())


@pytest.mark.parametrize("wrong_s", [-3600.0, 3600.0, -315_360_000.0])
async def test_a_program_with_a_wrong_clock_takes_the_databases_time(database: Database, wrong_s: float) -> None:
    """An hour or ten years off: after the start it is right to a tenth of a second."""
    clock = SteadyClock()
    clock.align(datetime.now(UTC) + timedelta(seconds=wrong_s))
    keeper = Timekeeper(database, clock)
    await keeper.start()
    await keeper.stop()
    assert apart_s(clock) < 0.5


async def test_a_jump_while_it_runs_is_told_and_not_followed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a second of drift is taken over, an hour is not: deadlines that stand would move by an hour."""
    clock = SteadyClock()
    keeper = Timekeeper(database, clock)
    monkeypatch.setattr("gateway.store.timekeeper.LOOK_EVERY_S", 0.0)
    for away_s, is_followed in ((0.5, True), (3600.0, False)):
        clock.align(datetime.now(UTC) + timedelta(seconds=away_s))
        await keeper._compare(at_start=False)
        assert (apart_s(clock) < 0.3) is is_followed
        assert abs(float(keeper.statistics()["skew_s"])) > away_s / 2


async def test_without_a_database_the_machines_own_time_stands() -> None:
    """The start of a program does not wait for it."""
    clock = SteadyClock()
    keeper = Timekeeper(Database("postgresql://nobody@127.0.0.1:1/none"), clock)
    await keeper.start()
    await keeper.stop()
    assert apart_s(clock) < 0.5


def test_a_steady_clock_goes_on_like_any_other() -> None:
    """It never stands still and never runs away from the machine's."""
    clock, other = SteadyClock(), SystemClock()
    first = clock.now()
    assert abs((clock.now() - other.now()).total_seconds()) < 0.2
    assert clock.now() >= first
    assert clock.monotonic_s() <= clock.monotonic_s()
