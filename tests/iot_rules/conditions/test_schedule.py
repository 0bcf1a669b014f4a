"""Windows of the day in the community's own time."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iot_rules.conditions.schedule import Days, Edge, Window, is_workday

SHANGHAI = ZoneInfo("Asia/Shanghai")
NIGHT = Window(Edge(at=time(22)), Edge(at=time(6)))
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("moment", "is_inside"),
    [
        ("2026-01-15 21:59:59", False),
        ("2026-01-15 22:00", True),
        ("2026-01-16 00:30", True),
        ("2026-01-16 06:00", False),
    ],
)
def test_the_night_goes_across_midnight(moment: str, is_inside: bool) -> None:
    """From 22:00 to 06:00 is one night; its end is no part of it."""
    assert NIGHT.holds(local(moment)) is is_inside


def test_the_zone_is_the_rules_and_not_the_machines() -> None:
    """22:30 in Shanghai is night, whatever the server's own zone is."""
    assert NIGHT.holds(datetime(2026, 1, 15, 14, 30, tzinfo=UTC))
    assert not NIGHT.holds(datetime(2026, 1, 15, 22, 30, tzinfo=UTC))


@given(MOMENTS)
def test_nothing_changes_before_the_next_change(moment: datetime) -> None:
    """Between a moment and its next change the answer stays; at the change it is the other one."""
    change = NIGHT.next_change(moment)
    assert moment < change <= moment + timedelta(days=1)
    assert NIGHT.holds(change - timedelta(microseconds=1)) == NIGHT.holds(moment)
    assert NIGHT.holds(change) != NIGHT.holds(moment)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-02-14", True),  # a Saturday made up for the Spring Festival
        ("2026-02-16", False),  # the eve of it, a Monday
        ("2026-10-01", False),
        ("2026-10-10", True),  # a Saturday made up for the National Day
        ("2026-01-17", False),  # a plain Saturday
        ("2026-01-15", True),
    ],
)
def test_chinese_workdays_know_made_up_weekends(day: str, works: bool) -> None:
    """调休: people work on some Saturdays and rest on some Mondays."""
    assert is_workday(date.fromisoformat(day)) is works


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    """A window of workdays that begins on Friday goes on until Saturday morning and does not begin on Saturday."""
    window = Window(NIGHT.begin, NIGHT.end, Days.WORKDAYS)
    assert window.holds(local("2026-01-17 05:00"))
    assert not window.holds(local("2026-01-17 23:00"))
    assert window.next_change(local("2026-01-17 07:00")) == local("2026-01-19 22:00")


def test_dark_follows_the_sun() -> None:
    """Sunset in Beijing is before 17:15 in January and after 19:30 in June."""
    dark = Window(Edge(sun="sunset"), Edge(sun="sunrise"))
    assert dark.holds(local("2026-01-15 17:30"))
    assert not dark.holds(local("2026-06-15 19:30"))
    early = Window(Edge(sun="sunset", offset=-timedelta(hours=1)), Edge(sun="sunrise"))
    assert early.next_change(local("2026-01-15 12:00")) == dark.next_change(local("2026-01-15 12:00")) - timedelta(
        hours=1
    )
