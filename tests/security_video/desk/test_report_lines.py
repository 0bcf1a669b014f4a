"""The words and periods of a report, and the lines of a roster: pure."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.store.duty import Shift
from gateway.store.report import BusySlot, Figures, Period, Sums, Waits
from security_video.desk import duty_lines, report_lines
from security_video.desk.report_periods import chosen_period

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 7, 19, 18, 30, tzinfo=UTC)  # 02:30 on the 20th in Shanghai, a Monday
AREA = "110105001001"
NOTHING = Waits((0, 0, 0, 0, 0), 0, None, None)


def figures(*, sign: Waits = NOTHING, slots: tuple[BusySlot, ...] = (), **counts: int) -> Figures:
    sums = Sums(**{**dict.fromkeys(Sums.__dataclass_fields__, 0), **counts})
    period = Period(AREA, NOW - timedelta(days=1), NOW, NOW)
    return Figures(period, sums, sign, NOTHING, NOTHING, (), (), (0,) * 24, slots, (), 0)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "—"),
        (-3, "0.0 秒"),
        (8.44, "8.4 秒"),
        (9.99, "9 秒"),
        (29.999, "29 秒"),
        (59.9, "59 秒"),
        (60, "1 分"),
        (222, "3 分 42 秒"),
        (3600, "1 小时"),
        (33120, "9 小时 12 分"),
        (4 * 86400 + 7300, "4 天 2 小时"),
    ],
)
def test_a_wait_reads_as_the_bucket_in_which_it_stands(seconds: float | None, text: str) -> None:
    """29.999 s is not told as 30, and 59.9 s not as a minute: what is shown never contradicts the histogram."""
    assert report_lines.duration("zh", seconds) == text


@pytest.mark.parametrize(("value", "text"), [(None, "—"), (0.0, "0%"), (100.0, "100%"), (4.0, "4.0%"), (99.9, "99.9%")])
def test_shares_are_of_one_length(value: float | None, text: str) -> None:
    """Digits stand below each other; 100% and 0% are exact and look like it."""
    assert report_lines.share(value) == text


def test_the_sentence_says_the_result_first() -> None:
    """Per cent, counts and median, then what went wrong, then what is not done."""
    month = chosen_period("", "", NOW, ZONE)
    sign = Waits((405, 5, 1, 0, 1), 0, 8.0, 31.0)
    found = figures(sign=sign, alarms=412, to_street=3, to_district=1, expired=2)
    assert report_lines.sentence("zh", month, found) == (
        "本月 98.3% 在 30 秒内签收（412 起中 405 起），中位 8.0 秒。"
        "4 起没人签收，转到了上级。2 起签收后没有动作，重新响铃。都已办完。"
    )
    assert report_lines.sentence("en", month, found).startswith("This month: 98.3% signed within 30 s (405 of 412)")


def test_the_sentence_of_nothing_claims_nothing() -> None:
    """No alarms is no success, and alarms that nobody has signed are no per cent."""
    june = chosen_period("", "2026-06", NOW, ZONE)
    assert report_lines.sentence("zh", june, figures()) == "2026 年 6 月没有警情。"
    waiting = figures(sign=Waits((0,) * 5, 2, None, None), alarms=2)
    assert report_lines.sentence("zh", chosen_period("shift", "", NOW, ZONE), waiting).startswith(
        "本班有 2 起警情，都在等签收。"
    )


def test_floods_are_slots_and_time() -> None:
    """Two desks flooded in the same ten minutes are two slots and one of 144 in a day."""
    slots = tuple(
        BusySlot(area, NOW - timedelta(hours=2), alarms, people)
        for area, alarms, people in (("a", 11, 0), ("b", 25, 2), ("c", 19, 2))
    )
    found = figures(slots=slots, alarms=55)
    assert (report_lines.flooded(found), report_lines.flood_share(found)) == (2, 0.7)


def test_periods_follow_the_wall_clock() -> None:
    """At 02:30 the shift began yesterday evening, the day at midnight, the month on its first."""
    shift, day, month = (chosen_period(kind, "", NOW, ZONE) for kind in ("shift", "day", ""))
    assert (shift.since, shift.until) == (datetime(2026, 7, 19, 12, tzinfo=UTC), datetime(2026, 7, 20, 0, tzinfo=UTC))
    assert day.since == datetime(2026, 7, 19, 16, tzinfo=UTC)
    assert (month.since, month.until) == (datetime(2026, 6, 30, 16, tzinfo=UTC), datetime(2026, 7, 31, 16, tzinfo=UTC))
    assert (month.month, month.before, month.after, month.is_running) == ("2026-07", "2026-06", "", True)
    december = chosen_period("", "2025-12", NOW, ZONE)
    assert (december.before, december.after, december.is_running, december.query) == (
        "2025-11",
        "2026-01",
        False,
        "month=2025-12",
    )


def test_a_day_of_25_hours_ends_at_midnight() -> None:
    """Where clocks are set back the day is an hour longer, and no alarm of it is lost."""
    berlin = ZoneInfo("Europe/Berlin")
    day = chosen_period("day", "", datetime(2026, 10, 25, 12, tzinfo=UTC), berlin)
    assert day.until.astimezone(UTC) - day.since.astimezone(UTC) == timedelta(hours=25)


def shift(number: int, begins: datetime, hours: float) -> Shift:
    return Shift(f"s{number}", AREA, f"值班员{number}", "", "operator", begins, begins + timedelta(hours=hours))


def test_an_empty_desk_stands_first_and_its_gap_is_told() -> None:
    """Who has nobody now leads; a gap that comes within a day is told by its times, today's without the day."""
    since = NOW - timedelta(hours=6.5)  # 20:00 on the 19th
    shifts = [shift(1, since, 12), shift(2, since + timedelta(hours=18), 12)]
    week = duty_lines.week_of("", NOW, ZONE)
    empty, manned = duty_lines.area_lines([(AREA, "柳湾"), ("110105001002", "河西")], shifts, week, NOW, ZONE)
    assert (empty.name, empty.is_empty, empty.gaps) == ("河西", True, ())
    assert [one.shift.shift_id for one in manned.now] == ["s1"]
    assert manned.gaps == (("08:00", "14:00"), ("7/21 02:00", "02:30"))


def test_a_shift_stands_on_the_day_on_which_it_begins() -> None:
    """One that began on Sunday stands on Monday with its day; one of next week nowhere; Sunday is the last day."""
    week = duty_lines.week_of("2026-07-26", NOW, ZONE)
    assert (str(week.days[0]), week.before, week.after) == ("2026-07-20", "2026-07-13", "2026-07-27")
    shifts = [
        shift(1, NOW - timedelta(hours=6.5), 12),
        shift(2, NOW + timedelta(hours=2), 100),
        shift(3, week.until, 8),
    ]
    [line] = duty_lines.area_lines([(AREA, "柳湾")], shifts, week, NOW, ZONE)
    assert [[one.shift.shift_id for one in day] for day in line.days] == [["s1", "s2"], [], [], [], [], [], []]
    assert [(one.begins, one.ends) for one in line.days[0]] == [("7/19 20:00", "08:00"), ("04:30", "7/24 08:30")]
