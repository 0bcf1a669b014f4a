"""The rules' program on a real broker and a real database: once, and for ever, whatever is killed."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator

import pytest

from gateway.contract.topics import TopicKind
from gateway.model.registry import Device
from gateway.store import registry
from gateway.store.pool import Database
from gateway.store.rules import RuleStore
from tests.kit import servers
from tests.kit.community import AREA, HOME, OTHER_AREA, registered
from tests.kit.rule_runner import RuleProcess, alarms, done, rows, running_rules, talking, wait_for
from tests.kit.rules import DOOR_ID, SMOKE_AND_DOOR, SMOKE_ID


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    async with registered(database_dsn) as connected:
        async with connected.transaction() as connection:
            await registry.put_device(connection, Device(DOOR_ID, AREA, HOME, None, "sensor", "入户门磁"))
        yield connected


async def test_what_fell_due_in_the_outage_says_how_late_it_is(
    mosquitto: servers.Mosquitto, database: Database, database_dsn: str
) -> None:
    """A duration that ended while the runner was dead fires when it is back, and its trace has the lateness."""
    with running_rules(mosquitto, database_dsn, SMOKE_AND_DOOR) as runner:
        async with talking(mosquitto, AREA, DOOR_ID) as device:
            await device.report(open=True)
            await wait_for(rows(database, "SELECT * FROM rule_episodes WHERE phase = 'armed'"))
            await asyncio.to_thread(runner.kill)
            await asyncio.sleep(4)
            runner.launch_again()
            (wish,) = await wait_for(done(database, "show_on_tv"))
    (trace,) = [one for one in await RuleStore(database).traces("door-open") if one.outcome == "fired"]
    assert wish["late_s"] == trace.late_s > 0.9


async def test_a_door_that_closed_in_the_outage_fires_nothing(
    mosquitto: servers.Mosquitto, database: Database, database_dsn: str
) -> None:
    """The closing, said to the broker in time, is heard before the overdue duration is looked at."""
    with running_rules(mosquitto, database_dsn, SMOKE_AND_DOOR) as runner:
        async with talking(mosquitto, AREA, DOOR_ID) as device:
            await device.report(open=True)
            await wait_for(rows(database, "SELECT * FROM rule_episodes WHERE phase = 'armed'"))
            await asyncio.to_thread(runner.kill)
            await device.report(open=False)
            await asyncio.sleep(4)
            runner.launch_again()
            await wait_for(rows(database, "SELECT * FROM rule_episodes WHERE phase = 'idle'"))
            await asyncio.sleep(1)
    assert await rows(database, "SELECT * FROM rule_wishes")() == []


async def test_a_broken_rule_file_is_refused_while_the_old_rules_run(
    mosquitto: servers.Mosquitto, database: Database, database_dsn: str
) -> None:
    """A file with a unit error changes nothing but the log, which names line and cure; a good one is taken."""
    with running_rules(mosquitto, database_dsn, SMOKE_AND_DOOR) as runner:
        good = SMOKE_AND_DOOR.replace("门开着", "门还开着")
        runner.rule_file().write_text(SMOKE_AND_DOOR.replace('"3 s"', '"3"'), encoding="utf-8")
        await wait_for(lambda: _says(runner, "rule_file_refused"))
        async with talking(mosquitto, AREA, SMOKE_ID) as device:
            await device.event("smoke")
            await wait_for(done(database, "alarm"))
        runner.rule_file().write_text(good, encoding="utf-8")
        runner.process.send_signal(signal.SIGHUP)
        await wait_for(lambda: _says(runner, "rules_loaded", 2))
        log = runner.log()
    (said, *_) = [line for line in log.splitlines() if "rule_file_refused" in line]
    problem = json.loads(said)["problem"]
    assert problem.startswith("rules.toml:12:") and 'Write "3 min" or "3 s".' in problem


async def test_a_reload_keeps_the_timers_of_unchanged_rules(
    mosquitto: servers.Mosquitto, database: Database, database_dsn: str
) -> None:
    """A new text for the television does not begin the three seconds again."""
    with running_rules(mosquitto, database_dsn, SMOKE_AND_DOOR) as runner:
        async with talking(mosquitto, AREA, DOOR_ID) as device:
            await device.report(open=True)
            (armed,) = await wait_for(rows(database, "SELECT * FROM rule_episodes WHERE phase = 'armed'"))
            runner.rule_file().write_text(SMOKE_AND_DOOR.replace("门开着", "门还开着"), encoding="utf-8")
            (wish,) = await wait_for(done(database, "show_on_tv"))
    assert wish["due_at"] == armed["due_at"] and wish["payload"]["title"] == "门还开着"


async def test_what_is_wrong_is_counted_and_the_next_good_message_goes_through(
    mosquitto: servers.Mosquitto, database: Database, database_dsn: str
) -> None:
    """Broken JSON, NaN, a stranger, the wrong area and what no database holds change nothing and stop nothing."""
    with running_rules(mosquitto, database_dsn, SMOKE_AND_DOOR):
        async with talking(mosquitto, AREA, "stranger-1") as stranger:
            await stranger.event("smoke")
        async with talking(mosquitto, AREA, SMOKE_ID) as device:
            for payload in (b"{", b"\xff", b'{"ts":1,"boot":1,"seq":1,"p":{"temp":NaN}}', b"[]", b"x" * 70_000):
                await device.raw(payload)
            await device.report(open="\x00 is no text for PostgreSQL")
            await device.event("smoke")
            await device.raw(device.sent[-1][1].replace(b'"seq":1', b'"seq":99'), TopicKind.UP_EVT, OTHER_AREA)
            await wait_for(done(database, "alarm"))
    assert [row["device_id"] for row in await alarms(database)] == [SMOKE_ID]


async def _says(runner: RuleProcess, event: str, times: int = 1) -> bool:
    return runner.log().count(event) >= times


async def test_it_stops_when_it_is_told_to(mosquitto: servers.Mosquitto, database: Database, database_dsn: str) -> None:
    """SIGTERM ends the program with code 0."""
    with running_rules(mosquitto, database_dsn, SMOKE_AND_DOOR) as runner:
        assert runner.rules == 2
        assert await asyncio.to_thread(runner.stop) == 0
