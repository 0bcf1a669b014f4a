"""Masked numbers and shifts: small pure promises of the board."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.model.registry import Household
from security_video.desk.homes import home_of
from security_video.desk.shapes import masked
from security_video.desk.shifts import shift_at

BEIJING = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("phone", "shown"), [("13812345678", "138****5678"), ("62345678", "****78"), ("", ""), ("110", "****10")]
)
def test_a_masked_number_can_be_told_apart_but_not_called(phone: str, shown: str) -> None:
    """The middle of a number is hidden whatever its length."""
    assert masked(phone) == shown


@pytest.mark.parametrize(
    ("utc", "name", "began"),
    [
        (datetime(2026, 7, 19, 18, 14, tzinfo=UTC), "night", datetime(2026, 7, 19, 20, tzinfo=BEIJING)),
        (datetime(2026, 7, 19, 12, 0, tzinfo=UTC), "night", datetime(2026, 7, 19, 20, tzinfo=BEIJING)),
        (datetime(2026, 7, 20, 0, 0, tzinfo=UTC), "day", datetime(2026, 7, 20, 8, tzinfo=BEIJING)),
    ],
)
def test_a_night_shift_lasts_over_midnight(utc: datetime, name: str, began: datetime) -> None:
    """From 20:00 to 08:00 by the community's wall clock it is one night, whatever the server's zone."""
    assert shift_at(utc, BEIJING) == (name, began)


def test_a_note_of_another_shape_is_left_out_not_guessed() -> None:
    """A household's note with wrong types gives an empty card, never an error in the middle of an alarm."""
    note: dict[str, object] = {"age": "old", "tags": "独居", "contacts": {"name": "x"}, "phone": ""}
    home = home_of(Household("hh", "110105001001", "", "", "", "某处", "某人", note, None, None, "t" * 16))
    assert (home.age, home.tags, home.contacts) == (None, (), ())
