import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.alarms.auditor import Auditor, AuditorSettings, Verdict
from gateway.alarms.escalator import Escalator
from gateway.alarms.ledger import AlarmLedger
from gateway.model.alarms import Action, Alarm, AlarmState, Delays, Outcome, Press
from gateway.model.alarms import Verdict as Seen
from gateway.model.ids import new_ulid
from gateway.runtime.clock import SystemClock
from gateway.runtime.service import running
from gateway.store import hooks
from gateway.store.pool import Database
from tests.kit.clock import FakeClock
from tests.kit.community import AREA, OPERATOR, registered

GRACE_S = 20.0


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    async with registered(database_dsn) as database:
        yield database


@pytest.fixture
def ledger(database: Database, clock: FakeClock) -> AlarmLedger:
    return AlarmLedger(database, clock)


@pytest.fixture
def engine(ledger: AlarmLedger, clock: FakeClock) -> Escalator:
    return Escalator(ledger, clock)


def auditor(database: Database, ledger: AlarmLedger, clock: FakeClock) -> Auditor:
    return Auditor(database, ledger, clock, area_id=AREA, settings=AuditorSettings(grace_s=GRACE_S))


@pytest.fixture
async def watching(database: Database, ledger: AlarmLedger, clock: FakeClock) -> Auditor:
    """An auditor that has looked long enough to be believed."""
    made = auditor(database, ledger, clock)
    # Receipts are the outbox's work; here they count as sent, but for the one test about them.
    await database.execute(
        "create function send() returns trigger language plpgsql as"
        " $$ begin new.done_at := new.created_at; return new; end $$"
    )
    await database.execute("create trigger sent before insert on outbox for each row execute function send()")
    await look_for(made, clock, GRACE_S + 2)
    return made


async def look_for(watching: Auditor, clock: FakeClock, seconds: float, engine: Escalator | None = None) -> None:
    """Let time pass two seconds at a time, with a look after each, and an engine that works where there is one."""
    for _ in range(int(seconds / 2)):
        clock.advance(2)
        if engine is not None:
            await engine.fire_once()
        await watching.look()


async def press(ledger: AlarmLedger, clock: FakeClock, seq: int = 1) -> Alarm:
    said = Press("sos-0301", 7, seq, "sos", "https", new_ulid(clock.now()), clock.now())
    return await ledger.alarm((await ledger.raise_alarm(said)).alarm_id)


async def own_alarms(database: Database) -> list[tuple[str, str, int]]:
    """Return (kind, state, presses) of what the platform raised about itself."""
    found = await database.fetch("select * from alarms where source = 'platform' order by raised_at, alarm_id")
    return [(row["kind"], row["state"], row["press_count"]) for row in found]


async def notes(database: Database) -> list[str]:
    found = await database.fetch("select details from alarm_events where kind = 'note' order by event_id")
    return [row["details"]["note"] for row in found]


async def test_a_dead_engine_is_one_alarm(
    watching: Auditor, database: Database, ledger: AlarmLedger, clock: FakeClock
) -> None:
    """With timers overdue and nothing that fires them, one alarm comes within seconds of the slack, and stays one."""
    await press(ledger, clock)
    await look_for(watching, clock, 14)
    assert await own_alarms(database) == []
    assert watching.verdict() == Verdict("good", "escalation_on_time")
    await look_for(watching, clock, 4)
    assert await own_alarms(database) == [("engine_dead", "raised", 1)]
    assert watching.verdict().level == "lost"
    await look_for(watching, clock, 120)
    assert await own_alarms(database) == [("engine_dead", "raised", 1)]
    assert {finding.kind for finding in watching.findings()} == {"engine_dead"}


async def test_a_living_engine_is_no_finding(
    watching: Auditor, database: Database, ledger: AlarmLedger, engine: Escalator, clock: FakeClock
) -> None:
    """An alarm that nobody touches goes through its whole chain on time, is signed late, expires: never an alarm."""
    alarm = await press(ledger, clock)
    await look_for(watching, clock, 150, engine)
    alarm = await ledger.alarm(alarm.alarm_id)
    assert alarm.escalation_level == 3
    await ledger.step(alarm.alarm_id, Action.ACKNOWLEDGE, by=OPERATOR, version=alarm.version)
    await look_for(watching, clock, 500, engine)
    assert (await ledger.alarm(alarm.alarm_id)).state is AlarmState.NOTIFIED
    assert await own_alarms(database) == []
    assert watching.findings() == ()


async def test_a_late_signature_that_expired_is_counted_from_its_expiry(
    watching: Auditor, database: Database, ledger: AlarmLedger, engine: Escalator, clock: FakeClock
) -> None:
    """An alarm that was signed in time and fell back begins a new round; its old age is no finding."""
    alarm = await press(ledger, clock)
    await ledger.step(alarm.alarm_id, Action.ACKNOWLEDGE, by=OPERATOR, version=alarm.version)
    await look_for(watching, clock, 306, engine)
    fallen = await ledger.alarm(alarm.alarm_id)
    assert (fallen.state, fallen.escalation_level) == (AlarmState.NOTIFIED, 0)
    await look_for(watching, clock, 100, engine)
    assert (await ledger.alarm(alarm.alarm_id)).escalation_level > 0
    assert await own_alarms(database) == []


async def test_an_auditor_that_was_killed_goes_on_with_the_same_incident(
    watching: Auditor, database: Database, ledger: AlarmLedger, clock: FakeClock
) -> None:
    """A new process without any memory, and a second one beside it, raise nothing again, whatever is oldest now."""
    alarm = await press(ledger, clock)
    await look_for(watching, clock, 30)
    assert len(await own_alarms(database)) == 1
    await ledger.step(alarm.alarm_id, Action.ACKNOWLEDGE, by=OPERATOR, version=alarm.version)
    after_kill, beside = auditor(database, ledger, clock), auditor(database, ledger, clock)
    for one in (after_kill, beside):
        await look_for(one, clock, 60)
        assert one.verdict().level == "lost"
    assert await own_alarms(database) == [("engine_dead", "raised", 1)]


async def test_its_own_alarm_does_not_breed_when_people_resolve_it(
    watching: Auditor, database: Database, ledger: AlarmLedger, clock: FakeClock
) -> None:
    """Resolved while the engine is still dead: the dot goes on saying it, the same finding rings no more."""
    await press(ledger, clock)
    await look_for(watching, clock, 30)
    alarm_id = await database.fetchval("select alarm_id from alarms where source = 'platform'")
    for action in (Action.ACKNOWLEDGE, Action.VERIFY, Action.RESOLVE):
        version = (await ledger.alarm(alarm_id)).version
        await ledger.step(
            alarm_id, action, by=OPERATOR, version=version, note="重启了网关",
            verdict=Seen.TRUE if action is Action.VERIFY else None,
            outcome=Outcome.TRUE if action is Action.RESOLVE else None,
        )  # fmt: skip
    await look_for(watching, clock, 30)
    await look_for(auditor(database, ledger, clock), clock, 40)
    assert await own_alarms(database) == [("engine_dead", "resolved", 1)]
    assert watching.findings() != ()


async def test_the_end_is_noted_once_and_a_new_death_rings_again(
    watching: Auditor, database: Database, ledger: AlarmLedger, engine: Escalator, clock: FakeClock
) -> None:
    """When the engine is back, its alarm says so in its history; the next death is a new press on it."""
    await press(ledger, clock)
    await look_for(watching, clock, 30)
    await look_for(watching, clock, 40, engine)
    assert watching.verdict().level == "good"
    assert await notes(database) == ["升级恢复正常"]
    await look_for(auditor(database, ledger, clock), clock, 40, engine)
    assert await notes(database) == ["升级恢复正常"]
    await ledger.raise_alarm(Press("stb-0302", 1, 1, "sos", "https", new_ulid(clock.now()), clock.now()))
    await look_for(watching, clock, 60)
    assert await own_alarms(database) == [("engine_dead", "raised", 2)]


async def test_the_database_away_is_no_finding(
    watching: Auditor, database: Database, ledger: AlarmLedger, engine: Escalator, clock: FakeClock
) -> None:
    """Without a database nothing is known; when it is back, the engine is given time to catch up."""
    await press(ledger, clock)
    await database.stop()
    await look_for(watching, clock, 60)
    assert watching.verdict() == Verdict("unknown", "auditor_blind")
    await database.start()
    await look_for(watching, clock, 14)
    assert watching.verdict().level == "lost"
    assert await own_alarms(database) == []
    await look_for(watching, clock, 60, engine)
    assert await own_alarms(database) == []
    assert watching.verdict().level == "good"


async def test_an_auditor_that_looks_no_more_says_that_it_knows_nothing(watching: Auditor, clock: FakeClock) -> None:
    """What was good a while ago is not good now."""
    assert watching.verdict().level == "good"
    clock.advance(11)
    assert watching.verdict() == Verdict("unknown", "auditor_blind")


async def test_a_clock_set_forward_is_no_finding(
    watching: Auditor, database: Database, ledger: AlarmLedger, engine: Escalator, clock: FakeClock
) -> None:
    """When the wall clock jumps an hour, everything is overdue for one look; the engine needs less than two."""
    await press(ledger, clock)
    clock.jump(3600)
    await watching.look()
    assert watching.findings() != ()
    await look_for(watching, clock, 10, engine)
    assert await own_alarms(database) == []


async def test_receipts_that_nobody_sends_are_an_alarm_of_their_own(
    watching: Auditor, database: Database, ledger: AlarmLedger, engine: Escalator, clock: FakeClock
) -> None:
    """A receipt that waits for more than a minute without being tried says that messages do not go out."""
    await database.execute("drop trigger sent on outbox")
    await press(ledger, clock)
    await look_for(watching, clock, 58, engine)
    assert await own_alarms(database) == []
    await look_for(watching, clock, 6, engine)
    assert await own_alarms(database) == [("delivery_stuck", "raised", 1)]
    await database.execute("update outbox set done_at = now()")
    await look_for(watching, clock, 4, engine)
    assert await notes(database) == ["消息恢复发送"]


async def test_a_target_outside_that_does_not_answer_is_shown_and_rings_nobody(
    watching: Auditor, database: Database, ledger: AlarmLedger, engine: Escalator, clock: FakeClock
) -> None:
    """A hook that is tried in vain for more than a minute is a dot, not an alarm; one that nobody tries is an alarm."""
    alarm = await press(ledger, clock)
    async with database.transaction() as connection:
        await hooks.put(connection, alarm.alarm_id, "escalated", ["phone"], {}, clock.now())
    for _ in range(40):
        await hooks.claim(database, "phone", clock.now(), 1.0)
        await look_for(watching, clock, 2, engine)
    assert watching.verdict() == Verdict("poor", "outside_refuses", 1)
    assert await own_alarms(database) == []
    await look_for(watching, clock, 80, engine)
    assert await own_alarms(database) == [("delivery_stuck", "raised", 1)]


async def test_it_looks_by_itself_and_stops(database: Database) -> None:
    """As a service it looks again and again, raises its alarm, and ends when it is told to."""
    clock = SystemClock()
    ledger = AlarmLedger(database, clock, delays=Delays(unseen_s=0.1))
    await ledger.raise_alarm(Press("sos-0301", 7, 1, "sos", "https", new_ulid(clock.now()), clock.now()))
    settings = AuditorSettings(look_every_s=0.1, slack_s=0.2, grace_s=0.3)
    async with running([Auditor(database, ledger, clock, area_id=AREA, settings=settings)]):
        async with asyncio.timeout(10):
            while not await own_alarms(database):
                await asyncio.sleep(0.05)
    assert await own_alarms(database) == [("engine_dead", "raised", 1)]
