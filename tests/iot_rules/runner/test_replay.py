"""Replay over recorded days, from real rows."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from gateway.model.registry import Device
from gateway.store import events, registry
from gateway.store.pool import Database
from gateway.store.rules import RuleStore
from gateway.store.series import Reading, SeriesWriter
from iot_rules.engine.facts import Sampled
from iot_rules.rulefile.reader import read_rule_file
from iot_rules.rules import Rule
from iot_rules.runner.decider import Decider
from iot_rules.runner.replay import replay
from iot_rules.runner.rulebook import load_known
from tests.kit.clock import FakeClock
from tests.kit.community import AREA, HOME, registered
from tests.kit.rules import DOOR_ID, MINUTE, SMOKE_AND_DOOR, SMOKE_ID

BEGIN = datetime(2026, 7, 19, 20, 0, tzinfo=UTC)


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    async with registered(database_dsn) as connected:
        async with connected.transaction() as connection:
            await registry.put_device(connection, Device(DOOR_ID, AREA, HOME, None, "sensor", "入户门磁"))
        await record(connected)
        yield connected


async def record(database: Database) -> None:
    """A door that opened at 20:01 and closed at 20:11, seen again at 20:30 in a batch of history; smoke at 20:20."""
    rows = [
        Reading(BEGIN + minutes * MINUTE, DOOR_ID, "open", 1, seq, value, None, is_history)
        for seq, (minutes, value, is_history) in enumerate([(1, 1.0, False), (11, 0.0, False), (30, 1.0, True)])
    ]
    smoke_at = BEGIN + 20 * MINUTE
    async with database.transaction() as connection:
        await SeriesWriter().insert(connection, rows)
        event = events.DeviceEvent(SMOKE_ID, 1, 1, "01JZZZZZZZZZZZZZZZZZZZZZZZ", AREA, "smoke", smoke_at, smoke_at, {})
        await events.insert_event(connection, event)


async def rules_of(database: Database, text: str) -> tuple[Rule, ...]:
    return read_rule_file("rules.toml", text.encode(), (await load_known(database)).vocabulary).rules


async def test_a_file_is_played_over_recorded_rows(database: Database) -> None:
    """Doors and smoke of the series and the events are decided again, history not; nothing is written."""
    known = await load_known(database)
    rules = await rules_of(database, SMOKE_AND_DOOR)
    found = await replay(RuleStore(database), rules, (known.registry, known.vocabulary), BEGIN, BEGIN + 60 * MINUTE)
    said = [(one.deed, one.device_id, one.due_at - BEGIN) for one in found.only_now]
    assert said == [
        ("show_on_tv", DOOR_ID, MINUTE + timedelta(seconds=3)),
        ("clear_tv", DOOR_ID, 11 * MINUTE),
        ("alarm", SMOKE_ID, 20 * MINUTE),
        ("show_on_tv", SMOKE_ID, 20 * MINUTE),
    ]
    assert await database.fetchval("select count(*) from rule_wishes") == 0


async def test_what_was_decided_then_is_compared(database: Database) -> None:
    """The same decision is found again, and another duration shows what it would change."""
    known = await load_known(database)
    clock = FakeClock(BEGIN + MINUTE)
    decider = Decider(RuleStore(database), clock, lambda: None)
    await decider.load(await rules_of(database, SMOKE_AND_DOOR), known.registry)
    await decider.take(Sampled(DOOR_ID, 1, 0, clock.now(), {"open": True}))
    clock.advance(3)
    await decider.tick()

    async def against(text: str) -> tuple[int, int, int]:
        rules = await rules_of(database, text)
        until = BEGIN + 10 * MINUTE
        found = await replay(RuleStore(database), rules, (known.registry, known.vocabulary), BEGIN, until)
        return len(found.both), len(found.only_now), len(found.only_then)

    assert await against(SMOKE_AND_DOOR) == (1, 0, 0)
    assert await against(SMOKE_AND_DOOR.replace('"3 s"', '"5 min"')) == (0, 1, 1)
