"""A list page: rows that open something, four or five at a time, a last row for the next page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tv_apps.kit import measure
from tv_apps.kit.focus import Box
from tv_apps.kit.look import TextSize
from tv_apps.kit.page import Frame, Page, header
from tv_apps.kit.stage import Hint, Ink, KeyCap, Press, Skin, Stage
from tv_apps.pages.blank import draw_blank


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what it says, what stands on its right, what it opens; `mark` is a word in the lamp's colour."""

    words: str
    press: Press
    aside: str = ""
    below: str = ""
    icon: str = ""
    tint: str = "mist"
    mark: str = ""


@dataclass(frozen=True, slots=True)
class ListView:
    """A page of rows; `next_href` is the next page, `empty` what is said where there is nothing."""

    title: str
    rows: Sequence[Row]
    back: str
    empty: str
    trail: str = ""
    next_href: str = ""
    pages: str = ""
    icon: str = "info"


@dataclass(frozen=True, slots=True)
class _Grid:
    rows: int
    height: int
    gap: int
    size: int
    line: int
    aside: int


GRIDS: Final = {
    TextSize.STANDARD: _Grid(5, 96, 10, 32, 40, 24),
    TextSize.LARGE: _Grid(4, 118, 12, 40, 48, 30),
    TextSize.XLARGE: _Grid(4, 122, 10, 48, 56, 40),
}


def rows_per_page(size: TextSize, total: int) -> int:
    """Return how many rows a page shows, so that a last row for the next page fits where it is needed."""
    rows = GRIDS[size].rows
    return rows if total <= rows else rows - 1


def draw(frame: Frame, view: ListView, *, focus: str = "") -> Page:
    """Return the page."""
    stage = Stage(frame.look)
    header(stage, frame, view.title, view.trail)
    rows = list(view.rows)
    if view.next_href:
        rows.append(Row(frame.look.say("下一页", "Next page"), Press(view.next_href), view.pages, icon="right"))
    for number, row in enumerate(rows[: GRIDS[frame.look.size].rows]):
        _draw_row(stage, number, row)
    if not rows:
        draw_blank(stage, view.empty, view.icon)
    draw_keys(stage, is_list=bool(rows))
    return Page(view.title, stage, view.back, focus=focus)


def draw_keys(stage: Stage, *, is_list: bool) -> None:
    """Say what the keys do on a list."""
    say = stage.look.say
    hints = [Hint(KeyCap(say("返回", "BACK")), say("上一页", "back"))]
    if is_list:
        hints.append(Hint(KeyCap(say("确定", "OK"), "lamp"), say("打开", "open")))
    hints.append(Hint(KeyCap(say("黄", "YELLOW"), "yellow"), say("换字大小", "text size")))
    stage.key_bar(hints)


def _draw_row(stage: Stage, number: int, row: Row) -> None:
    grid = GRIDS[stage.look.size]
    box = Box(74, 108 + number * (grid.height + grid.gap), 1132, grid.height)
    with stage.tile(f"r{number}", box, row.press, Skin("night2", radius=18)):
        left = 24
        if row.icon:
            stage.icon(Box(24, (grid.height - 46) // 2, 46, 46), row.icon, row.tint)
            left = 92
        right = _draw_aside(stage, row, grid, box)
        lines = measure.fold(row.words, grid.size, right - left - 16, 1 if row.below else 2)
        high = grid.line * len(lines) + (grid.aside + 8 if row.below else 0)
        y = (grid.height - high) // 2
        ink = Ink(grid.size, "paper", role="n", line=grid.line)
        stage.lines(Box(left, y, right - left - 10, grid.line * len(lines)), lines, ink)
        if row.below:
            below = measure.cut(row.below, grid.aside, right - left - 16)
            place = Box(left, y + grid.line * len(lines), right - left - 10, grid.aside + 10)
            stage.text(place, below, Ink(grid.aside, "mist", role="m"))


def _draw_aside(stage: Stage, row: Row, grid: _Grid, box: Box) -> int:
    """Draw the right side and return where the words must end."""
    right = box.w - 24
    if row.aside:
        wide = measure.width(row.aside, grid.aside) + 4
        stage.text(Box(right - wide, 0, wide, box.h), row.aside, Ink(grid.aside, "mist", "right", role="m"))
        right -= wide + 16
    if row.mark:
        wide = measure.width(row.mark, grid.aside) + 20
        high = grid.aside + 14
        place = Box(right - wide, (box.h - high) // 2, wide, high)
        stage.text(place, row.mark, Ink(grid.aside, "ink", "center", role="u g"), Skin("lamp", radius=high // 2))
        right -= wide + 16
    return right
