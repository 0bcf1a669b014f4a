import pytest
from hypothesis import given
from hypothesis import strategies as st

from tv_apps.air_quality import INDEX, LIMITS, index_of, quality_of


@pytest.mark.parametrize(("figure", "place"), [(f, i) for f, limits in LIMITS.items() for i in range(len(limits))])
def test_every_limit_of_the_standard_has_its_index(figure: str, place: int) -> None:
    """At each concentration limit of HJ 633-2012 the index is exactly that of the table."""
    assert index_of(figure, LIMITS[figure][place]) == INDEX[place]


@pytest.mark.parametrize(
    ("figure", "concentration", "index"),
    [
        ("pm25_24h", 35.1, 51),  # a little above a limit is already the next level: rounded up
        ("pm25_24h", 55, 75),
        ("pm10_24h", 100, 75),
        ("o3_1h", 180, 75),
        ("co_1h", 7.5, 75),
        ("pm25_24h", 900, 500),
        ("so2_1h", 801, None),  # the standard sends this to the daily figure
        ("o3_8h", 801, None),
        ("pm25_24h", -1, None),
        ("pm25_24h", float("nan"), None),
    ],
)
def test_between_the_limits_the_index_is_a_straight_line_rounded_up(
    figure: str, concentration: float, index: int | None
) -> None:
    """Between two limits the index is interpolated and rounded up; outside the table there is none or 500."""
    assert index_of(figure, concentration) == index


def test_the_worst_pollutant_makes_the_index_and_is_named_from_51_on() -> None:
    """The index is the largest one; the main pollutant is named above 50 only; the word follows the index."""
    good = quality_of({"pm25_24h": 30, "no2_1h": 40})
    assert good is not None and (good.aqi, good.word, good.main) == (43, "优", ())
    bad = quality_of({"pm25_24h": 160, "pm10_24h": 60})
    assert bad is not None and (bad.aqi, bad.word, bad.main) == (210, "重度污染", ("pm25_24h",))
    assert quality_of({}) is None


@given(st.sampled_from(sorted(LIMITS)), st.floats(0, 600), st.floats(0, 600))
def test_more_is_never_better(figure: str, one: float, other: float) -> None:
    """A higher concentration never has a lower index."""
    low, high = sorted((one, other))
    first, second = index_of(figure, low), index_of(figure, high)
    assert first is not None
    assert second is None or first <= second
