import pytest
from hypothesis import given
from hypothesis import strategies as st

from security_video.health import Limits, Link, Look, Observation, State, Track, Verdict, advance, begin, judge

LIMITS = Limits()
STREET = Look(luma=110, spread=45, detail=300, still_s=0)


def seen(
    silence_s: float | None = 0.1, *, look: Look | None = STREET, link: Link = Link.OPEN, age_s: float = 0.1
) -> Observation:
    return Observation(link, silence_s, age_s, look)


def run(track: Track, observation: Observation, *, start_s: float, seconds: float) -> Track:
    for tick in range(int(seconds * 10) + 1):
        track = advance(track, observation, start_s + tick / 10, LIMITS)
    return track


@pytest.mark.parametrize(
    ("observation", "expected"),
    [
        (seen(), Verdict(State.LIVE, "live")),
        (seen(2.5), Verdict(State.LATE, "late")),
        (seen(0.1, age_s=3), Verdict(State.LATE, "late")),
        (seen(11), Verdict(State.FROZEN, "no_new_picture")),
        (seen(61), Verdict(State.NO_SIGNAL, "no_new_picture")),
        (seen(look=Look(110, 45, 300, still_s=10)), Verdict(State.FROZEN, "same_picture")),
        (seen(look=Look(4, 1.5, 0.3, still_s=99)), Verdict(State.DARK, "dark")),
        (seen(look=Look(90, 6, 1, still_s=0)), Verdict(State.COVERED, "no_detail")),
        (seen(look=None), Verdict(State.LIVE, "live")),
        (seen(0.5, link=Link.REFUSED), Verdict(State.REFUSED, "refused")),
        (seen(0.5, link=Link.TIMED_OUT), Verdict(State.LIVE, "live")),
        (seen(2.5, link=Link.TIMED_OUT), Verdict(State.NO_SIGNAL, "timed_out")),
        (seen(2.5, link=Link.NOT_VIDEO), Verdict(State.NO_SIGNAL, "not_video")),
        (seen(None, look=None, link=Link.CONNECTING), Verdict(State.STARTING, "connecting")),
        (seen(None, look=None, link=Link.REFUSED), Verdict(State.REFUSED, "refused")),
        (seen(None, look=None, link=Link.NOT_VIDEO), Verdict(State.NO_SIGNAL, "not_video")),
        (Observation(Link.CONNECTING, None, None, None, waiting_s=11), Verdict(State.NO_SIGNAL, "never_seen")),
    ],
)
def test_one_observation_has_one_verdict(observation: Observation, expected: Verdict) -> None:
    """Every way in which a picture may be missing, old, unchanging or empty has its own word."""
    assert judge(observation, LIMITS) == expected


def test_same_picture_over_and_over_is_frozen_although_frames_advance() -> None:
    """A camera that keeps sending one and the same picture is called frozen, not live."""
    track = run(begin(0), seen(), start_s=0, seconds=2)
    assert track.said.state is State.LIVE
    track = run(track, seen(look=Look(110, 45, 300, still_s=12)), start_s=2, seconds=2)
    assert track.said == Verdict(State.FROZEN, "same_picture")


def test_one_late_picture_does_not_blink() -> None:
    """A state that lasts shorter than the settling time is never said."""
    track = run(begin(0), seen(), start_s=0, seconds=2)
    track = run(track, seen(2.1), start_s=2, seconds=0.5)
    track = run(track, seen(), start_s=2.6, seconds=0.5)
    assert track.said.state is State.LIVE
    assert track.since_s == 0


def test_since_is_when_the_state_began_not_when_it_was_said() -> None:
    """The time on the tile is that of the first sign, not that of the end of the settling time."""
    track = run(begin(0), seen(), start_s=0, seconds=2)
    track = run(track, seen(3), start_s=5, seconds=2)
    assert (track.said.state, track.since_s) == (State.LATE, 5)


def test_refusal_is_said_at_once() -> None:
    """What the connection itself reports needs no settling."""
    track = run(begin(0), seen(), start_s=0, seconds=2)
    assert advance(track, seen(0.5, link=Link.REFUSED), 3, LIMITS).said.state is State.REFUSED


def test_silence_alone_walks_from_late_to_no_signal() -> None:
    """A camera of which nothing more is heard is late, then frozen, then without signal, in that order."""
    track = run(begin(0), seen(), start_s=0, seconds=1)
    said: list[State] = []
    for tick in range(700):
        track = advance(track, seen(tick / 10, age_s=tick / 10), 1 + tick / 10, LIMITS)
        if not said or said[-1] is not track.said.state:
            said.append(track.said.state)
    assert said == [State.LIVE, State.LATE, State.FROZEN, State.NO_SIGNAL]


def test_camera_comes_back_to_life() -> None:
    """After any outage, new and changing pictures make a camera live again once the settling time is over."""
    track = run(begin(0), seen(None, look=None, link=Link.REFUSED), start_s=0, seconds=2)
    track = run(track, seen(), start_s=3, seconds=LIMITS.settle_s)
    assert track.said.state is State.LIVE


@given(
    st.floats(0, 300), st.floats(0, 300), st.floats(0, 255), st.floats(0, 120), st.floats(0, 5000), st.floats(0, 300)
)
def test_old_picture_is_never_called_live(  # noqa: PLR0917
    silence_s: float, age_s: float, luma: float, spread: float, detail: float, still_s: float
) -> None:
    """No combination of measures makes a picture live that is older than the limit or does not change."""
    verdict = judge(Observation(Link.OPEN, silence_s, age_s, Look(luma, spread, detail, still_s)), LIMITS)
    if max(silence_s, age_s) >= LIMITS.late_s or still_s >= LIMITS.frozen_s:
        assert verdict.state is not State.LIVE
