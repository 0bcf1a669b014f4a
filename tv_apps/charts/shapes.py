"""The shapes a chart is made of, and their SVG: presentation attributes only, nothing an old engine lacks.

Words stand on the drawing in SVG; on a PNG the page sets them as its own text above the picture, so that the server
needs no font.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, TypeAlias

from tv_apps.kit.look import colour

MAX_POINTS: Final = 200


@dataclass(frozen=True, slots=True)
class Bar:
    """A filled rectangle; with `edge` it is a marker with an outline `edge_width` wide."""

    x: float
    y: float
    w: float
    h: float
    fill: str
    radius: int = 0
    edge: str = ""
    edge_width: int = 0


@dataclass(frozen=True, slots=True)
class Trace:
    """A line through points; `dash` is (drawn, left out) in pixels."""

    points: tuple[tuple[float, float], ...]
    hue: str
    width: int
    dash: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """Words on the drawing: `y` is the baseline, `anchor` start, middle or end, `on` the colour they stand on."""

    x: float
    y: float
    text: str
    size: int
    hue: str
    anchor: str = "start"
    on: str = ""


Shape: TypeAlias = Bar | Trace | Words


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart: its size in pixels, what it is called for those who cannot see it, its shapes in order."""

    width: int
    height: int
    title: str
    shapes: tuple[Shape, ...]


def to_svg(drawing: Drawing) -> str:
    """Return the drawing as inline SVG."""
    inside = "".join(_svg_of(shape) for shape in drawing.shapes)
    size = f'width="{drawing.width}" height="{drawing.height}" viewBox="0 0 {drawing.width} {drawing.height}"'
    return f'<svg {size} role="img"><title>{escape(drawing.title)}</title>{inside}</svg>'


def _svg_of(shape: Shape) -> str:
    if isinstance(shape, Bar):
        return _bar_svg(shape)
    return _trace_svg(shape) if isinstance(shape, Trace) else _words_svg(shape)


def _bar_svg(bar: Bar) -> str:
    edge = f' stroke="{colour(bar.edge)}" stroke-width="{bar.edge_width}"' if bar.edge else ""
    radius = f' rx="{bar.radius}"' if bar.radius else ""
    return (
        f'<rect x="{bar.x:.0f}" y="{bar.y:.0f}" width="{bar.w:.0f}" height="{bar.h:.0f}"{radius} '
        f'fill="{colour(bar.fill)}"{edge}/>'
    )


def _trace_svg(trace: Trace) -> str:
    dash = f' stroke-dasharray="{trace.dash[0]} {trace.dash[1]}"' if trace.dash else ""
    points = " ".join(f"{x:.0f},{y:.0f}" for x, y in trace.points)
    return f'<polyline points="{points}" fill="none" stroke="{colour(trace.hue)}" stroke-width="{trace.width}"{dash}/>'


def _words_svg(words: Words) -> str:
    return (
        f'<text x="{words.x:.0f}" y="{words.y:.0f}" font-size="{words.size}" fill="{colour(words.hue)}" '
        f'text-anchor="{words.anchor}">{escape(words.text)}</text>'
    )


def ceiling_of(values: Sequence[float], lines: int = 4) -> tuple[float, float]:
    """Return (top of the axis, step between grid lines): round numbers, the axis begins at zero."""
    highest = max([*values, 0.0])
    if highest <= 0:
        return 1.0, 1.0
    rough = highest / lines
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough)
    return step * math.ceil(highest / step - 1e-9), step


def ticks(top: float, step: float) -> list[float]:
    """Return the values of the grid lines, zero first."""
    return [step * number for number in range(round(top / step) + 1)]


def number(value: float) -> str:
    """Return an axis figure without needless digits."""
    return f"{value:g}"
