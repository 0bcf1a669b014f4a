"""Deeds: each carried out once, in the right home, and not after its time."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.alarms.ledger import AlarmLedger
from gateway.store.pool import Database
from gateway.store.rules import RuleStore, Step
from gateway.store.tv import TvStore
from iot_rules.rules import Cause, ClearTv, Deed, NoticeToDesk, RaiseAlarm, Scope, ShowOnTv, Wish
from iot_rules.runner.carrier import OWN_SEQS, Carrier
from iot_rules.runner.rows import wish_to_row
from tests.kit.clock import BEGINNING, FakeClock
from tests.kit.community import AREA, HOME, registered
from tests.kit.rules import MINUTE, SMOKE_ID

SHOW = ShowOnTv("门开着", "去看一看", timedelta(hours=1))
CAUSE = Cause(SMOKE_ID, 3, 17, "01JZZZZZZZZZZZZZZZZZZZZZZZ", BEGINNING)


@dataclass(slots=True)
class Desk:
    """A carrier with a clock of its own, and what it has done."""

    database: Database
    clock: FakeClock
    carrier: Carrier
    count: int = 0

    async def wish(self, deed: Deed, **changes: object) -> str:
        """Let a rule wish for a deed now and return the wish's id."""
        self.count += 1
        wish = Wish(
            wish_id=f"01JWISH{self.count:019d}",
            rule_id="rule",
            rule_version=1,
            device_id=SMOKE_ID,
            household_id=HOME,
            area_id=AREA,
            scope=Scope.HOUSEHOLD,
            deed=deed,
            cause=CAUSE,
            chain=("rule",),
            started_at=BEGINNING,
            due_at=BEGINNING,
            late_s=0.0,
        )
        row = wish_to_row(replace(wish, **changes), self.clock.now())  # type: ignore[arg-type]  # one known shape
        await RuleStore(self.database).commit(Step(wishes=[row]), self.clock.now())
        return row.wish_id

    async def results(self) -> dict[str, str]:
        """Carry out what waits and return what became of each deed, by its word."""
        await self.carrier.carry_out_waiting()
        return {row["deed"]: row["result"] for row in await self.database.fetch("select deed, result from rule_wishes")}

    async def titles(self, household_id: str = HOME) -> list[str]:
        waiting = await TvStore(self.database).waiting_messages(household_id, self.clock.now())
        return [message.title for message in waiting]


@pytest.fixture
async def desk(database_dsn: str) -> AsyncIterator[Desk]:
    async with registered(database_dsn) as database:
        clock = FakeClock()
        yield Desk(database, clock, Carrier(database, clock, AlarmLedger(database, clock)))


async def test_an_alarm_has_the_identity_of_its_event(desk: Desk) -> None:
    """Two rules that raise an alarm for one event are one alarm."""
    await desk.wish(RaiseAlarm("smoke", 1))
    await desk.wish(RaiseAlarm("smoke", 2), rule_id="another")
    await desk.results()
    rows = await desk.database.fetch("select boot, seq, level, press_count, details from alarms")
    assert [(row["boot"], row["seq"], row["level"], row["press_count"]) for row in rows] == [(3, 17, 1, 1)]
    assert rows[0]["details"]["rule"] == "rule"


async def test_an_alarm_without_an_event_has_an_identity_that_no_device_counts_up_to(desk: Desk) -> None:
    """An alarm out of a duration cannot take the place of a device's own event."""
    await desk.wish(RaiseAlarm("gas", 2), cause=replace(CAUSE, event_id=""))
    assert await desk.results() == {"alarm": "raised"}
    assert await desk.database.fetchval("select seq from alarms") >= OWN_SEQS


async def test_an_alarm_that_comes_late_says_so(desk: Desk) -> None:
    """Forty seconds between the event and the decision stand in the alarm."""
    desk.clock.advance(40)
    await desk.wish(RaiseAlarm("smoke", 1))
    await desk.results()
    (row,) = await desk.database.fetch("select late_by_s, is_clock_wrong, details from alarms")
    assert (row["late_by_s"], row["is_clock_wrong"]) == (40, False)
    assert "late_by_s" not in row["details"]


async def test_an_alarm_of_a_device_that_believes_in_1970_is_not_late_by_decades(desk: Desk) -> None:
    """The smoke is taken, its clock is marked as wrong, and only the rules' own delay counts."""
    await desk.wish(RaiseAlarm("smoke", 1), cause=replace(CAUSE, at=datetime(1970, 1, 1, tzinfo=UTC)))
    assert await desk.results() == {"alarm": "raised"}
    (row,) = await desk.database.fetch("select late_by_s, is_clock_wrong from alarms")
    assert tuple(row) == (0, True)


async def test_words_appear_once_and_go_when_they_are_cleared(desk: Desk) -> None:
    """What an episode has shown is taken away by its end, and by no other episode's."""
    await desk.wish(SHOW)
    assert await desk.results() == {"show_on_tv": "shown"}
    assert await desk.titles() == ["门开着"]
    await desk.wish(ClearTv(), started_at=BEGINNING + MINUTE)
    assert (await desk.results())["clear_tv"] == "nothing_to_clear"
    await desk.wish(ClearTv())
    await desk.results()
    assert await desk.titles() == []


async def test_words_that_are_over_are_not_shown(desk: Desk) -> None:
    """A deed that could only be done after its end, or after its time, is not done."""
    await desk.wish(SHOW)
    await desk.wish(ClearTv())
    await desk.wish(SHOW, rule_id="slow", started_at=BEGINNING + MINUTE)
    desk.clock.advance(2 * 3600)
    await desk.results()
    rows = await desk.database.fetch("select rule_id, result from rule_wishes where deed = 'show_on_tv'")
    assert {row["rule_id"]: row["result"] for row in rows} == {"rule": "expired", "slow": "expired"}
    assert await desk.titles() == []


async def test_an_end_that_overtook_its_beginning_wins(desk: Desk) -> None:
    """Words whose end was decided before they could be shown are not shown."""
    await desk.wish(SHOW)
    await desk.wish(ClearTv())
    assert (await desk.results())["show_on_tv"] == "overtaken"
    assert await desk.titles() == []


async def test_a_communitys_words_reach_every_home(desk: Desk) -> None:
    """A rule of the community speaks on all of its televisions, a household's on its own."""
    await desk.wish(SHOW, scope=Scope.COMMUNITY, household_id=None)
    await desk.results()
    assert [await desk.titles("hh-0301"), await desk.titles("hh-0302")] == [["门开着"], ["门开着"]]


async def test_a_device_outside_homes_has_no_television(desk: Desk) -> None:
    """A household's rule on a device without one says so instead of failing for ever."""
    await desk.wish(SHOW, household_id=None)
    assert await desk.results() == {"show_on_tv": "no_television"}


async def test_the_desk_gets_a_line_once(desk: Desk) -> None:
    """A notice to the desk is one line however often it is carried out, and the newest comes first."""
    await desk.wish(NoticeToDesk("机顶盒 15 分钟没有消息"))
    await desk.results()
    await desk.database.execute("update rule_wishes set done_at = null, next_attempt_at = created_at")
    await desk.results()
    assert [line.text for line in await RuleStore(desk.database).desk_notices(AREA)] == ["机顶盒 15 分钟没有消息"]


async def test_what_cannot_be_done_is_put_aside_with_its_reason(desk: Desk) -> None:
    """An alarm of a device that is not registered any more is refused once, and the next wish goes through."""
    await desk.wish(RaiseAlarm("smoke", 1), device_id="gone-1")
    await desk.wish(SHOW)
    assert await desk.results() == {"alarm": "refused", "show_on_tv": "shown"}
