import pytest
from hypothesis import given
from hypothesis import strategies as st

from security_video.sources.timing import CaptureClock, Pace


def test_picture_that_waited_on_its_way_is_older() -> None:
    """A picture that arrives later than its stream time allows has waited, and the wait counts as its age."""
    clock = CaptureClock()
    for number in range(10):
        clock.captured_s(number * 0.1, 1000 + number * 0.1)
    late = clock.captured_s(1.0, 1001 + 5.0)
    assert 1006 - late == pytest.approx(5.1, abs=0.02)


def test_burst_after_connecting_does_not_fake_age_for_ever() -> None:
    """Old pictures that a camera sends in a burst at the beginning do not make later ones look old."""
    clock = CaptureClock()
    for number in range(10):
        clock.captured_s(number * 0.1, 1000.0)
    assert 1000.5 - clock.captured_s(1.4, 1000.5) == pytest.approx(0.5, abs=0.2)


def test_stream_without_time_counts_from_arrival() -> None:
    """Where a stream has no time of its own, the moment of capture is that of arrival."""
    assert CaptureClock().captured_s(None, 1234.5) == 1234.5


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 5)), min_size=1, max_size=40))
def test_no_picture_is_taken_after_it_arrived(steps: list[tuple[float, float]]) -> None:
    """Whatever a camera claims, a picture is never from the future."""
    clock, arrived_s = CaptureClock(), 1000.0
    for stream_s, wait_s in steps:
        arrived_s += wait_s
        assert clock.captured_s(stream_s, arrived_s) <= arrived_s + 1e-6


def test_recording_is_played_at_its_own_pace() -> None:
    """Picture by picture a recording is due at its own time, divided by the speed."""
    pace = Pace(speed=2)
    assert pace.wait_s(10.0, 100) == 0
    assert pace.wait_s(12.0, 100) == 1
    assert pace.wait_s(12.0, 105) == 0


def test_recording_that_begins_again_is_not_hurried() -> None:
    """When stream time falls back to the beginning, the pace begins anew."""
    pace = Pace(speed=1)
    pace.wait_s(0.0, 100)
    pace.wait_s(60.0, 160)
    assert pace.wait_s(0.0, 160.1) == 0
    assert pace.wait_s(1.0, 160.1) == 1
