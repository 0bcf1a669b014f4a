"""Bars of a week against the week before: bars for this, a dashed line with square markers for that."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tv_apps.charts.shapes import Bar, Drawing, Shape, Trace, Words, ceiling_of, number, ticks

LEFT: Final = 70
RIGHT: Final = 96
TOP: Final = 62
BOTTOM: Final = 58
BAR: Final = 50


@dataclass(frozen=True, slots=True)
class WeekWords:
    """The words of the chart: what it is, its unit, the names of the days and weeks; `today` is the day to stress."""

    title: str
    unit: str
    days: tuple[str, ...]
    this: str
    last: str
    today: int = -1
    size: int = 24


Week = Sequence[float | None]


def draw(this: Week, last: Week, words: WeekWords, *, width: int = 744, height: int = 400) -> Drawing:
    """Return the drawing of seven days; a day without data has no bar and interrupts the line."""
    known = [value for value in (*this, *last) if value is not None]
    top, step = ceiling_of(known)
    plot = _Plot(width, height, top)
    shapes: list[Shape] = [Words(24, 36, words.unit, words.size, "mist")]
    for tick in ticks(top, step):
        shapes.append(plot.grid(tick))
        shapes.append(Words(LEFT - 14, plot.y(tick) + 9, number(tick), words.size, "mist", "end"))
    for day, value in enumerate(this):
        shapes += _day(plot, (day, value, last[day]), words)
    shapes += _line(plot, last)
    shapes += _names(plot, this, last, words)
    return Drawing(width, height, words.title, tuple(shapes))


@dataclass(frozen=True, slots=True)
class _Plot:
    width: int
    height: int
    top: float

    def y(self, value: float) -> float:
        return self.height - BOTTOM - value / self.top * (self.height - BOTTOM - TOP)

    def x(self, day: int) -> float:
        return LEFT + (self.width - LEFT - RIGHT) / 7 * (day + 0.5)

    def grid(self, value: float) -> Trace:
        y = self.y(value)
        return Trace(((LEFT, y), (self.width - 92, y)), "night3" if value == 0 else "grid", 2)


def _day(plot: _Plot, at: tuple[int, float | None, float | None], words: WeekWords) -> list[Shape]:
    day, value, before = at
    x, base = plot.x(day), plot.height - BOTTOM
    label = words.days[day]
    shapes: list[Shape] = [
        Words(x, plot.height - 20, label, words.size, "paper" if day == words.today else "mist", "middle")
    ]
    if value is None:
        return shapes
    y = plot.y(value)
    shapes.append(Bar(x - BAR / 2, y, BAR, base - y, "lamp", 5))
    inside = base - y > 40
    top = y + 31 if inside else y - 10
    if inside and before is not None and abs(plot.y(before) - (y + 22)) < 24:
        top = base - 14  # the marker of the week before stands where the figure would be
    shapes.append(
        Words(x, top, f"{value:.1f}", words.size, "ink" if inside else "lamp", "middle", "lamp" if inside else "")
    )
    return shapes


def _line(plot: _Plot, last: Week) -> list[Shape]:
    traces: list[Shape] = [
        Trace(tuple((plot.x(day), plot.y(value)) for day, value in run), "sky", 4, (10, 8))
        for run in runs_of(last)
        if len(run) > 1
    ]
    markers: list[Shape] = [
        Bar(plot.x(day) - 6, plot.y(value) - 6, 12, 12, "night1", edge="sky", edge_width=4)
        for day, value in enumerate(last)
        if value is not None
    ]
    return traces + markers


def runs_of(values: Week) -> list[list[tuple[int, float]]]:
    """Return the stretches without a gap: lists of (index, value)."""
    runs: list[list[tuple[int, float]]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((index, value))
    return [run for run in runs if run]


def _names(plot: _Plot, this: Week, last: Week, words: WeekWords) -> list[Shape]:
    """Name the two weeks beside their last points, far enough apart to be read."""
    x = plot.width - 82
    last_y = next((plot.y(value) for value in reversed(last) if value is not None), None)
    this_y = next((plot.y(value) for value in reversed(this) if value is not None), None)
    if last_y is not None and this_y is not None and abs(last_y - this_y) < words.size + 8:
        this_y = last_y + words.size + 12 if this_y >= last_y else last_y - words.size - 12
    bounds = (TOP, plot.height - BOTTOM)
    named = ((last_y, words.last, "sky"), (this_y, words.this, "lamp"))
    return [
        Words(x, min(max(y + 8, bounds[0]), bounds[1]), text, words.size, hue)
        for y, text, hue in named
        if y is not None
    ]
