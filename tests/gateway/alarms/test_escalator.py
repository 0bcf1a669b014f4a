"""Timers in a real database: each step once, at its time or saying how late, whoever dies meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from gateway.alarms.escalator import AT_ONCE, Escalator
from gateway.alarms.ledger import AlarmLedger
from gateway.model.alarms import Action, Alarm, AlarmState, Delays, Outcome, Press, Verdict
from gateway.runtime.clock import SystemClock
from gateway.store.pool import Connection, Database
from tests.kit.clock import FakeClock
from tests.kit.community import AREA, OPERATOR, SECOND, registered

STREET, DISTRICT = "110105001000", "110105000000"


class Noted:
    """Takes down what would be told outside the house."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def tell(self, _connection: Connection, alarm: Alarm, reason: str, _now: object) -> None:
        self.told.append(f"{alarm.alarm_no} {reason}")


@pytest.fixture
async def database(any_database_dsn: str) -> AsyncIterator[Database]:
    async with registered(any_database_dsn) as database:
        yield database


@pytest.fixture
async def areas(database: Database) -> None:
    for area_id, name in ((STREET, "柳湾镇"), (DISTRICT, "青溪县")):
        await database.execute("insert into areas (area_id, name) values ($1, $2)", area_id, name)


@pytest.fixture
def ledger(areas: None, database: Database, clock: FakeClock) -> AlarmLedger:
    return AlarmLedger(database, clock)


@pytest.fixture
def press(clock: FakeClock) -> Press:
    return Press("sos-0301", 7, 1, "sos", "mqtt", "01M7XV6ZDPKD9KHX9YQ6DRNHBC", clock.now())


async def kinds(ledger: AlarmLedger, alarm_id: str) -> list[str]:
    return [event.kind for event in await ledger.history(alarm_id)]


async def acknowledged(ledger: AlarmLedger, press: Press) -> Alarm:
    alarm = await ledger.alarm((await ledger.raise_alarm(press)).alarm_id)
    return await ledger.step(alarm.alarm_id, Action.ACKNOWLEDGE, by=OPERATOR, version=alarm.version)


async def test_an_alarm_that_nobody_answers_goes_up_step_by_step(
    ledger: AlarmLedger, clock: FakeClock, press: Press
) -> None:
    """Unseen after 5 s, street at 30, district at 60, supervisor and outside at 90; each once, none early."""
    outside = Noted()
    engine = Escalator(ledger, clock, outside=outside)
    alarm_id = (await ledger.raise_alarm(press)).alarm_id
    levels = []
    for seconds in (4.9, 0.2, 24.8, 0.2, 29.8, 0.2, 29.8, 0.2, 600):
        clock.advance(seconds)
        await engine.fire_once()
        levels.append((await ledger.alarm(alarm_id)).escalation_level)
    assert levels == [0, 1, 1, 1, 1, 2, 2, 3, 3]
    assert await kinds(ledger, alarm_id) == ["raised", "unseen", "escalated", "escalated", "escalated"]
    details = [event.details for event in (await ledger.history(alarm_id))[2:]]
    assert [(one["level"], one["target_name"]) for one in details] == [(1, "柳湾镇"), (2, "青溪县"), (3, "青溪县")]
    assert not any("late_by_s" in one for one in details)
    assert len(outside.told) == 1


async def test_a_signature_stops_the_chain(ledger: AlarmLedger, clock: FakeClock, press: Press) -> None:
    """After 签收 nothing escalates, however long it takes until the engine looks."""
    alarm = await acknowledged(ledger, press)
    clock.advance(200)
    assert await Escalator(ledger, clock).fire_once() == 0
    assert (await ledger.alarm(alarm.alarm_id)).escalation_level == 0


async def test_a_rendered_alarm_is_not_unseen(ledger: AlarmLedger, clock: FakeClock, press: Press) -> None:
    """The first timer waits for a desk; it is void when one has drawn the alarm."""
    alarm_id = (await ledger.raise_alarm(press)).alarm_id
    await ledger.confirm_rendered(alarm_id, desk="1", by=OPERATOR)
    clock.advance(10)
    assert await Escalator(ledger, clock).fire_once() == 1
    assert "unseen" not in await kinds(ledger, alarm_id)


async def test_an_acknowledgement_without_progress_expires_and_rings_again(
    ledger: AlarmLedger, clock: FakeClock, press: Press
) -> None:
    """After five minutes nobody owns it; the chain begins anew and another operator may sign."""
    alarm = await acknowledged(ledger, press)
    engine = Escalator(ledger, clock)
    clock.advance(299)
    await engine.fire_once()
    assert (await ledger.alarm(alarm.alarm_id)).acknowledged_name == "周敏"
    clock.advance(2)
    await engine.fire_once()
    expired = await ledger.alarm(alarm.alarm_id)
    assert (expired.state, expired.acknowledged_name) == (AlarmState.NOTIFIED, None)
    clock.advance(31)
    await engine.fire_once()
    assert (await ledger.alarm(alarm.alarm_id)).escalation_level == 1
    after = await ledger.step(alarm.alarm_id, Action.ACKNOWLEDGE, by=SECOND, version=expired.version)
    assert after.acknowledged_name == "李强"
    assert await kinds(ledger, alarm.alarm_id) == ["raised", "acknowledged", "expired", "escalated", "acknowledged"]


async def test_the_outside_is_told_again_when_a_signature_came_to_nothing(
    ledger: AlarmLedger, clock: FakeClock, press: Press
) -> None:
    """Each round that nobody answers is a message of its own."""
    outside = Noted()
    engine = Escalator(ledger, clock, outside=outside)
    alarm_id = (await ledger.raise_alarm(press)).alarm_id
    clock.advance(100)
    await engine.fire_once()
    alarm = await ledger.alarm(alarm_id)
    await ledger.step(alarm_id, Action.ACKNOWLEDGE, by=OPERATOR, version=alarm.version)
    for seconds in (301, 100):
        clock.advance(seconds)
        await engine.fire_once()
    assert [said.partition(" ")[2] for said in outside.told] == ["unanswered", "unanswered_2"]


async def test_progress_puts_the_expiry_off_and_standstill_is_reminded(
    ledger: AlarmLedger, clock: FakeClock, press: Press
) -> None:
    """A note of the owner or a step counts as progress; a verified alarm that stands still rings, again and again."""
    alarm = await acknowledged(ledger, press)
    engine = Escalator(ledger, clock)
    clock.advance(200)
    await ledger.add_note(alarm.alarm_id, "正在打电话", by=OPERATOR)
    clock.advance(200)
    await engine.fire_once()
    alarm = await ledger.alarm(alarm.alarm_id)
    assert alarm.state is AlarmState.ACKNOWLEDGED
    alarm = await ledger.step(alarm.alarm_id, Action.VERIFY, by=OPERATOR, version=alarm.version, verdict=Verdict.TRUE)
    for _ in range(2):
        clock.advance(301)
        await engine.fire_once()
    assert (await kinds(ledger, alarm.alarm_id))[-2:] == ["reminded", "reminded"]
    alarm = await ledger.step(
        alarm.alarm_id, Action.RESOLVE, by=OPERATOR, version=alarm.version, outcome=Outcome.TRUE, note="好"
    )
    clock.advance(3600)
    assert await engine.fire_once() == 0


async def test_a_step_that_comes_late_says_how_late(ledger: AlarmLedger, clock: FakeClock, press: Press) -> None:
    """Everything was dead for ten minutes: all steps follow at once, each with its delay."""
    alarm_id = (await ledger.raise_alarm(press)).alarm_id
    clock.advance(600)
    await Escalator(ledger, clock).fire_once()
    history = (await ledger.history(alarm_id))[1:]
    assert [event.details["late_by_s"] for event in history] == [595.0, 570.0, 540.0, 510.0]


async def test_ten_engines_at_once_do_each_step_once(
    ledger: AlarmLedger, database: Database, clock: FakeClock, press: Press
) -> None:
    """Gateway, standby and their restarts may overlap: no step is done twice, none is left out."""
    for seq in range(1, 3):
        await ledger.raise_alarm(Press(f"stb-030{seq}", 1, 1, "sos", "mqtt", "01M7XV6ZDPKD9KHX9YQ6DRNHBC", clock.now()))
    clock.advance(100)
    engines = [Escalator(AlarmLedger(database, clock), clock) for _ in range(10)]
    for _ in range(3):
        await asyncio.gather(*(engine.fire_once() for engine in engines))
    counted = await database.fetch("select alarm_id, count(*) from alarm_events group by alarm_id")
    assert [row["count"] for row in counted] == [5, 5]
    assert await database.fetchval("select count(*) from alarm_timers where outcome = 'fired'") == 8
    assert press.seq == 1


async def test_the_standby_leaves_the_engine_its_time(ledger: AlarmLedger, clock: FakeClock, press: Press) -> None:
    """With a lag of three seconds a step is done three seconds after its time, not before."""
    await ledger.raise_alarm(press)
    standby = Escalator(ledger, clock, lag_s=3.0)
    clock.advance(7.9)
    assert await standby.fire_once() == 0
    clock.advance(0.2)
    assert await standby.fire_once() == 1


async def test_nobody_on_duty_is_said_at_once_and_the_next_desk_is_asked_at_once(
    ledger: AlarmLedger, database: Database, clock: FakeClock, press: Press
) -> None:
    """The community keeps a roster and nobody is on it now: the street has the alarm in the same second."""
    long_ago = clock.now() - timedelta(days=1)
    await database.execute(
        "insert into duty_shifts (shift_id, area_id, person_name, begins_at, ends_at) values ('s', $1, '周敏', $2, $3)",
        *(AREA, long_ago, long_ago + timedelta(hours=8)),
    )
    alarm_id = (await ledger.raise_alarm(press)).alarm_id
    assert await kinds(ledger, alarm_id) == ["raised", "nobody_on_duty"]
    await Escalator(ledger, clock).fire_once()
    assert (await ledger.alarm(alarm_id)).escalation_level == 1


async def test_a_drill_never_leaves_the_house(
    ledger: AlarmLedger, database: Database, clock: FakeClock, press: Press
) -> None:
    """It escalates as a real one would, and nobody outside is told."""
    await database.execute(
        "insert into drills (drill_id, area_id, begins_at, ends_at, started_by) values ('d', $1, $2, $3, 'p')",
        *(AREA, clock.now(), clock.now() + timedelta(hours=1)),
    )
    outside = Noted()
    alarm_id = (await ledger.raise_alarm(press)).alarm_id
    clock.advance(100)
    await Escalator(ledger, clock, outside=outside).fire_once()
    assert (await ledger.alarm(alarm_id)).escalation_level == 3
    assert outside.told == []


async def test_lesser_alarms_wait_for_their_desk(ledger: AlarmLedger, clock: FakeClock, press: Press) -> None:
    """A water leak of level 3 rings in its community alone."""
    leak = Press("smoke-0301", 1, 1, "water_leak", "mqtt", press.event_id, clock.now())
    alarm = await ledger.alarm((await ledger.raise_alarm(leak)).alarm_id)
    clock.advance(100)
    assert await Escalator(ledger, clock).fire_once() == 0
    assert alarm.chain == []


async def test_a_running_engine_acts_without_being_asked(
    areas: None,
    database: Database,
    press: Press,
) -> None:
    """The service itself, on the real clock: a step of a tenth of a second is done within a second."""
    delays = Delays(unseen_s=0.1, street_s=0.2, district_s=0.3, supervisor_s=0.4)
    ledger = AlarmLedger(database, SystemClock(), delays=delays)
    engine = Escalator(ledger, SystemClock())
    await engine.start()
    try:
        alarm_id = (await ledger.raise_alarm(press)).alarm_id
        async with asyncio.timeout(5):
            while (await ledger.alarm(alarm_id)).escalation_level < 3:
                await asyncio.sleep(0.05)
    finally:
        await engine.stop()
    assert AT_ONCE > 1
