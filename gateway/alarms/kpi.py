"""Buckets in which a Chinese 110 centre counts its work, and what a flood is: tables of limits and pure arithmetic.

The limits are those of the weekly report of 安康's 110 centre: 签收 0–30, 30–60, 60–120, 120–180, over 180 s; 出警 0–5,
5–10, 10–15, 15–30, over 30 min; 反馈 0–30, 30–60 min, 1–2, 2–4, over 4 h. That report also names the slowest unit and
lists what is 未处理完毕. A flood is EEMUA 191's: more than 10 alarms for one operator in 10 minutes; ISA-18.2 accepts
less than 1 % of the slots. EEMUA's average is at most 5 alarms an hour.

What is measured. That centre counts from the order, never from the step before, so that one slow step cannot make the
next look quick: 签收 is raised → acknowledged, 出警 is raised → dispatched. 反馈 is dispatched → resolved, because its
buckets are those of the road and the work there. A bucket holds its lower limit and not its upper one: 30.000 s is the
moment at which the street is asked, and stands in 30–60. A wait that is not over counts with its age from the first
limit on, for it can only become worse; before that it is pending and in no per cent. So nobody looks quick by not
signing. An acknowledgement that expired was none.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

MINUTE_S: Final = 60.0
HOUR_S: Final = 3600.0

#: More alarms than this for one operator in one slot are a flood (EEMUA 191).
FLOOD_ALARMS: Final = 10
FLOOD_SLOT_S: Final = 600
#: Share of slots in flood that is still acceptable, in per cent (ISA-18.2).
FLOOD_SHARE_LIMIT: Final = 1.0
#: Alarms an hour that one operator can answer for a whole shift (EEMUA 191).
STEADY_PER_HOUR: Final = 5.0


@dataclass(frozen=True, slots=True)
class Scale:
    """One histogram: `limits_s` are the lower limits of all buckets but the first, rising."""

    name: str
    limits_s: tuple[float, ...]

    @property
    def buckets(self) -> int:
        """How many buckets there are, the open one included."""
        return len(self.limits_s) + 1


SIGN: Final = Scale("sign", (30.0, 60.0, 120.0, 180.0))
DISPATCH: Final = Scale("dispatch", (5 * MINUTE_S, 10 * MINUTE_S, 15 * MINUTE_S, 30 * MINUTE_S))
FEEDBACK: Final = Scale("feedback", (30 * MINUTE_S, HOUR_S, 2 * HOUR_S, 4 * HOUR_S))
SCALES: Final[Mapping[str, Scale]] = MappingProxyType({one.name: one for one in (SIGN, DISPATCH, FEEDBACK)})


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many waits fell into each bucket, how many are still pending, median and 95th percentile in seconds."""

    scale: Scale
    counts: tuple[int, ...]
    pending: int = 0
    median_s: float | None = None
    p95_s: float | None = None

    @property
    def total(self) -> int:
        """How many waits the per cents are of."""
        return sum(self.counts)

    @property
    def shares(self) -> tuple[float | None, ...]:
        """Per cent of each bucket."""
        return tuple(percent(count, self.total) for count in self.counts)


@dataclass(frozen=True, slots=True)
class Slot:
    """Ten minutes of one area with more alarms than one operator can answer."""

    alarms: int
    operators: int


def bucket_of(scale: Scale, wait_s: float) -> int:
    """Return the place of the bucket that holds `wait_s`; a clock that went back counts as no wait."""
    return bisect_right(scale.limits_s, max(0.0, wait_s))


def place_of(scale: Scale, wait_s: float, *, is_over: bool) -> int | None:
    """Return the bucket of a wait, None while it is pending."""
    return bucket_of(scale, wait_s) if is_over or wait_s >= scale.limits_s[0] else None


def histogram_of(scale: Scale, waits: Sequence[tuple[float, bool]]) -> Histogram:
    """Count (seconds, is over) pairs; the store's SQL counts the same way on the rows themselves."""
    places = [place_of(scale, wait_s, is_over=is_over) for wait_s, is_over in waits]
    counts = tuple(places.count(place) for place in range(scale.buckets))
    known = sorted(max(0.0, wait_s) for (wait_s, _), place in zip(waits, places, strict=True) if place is not None)
    return Histogram(scale, counts, places.count(None), quantile(known, 0.5), quantile(known, 0.95))


def quantile(ordered: Sequence[float], share: float) -> float | None:
    """Return a quantile of rising numbers by linear interpolation, None of nothing."""
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def percent(part: int, whole: int) -> float | None:
    """Return per cent with one decimal; 100.0 only where it is all, 0.0 only where it is nothing, None of nothing."""
    if whole == 0:
        return None
    if part in {0, whole}:
        return 100.0 if part else 0.0
    return min(99.9, max(0.1, round(100 * part / whole, 1)))


def is_flood(slot: Slot) -> bool:
    """Tell whether the operators on duty had more than they can answer; nobody on duty counts as one."""
    return slot.alarms > FLOOD_ALARMS * max(1, slot.operators)


def per_hour(alarms: int, period_s: float) -> float | None:
    """Return alarms an hour, None before the period has any length."""
    return alarms * HOUR_S / period_s if period_s > 0 else None
