"""The focus graph of a page as a small SVG: boxes, the start, the roads of the arrow keys, what nobody reaches."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Final

from tv_apps.kit import measure
from tv_apps.kit.focus import Box, Graph, graph_of, reached
from tv_apps.kit.stage import Stage

WIDE: Final = 404
HIGH: Final = 227
_SCALE: Final = WIDE / 1280
_ROAD: Final = 'stroke="#8FDDB8" stroke-width="2"'


def focus_svg(stage: Stage, start: str, labels: Mapping[str, str]) -> str:
    """Return the picture with a label in each box; everything in it is escaped."""
    graph = graph_of(stage.targets)
    boxes = {target.name: target.box for target in stage.targets}
    found = reached(graph, start)
    safe = f'x="{_px(64)}" y="{_px(36)}" width="{_px(1152)}" height="{_px(648)}"'
    parts = [
        f'<rect width="{WIDE}" height="{HIGH}" rx="8" fill="#0C171E"/>',
        f'<rect {safe} fill="none" stroke="#3A5866" stroke-dasharray="3 4"/>',
        *_roads(graph, boxes),
        *(_box(box, is_start=name == start, is_lost=name not in found) for name, box in boxes.items()),
        *(_label(box, labels.get(name, ""), is_start=name == start) for name, box in boxes.items()),
    ]
    svg = f'<svg width="{WIDE}" height="{HIGH}" viewBox="0 0 {WIDE} {HIGH}" role="img">'
    return svg + "".join(parts) + "</svg>"


def _label(box: Box, words: str, *, is_start: bool) -> str:
    words = escape(measure.cut(words, 13, round(box.w * _SCALE) - 6))
    fill = "#12222B" if is_start else "#F4EFE3"
    place = f'x="{_px(box.x + box.w / 2)}" y="{(box.y + box.h / 2) * _SCALE + 5:.1f}"'
    return f'<text {place} font-size="13" text-anchor="middle" fill="{fill}">{words}</text>'


def _px(stage_px: float) -> str:
    return f"{stage_px * _SCALE:.1f}"


def _box(box: Box, *, is_start: bool, is_lost: bool) -> str:
    fill, line = ("#FFEDC8", "#FFC861") if is_start else ("#3B1715", "#FF8C80") if is_lost else ("#1D343F", "#3A5866")
    wide = 2.5 if is_start or is_lost else 1.2
    dash = ' stroke-dasharray="5 4"' if is_lost else ""
    place = f'x="{_px(box.x)}" y="{_px(box.y)}" width="{_px(box.w)}" height="{_px(box.h)}"'
    return f'<rect {place} rx="5" fill="{fill}" stroke="{line}" stroke-width="{wide}"{dash}/>'


def _roads(graph: Graph, boxes: Mapping[str, Box]) -> Iterator[str]:
    """One line for each pair of neighbours, from edge to edge."""
    for name, ways in graph.items():
        for way, other in ways.items():
            if way in "dr" or graph[other].get({"u": "d", "l": "r"}[way]) != name:
                yield _road(boxes[name], boxes[other], way)


def _road(here: Box, there: Box, way: str) -> str:
    """A straight line between the facing edges; slanted where the boxes do not overlap sideways."""
    x1: float
    x2: float
    y1: float
    y2: float
    if way in "ud":
        y1, y2 = (here.bottom, there.y) if way == "d" else (here.y, there.bottom)
        x1, x2 = _middles(here.x, here.right, there.x, there.right)
    else:
        x1, x2 = (here.right, there.x) if way == "r" else (here.x, there.right)
        y1, y2 = _middles(here.y, here.bottom, there.y, there.bottom)
    return f'<path d="M{_px(x1)} {_px(y1)}L{_px(x2)} {_px(y2)}" {_ROAD}/>'


def _middles(start: int, end: int, other_start: int, other_end: int) -> tuple[float, float]:
    """Return the middle of what two stretches share, twice, or else the middle of each."""
    low, high = max(start, other_start), min(end, other_end)
    if low < high:
        return (low + high) / 2, (low + high) / 2
    return (start + end) / 2, (other_start + other_end) / 2
