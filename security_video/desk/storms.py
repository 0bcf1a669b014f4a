"""Many alarms at once: which become one line of the queue, which keep a row of their own, in what order. Pure.

A household storm is one alarm that is pressed again and again; an area storm is more than `MORE_THAN` alarms of one
kind in one area that came within `WINDOW` and that nobody has signed for. Only an area storm takes rows together: an
alarm outside of one always has its own, and so has every silent one.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from gateway.store.desk import Face

MORE_THAN: Final = 10
WINDOW: Final = timedelta(minutes=10)
#: Presses of one alarm within a minute that make a household storm.
MANY_PRESSES: Final = 5
#: Rows of a snapshot; beyond it alarms that somebody has in hand are counted in one line.
MOST_ROWS: Final = 200


@dataclass(frozen=True, slots=True)
class StormKey:
    """What alarms of one storm have in common; all empty for those in hand that are too many for rows."""

    area_id: str = ""
    kind: str = ""
    is_drill: bool = False

    @property
    def text(self) -> str:
        """The key as pages name it."""
        return f"{self.area_id}|{self.kind}|{'drill' if self.is_drill else ''}"


IN_HAND: Final = StormKey()


@dataclass(frozen=True, slots=True)
class Group:
    """One line for many alarms: the first of each household first, among them the gravest, then the oldest."""

    key: StormKey
    members: Sequence[Face]


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What a queue shows; `storm_of` tells the key of each alarm that belongs to a group, shown alone or not."""

    rows: Sequence[Face]
    groups: Sequence[Group]
    storm_of: dict[str, str]


def arrange(faces: Iterable[Face], keep: Collection[str] = ()) -> Arrangement:
    """Return rows and groups of open alarms; those in `keep` have a row of their own whatever happens."""
    singles: list[Face] = []
    buckets: dict[StormKey, list[Face]] = defaultdict(list)
    for face in faces:
        alarm = face.alarm
        if alarm.is_waiting and not alarm.is_silent:
            buckets[StormKey(alarm.area_id, alarm.kind, alarm.is_drill)].append(face)
        else:
            singles.append(face)
    groups = []
    for key, bucket in buckets.items():
        members = storm_of(bucket)
        if members:
            groups.append(Group(key, in_turn(members)))
        together = {face.alarm.alarm_id for face in members}
        singles += [face for face in bucket if face.alarm.alarm_id not in together]
    singles.sort(key=_urgency)
    rows, rest = _bounded(singles, keep)
    if rest:
        groups.append(Group(IN_HAND, rest))
    names = {face.alarm.alarm_id: group.key.text for group in groups for face in group.members}
    kept = [face for group in groups for face in group.members if face.alarm.alarm_id in keep]
    return Arrangement((*rows, *kept), tuple(groups), names)


def storm_of(bucket: Sequence[Face]) -> list[Face]:
    """Return those of `bucket` (one kind, one area) that came with more than `MORE_THAN` within `WINDOW`."""
    ordered = sorted(bucket, key=lambda face: face.alarm.raised_at)
    inside: list[Face] = []
    first = taken = 0
    for last, face in enumerate(ordered):
        while face.alarm.raised_at - ordered[first].alarm.raised_at > WINDOW:
            first += 1
        if last - first >= MORE_THAN:
            taken = max(taken, first)
            inside += ordered[taken : last + 1]
            taken = last + 1
    return inside


def in_turn(members: Iterable[Face]) -> list[Face]:
    """Return members in the order of the work: the first alarm of each household, gravest and oldest first."""
    ordered = sorted(members, key=_gravity)
    seen: set[str] = set()
    first: list[Face] = []
    again: list[Face] = []
    for face in ordered:
        home = face.alarm.household_id or face.alarm.device_id
        (again if home in seen else first).append(face)
        seen.add(home)
    return [*first, *again]


def after(members: Sequence[Face], cursor: str, limit: int) -> tuple[Sequence[Face], str]:
    """Return at most `limit` members behind `cursor` (empty: from the first) and the cursor of the last, if more come.

    A cursor names an alarm; where that has left the group meanwhile, the page begins anew.
    """
    place = next((index + 1 for index, face in enumerate(members) if face.alarm.alarm_id == cursor), 0)
    page = members[place : place + limit]
    return page, page[-1].alarm.alarm_id if place + limit < len(members) else ""


def _bounded(singles: Sequence[Face], keep: Collection[str]) -> tuple[list[Face], list[Face]]:
    """Split what may be counted instead of shown: alarms in hand beyond the limit, never one that waits."""
    room = MOST_ROWS - sum(_must_show(face, keep) for face in singles)
    rows, rest = [], []
    for face in singles:
        if _must_show(face, keep):
            rows.append(face)
        elif room > 0:
            rows.append(face)
            room -= 1
        else:
            rest.append(face)
    return rows, rest


def _must_show(face: Face, keep: Collection[str]) -> bool:
    return face.alarm.is_waiting or face.alarm.is_silent or face.alarm.alarm_id in keep


def _urgency(face: Face) -> tuple[bool, bool, int, bool, float]:
    alarm = face.alarm
    return (
        not alarm.is_silent,
        alarm.is_drill,
        alarm.level,
        not alarm.is_waiting,
        -alarm.raised_at.timestamp(),
    )


def _gravity(face: Face) -> tuple[int, float, str]:
    return face.alarm.level, face.alarm.raised_at.timestamp(), face.alarm.alarm_id
