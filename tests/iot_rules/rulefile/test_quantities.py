"""Durations and measures as people write them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iot_rules.rulefile.quantities import NotAQuantity, read_duration, read_measure


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("10 min", 600),
        ("10min", 600),
        ("1 h 30 min", 5400),
        ("90 s", 90),
        ("1.5 h", 5400),
        ("10分钟", 600),
        ("1 d", 86400),
    ],
)
def test_a_duration_has_a_unit(written: str, seconds: int) -> None:
    """Seconds, minutes, hours and days, in English or Chinese, also added up."""
    assert read_duration(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize("written", ["10", 10, 10.5, "", "min", "10 m", "-1 min", "40 d", "1e9 h", True, None])
def test_what_is_no_duration_has_a_cure(written: object) -> None:
    """Bare numbers, unknown units and impossible lengths say how it is written."""
    with pytest.raises(NotAQuantity) as refused:
        read_duration(written)
    assert refused.value.cure


@given(st.integers(0, 44_000))
def test_minutes_come_back(minutes: int) -> None:
    """Every whole number of minutes up to a month is read as itself."""
    assert read_duration(f"{minutes} min") == timedelta(minutes=minutes)


@pytest.mark.parametrize("written", [35, "35", "35 %", "35 ppb", "much", True, None])
def test_a_measure_has_the_unit_of_its_property(written: object) -> None:
    """A number without or with another unit is refused, with the right one in the cure."""
    with pytest.raises(NotAQuantity) as refused:
        read_measure(written, "ppm", "co")
    assert "ppm" in refused.value.cure
    assert read_measure("35 ppm", "ppm", "co") == 35.0
