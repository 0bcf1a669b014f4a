"""The figures of a period on a real database: counted as the pure buckets count, practice apart, one moment."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.alarms import kpi
from gateway.model.alarms import AlarmState
from gateway.store import duty, report
from gateway.store.duty import Shift
from gateway.store.pool import Database
from gateway.store.report import Figures, Limits, Period
from tests.kit import months
from tests.kit.community import AREA, OTHER_AREA, registered

ZONE = "Asia/Shanghai"
SINCE = datetime(2026, 6, 30, 16, tzinfo=UTC)
UNTIL = datetime(2026, 7, 31, 16, tzinfo=UTC)
NOW = datetime(2026, 7, 20, 4, tzinfo=UTC)
LIMITS = Limits(kpi.SIGN.limits_s, kpi.DISPATCH.limits_s, kpi.FEEDBACK.limits_s)


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    async with registered(database_dsn) as one:
        yield one


def signed(number: int, after_s: float, at: datetime = SINCE, **facts: Any) -> dict[str, Any]:
    """Return an alarm that was signed `after_s` seconds after `at`."""
    acknowledged = {"state": "acknowledged", "acknowledged_at": at + timedelta(seconds=after_s)}
    return months.row(number, at, AREA, **{**acknowledged, **facts})


async def figures(database: Database, prefix: str = AREA, now: datetime = NOW) -> Figures:
    return await report.read_figures(database, Period(prefix, SINCE, UNTIL, now), LIMITS, ZONE)


async def test_sql_counts_exactly_as_the_pure_buckets_do(database: Database) -> None:
    """Buckets, pending, median and 95th percentile of 500 alarms by seed are those of the pure functions."""
    rows = list(months.busy(7, 500, SINCE, NOW, areas=[AREA]))
    edges = (0, 29.999, 30, 59.999, 60, 120, 179.999, 180)
    rows += [signed(1000 + place, wait_s) for place, wait_s in enumerate(edges)]
    rows += [
        months.row(2000 + place, NOW - timedelta(seconds=age_s), AREA)
        for place, age_s in enumerate((1, 29, 31, 179, 180, 9000))
    ]
    await months.put(database, rows)
    found = await figures(database)
    real = [one for one in rows if not one["is_drill"]]
    sign = [((one["acknowledged_at"] or NOW) - one["raised_at"], one["acknowledged_at"] is not None) for one in real]
    sent = [(one["dispatched_at"] - one["raised_at"], True) for one in real if one["dispatched_at"]]
    back = [(one["resolved_at"] - one["dispatched_at"], True) for one in real if one["dispatched_at"]]
    for scale, waits, said in (
        (kpi.SIGN, sign, found.sign),
        (kpi.DISPATCH, sent, found.dispatch),
        (kpi.FEEDBACK, back, found.feedback),
    ):
        pure = kpi.histogram_of(scale, [(wait.total_seconds(), is_over) for wait, is_over in waits])
        assert (said.counts, said.pending) == (pure.counts, pure.pending), scale.name
        assert [said.median_s, said.p95_s] == pytest.approx([pure.median_s, pure.p95_s]), scale.name
    assert found.sign.pending == 2 and found.sums.alarms == len(real)


async def test_practice_and_the_platforms_own_alarms_are_in_no_figure(database: Database) -> None:
    """A drill is counted as a drill alone; so is what the platform says about itself."""
    hour = timedelta(hours=1)
    facts: dict[str, Any] = {
        "dispatched_at": SINCE + hour,
        "dispatched_to": "保安",
        "resolved_at": SINCE + 2 * hour,
        "outcome": "false",
    }
    await months.put(
        database,
        [
            signed(
                1, 500, is_drill=True, is_silent=True, suspicion="unsigned", late_by_s=9, escalation_level=3, **facts
            ),
            signed(2, 500, device_id=f"_auditor-{AREA}", escalation_level=2, **facts),
            *(signed(10 + number, 5, is_drill=True) for number in range(30)),
        ],
    )
    found = await figures(database)
    counts = json.loads(json.dumps({name: getattr(found.sums, name) for name in found.sums.__dataclass_fields__}))
    assert {name: count for name, count in counts.items() if count} == {"drills": 31, "of_platform": 1}
    assert sum((*found.sign.counts, *found.dispatch.counts, *found.feedback.counts, *found.hours)) == 0
    assert (found.areas, found.responders, found.busy_slots, found.unfinished) == ((), (), (), ())
    assert await report.list_rows(database, found.period) == []


async def test_a_period_holds_its_first_moment_and_not_its_last(database: Database) -> None:
    """The last microsecond of June and the first of August are not July's."""
    tick = timedelta(microseconds=1)
    moments = (SINCE - tick, SINCE, UNTIL - tick, UNTIL)
    await months.put(database, [months.row(number, moment, AREA) for number, moment in enumerate(moments)])
    found = await figures(database, now=UNTIL + timedelta(days=1))
    assert found.sums.alarms == 2
    assert (found.hours[0], found.hours[23]) == (1, 1)
    assert [row["alarm_no"] for row in await report.list_rows(database, found.period)] == [
        "A20260630-000001",
        "A20260731-000002",
    ]
    assert found.open_in_all == 3


async def test_what_went_wrong_is_counted_each_by_its_kind(database: Database) -> None:
    """False by outcome, escalated by level, cancelled, late, suspicious, silent, and acknowledgements that expired."""
    outcomes = ("true", "false", "false", "test", "hoax", "duplicate", None)
    rows = [signed(number, 5, outcome=outcome) for number, outcome in enumerate(outcomes)]
    rows += [
        signed(21, 40, escalation_level=1),
        signed(30, 40, escalation_level=2, late_by_s=42),
        signed(31, 95, escalation_level=3, suspicion="revoked_device", is_silent=True),
        signed(32, 9, cancelled_by_user_at=SINCE, state="closed"),
    ]
    await months.put(database, rows)
    for version in (3, 5):
        await database.execute(
            "insert into alarm_events (alarm_id, version, kind, at, by_id, by_name)"
            " values ('alarm-00000000', $1, 'expired', $2, 'platform', '平台')",
            version,
            SINCE,
        )
    sums = (await figures(database)).sums
    assert (sums.true_alarms, sums.false_alarms, sums.tests, sums.hoaxes, sums.duplicates, sums.undecided) == (
        1,
        2,
        1,
        1,
        1,
        5,
    )
    assert (sums.to_street, sums.to_district, sums.to_supervisor, sums.escalated) == (1, 1, 1, 3)
    assert (sums.late, sums.latest_s, sums.suspicious, sums.silent, sums.cancelled, sums.expired) == (1, 42, 1, 1, 1, 1)
    assert (sums.alarms, sums.closed) == (11, 1)


async def test_an_unsigned_alarm_is_in_the_slowest_bucket_and_its_area_stands_first(database: Database) -> None:
    """Nobody looks quick by not signing: the area with the worst share of quick signatures leads the list."""
    await months.put(
        database,
        [
            *(signed(number, 5) for number in range(9)),
            months.row(20, SINCE, OTHER_AREA),
            signed(21, 5, area_id=OTHER_AREA),
        ],
    )
    found = await figures(database, "110105001")
    assert found.sign.counts == (10, 0, 0, 0, 1)
    assert [(one.area_name, one.alarms, one.signed, one.quick) for one in found.areas] == [
        ("河西社区", 2, 2, 1),
        ("柳湾社区", 9, 9, 9),
    ]


async def test_a_true_alarm_that_nobody_was_sent_to_counts_as_slow(database: Database) -> None:
    """A verified alarm without a dispatch stands where its age puts it, from 5 minutes on; a false one is in none."""
    await months.put(
        database,
        [
            signed(1, 5, verdict="true", state="verified"),
            signed(2, 5, verdict="false", state="verified"),
            signed(3, 5, NOW - timedelta(minutes=29), verdict="true", state="verified"),
            signed(4, 5, NOW - timedelta(minutes=4), verdict="true", state="verified"),
        ],
    )
    found = await figures(database)
    assert (found.dispatch.counts, found.dispatch.pending) == ((0, 0, 0, 1, 1), 1)


async def test_the_unfinished_stand_oldest_first_and_name_no_household(database: Database) -> None:
    """What June left open is still there in July; what is closed is not; there is no address in any of it."""
    await months.put(
        database,
        [
            months.row(3, SINCE + timedelta(days=1), AREA, household_id="hh-0301", is_silent=True),
            months.row(1, SINCE - timedelta(days=40), AREA),
            months.row(2, SINCE, AREA, state="closed"),
            *(months.row(10 + number, SINCE + timedelta(days=2), AREA) for number in range(20)),
        ],
    )
    found = await figures(database)
    assert [one.alarm_id for one in found.unfinished[:2]] == ["alarm-00000001", "alarm-00000003"]
    assert (len(found.unfinished), found.open_in_all) == (12, 22)
    assert found.unfinished[0].state is AlarmState.RAISED
    assert "301" not in repr(found.unfinished) and "王" not in repr(found.unfinished)


async def test_slow_responders_stand_first(database: Database) -> None:
    """The one whose middle case took longest leads; one who never came back stands last, with what he was sent."""
    minute = timedelta(minutes=1)

    def sent(number: int, to: str, minutes: int | None) -> dict[str, Any]:
        done = None if minutes is None else SINCE + minutes * minute
        return signed(number, 5, dispatched_at=SINCE, dispatched_to=to, resolved_at=done)

    await months.put(database, [sent(1, "赵勇", 10), sent(2, "赵勇", 90), sent(3, "孙立", 300), sent(4, "陈磊", None)])
    found = (await figures(database)).responders
    assert [(one.name, one.sent, one.done, one.median_s) for one in found] == [
        ("孙立", 1, 1, 18000),
        ("赵勇", 2, 2, 3000),
        ("陈磊", 1, 0, None),
    ]


async def test_a_busy_slot_knows_who_was_on_duty(database: Database) -> None:
    """Eleven alarms in ten minutes are a busy slot, ten are none, two areas are two desks."""
    await months.put(
        database,
        [
            *(months.row(number, SINCE + timedelta(seconds=number), AREA) for number in range(11)),
            *(months.row(100 + number, SINCE, OTHER_AREA) for number in range(10)),
        ],
    )
    shift = Shift("s-1", AREA, "周敏", "", "operator", SINCE - timedelta(hours=1), SINCE + timedelta(hours=11))
    async with database.transaction() as connection:
        await duty.add_shifts(connection, [shift])
    [slot] = (await figures(database, "110105001")).busy_slots
    assert (slot.area_id, slot.began_at, slot.alarms, slot.operators) == (AREA, SINCE, 11, 1)


async def test_an_area_sees_its_own_subtree_alone(database: Database) -> None:
    """A neighbour's alarms are in none of the figures; the street has both."""
    await months.put(database, [signed(1, 5), signed(2, 5, area_id=OTHER_AREA)])
    assert [(await figures(database, prefix)).sums.alarms for prefix in (AREA, OTHER_AREA, "110105001", "3301")] == [
        1,
        1,
        2,
        0,
    ]
    assert await report.first_alarm_at(database, "3301") is None
    assert await report.first_alarm_at(database, AREA) == SINCE


async def test_a_period_is_found_by_its_index(database: Database) -> None:
    """Among 20 000 alarms of two years a month is read by an index on the time, never by reading all of them."""
    old = SINCE - timedelta(days=700)
    await months.put(database, list(months.busy(3, 20_000, old, UNTIL, areas=[AREA, OTHER_AREA])))
    await database.execute("analyze alarms")
    for name, more in (("sum_alarms", ()), ("list_rows", ()), ("list_hours", (ZONE,)), ("list_busy_slots", (600, 10))):
        plan = await database.fetch("explain " + report.SQL[name], "110105001", SINCE, UNTIL, *more)
        text = "\n".join(row[0] for row in plan)
        assert "alarms_by_time" in text, text
        assert "Seq Scan on alarms" not in text, text
