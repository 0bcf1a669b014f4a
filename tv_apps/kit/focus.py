"""The focus graph: where each arrow key leads from each focusable box, and what makes a graph bad.

The server draws the boxes, so it also knows their neighbours; the television only follows `data-u/d/l/r`. There is
no wrap-around: an arrow without a neighbour does nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

DIRECTIONS: Final = ("u", "d", "l", "r")
MAX_TARGETS: Final = 12
SMALLEST: Final = 80


class Box(NamedTuple):
    """A rectangle on the stage, in pixels."""

    x: int
    y: int
    w: int
    h: int

    @property
    def right(self) -> int:
        return self.x + self.w

    @property
    def bottom(self) -> int:
        return self.y + self.h


@dataclass(frozen=True, slots=True)
class Target:
    """Something that can have the focus."""

    name: str
    box: Box


Graph = Mapping[str, Mapping[str, str]]


def graph_of(targets: Sequence[Target]) -> Graph:
    """Return name → direction → name of the nearest target that way; deterministic, first drawn wins a draw."""
    return {target.name: _neighbours(target, targets) for target in targets}


def _neighbours(target: Target, targets: Sequence[Target]) -> dict[str, str]:
    found = {}
    for direction in DIRECTIONS:
        costs = [
            (cost, other.name) for other in targets if (cost := _cost(target.box, other.box, direction)) is not None
        ]
        if costs:
            found[direction] = min(costs, key=lambda pair: pair[0])[1]
    return found


def _cost(here: Box, there: Box, direction: str) -> float | None:
    """Distance along the arrow plus three times the sideways gap; None where `there` is not that way."""
    if direction in "lr":
        here, there = _turned(here), _turned(there)
    if direction in "ul":
        here, there = _flipped(here), _flipped(there)
    along = there.y - here.bottom
    if along < 0:
        return None
    gap = max(there.x - here.right, here.x - there.right, 0)
    off_centre = abs((there.x + there.w / 2) - (here.x + here.w / 2))
    return along + 3 * gap + off_centre / 100


def _turned(box: Box) -> Box:
    return Box(box.y, box.x, box.h, box.w)


def _flipped(box: Box) -> Box:
    return Box(box.x, -box.y - box.h, box.w, box.h)


def faults_of(graph: Graph, start: str) -> list[str]:
    """Return what is wrong: unknown neighbours, targets that cannot be reached, targets that cannot be left."""
    faults = [
        f"{name} → {to}: no such target" for name, ways in graph.items() for to in ways.values() if to not in graph
    ]
    if start not in graph:
        return [*faults, f"the focus starts at {start!r}, which is not there"]
    found = reached(graph, start)
    faults += [f"{name} cannot be reached from {start}" for name in graph if name not in found]
    faults += [
        f"{name} is a trap: no way back to {start}"
        for name in graph
        if name in found and start not in reached(graph, name)
    ]
    return faults


def reached(graph: Graph, start: str) -> set[str]:
    """Return the targets that arrows can come to from `start`, itself included."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in seen and name in graph:
            seen.add(name)
            waiting.extend(graph[name].values())
    return seen


def presses_to(graph: Graph, start: str) -> Mapping[str, int]:
    """Return how many arrow presses each target is away from `start`."""
    distance, edge = {start: 0}, [start]
    while edge:
        edge = [to for name in edge for to in _unseen(graph, name, distance)]
    return distance


def _unseen(graph: Graph, name: str, distance: dict[str, int]) -> Iterable[str]:
    for to in graph.get(name, {}).values():
        if to not in distance:
            distance[to] = distance[name] + 1
            yield to
