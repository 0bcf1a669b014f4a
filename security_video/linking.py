"""Which cameras belong to a household: chosen by people first, then those that see it, then the nearest.

Coordinates are metres on the community's plan, x to the right and y down. A heading is a compass bearing on that plan:
0 looks up (north), 90 to the right (east), clockwise. Pure: no clock, no database.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.model.ids import CameraId

#: A camera standing on the household's own spot sees it, whatever its heading says.
SAME_SPOT_M = 0.5


class Why(StrEnum):
    """Why a camera is shown for a household."""

    CHOSEN = "chosen"
    SEES = "sees"
    NEAR = "near"


@dataclass(frozen=True, slots=True)
class Spot:
    """A point on the community's plan, in metres."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class View:
    """Where a camera stands and what it looks at; a `view_deg` of 360 or more looks everywhere."""

    camera_id: CameraId
    spot: Spot
    heading_deg: float
    view_deg: float
    range_m: float


@dataclass(frozen=True, slots=True)
class Link:
    """One camera for one household; a chosen camera keeps its true distance."""

    camera_id: CameraId
    why: Why
    distance_m: float


def nearest(home: Spot, views: Sequence[View], *, chosen: Sequence[CameraId] = (), limit: int = 4) -> tuple[Link, ...]:
    """Return at most `limit` links, best first: `chosen` in their order, then by sight, then by distance.

    A chosen camera that is not among `views` (removed, disabled) is passed over. Equal distances go by camera id, so
    that two desks show the same cameras in the same places.
    """
    links = [_link(home, view, chosen) for view in views]
    return tuple(sorted(links, key=lambda link: _rank(link, chosen))[:limit])


def sees(view: View, spot: Spot) -> bool:
    """Tell whether `spot` lies within the range and the angle of `view`; walls are not known and not considered."""
    distance_m = distance(view.spot, spot)
    if distance_m <= SAME_SPOT_M:
        return True
    return distance_m <= view.range_m and turn_deg(bearing_deg(view.spot, spot), view.heading_deg) <= view.view_deg / 2


def distance(one: Spot, other: Spot) -> float:
    """Return metres in a straight line."""
    return math.hypot(other.x - one.x, other.y - one.y)


def bearing_deg(origin: Spot, target: Spot) -> float:
    """Return the compass bearing of `target` from `origin`, 0 to below 360."""
    return math.degrees(math.atan2(target.x - origin.x, origin.y - target.y)) % 360


def turn_deg(one: float, other: float) -> float:
    """Return the smaller angle between two bearings, 0 to 180."""
    return abs((one - other + 180) % 360 - 180)


def _link(home: Spot, view: View, chosen: Sequence[CameraId]) -> Link:
    why = Why.CHOSEN if view.camera_id in chosen else Why.SEES if sees(view, home) else Why.NEAR
    return Link(view.camera_id, why, distance(view.spot, home))


def _rank(link: Link, chosen: Sequence[CameraId]) -> tuple[int, int, float, str]:
    if link.why is Why.CHOSEN:
        return 0, chosen.index(link.camera_id), 0.0, link.camera_id
    return (1 if link.why is Why.SEES else 2), 0, link.distance_m, link.camera_id
