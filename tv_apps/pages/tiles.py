"""A page of a few large tiles with a figure on each: how 我的家, 更多 and 平安家园 begin."""

from collections.abc import Sequence
from dataclasses import dataclass

from tv_apps.kit import measure
from tv_apps.kit.focus import Box
from tv_apps.kit.look import TextSize
from tv_apps.kit.stage import Ink, Press, Skin, Stage

TOP = 108


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile: icon, name, a line of fact under it, and what it opens."""

    name: str
    words: str
    fact: str
    icon: str
    tint: str
    press: Press


def draw(stage: Stage, tiles: Sequence[Tile], *, top: int = TOP, height: int = 0) -> int:
    """Draw two tiles a row; returns where they end. Names on `m0`, `m1`, … in order."""
    high = height or {TextSize.STANDARD: 118, TextSize.LARGE: 132, TextSize.XLARGE: 150}[stage.look.size]
    for number, tile in enumerate(tiles):
        row, column = divmod(number, 2)
        box = Box(74 + column * 574, top + row * (high + 16), 558, high)
        with stage.tile(tile.name, box, tile.press, Skin("night2", radius=18)):
            _fill(stage, tile, box)
    rows = -(-len(tiles) // 2)
    return top + rows * (high + 16)


def _fill(stage: Stage, tile: Tile, box: Box) -> None:
    type_ = stage.look.type
    is_xlarge = stage.look.size is TextSize.XLARGE
    is_tall = box.h >= 150
    side = 64 if is_tall else 46
    left = 24 if is_xlarge else 56 + side
    if not is_xlarge:
        stage.icon(Box(28, (box.h - side) // 2, side, side), tile.icon, tile.tint)
    room = box.w - left - 20
    name = min(type_.lead.size if is_tall else type_.tile.size, 48)
    words = measure.cut(tile.words, name, room)
    if not tile.fact:
        stage.text(Box(left, 0, room, box.h), words, Ink(name, role="n"))
        return
    fact_size = type_.body.size if is_tall and stage.look.is_standard else type_.label.size
    high = name + 16 + fact_size + 12
    y = (box.h - high) // 2
    stage.text(Box(left, y, room, name + 16), words, Ink(name, role="n"))
    fact = measure.cut(tile.fact, fact_size, room)
    stage.text(Box(left, y + name + 16, room, fact_size + 12), fact, Ink(fact_size, "mist", role="m"))
