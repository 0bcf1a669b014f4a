"""`linli app new`: a small app that passes the check as it is, to be changed from there."""

import io
import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

from gateway.model.errors import ConfigurationError
from tv_apps.kit.icons import MARK
from tv_apps.kit.look import colour

_FOLDER = re.compile(r"[a-z][a-z0-9-]{1,30}")
_GAP = re.compile(r"@(\w+)@")
_HUES: Final = {"service": "sky", "health": "coral", "life": "mint", "learn": "wheat"}
_SIDE: Final = 96
_SMOOTH: Final = 4


def make_app(folder: Path, *, name: str, app_id: str, category: str, publisher: str) -> list[Path]:
    """Write a new app into `folder` and return the files. Raises ConfigurationError when it is not empty."""
    if not _FOLDER.fullmatch(folder.name):
        raise ConfigurationError("文件夹的名字不合适", place=str(folder), cure="用小写字母、数字、减号，2 到 31 个字")
    if folder.exists() and any(folder.iterdir()):
        raise ConfigurationError("文件夹里已经有东西", place=str(folder), cure="换一个名字")
    words = {
        "name": name,
        "app_id": app_id or f"cn.example.{folder.name}",
        "category": category,
        "publisher": publisher,
        "folder": folder.name,
    }
    written = [
        _write(folder / path, source, words) for path, source in _sources(files("tv_apps.miniapps") / "scaffold")
    ]
    icon = folder / "icon.png"
    icon.write_bytes(draw_icon(_HUES[category]))
    return [*written, icon]


def _sources(root: Traversable, below: str = "") -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for entry in sorted(root.iterdir(), key=lambda each: each.name):
        path = f"{below}{entry.name}"
        found += _sources(entry, f"{path}/") if entry.is_dir() else [(path, entry)]
    return found


def _write(path: Path, source: Traversable, words: dict[str, str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = source.read_text(encoding="utf-8")
    path.write_text(_GAP.sub(lambda gap: words.get(gap[1], gap[0]), text), encoding="utf-8")
    return path


def draw_icon(hue: str) -> bytes:
    """Return a first icon: the two houses on a rounded square, 96×96 PNG, to be replaced by the app's own."""
    side = _SIDE * _SMOOTH
    image = Image.new("RGBA", (side, side))
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((0, 0, side - 1, side - 1), side // 4, fill=colour(hue))
    for points, fill in zip((points for points, _ in MARK), ("ink", "ink", hue), strict=True):
        pen.polygon([_scaled(pair, side) for pair in points.split()], fill=colour(fill))
    buffer = io.BytesIO()
    image.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _scaled(pair: str, side: int) -> tuple[float, float]:
    """Place a point of the mark's 64-unit drawing in the middle two thirds of the icon."""
    x, y = (float(number) for number in pair.split(","))
    return (x / 64 * 0.68 + 0.16) * side, (y / 64 * 0.68 + 0.14) * side
