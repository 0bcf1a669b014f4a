"""A line of 24 hours: gaps stay gaps, single hours are dots, the last one is named."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tv_apps.charts.shapes import Bar, Drawing, Shape, Trace, Words, ceiling_of, number, ticks
from tv_apps.charts.weeks import runs_of

LEFT: Final = 84
RIGHT: Final = 84
TOP: Final = 62
BOTTOM: Final = 58
SMALLEST_TOP: Final = 40.0


@dataclass(frozen=True, slots=True)
class HourWords:
    """The words of the chart: what it is, its unit, the name of each hour (empty: not named), of a gap."""

    title: str
    unit: str
    hours: tuple[str, ...]
    gap: str
    size: int = 24


def draw(values: Sequence[float | None], words: HourWords, *, width: int = 744, height: int = 400) -> Drawing:
    """Return the drawing of `values`, one an hour, oldest first; None is an hour without a reading."""
    known = [value for value in values if value is not None]
    top, step = ceiling_of([*known, SMALLEST_TOP])
    plot = _Plot(width, height, top, len(values))
    shapes: list[Shape] = [Words(24, 36, words.unit, words.size, "mist")]
    for value in ticks(top, step):
        shapes.append(
            Trace(((LEFT, plot.y(value)), (width - 40, plot.y(value))), "night3" if value == 0 else "grid", 2)
        )
        shapes.append(Words(LEFT - 14, plot.y(value) + 9, number(value), words.size, "mist", "end"))
    shapes += [
        Words(plot.x(i), height - 20, name, words.size, "mist", "middle") for i, name in enumerate(words.hours) if name
    ]
    shapes += _gaps(plot, values, words)
    for run in runs_of(values):
        points = tuple((plot.x(hour), plot.y(value)) for hour, value in run)
        shapes.append(Trace(points, "lamp", 5) if len(points) > 1 else _dot(*points[0], 10))
    shapes += _end(plot, values, words)
    return Drawing(width, height, words.title, tuple(shapes))


@dataclass(frozen=True, slots=True)
class _Plot:
    width: int
    height: int
    top: float
    count: int

    def y(self, value: float) -> float:
        return self.height - BOTTOM - value / self.top * (self.height - BOTTOM - TOP)

    def x(self, hour: int) -> float:
        return LEFT + 16 + (self.width - LEFT - RIGHT - 16) * hour / max(1, self.count - 1)


def _dot(x: float, y: float, size: int) -> Bar:
    return Bar(x - size / 2, y - size / 2, size, size, "lamp", size // 2)


def _gaps(plot: _Plot, values: Sequence[float | None], words: HourWords) -> list[Shape]:
    """Name the gaps that are wide enough for the word; the others speak for themselves."""
    shapes: list[Shape] = []
    start = None
    for hour, value in enumerate([*values, 0.0]):
        if value is None and start is None:
            start = hour
        elif value is not None and start is not None:
            wide = plot.x(hour - 1) - plot.x(start)
            if wide > words.size * len(words.gap):
                shapes.append(
                    Words(
                        (plot.x(start) + plot.x(hour - 1)) / 2, plot.y(0) - 16, words.gap, words.size, "mist", "middle"
                    )
                )
            start = None
    return shapes


def _end(plot: _Plot, values: Sequence[float | None], words: HourWords) -> list[Shape]:
    """Mark the newest reading and say its value."""
    hour = next((i for i in range(len(values) - 1, -1, -1) if values[i] is not None), None)
    if hour is None or (value := values[hour]) is None:
        return []
    x, y = plot.x(hour), plot.y(value)
    return [_dot(x, y, 18), Words(x + 16, y + 9, f"{value:.0f}", words.size + 4, "lamp")]
