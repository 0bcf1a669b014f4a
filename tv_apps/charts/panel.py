"""Sentence, chart, table and source line on a page, in that order of reading; SVG or PNG by the box's tier."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tv_apps.charts.shapes import Drawing, Words, to_svg
from tv_apps.kit import measure
from tv_apps.kit.focus import Box
from tv_apps.kit.look import TextSize, Tier
from tv_apps.kit.stage import Ink, Skin, Stage

CHART: Final = Box(74, 184, 744, 400)
TABLE: Final = Box(842, 184, 364, 400)
SENTENCE: Final = Box(74, 108, 1132, 64)
SOURCE: Final = Box(74, 592, 1132, 40)


@dataclass(frozen=True, slots=True)
class Table:
    """A small table: two headed columns of figures under a label column, and a line below."""

    heads: tuple[tuple[str, str], ...]
    rows: Sequence[tuple[str, ...]]
    below: str = ""


def draw_sentence(stage: Stage, pieces: Sequence[tuple[str, str]]) -> None:
    """Say the answer first, in one line; smaller where the line would not fit."""
    whole = "".join(words for words, _ in pieces)
    sizes = [size for size in (54, 48, 40, 36, 32, 28) if size <= stage.look.type.title.size]
    size = next((size for size in sizes if measure.width(whole, size) <= SENTENCE.w), sizes[-1])
    stage.rich(SENTENCE, pieces, Ink(size))


def draw_chart(stage: Stage, drawing: Drawing, png_address: str) -> None:
    """Place the chart on its panel."""
    stage.box(CHART, Skin("night1", radius=18))
    if stage.look.tier is Tier.F1:
        stage.inline_svg(CHART, to_svg(drawing))
        return
    stage.picture(CHART, png_address, drawing.title)
    for shape in drawing.shapes:
        if isinstance(shape, Words):
            _draw_words(stage, shape)


def _draw_words(stage: Stage, words: Words) -> None:
    """Set the chart's words above the picture, where the SVG has them."""
    wide, high = measure.width(words.text, words.size) + 4, words.size + 10
    shift = {"start": 0, "middle": wide / 2, "end": wide}[words.anchor]
    align = {"start": "left", "middle": "center", "end": "right"}[words.anchor]
    box = Box(round(CHART.x + words.x - shift), round(CHART.y + words.y - words.size * 0.88 - 5), wide, high)
    stage.text(box, words.text, Ink(words.size, words.hue, align), Skin(words.on))


def draw_table(stage: Stage, table: Table) -> None:
    """Draw the table on its panel."""
    stage.box(TABLE, Skin("night1", radius=18))
    size = 28 if stage.look.size is not TextSize.XLARGE else 30
    rights = (TABLE.x + 246, TABLE.x + 344) if len(table.heads) == 2 else (TABLE.x + 344,)
    for (head, hue), right in zip(table.heads, rights, strict=True):
        stage.text(Box(right - 130, TABLE.y + 16, 130, 48), head, Ink(size, hue, "right"))
    for number, (label, *figures) in enumerate(table.rows):
        y = TABLE.y + 72 + number * 62
        stage.box(Box(TABLE.x + 24, y, 320, 2), Skin("grid"))
        stage.text(Box(TABLE.x + 24, y + 2, 150, 60), label, Ink(size, "mist"))
        for column, (figure, right) in enumerate(zip(figures, rights, strict=True)):
            hue = "mist" if column else "paper"
            stage.text(
                Box(right - 96 if len(rights) == 2 else right - 200, y + 2, 96 if len(rights) == 2 else 200, 60),
                figure,
                Ink(32, hue, "right"),
            )
    y = TABLE.y + 72 + len(table.rows) * 62
    if table.below and y + 60 <= TABLE.bottom:
        stage.box(Box(TABLE.x + 24, y, 320, 2), Skin("grid"))
        stage.text(Box(TABLE.x + 24, y + 8, 324, 52), table.below, Ink(size))


def draw_source(stage: Stage, words: str) -> None:
    """Say who measured, when, in which unit."""
    stage.text(SOURCE, words, Ink(24, "mist"))
