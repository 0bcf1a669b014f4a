"""Buckets, shares and floods, at their edges."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.alarms import kpi
from gateway.alarms.kpi import DISPATCH, FEEDBACK, SIGN, Scale, Slot

MINUTE, HOUR = 60.0, 3600.0


@pytest.mark.parametrize(
    ("scale", "wait_s", "bucket"),
    [
        (SIGN, -0.5, 0),
        (SIGN, 0.0, 0),
        (SIGN, 29.999, 0),
        (SIGN, 30.0, 1),
        (SIGN, 59.999, 1),
        (SIGN, 60.0, 2),
        (SIGN, 119.999, 2),
        (SIGN, 120.0, 3),
        (SIGN, 179.999, 3),
        (SIGN, 180.0, 4),
        (SIGN, 1e9, 4),
        (DISPATCH, 5 * MINUTE - 0.001, 0),
        (DISPATCH, 5 * MINUTE, 1),
        (DISPATCH, 10 * MINUTE, 2),
        (DISPATCH, 15 * MINUTE, 3),
        (DISPATCH, 30 * MINUTE - 0.001, 3),
        (DISPATCH, 30 * MINUTE, 4),
        (FEEDBACK, 30 * MINUTE - 0.001, 0),
        (FEEDBACK, 30 * MINUTE, 1),
        (FEEDBACK, HOUR, 2),
        (FEEDBACK, 2 * HOUR, 3),
        (FEEDBACK, 4 * HOUR - 0.001, 3),
        (FEEDBACK, 4 * HOUR, 4),
    ],
)
def test_a_bucket_holds_its_lower_limit_and_not_its_upper_one(scale: Scale, wait_s: float, bucket: int) -> None:
    """30.000 s is the moment at which the street is asked: it is not within 30 s."""
    assert kpi.bucket_of(scale, wait_s) == bucket


def test_every_scale_has_five_buckets_in_rising_order() -> None:
    """The buckets of a 110 centre are five for each of the three."""
    for name, scale in kpi.SCALES.items():
        assert (scale.name, scale.buckets, list(scale.limits_s)) == (name, 5, sorted(set(scale.limits_s)))


def test_a_wait_that_is_not_over_counts_when_it_can_only_become_worse() -> None:
    """An unsigned alarm is pending up to the first limit, and from there on it stands where its age puts it."""
    assert kpi.place_of(SIGN, 29.9, is_over=False) is None
    assert [kpi.place_of(SIGN, age_s, is_over=False) for age_s in (30, 60, 180)] == [1, 2, 4]
    histogram = kpi.histogram_of(SIGN, [(12, True), (31, True), (29, False), (5000, False)])
    assert (histogram.counts, histogram.pending, histogram.total) == ((1, 1, 0, 0, 1), 1, 3)
    assert histogram.shares == (33.3, 33.3, 0.0, 0.0, 33.3)
    assert histogram.median_s == 31


def test_nothing_has_no_shares() -> None:
    """No alarm is no hundred per cent, and no median."""
    empty = kpi.histogram_of(SIGN, [])
    assert (empty.total, empty.shares, empty.median_s, empty.p95_s) == (0, (None,) * 5, None, None)


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [(0, 0, None), (0, 9, 0.0), (9, 9, 100.0), (1, 3, 33.3), (99_999, 100_000, 99.9), (1, 100_000, 0.1), (2, 3, 66.7)],
)
def test_per_cent_never_rounds_somebody_away(part: int, whole: int, shown: float | None) -> None:
    """100.0 is all and 0.0 is nothing; one late alarm of a hundred thousand is still seen."""
    assert kpi.percent(part, whole) == shown


def test_quantiles_lie_between_their_neighbours() -> None:
    """The median of four lies between the second and the third, the 95th of one is itself."""
    assert kpi.quantile([1, 2, 4, 8], 0.5) == 3
    assert kpi.quantile([7], 0.95) == 7
    assert kpi.quantile([0, 100], 0.95) == pytest.approx(95)


@pytest.mark.parametrize(
    ("alarms", "operators", "is_flood"), [(10, 1, False), (11, 1, True), (20, 2, False), (21, 2, True), (11, 0, True)]
)
def test_a_flood_is_more_than_ten_for_one_operator(alarms: int, operators: int, *, is_flood: bool) -> None:
    """Ten in ten minutes can be answered, eleven cannot; an empty desk is measured as one operator."""
    assert kpi.is_flood(Slot(alarms, operators)) is is_flood


def test_load_of_no_time_is_unknown() -> None:
    """A period that has not begun has no rate."""
    assert kpi.per_hour(3, 0) is None
    assert kpi.per_hour(3, 1800) == 6


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-10, 1e6, allow_nan=False), st.booleans()), max_size=60))
def test_nobody_is_counted_twice_or_forgotten(waits: list[tuple[float, bool]]) -> None:
    """Whatever the waits, every one is in exactly one bucket or pending, in any order."""
    for scale in kpi.SCALES.values():
        histogram = kpi.histogram_of(scale, waits)
        assert histogram.total + histogram.pending == len(waits)
        assert kpi.histogram_of(scale, random.Random(1).sample(waits, len(waits))) == histogram
