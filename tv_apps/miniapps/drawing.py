"""A bound page becomes boxes on the television's stage; whatever passes the check fits, in all three text sizes.

The content area is 74 to 1206 by 108 to 628. On top at most one sentence; then the body, beside it a panel of
364 pixels with picture and facts; at the bottom a row of buttons for turning screens and for links. In larger
text fewer rows stand on a screen and the panel gets a screen of its own; a line that would be cut is set in
the next smaller size first. What does not even fit in the smallest size is a complaint.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from tv_apps.kit import measure
from tv_apps.kit.focus import Box
from tv_apps.kit.look import TYPES, Step, TextSize, Type
from tv_apps.kit.stage import Ink, Press, Skin, Stage
from tv_apps.miniapps.binding import Body, Bound, Complaint, Row, Words
from tv_apps.miniapps.pictures import Picture

LEFT: Final = 74
RIGHT: Final = 1206
TOP: Final = 108
BOTTOM: Final = 628
PANEL: Final = Box(842, TOP, 364, BOTTOM - TOP)
BUTTON_HEIGHT: Final = 80
GAP: Final = 16
_READING_ROOM: Final = 834
_BESIDE_PANEL: Final = 744
_CARD: Final = Skin(fill="night2", radius=18)
_BUTTON: Final = Skin(fill="night2", radius=18)
_ROWS_A_SCREEN: Final = 6


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the pages and pictures of one app are served."""

    base: str

    def page(self, name: str, row: int | None = None, *, part: int = 0, at: int | None = None) -> str:
        """Return the address of a page, of one row of it, of a later screen, or of the screen that shows row `at`."""
        path = f"{self.base}/{quote(name)}" + ("" if row is None else f"/{row}")
        query = f"?p={part + 1}" if part else f"?at={at}" if at is not None else ""
        return path + query

    def picture(self, name: str) -> str:
        return f"{self.base}/files/{quote(name)}"


@dataclass(frozen=True, slots=True)
class Here:
    """Which screen of which page is drawn; `at` asks for the screen that shows this row and puts the focus there."""

    page: str
    row: int | None = None
    part: int = 0
    at: int | None = None
    back: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What came out: how many screens the page has, and what did not fit."""

    parts: int
    part: int
    complaints: tuple[Complaint, ...]


def draw(
    stage: Stage, bound: Bound, here: Here, addresses: Addresses, pictures: Mapping[str, Picture] | None = None
) -> Drawn:
    """Draw one screen of a page below the header."""
    painter = _Painter(stage, addresses, pictures or {})
    top = painter.sentence(bound)
    plan = _plan(painter, bound, top)
    part = _part(here, plan)
    if plan.panel_beside:
        painter.panel(bound, PANEL._replace(y=top, h=BOTTOM - top))
    if part < len(plan.screens):
        painter.body(bound, plan, plan.screens[part], here)
    else:
        painter.panel(bound, Box(LEFT, top, RIGHT - LEFT, plan.bottom - top))
    painter.buttons(bound, plan, part, here)
    if not stage.focus and stage.targets:
        stage.focus = stage.targets[0].name
    return Drawn(plan.parts, part, tuple(painter.complaints))


@dataclass(frozen=True, slots=True)
class _Plan:
    """How a page is cut: its screens (row numbers or lines), the room of the body, and what stands beside it."""

    room: Box
    screens: tuple[tuple[object, ...], ...]
    panel_beside: bool
    panel_after: bool
    has_buttons: bool
    columns: int = 1

    @property
    def parts(self) -> int:
        return len(self.screens) + self.panel_after

    @property
    def bottom(self) -> int:
        return self.room.bottom


def _part(here: Here, plan: _Plan) -> int:
    if here.at is not None:
        return next((n for n, screen in enumerate(plan.screens) if here.at in screen), 0)
    return max(0, min(here.part, plan.parts - 1))


def _plan(painter: "_Painter", bound: Bound, top: int) -> _Plan:
    """Cut without a row of buttons first; when there must be one, cut again into what is left."""
    open_list = any(row.target for row in bound.body.rows)
    bare = _cut(painter, bound, top, BOTTOM)
    if open_list and not bound.links and bare.parts == 1:
        return bare
    return _cut(painter, bound, top, BOTTOM - BUTTON_HEIGHT - GAP, has_buttons=True)


def _cut(painter: "_Painter", bound: Bound, top: int, bottom: int, *, has_buttons: bool = False) -> _Plan:
    has_panel = bool(bound.picture or bound.facts)
    beside = has_panel and painter.stage.look.is_standard
    body = bound.body
    wide = RIGHT - LEFT if body.rows or not painter.stage.look.is_standard else _READING_ROOM
    room = Box(LEFT, top, _BESIDE_PANEL if beside else wide, bottom - top)
    columns = 2 if painter.stage.look.is_standard and not body.header else 1
    screens = painter.screens(body, room, columns)
    return _Plan(room, screens, beside, has_panel and not beside, has_buttons, columns)


@dataclass(slots=True)
class _Painter:
    stage: Stage
    addresses: Addresses
    pictures: Mapping[str, Picture]
    complaints: list[Complaint] = field(default_factory=list)

    @property
    def type(self) -> Type:
        return self.stage.look.type

    # -- cutting ---------------------------------------------------------------------------------------------

    def screens(self, body: Body, room: Box, columns: int) -> tuple[tuple[object, ...], ...]:
        """Return what stands on each screen: row numbers of a list or table, or lines of text."""
        if body.paragraphs:
            lines = [line for text in body.paragraphs for line in self._lines_of(text.text, room.w)]
            return _chunks(lines, max(1, room.h // self.type.reading.line))
        if body.header:
            return _chunks(range(len(body.rows)), max(1, (room.h - self._head_height) // self._row_height))
        in_column = max(1, (room.h + GAP) // (self._card_height + GAP))
        return _chunks(range(len(body.rows)), min(_ROWS_A_SCREEN, in_column * columns))

    def _lines_of(self, text: str, room: int) -> list[str]:
        return [
            line
            for paragraph in text.splitlines() or [""]
            for line in measure.wrap("　　" + paragraph.strip(), self.type.reading.size, room)
        ]

    @property
    def _card_height(self) -> int:
        return self.type.tile.line + self.type.label.line + 20

    @property
    def _row_height(self) -> int:
        return self.type.body.line + 14

    @property
    def _head_height(self) -> int:
        return self.type.label.line + 10

    # -- parts -----------------------------------------------------------------------------------------------

    def sentence(self, bound: Bound) -> int:
        """Set the sentence in one or two lines; returns where the rest begins."""
        if bound.sentence is None:
            return TOP
        step = next(
            step for step in self._steps("tile") if self._line_count(bound.sentence, step) <= 2 or step.size <= 32
        )
        lines = measure.wrap(bound.sentence.text, step.size, RIGHT - LEFT)
        if len(lines) > 2:
            self._too_long(bound.sentence, 2 * (RIGHT - LEFT) // step.size)
        self.stage.lines(
            Box(LEFT, TOP - 4, RIGHT - LEFT, step.line * len(lines[:2])), lines[:2], Ink(step.size, line=step.line)
        )
        return TOP - 4 + step.line * len(lines[:2]) + GAP

    def _line_count(self, words: Words, step: Step) -> int:
        return len(measure.wrap(words.text, step.size, RIGHT - LEFT))

    def body(self, bound: Bound, plan: _Plan, screen: Sequence[object], here: Here) -> None:
        if bound.body.paragraphs:
            step = self.type.reading
            box = plan.room._replace(h=step.line * len(screen))
            self.stage.lines(box, [str(line) for line in screen], Ink(step.size, line=step.line))
        elif not bound.body.rows:
            self._line(plan.room._replace(h=self.type.lead.line), bound.body.empty, "lead", "mist")
        elif bound.body.header:
            self._table(bound.body, plan.room, [row for row in screen if isinstance(row, int)])
        else:
            self._cards(bound.body, plan, [row for row in screen if isinstance(row, int)], here)

    def _cards(self, body: Body, plan: _Plan, numbers: Sequence[int], here: Here) -> None:
        wide = (plan.room.w - GAP * (plan.columns - 1)) // plan.columns
        for place, number in enumerate(numbers):
            down, across = divmod(place, plan.columns)
            x, y = LEFT + across * (wide + GAP), plan.room.y + down * (self._card_height + GAP)
            self._card(body.rows[number], number, Box(x, y, wide, self._card_height), here)

    def _card(self, row: Row, number: int, box: Box, here: Here) -> None:
        if row.target is None:
            with self.stage.group(box, id=f"r{number}", skin=_CARD):
                self._card_words(row, box)
            return
        page, target_row = row.target
        with self.stage.tile(f"r{number}", box, Press(self.addresses.page(page, target_row)), _CARD):
            self._card_words(row, box)
        if here.at == number:
            self.stage.focus = f"r{number}"

    def _card_words(self, row: Row, box: Box) -> None:
        title, note, mark = row.cells
        mark_wide = measure.width(mark.text, self.type.label.size) + GAP if mark.text else 0
        inside = Box(24, 10, box.w - 48, self.type.tile.line)
        if not note.text:
            inside = inside._replace(h=box.h - 20)
        self._line(inside._replace(w=inside.w - mark_wide), title, "tile", role="n")
        if mark.text:
            self._mark(mark, Box(box.w - 24 - mark_wide, 10, mark_wide, inside.h))
        if note.text:
            self._line(Box(24, 10 + inside.h, box.w - 48, self.type.label.line), note, "label", "mist", role="m")

    def _mark(self, mark: Words, box: Box) -> None:
        if measure.width(mark.text, 24) > 24 * 4 + 2:
            self._too_long(mark, 4)
        self.stage.text(box, mark.text, Ink(self.type.label.size, "mint", "right", role="m"))

    def _table(self, body: Body, room: Box, numbers: Sequence[int]) -> None:
        step, widths = self._table_widths(body, room.w)
        y = room.y
        self._table_row(
            body.header,
            body.aligns,
            widths,
            Box(LEFT, y, room.w, self.type.label.line),
            step=min(step, self.type.label),
            hue="mist",
        )
        y += self._head_height
        for number in numbers:
            self.stage.box(Box(LEFT, y - 4, room.w, 2), Skin(fill="night3"))
            self._table_row(
                body.rows[number].cells, body.aligns, widths, Box(LEFT, y, room.w, self._row_height), step=step
            )
            y += self._row_height

    def _table_row(
        self,
        cells: Sequence[Words],
        aligns: Sequence[str],
        widths: Sequence[int],
        box: Box,
        *,
        step: Step,
        hue: str = "paper",
    ) -> None:
        x = box.x
        for cell, align, wide in zip(cells, aligns, widths, strict=True):
            self._check_fit(cell, step, wide - 24)
            self.stage.text(Box(x, box.y, wide - 24, box.h), cell.text, Ink(step.size, hue, align))
            x += wide

    def _table_widths(self, body: Body, room: int) -> tuple[Step, list[int]]:
        """Return the largest step in which the columns fit, and their widths with the rest shared out."""
        for step in self._steps("body"):
            widths = [
                max(measure.width(words.text, step.size) for words in (name, *(row.cells[n] for row in body.rows))) + 24
                for n, name in enumerate(body.header)
            ]
            if sum(widths) <= room or step == TYPES[TextSize.STANDARD].body:
                break
        spare = room - sum(widths)
        if spare >= 0:
            return step, [wide + spare // len(widths) for wide in widths]
        return step, [wide * room // sum(widths) for wide in widths]

    def panel(self, bound: Bound, box: Box) -> None:
        """Draw picture and facts on a quiet panel."""
        if not (bound.picture or bound.facts):
            return
        self.stage.box(box, Skin(fill="night1", radius=18))
        is_wide = box.w > PANEL.w
        inside = Box(box.x + 24, box.y + 20, box.w - 48, box.h - 40)
        if bound.picture:
            inside = self._panel_picture(bound.picture, inside, is_wide=is_wide)
        y = inside.y
        for name, value in bound.facts:
            y = self._fact(name, value, inside._replace(y=y))
            if y > inside.bottom + 8:
                self.complaints.append(Complaint(name.path, "panel_full"))

    def _panel_picture(self, picture: tuple[Words, Words], box: Box, *, is_wide: bool) -> Box:
        source, alt = picture
        frame = Box(box.x, box.y, 480, min(320, box.h)) if is_wide else Box(box.x, box.y, box.w, min(200, box.h))
        found = self.pictures.get(source.text)
        if found is None:
            self.complaints.append(Complaint(source.path, "picture_missing", {"name": source.text}))
        else:
            self.stage.picture(_fitted(found, frame), self.addresses.picture(source.text), alt.text)
        if is_wide:
            return Box(frame.right + 24, box.y, box.right - frame.right - 24, box.h)
        return Box(box.x, frame.bottom + 12, box.w, box.bottom - frame.bottom - 12)

    def _fact(self, name: Words, value: Words, box: Box) -> int:
        small, large = self.type.label, self.type.body
        self._line(box._replace(h=small.line), name, "label", "mist")
        self._line(Box(box.x, box.y + small.line - 4, box.w, large.line), value, "body")
        return box.y + small.line + large.line + 6

    def buttons(self, bound: Bound, plan: _Plan, part: int, here: Here) -> None:
        """Draw the row of buttons: screens, links, and a way back where there is nothing else to choose."""
        if not plan.has_buttons:
            return
        say = self.stage.look.say
        entries: list[tuple[str, str, Words]] = []
        if part > 0:
            entries.append(("prev", self._turn(here, part - 1), Words(say("上一屏", "Up"))))
        if part + 1 < plan.parts:
            entries.append(("next", self._turn(here, part + 1), Words(say("下一屏", "More"))))
        entries += [(f"l{n}", self.addresses.page(page), words) for n, (page, words) in enumerate(bound.links)]
        if not entries and not self.stage.targets:
            entries.append(("back", here.back, Words(say("返回上一页", "Back"))))
        self._button_row(entries, plan)
        self.stage.focus = self.stage.focus or ("next" if bound.body.paragraphs and part + 1 < plan.parts else "")

    def _turn(self, here: Here, part: int) -> str:
        return self.addresses.page(here.page, here.row, part=part)

    def _button_row(self, entries: Sequence[tuple[str, str, Words]], plan: _Plan) -> None:
        room = _BESIDE_PANEL if plan.panel_beside else RIGHT - LEFT
        step = next(step for step in self._steps("body") if _row_width(entries, step) <= room or step.size <= 28)
        x = LEFT
        for name, href, words in entries:
            wide = _button_width(words, step)
            if x + wide > LEFT + room:
                self._too_long(words, 4)
                wide = max(BUTTON_HEIGHT, LEFT + room - x)
            with self.stage.tile(name, Box(x, BOTTOM - BUTTON_HEIGHT, wide, BUTTON_HEIGHT), Press(href), _BUTTON):
                self.stage.text(Box(0, 0, wide, BUTTON_HEIGHT), words.text, Ink(step.size, align="center", role="n"))
            x += wide + GAP

    # -- words -----------------------------------------------------------------------------------------------

    def _line(self, box: Box, words: Words, kind: str, hue: str = "paper", *, role: str = "") -> None:
        steps = self._steps(kind)
        step = next((step for step in steps if measure.width(words.text, step.size) <= box.w), steps[-1])
        self._check_fit(words, step, box.w)
        self.stage.text(box, words.text, Ink(step.size, hue, role=role))

    def _steps(self, kind: str) -> list[Step]:
        """Return this kind's step in the chosen size and in the smaller ones, largest first."""
        sizes = list(TextSize)
        return [getattr(TYPES[size], kind) for size in reversed(sizes[: sizes.index(self.stage.look.size) + 1])]

    def _check_fit(self, words: Words, step: Step, room: int) -> None:
        if measure.width(words.text, step.size) > room:
            self._too_long(words, room // step.size)

    def _too_long(self, words: Words, limit: int) -> None:
        text = words.text if len(words.text) <= 16 else words.text[:15] + "…"
        self.complaints.append(Complaint(words.path, "text_too_long", {"text": text, "limit": str(limit)}))


def _chunks(items: Sequence[object], size: int) -> tuple[tuple[object, ...], ...]:
    return tuple(tuple(items[at : at + size]) for at in range(0, len(items), size)) or ((),)


def _button_width(words: Words, step: Step) -> int:
    return max(132, measure.width(words.text, step.size) + 48)


def _row_width(entries: Sequence[tuple[str, str, Words]], step: Step) -> int:
    return sum(_button_width(words, step) + GAP for _, _, words in entries) - GAP


def _fitted(picture: Picture, frame: Box) -> Box:
    """Return the largest box of the picture's own shape inside `frame`, centred, never enlarged."""
    scale = min(frame.w / picture.width, frame.h / picture.height, 1)
    wide, high = round(picture.width * scale), round(picture.height * scale)
    return Box(frame.x + (frame.w - wide) // 2, frame.y + (frame.h - high) // 2, wide, high)
