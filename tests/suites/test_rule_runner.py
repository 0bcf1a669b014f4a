"""The rules' promises on Mosquitto with PostgreSQL 15 and on the embedded pair alike, through kills of the process."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from gateway.model.ids import new_ulid
from gateway.model.registry import Device
from gateway.store import events, registry
from gateway.store.pool import Database
from tests.kit import servers
from tests.kit.community import AREA, HOME, registered
from tests.kit.rule_runner import alarms, done, rows, running_rules, talking, wait_for
from tests.kit.rules import DOOR_ID, SMOKE_AND_DOOR, SMOKE_ID


@dataclass(frozen=True, slots=True)
class Pair:
    """A broker and a database with the community and a door sensor."""

    broker: servers.AnyBroker
    dsn: str
    database: Database


@pytest.fixture(params=["real", "embedded"])
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[Pair]:
    is_real = request.param == "real"
    broker: servers.AnyBroker = request.getfixturevalue("mosquitto" if is_real else "embedded_broker")
    dsn = request.getfixturevalue("database_dsn" if is_real else "embedded_database_dsn")
    async with registered(dsn) as database:
        async with database.transaction() as connection:
            await registry.put_device(connection, Device(DOOR_ID, AREA, HOME, None, "sensor", "入户门磁"))
        yield Pair(broker, dsn, database)


async def test_smoke_is_one_alarm_however_often_it_is_said(pair: Pair) -> None:
    """A smoke event delivered three times is one row in the ledger, with the event's own identity."""
    with running_rules(pair.broker, pair.dsn, SMOKE_AND_DOOR):
        async with talking(pair.broker, AREA, SMOKE_ID) as device:
            event = await device.event("smoke")
            await device.repeat()
            await wait_for(done(pair.database, "alarm"))
            await device.repeat()
            await device.report(battery=90.0)
            await wait_for(done(pair.database, "show_on_tv"))
    (row,) = await alarms(pair.database)
    assert (row["device_id"], row["boot"], row["seq"]) == (SMOKE_ID, event.boot, event.seq)
    assert (row["kind"], row["level"], row["source"], row["household_id"]) == ("smoke", 1, "rule", HOME)
    assert row["press_count"] == 1
    (message,) = await rows(pair.database, "SELECT * FROM tv_messages")()
    assert (message["household_id"], message["title"]) == (HOME, "烟感响了")


@pytest.mark.parametrize("place", ["after_wish_before_deed", "after_deed_before_done"])
async def test_a_kill_between_decision_and_deed_loses_and_doubles_nothing(pair: Pair, place: str) -> None:
    """SIGKILL after the commit and before the deed, or after the deed and before its mark: one alarm in the end."""
    with running_rules(pair.broker, pair.dsn, SMOKE_AND_DOOR, environment={"LINLI_FAILPOINT": place}) as runner:
        async with talking(pair.broker, AREA, SMOKE_ID) as device:
            await device.event("smoke")
            await asyncio.to_thread(runner.wait_until_killed)
            assert len(await alarms(pair.database)) == (place == "after_deed_before_done")
            runner.launch_again()
            await wait_for(done(pair.database, "alarm"))
            await wait_for(done(pair.database, "show_on_tv"))
    assert [row["press_count"] for row in await alarms(pair.database)] == [1]
    assert len(await rows(pair.database, "SELECT * FROM tv_messages")()) == 1


async def test_what_is_said_while_the_runner_is_dead_is_heard_when_it_is_back(pair: Pair) -> None:
    """The broker keeps what comes for a dead runner, and the alarm is raised when it lives again."""
    with running_rules(pair.broker, pair.dsn, SMOKE_AND_DOOR) as runner:
        async with talking(pair.broker, AREA, SMOKE_ID) as device:
            await asyncio.to_thread(runner.kill)
            await device.event("smoke")
            assert await alarms(pair.database) == []
            runner.launch_again()
            await wait_for(done(pair.database, "alarm"))
    assert len(await alarms(pair.database)) == 1


async def test_a_duration_survives_the_death_of_the_runner(pair: Pair) -> None:
    """A door that was open before a SIGKILL fires at its own time after it, counted from its opening, once."""
    with running_rules(pair.broker, pair.dsn, SMOKE_AND_DOOR) as runner:
        async with talking(pair.broker, AREA, DOOR_ID) as device:
            await device.report(open=True)
            (armed,) = await wait_for(rows(pair.database, "SELECT * FROM rule_episodes WHERE phase = 'armed'"))
            await asyncio.to_thread(runner.kill)
            runner.launch_again()
            (wish,) = await wait_for(done(pair.database, "show_on_tv"))
            assert wish["due_at"] == armed["due_at"] and wish["created_at"] >= armed["due_at"]
            await device.report(open=False)
            await wait_for(done(pair.database, "clear_tv"))
    (message,) = await rows(pair.database, "SELECT title, expires_at < now() AS is_gone FROM tv_messages")()
    assert message == {"title": "门开着", "is_gone": True}


async def test_an_event_that_the_broker_lost_is_found_in_the_database(pair: Pair) -> None:
    """What the gateway has recorded reaches the rules also when the broker forgot what it kept for them."""
    now = datetime.now(UTC)
    with running_rules(pair.broker, pair.dsn, SMOKE_AND_DOOR):
        said = events.DeviceEvent(SMOKE_ID, 3, 17, new_ulid(now), AREA, "smoke", now, datetime.now(UTC), {})
        async with pair.database.transaction() as connection:
            await events.insert_event(connection, said)
        await wait_for(done(pair.database, "alarm"))
    (row,) = await alarms(pair.database)
    assert (row["boot"], row["seq"], row["event_id"]) == (3, 17, said.event_id)
