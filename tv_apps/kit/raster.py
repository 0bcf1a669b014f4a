"""PNG twins for boxes without SVG: icons and chart shapes, drawn four times as large and made small again."""

import io
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from PIL import Image, ImageDraw

from tv_apps.kit import icons, sprites

SCALE: Final = 4
PALETTE: Final = 64
_COMMAND: Final = re.compile(r"([MLHVCAZ])([^MLHVCAZ]*)")
_FIGURE: Final = re.compile(r"-?\d*\.?\d+")
_CURVE_STEPS: Final = 16

Point = tuple[float, float]


def sheet_png(items: Sequence[sprites.Item]) -> bytes:
    """Return the sheet of icons of a page: one row each, at rest on the left, on the focused tile on the right."""
    width, height = 2 * max(item.size for item in items), sum(item.size for item in items)
    sheet = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    top = 0
    for item in items:
        for column, hue in enumerate((item.colour, sprites.FOCUS_COLOUR)):
            sheet.paste(_icon(item, hue), (column * item.size, top))
        top += item.size
    return _palette_png(sheet)


def _icon(item: sprites.Item, hue: str) -> Image.Image:
    size = item.size * SCALE
    picture = Image.new("RGBA", (size, size), hue + "00")
    draw = ImageDraw.Draw(picture)
    if item.name == sprites.MARK:
        for points, fill in icons.MARK:
            corners = [tuple(map(float, pair.split(","))) for pair in points.split()]
            draw.polygon([((x - 5) * size / 54, (y - 6) * size / 54) for x, y in corners], fill=fill)
    else:
        for line in flatten(icons.ICONS[item.name]):
            stroke(draw, [(x * size / 48, y * size / 48) for x, y in line], item.stroke * size / 48, hue)
    return picture.resize((item.size, item.size), Image.Resampling.LANCZOS)


def stroke(draw: ImageDraw.ImageDraw, points: Sequence[Point], width: float, hue: str) -> None:
    """Draw a line with round ends and corners."""
    draw.line(list(points), fill=hue, width=max(1, round(width)))
    radius = width / 2
    for x, y in points:
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=hue)


def canvas(width: int, height: int, fill: str) -> Image.Image:
    """Return an empty picture, SCALE times as large as it will be."""
    return Image.new("RGB", (width * SCALE, height * SCALE), fill)


def finish(picture: Image.Image) -> bytes:
    """Return the picture at its real size as a palette PNG."""
    small = picture.resize((picture.width // SCALE, picture.height // SCALE), Image.Resampling.LANCZOS)
    return _palette_png(small)


def _palette_png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    method = Image.Quantize.FASTOCTREE if picture.mode == "RGBA" else Image.Quantize.MEDIANCUT
    picture.quantize(PALETTE, method=method).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


# -- paths -----------------------------------------------------------------------------------------------------------


def flatten(path: str) -> list[list[Point]]:
    """Return the polylines of an SVG path made of absolute M L H V C A Z."""
    lines: list[list[Point]] = []
    for letter, text in _COMMAND.findall(path):
        figures = [float(figure) for figure in _FIGURE.findall(text)]
        if letter == "M":
            lines.append([(figures[0], figures[1])])
            figures = figures[2:]
            letter = "L"  # noqa: PLW2901  further pairs of a move are lines
        line = lines[-1]
        if letter == "Z":
            line.append(line[0])
        for chunk in _chunks(figures, _ARITY[letter]):
            line.extend(_STEPS[letter](line[-1], chunk))
    return lines


def _chunks(figures: list[float], size: int) -> Iterator[list[float]]:
    for start in range(0, len(figures) if size else 0, size or 1):
        yield figures[start : start + size]


def _curve(at: Point, c: list[float]) -> list[Point]:
    (x0, y0), (x1, y1, x2, y2, x3, y3) = at, c
    points = []
    for step in range(1, _CURVE_STEPS + 1):
        t = step / _CURVE_STEPS
        a, b, d, e = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
        points.append((a * x0 + b * x1 + d * x2 + e * x3, a * y0 + b * y1 + d * y2 + e * y3))
    return points


def _arc(at: Point, c: list[float]) -> list[Point]:
    """Points of a circular arc (SVG 1.1, appendix F.6.5, with equal radii and no rotation)."""
    (x0, y0), (radius, _, _, large, sweep, x1, y1) = at, c
    dx, dy = (x0 - x1) / 2, (y0 - y1) / 2
    distance = math.hypot(dx, dy)
    if distance == 0:
        return [(x1, y1)]
    radius = max(radius, distance)
    factor = math.sqrt(max(0.0, radius**2 - distance**2)) / distance * (1 if large != sweep else -1)
    cx, cy = factor * dy + (x0 + x1) / 2, -factor * dx + (y0 + y1) / 2
    begin = math.atan2(y0 - cy, x0 - cx)
    turn = math.atan2(y1 - cy, x1 - cx) - begin
    if sweep and turn < 0:
        turn += 2 * math.pi
    if not sweep and turn > 0:
        turn -= 2 * math.pi
    angles = [begin + turn * step / _CURVE_STEPS for step in range(1, _CURVE_STEPS + 1)]
    return [(cx + radius * math.cos(angle), cy + radius * math.sin(angle)) for angle in angles]


_ARITY: Final = {"L": 2, "H": 1, "V": 1, "C": 6, "A": 7, "Z": 0}
_STEPS: Final[Mapping[str, Callable[[Point, list[float]], list[Point]]]] = {
    "L": lambda _at, c: [(c[0], c[1])],
    "H": lambda at, c: [(c[0], at[1])],
    "V": lambda at, c: [(at[0], c[0])],
    "C": _curve,
    "A": _arc,
    "Z": lambda _at, _c: [],
}
