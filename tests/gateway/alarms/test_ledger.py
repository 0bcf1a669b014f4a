import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.alarms.ledger import AlarmLedger
from gateway.model.alarms import Action, Alarm, AlarmState, Cancellation, Outcome, Press, Verdict
from gateway.model.errors import BadInput, Conflict, Forbidden, NotFound
from gateway.store.pool import Database
from tests.kit.clock import FakeClock
from tests.kit.community import AREA, HOME, OPERATOR, SECOND, STRANGER, registered


@pytest.fixture
async def database(any_database_dsn: str) -> AsyncIterator[Database]:
    async with registered(any_database_dsn) as database:
        yield database


@pytest.fixture
def ledger(database: Database, clock: FakeClock) -> AlarmLedger:
    return AlarmLedger(database, clock)


@pytest.fixture
def press(clock: FakeClock) -> Press:
    return Press("sos-0301", 7, 1, "sos", "mqtt", "01M7XV6ZDPKD9KHX9YQ6DRNHBC", clock.now())


async def raised(ledger: AlarmLedger, press: Press) -> Alarm:
    return await ledger.alarm((await ledger.raise_alarm(press)).alarm_id)


async def test_a_press_told_many_times_at_once_is_one_alarm(
    ledger: AlarmLedger, database: Database, press: Press
) -> None:
    """Twenty deliveries of one press on both roads at the same time give one row and the same receipt."""
    roads = [replace(press, source=source) for source in ("mqtt", "https") * 10]
    receipts = await asyncio.gather(*(ledger.raise_alarm(road) for road in roads))
    assert len({receipt.alarm_no for receipt in receipts}) == 1
    assert sum(receipt.is_new for receipt in receipts) == 1
    assert await database.fetchval("select count(*) from alarms") == 1
    assert await database.fetchval("select count(*) from alarm_presses") == 1
    assert await database.fetchval("select press_count from alarms") == 1


async def test_different_presses_of_a_home_at_once_open_one_alarm(
    ledger: AlarmLedger, database: Database, press: Press
) -> None:
    """Button and television of one household pressed in the same moment: one alarm with every press counted."""
    both = [replace(press, device_id=device, seq=seq) for device in ("sos-0301", "stb-0301") for seq in range(1, 6)]
    receipts = await asyncio.gather(*(ledger.raise_alarm(one) for one in both))
    assert len({receipt.alarm_id for receipt in receipts}) == 1
    assert await database.fetchval("select press_count from alarms") == 10


async def test_a_receipt_waits_in_the_outbox_of_the_same_commit(
    ledger: AlarmLedger, database: Database, press: Press
) -> None:
    """The receipt for the box is queued with the alarm, once, however often the press comes."""
    receipt = await ledger.raise_alarm(press)
    rows = await database.fetch("select * from outbox")
    assert [row["payload"]["st"] for row in rows] == ["recorded"]
    await ledger.raise_alarm(press)
    assert await database.fetchval("select count(*) from outbox") == 1
    assert rows[0]["payload"]["no"] == receipt.alarm_no


async def test_a_receipt_that_was_told_is_told_again_when_the_box_asks_again(
    ledger: AlarmLedger, database: Database, press: Press
) -> None:
    """A repetition after the receipt went out wakes the same row instead of adding one."""
    await ledger.raise_alarm(press)
    await database.execute("update outbox set done_at = now()")
    await ledger.raise_alarm(press)
    assert await database.fetchval("select count(*) from outbox") == 1
    assert await database.fetchval("select count(*) from outbox where done_at is null") == 1


async def test_a_second_press_is_counted_on_the_open_alarm(ledger: AlarmLedger, press: Press) -> None:
    """A household that presses again while its alarm is open has one alarm with two presses."""
    first = await ledger.raise_alarm(press)
    second = await ledger.raise_alarm(replace(press, seq=2, event_id="01M7XV6ZDPKD9KHX9YQ6DRNHBD"))
    assert second.alarm_id == first.alarm_id
    assert (await ledger.alarm(first.alarm_id)).press_count == 2
    assert [event.kind for event in await ledger.history(first.alarm_id)] == ["raised", "pressed_again"]


async def test_a_press_after_a_cancellation_is_a_new_alarm(ledger: AlarmLedger, press: Press, clock: FakeClock) -> None:
    """Who took an alarm back and presses again is not hidden behind the old one."""
    first = await ledger.raise_alarm(press)
    await ledger.cancel(Cancellation("sos-0301", 7, 2, "01M7XV6ZDPKD9KHX9YQ6DRNHBE", clock.now()))
    second = await ledger.raise_alarm(replace(press, seq=3, event_id="01M7XV6ZDPKD9KHX9YQ6DRNHBF"))
    assert second.alarm_id != first.alarm_id


async def test_a_cancellation_deletes_and_closes_nothing(ledger: AlarmLedger, press: Press, clock: FakeClock) -> None:
    """Taking back is a second event; the alarm stays in its state for a person to verify."""
    alarm = await raised(ledger, press)
    receipt = await ledger.cancel(Cancellation("stb-0301", 1, 1, "01M7XV6ZDPKD9KHX9YQ6DRNHBG", clock.now()))
    assert receipt.alarm_id == alarm.alarm_id
    after = await ledger.alarm(alarm.alarm_id)
    assert after.state is AlarmState.RAISED
    assert after.cancelled_by_user_at == clock.now()


async def test_a_cancellation_that_comes_again_takes_back_no_later_alarm(
    ledger: AlarmLedger, press: Press, clock: FakeClock, database: Database
) -> None:
    """It found nothing when it first came, or was said before the press: it cannot mean an alarm that came after."""
    early = Cancellation("sos-0301", 7, 1, "01M7XV6ZDPKD9KHX9YQ6DRNHBG", clock.now())
    await raised(ledger, replace(press, seq=2))
    with pytest.raises(NotFound):
        await ledger.cancel(early)
    other = replace(early, device_id="stb-0301", seq=9)
    await database.execute(
        "insert into device_events (device_id, boot, seq, event_id, area_id, kind, at, received_at, details)"
        " values ('stb-0301', 7, 9, $1, $2, 'cancelled', $3, $3, '{}')",
        *(other.event_id, AREA, clock.now()),
    )
    with pytest.raises(NotFound):
        await ledger.cancel(other)


async def test_there_is_nothing_to_cancel_without_an_open_alarm(ledger: AlarmLedger, clock: FakeClock) -> None:
    """A cancellation without an alarm is said to be one."""
    with pytest.raises(NotFound):
        await ledger.cancel(Cancellation("sos-0301", 7, 2, "01M7XV6ZDPKD9KHX9YQ6DRNHBE", clock.now()))


async def test_a_named_operator_takes_an_alarm_to_its_end(ledger: AlarmLedger, press: Press) -> None:
    """签收, 核实, 派警, 结案: each step is a row of history with its author."""
    alarm = await raised(ledger, press)
    alarm = await ledger.confirm_rendered(alarm.alarm_id, desk="2", by=OPERATOR)
    alarm = await ledger.step(alarm.alarm_id, Action.ACKNOWLEDGE, by=OPERATOR, version=alarm.version)
    assert alarm.acknowledged_name == "周敏"
    verdict = Verdict.TRUE
    alarm = await ledger.step(alarm.alarm_id, Action.VERIFY, by=OPERATOR, version=alarm.version, verdict=verdict)
    alarm = await ledger.step(alarm.alarm_id, Action.DISPATCH, by=OPERATOR, version=alarm.version, dispatched_to="赵勇")
    outcome = Outcome.TRUE
    with pytest.raises(BadInput, match="the reason"):
        await ledger.step(alarm.alarm_id, Action.RESOLVE, by=OPERATOR, version=alarm.version, outcome=outcome)
    alarm = await ledger.step(
        alarm.alarm_id, Action.RESOLVE, by=OPERATOR, version=alarm.version, outcome=outcome, note="已送医"
    )
    alarm = await ledger.step(alarm.alarm_id, Action.CLOSE, by=SECOND, version=alarm.version)
    assert alarm.state is AlarmState.CLOSED
    assert (alarm.resolved_name, alarm.closed_name, alarm.outcome) == ("周敏", "李强", Outcome.TRUE)
    history = await ledger.history(alarm.alarm_id)
    assert [event.to_state for event in history if event.to_state] == [
        "raised",
        "notified",
        "acknowledged",
        "verified",
        "dispatched",
        "resolved",
        "closed",
    ]
    assert {event.by_name for event in history[1:]} == {"周敏", "李强"}


async def brought_to(ledger: AlarmLedger, press: Press, *actions: Action) -> Alarm:
    """Raise an alarm and take it through `actions` as the first operator."""
    alarm = await raised(ledger, press)
    facts: dict[Action, dict[str, Any]] = {
        Action.VERIFY: {"verdict": Verdict.TRUE},
        Action.DISPATCH: {"dispatched_to": "赵勇"},
        Action.RESOLVE: {"outcome": Outcome.TRUE, "note": "已送医"},
    }
    for action in actions:
        said = facts.get(action, {})
        alarm = await ledger.step(alarm.alarm_id, action, by=OPERATOR, version=alarm.version, **said)
    return alarm


@pytest.mark.parametrize("actions", [(), (Action.DISPATCH,), (Action.RESOLVE,)])
async def test_one_person_alone_cannot_close_a_grave_alarm(
    ledger: AlarmLedger, press: Press, actions: tuple[Action, ...]
) -> None:
    """Level 1: whoever resolved it is refused, and nobody closes what nobody has resolved."""
    alarm = await brought_to(ledger, press, Action.ACKNOWLEDGE, Action.VERIFY, *actions)
    with pytest.raises(Forbidden, match=r"another person|Another operator"):
        await ledger.step(
            alarm.alarm_id, Action.CLOSE, by=OPERATOR, version=alarm.version, outcome=Outcome.TRUE, note="完"
        )
    assert (await ledger.alarm(alarm.alarm_id)).state is alarm.state


async def test_one_person_may_close_a_lesser_alarm(ledger: AlarmLedger, press: Press) -> None:
    """Below level 1 the one who verified closes, as before."""
    alarm = await brought_to(ledger, replace(press, level=3), Action.ACKNOWLEDGE, Action.VERIFY)
    after = await ledger.step(
        alarm.alarm_id, Action.CLOSE, by=OPERATOR, version=alarm.version, outcome=Outcome.FALSE, note="油烟"
    )
    assert after.state is AlarmState.CLOSED


async def test_a_closed_alarm_is_changed_by_nobody(ledger: AlarmLedger, press: Press, database: Database) -> None:
    """No note, no evidence, no SQL: what is closed stays as it is."""
    alarm = await brought_to(ledger, press, Action.ACKNOWLEDGE, Action.VERIFY, Action.RESOLVE)
    await ledger.step(alarm.alarm_id, Action.CLOSE, by=SECOND, version=alarm.version, note="完")
    with pytest.raises(BadInput):
        await ledger.add_note(alarm.alarm_id, "还有", by=OPERATOR)
    with pytest.raises(BadInput):
        await ledger.add_evidence(alarm.alarm_id, [{"kind": "clip", "ref": "c-1", "at": 1}], by=OPERATOR)
    with pytest.raises(BadInput, match="closed"):
        await database.execute("update alarms set outcome = 'false', version = version + 1")


async def test_no_sql_gives_an_alarm_another_identity(ledger: AlarmLedger, press: Press, database: Database) -> None:
    """Number, device, household, time and kind of an alarm are what they were when it was raised."""
    await ledger.raise_alarm(press)
    for change in ("alarm_no = 'X'", "device_id = 'x'", "household_id = null", "raised_at = now()", "kind = 'gas'"):
        with pytest.raises(BadInput, match="cannot be changed"):
            await database.execute(f"update alarms set version = version + 1, {change}")
    for change in ("is_silent = true, version = 9", "press_count = 0, version = 9", "state = 'closed'"):
        with pytest.raises(BadInput, match="cannot be changed"):
            await database.execute(f"update alarms set {change}")


async def test_a_silent_press_has_an_alarm_of_its_own_that_the_home_cannot_see(
    ledger: AlarmLedger, press: Press, clock: FakeClock
) -> None:
    """It joins no open alarm, is not the household's latest, and cannot be taken back from the television."""
    first = await raised(ledger, press)
    silent = await raised(ledger, replace(press, seq=2, is_silent=True))
    assert silent.alarm_id != first.alarm_id
    assert silent.is_silent
    latest = await ledger.latest_for_household("hh-0301")
    assert latest is not None
    assert latest.alarm_id == first.alarm_id
    taken_back = await ledger.cancel(Cancellation("stb-0301", 1, 1, "01M7XV6ZDPKD9KHX9YQ6DRNHBG", clock.now()))
    assert taken_back.alarm_id == first.alarm_id


async def test_many_renderings_are_one_transaction(ledger: AlarmLedger, press: Press) -> None:
    """A desk in a storm confirms a list; what lies outside its area stays unconfirmed."""
    one = await raised(ledger, press)
    other = await raised(ledger, replace(press, device_id="stb-0302"))
    done = await ledger.confirm_all_rendered([other.alarm_id, one.alarm_id, "none"], desk="2", by=OPERATOR)
    assert {alarm.state for alarm in done} == {AlarmState.NOTIFIED}
    assert len(done) == 2
    assert await ledger.confirm_all_rendered([one.alarm_id], desk="2", by=STRANGER) == []


async def test_the_platform_raises_an_alarm_about_itself_once(ledger: AlarmLedger, database: Database) -> None:
    """The same reference said by two auditors is one alarm; another incident of the kind is counted on it."""
    answers = [await ledger.raise_platform_alarm("engine_dead", AREA, "t-1", {"overdue": 3}) for _ in range(3)]
    assert len({answer.alarm_no for answer in answers}) == 1
    assert [answer.is_new for answer in answers] == [True, False, False]
    assert await database.fetchval("select count(*) from alarm_presses") == 1
    assert await database.fetchval("select count(*) from outbox") == 0


async def test_the_same_identity_with_other_words_gets_the_old_receipt_and_is_noticed(
    ledger: AlarmLedger, press: Press, clock: FakeClock
) -> None:
    """A replay that was re-timed adds nothing and changes nothing."""
    first = await ledger.raise_alarm(press)
    clock.advance(3600)
    again = await ledger.raise_alarm(replace(press, device_at=clock.now(), event_id="01M7XV6ZDPKD9KHX9YQ6DRNHBZ"))
    assert again.alarm_no == first.alarm_no
    assert again.recorded_at == first.recorded_at
    assert (await ledger.alarm(first.alarm_id)).device_at == press.device_at


async def test_a_drill_is_marked_until_somebody_finds_that_it_is_real(
    ledger: AlarmLedger, press: Press, database: Database, clock: FakeClock
) -> None:
    """An alarm inside a running drill of its street is practice; verified as true it is one no more."""
    await database.execute("insert into areas (area_id, name) values ('110105001000', '柳湾镇')")
    await database.execute(
        "insert into drills (drill_id, area_id, begins_at, ends_at, started_by) values ('d', $1, $2, $3, 'p')",
        *("110105001000", clock.now() - timedelta(minutes=1), clock.now() + timedelta(minutes=9)),
    )
    alarm = await brought_to(ledger, press, Action.ACKNOWLEDGE)
    assert alarm.is_drill
    assert not alarm.needs_second_person
    alarm = await ledger.step(alarm.alarm_id, Action.VERIFY, by=OPERATOR, version=alarm.version, verdict=Verdict.TRUE)
    assert not alarm.is_drill
    assert (await ledger.history(alarm.alarm_id))[-1].details["drill_was_real"] is True


async def test_two_operators_cannot_both_own_an_alarm(ledger: AlarmLedger, press: Press) -> None:
    """Of two acknowledgements of the same version one wins; the other is told who has it."""
    alarm = await raised(ledger, press)
    answers = await asyncio.gather(
        *(ledger.step(alarm.alarm_id, Action.ACKNOWLEDGE, by=by, version=1) for by in (OPERATOR, SECOND)),
        return_exceptions=True,
    )
    refused = [answer for answer in answers if isinstance(answer, Conflict | BadInput)]
    assert len(refused) == 1
    owner = (await ledger.alarm(alarm.alarm_id)).acknowledged_name
    assert owner is not None
    assert owner in str(refused[0])


async def test_a_note_does_not_make_a_step_stale(ledger: AlarmLedger, press: Press) -> None:
    """What only a note or another press has overtaken is still valid."""
    alarm = await raised(ledger, press)
    alarm = await ledger.step(alarm.alarm_id, Action.ACKNOWLEDGE, by=OPERATOR, version=alarm.version)
    await ledger.add_note(alarm.alarm_id, "邻居说在家", by=SECOND)
    after = await ledger.step(alarm.alarm_id, Action.VERIFY, by=OPERATOR, version=alarm.version, verdict=Verdict.TRUE)
    assert after.state is AlarmState.VERIFIED


async def test_an_operator_of_another_area_has_no_say(ledger: AlarmLedger, press: Press) -> None:
    """A step outside one's area is forbidden and changes nothing."""
    alarm = await raised(ledger, press)
    with pytest.raises(Forbidden):
        await ledger.step(alarm.alarm_id, Action.ACKNOWLEDGE, by=STRANGER, version=1)
    assert (await ledger.alarm(alarm.alarm_id)).state is AlarmState.RAISED


async def test_closing_needs_a_reason_and_an_outcome(ledger: AlarmLedger, press: Press) -> None:
    """Nobody closes an alarm quietly."""
    alarm = await raised(ledger, replace(press, level=2))
    alarm = await ledger.step(alarm.alarm_id, Action.ACKNOWLEDGE, by=OPERATOR, version=alarm.version)
    alarm = await ledger.step(alarm.alarm_id, Action.VERIFY, by=OPERATOR, version=alarm.version, verdict=Verdict.FALSE)
    with pytest.raises(BadInput) as refused:
        await ledger.step(alarm.alarm_id, Action.CLOSE, by=OPERATOR, version=alarm.version, outcome=Outcome.FALSE)
    assert refused.value.place == "note"


async def test_only_the_first_rendering_counts(ledger: AlarmLedger, press: Press, clock: FakeClock) -> None:
    """A second desk that draws the alarm changes neither its state nor its time."""
    alarm = await raised(ledger, press)
    first = await ledger.confirm_rendered(alarm.alarm_id, desk="1", by=OPERATOR)
    clock.advance(5)
    second = await ledger.confirm_rendered(alarm.alarm_id, desk="2", by=SECOND)
    assert second == first


@pytest.mark.parametrize(
    "statement",
    [
        "update alarm_events set by_name = 'x'",
        "delete from alarm_events",
        "truncate alarm_events",
        "delete from alarms",
        "delete from alarm_presses",
    ],
)
async def test_history_cannot_be_changed_by_sql(
    ledger: AlarmLedger, database: Database, press: Press, statement: str
) -> None:
    """The database itself refuses to forget what happened to an alarm."""
    await ledger.raise_alarm(press)
    with pytest.raises(BadInput, match="append-only"):
        await database.execute(statement)


async def test_an_unknown_device_raises_nothing(ledger: AlarmLedger, press: Press) -> None:
    """A device that the registry does not know has no alarm; the refusal says what to do."""
    with pytest.raises(NotFound, match="Register"):
        await ledger.raise_alarm(replace(press, device_id="nobody-1"))


async def test_numbers_rise_within_the_day_of_the_community(
    ledger: AlarmLedger, database: Database, press: Press
) -> None:
    """The number carries the local day and counts from one."""
    one = await raised(ledger, press)
    two = await raised(ledger, replace(press, device_id="stb-0302", event_id="01M7XV6ZDPKD9KHX9YQ6DRNHBH"))
    assert one.alarm_no.endswith("-0001")
    assert two.alarm_no.endswith("-0002")
    assert one.short_no.endswith("-001")
    assert one.household_id == HOME
