"""What state a camera is in, judged from its connection, its newest picture and the time: pure, with hysteresis.

    starting ──► live ◄──► late ──► frozen ──► no_signal
                  ▲ ▼                              ▲
          dark, covered, frozen (same picture)     └── refused (the address said no)

A tile is never silently old: silence alone leads from live over late and frozen to no_signal. A new state must hold for
`Limits.settle_s` before it is said, so that one late picture does not blink; only the first judgement, and a refusal
or a loss that the connection itself reported, count at once.
"""

from dataclasses import dataclass, replace
from enum import StrEnum


class State(StrEnum):
    """The word on the tile."""

    STARTING = "starting"
    LIVE = "live"
    LATE = "late"
    FROZEN = "frozen"
    DARK = "dark"
    COVERED = "covered"
    NO_SIGNAL = "no_signal"
    REFUSED = "refused"


class Link(StrEnum):
    """What the capture process knows about its connection to the camera."""

    CONNECTING = "connecting"
    OPEN = "open"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    NOT_VIDEO = "not_video"
    ENDED = "ended"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Look:
    """Measures of one picture's brightness plane.

    `luma` is the mean and `spread` the standard deviation (0-255), `detail` the variance of the Laplacian, `still_s`
    how long pictures have kept arriving without any difference between them.
    """

    luma: float
    spread: float
    detail: float
    still_s: float


@dataclass(frozen=True, slots=True)
class Observation:
    """All that is known about a camera at one moment; ages in seconds, None where nothing ever came.

    `silence_s` counts from the newest picture's arrival here, `age_s` from its capture: both clocks must agree that
    the picture is new. `waiting_s` counts since somebody began to wait for the camera.
    """

    link: Link
    silence_s: float | None
    age_s: float | None
    look: Look | None
    waiting_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Where one state ends and the next begins."""

    late_s: float = 2.0
    frozen_s: float = 10.0
    no_signal_s: float = 60.0
    settle_s: float = 1.0
    dark_luma: float = 18.0
    dark_spread: float = 8.0
    covered_spread: float = 14.0
    covered_detail: float = 6.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """A state and why, in one word for logs and pages."""

    state: State
    reason: str


@dataclass(frozen=True, slots=True)
class Track:
    """A camera's stated verdict and the one that may follow it; times are one monotonic clock's seconds."""

    said: Verdict
    since_s: float
    next: Verdict
    next_since_s: float


_AT_ONCE = frozenset({State.REFUSED, State.NO_SIGNAL})
_LOST_REASONS = frozenset({Link.TIMED_OUT, Link.NOT_VIDEO, Link.LOST, Link.ENDED})


def begin(now_s: float) -> Track:
    """Return the track of a camera of which nothing is known yet."""
    verdict = Verdict(State.STARTING, "starting")
    return Track(verdict, now_s, verdict, now_s)


def advance(track: Track, seen: Observation, now_s: float, limits: Limits) -> Track:
    """Return the track after one more observation; `said` changes only when the new verdict has settled."""
    verdict = judge(seen, limits)
    if verdict.state is track.said.state:
        # The reason may sharpen (lost, then timed out) without a new "since".
        return replace(track, said=verdict, next=verdict, next_since_s=now_s)
    if verdict.state is not track.next.state:
        track = replace(track, next=verdict, next_since_s=now_s)
    patience_s = 0.0 if track.said.state is State.STARTING or verdict.state in _AT_ONCE else limits.settle_s
    if now_s - track.next_since_s < patience_s:
        return track
    return Track(verdict, track.next_since_s, verdict, track.next_since_s)


def judge(seen: Observation, limits: Limits) -> Verdict:
    """Return the verdict on one observation alone, worst news first."""
    if seen.silence_s is None:
        return _without_picture(seen, limits)
    if seen.link is Link.REFUSED:
        return Verdict(State.REFUSED, "refused")
    if seen.link in _LOST_REASONS and seen.silence_s >= limits.late_s:
        return Verdict(State.NO_SIGNAL, seen.link.value)
    return _by_silence(seen, limits) or _by_look(seen.look, limits) or Verdict(State.LIVE, "live")


def _without_picture(seen: Observation, limits: Limits) -> Verdict:
    if seen.link is Link.REFUSED:
        return Verdict(State.REFUSED, "refused")
    if seen.link not in {Link.CONNECTING, Link.OPEN}:
        return Verdict(State.NO_SIGNAL, seen.link.value)
    if seen.waiting_s >= limits.frozen_s:
        return Verdict(State.NO_SIGNAL, "never_seen")
    return Verdict(State.STARTING, seen.link.value)


def _by_silence(seen: Observation, limits: Limits) -> Verdict | None:
    old_s = max(seen.silence_s or 0.0, seen.age_s or 0.0)
    if old_s >= limits.no_signal_s:
        return Verdict(State.NO_SIGNAL, "no_new_picture")
    if old_s >= limits.frozen_s:
        return Verdict(State.FROZEN, "no_new_picture")
    if old_s >= limits.late_s:
        return Verdict(State.LATE, "late")
    return None


def _by_look(look: Look | None, limits: Limits) -> Verdict | None:
    if look is None:
        return None
    if look.luma < limits.dark_luma and look.spread < limits.dark_spread:
        return Verdict(State.DARK, "dark")
    if look.still_s >= limits.frozen_s:
        return Verdict(State.FROZEN, "same_picture")
    if look.spread < limits.covered_spread and look.detail < limits.covered_detail:
        return Verdict(State.COVERED, "no_detail")
    return None
