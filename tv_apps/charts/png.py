"""The same drawing as a PNG, without its words: the page sets them above the picture."""

import itertools
import math
from collections.abc import Iterator
from typing import Final

from PIL import ImageDraw

from tv_apps.charts.shapes import Bar, Drawing, Trace
from tv_apps.kit import raster
from tv_apps.kit.look import colour

BACKGROUND: Final = "night1"


def to_png(drawing: Drawing) -> bytes:
    """Return the drawing's bars and lines on the panel's colour."""
    picture = raster.canvas(drawing.width, drawing.height, colour(BACKGROUND))
    draw = ImageDraw.Draw(picture)
    for shape in drawing.shapes:
        if isinstance(shape, Bar):
            _bar(draw, shape)
        elif isinstance(shape, Trace):
            _trace(draw, shape)
    return raster.finish(picture)


def _bar(draw: ImageDraw.ImageDraw, bar: Bar) -> None:
    scale = raster.SCALE
    box = tuple(round(v) * scale for v in (bar.x, bar.y, bar.x + bar.w, bar.y + bar.h))
    outline = colour(bar.edge) if bar.edge else None
    draw.rounded_rectangle(
        (box[0], box[1], max(box[0], box[2] - 1), max(box[1], box[3] - 1)),
        radius=bar.radius * scale,
        fill=colour(bar.fill),
        outline=outline,
        width=bar.edge_width * scale,
    )


def _trace(draw: ImageDraw.ImageDraw, trace: Trace) -> None:
    scale = raster.SCALE
    points = [(x * scale, y * scale) for x, y in trace.points]
    if trace.dash is None:
        if trace.width > 2:
            raster.stroke(draw, points, trace.width * scale, colour(trace.hue))
        else:
            draw.line(points, fill=colour(trace.hue), width=trace.width * scale)
        return
    for begin, end in _dashes(points, trace.dash[0] * scale, trace.dash[1] * scale):
        draw.line([begin, end], fill=colour(trace.hue), width=trace.width * scale)


def _dashes(points: list[raster.Point], drawn: float, left_out: float) -> Iterator[tuple[raster.Point, raster.Point]]:
    """Cut a line into dashes; the rhythm goes on around corners."""
    phase = 0.0
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        length = math.hypot(x1 - x0, y1 - y0)
        at = -phase
        while at < length:
            begin, end = max(at, 0.0), min(at + drawn, length)
            if end > begin:
                yield (
                    (x0 + (x1 - x0) * begin / length, y0 + (y1 - y0) * begin / length),
                    (x0 + (x1 - x0) * end / length, y0 + (y1 - y0) * end / length),
                )
            at += drawn + left_out
        phase = (length + phase) % (drawn + left_out)
