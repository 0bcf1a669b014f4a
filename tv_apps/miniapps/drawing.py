"""A bound page becomes boxes on the television's stage; whatever passes the check fits, in all three text sizes.

The content area is 74 to 1206 by 108 to 628. On top at most one sentence; then the body, beside it a panel of
364 pixels with picture and facts; at the bottom a row of buttons for turning screens and for links. In larger
text fewer rows stand on a screen and the panel gets a screen of its own; a line that would be cut is set in
the next smaller size first. What does not even fit in the smallest size is a complaint.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tv_apps.kit import measure
from tv_apps.kit.focus import Box
from tv_apps.kit.look import TYPES, Step, TextSize, Type
from tv_apps.kit.stage import Ink, Press, Skin, Stage
from tv_apps.miniapps.address import Addresses, Drawn, Here
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


def draw(
    stage: Stage, bound: Bound, here: Here, addresses: Addresses, pictures: Mapping[str, Picture] | None = None
) -> Drawn:
    """Draw one screen of a page below the header."""
    painter = _Painter(stage, addresses, pictures or {})
    sentence = painter.measured_sentence(bound)
    top = sentence.box.bottom + 22 if sentence else TOP
    plan = _plan(painter, bound, top)
    part = _part(here, plan)
    if part < len(plan.screens):
        if sentence:
            stage.lines(sentence.box, sentence.lines, Ink(sentence.step.size, line=sentence.step.line))
        if plan.panel_beside:
            painter.panel(bound, PANEL._replace(y=top, h=BOTTOM - top))
        painter.body(bound, plan, plan.screens[part], here)
    else:
        painter.panel(bound, Box(LEFT, TOP, RIGHT - LEFT, plan.bottom - TOP))
    painter.buttons(bound, plan, part, here)
    if not stage.focus and stage.targets:
        stage.focus = stage.targets[0].name
    return Drawn(plan.parts, part, tuple(painter.complaints))


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence cut into lines, and where they stand."""

    box: Box
    lines: Sequence[str]
    step: Step


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
            return _chunks(range(len(body.rows)), max(1, (room.h - self._head_height) // self._row_height(body, room)))
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

    def _row_height(self, body: Body, room: Box) -> int:
        """Return the height of a table's row; a little less where the whole table then fits on one screen."""
        airy, tight = self.type.body.line + 14, self.type.body.line + 8
        high = room.h - self._head_height
        return tight if len(body.rows) * airy > high >= len(body.rows) * tight else airy

    @property
    def _head_height(self) -> int:
        return self.type.label.line + 10

    # -- parts -----------------------------------------------------------------------------------------------

    def measured_sentence(self, bound: Bound) -> _Sentence | None:
        """Cut the sentence: one line in the largest size that allows it, else two."""
        if bound.sentence is None:
            return None
        steps, counts = self._steps("tile"), (1, 2)
        fitting = (step for count in counts for step in steps if self._line_count(bound.sentence, step) <= count)
        step = next(fitting, steps[-1])
        lines = measure.wrap(bound.sentence.text, step.size, RIGHT - LEFT)
        if len(lines) > 2:
            self._too_long(bound.sentence, 2 * (RIGHT - LEFT) // step.size)
        return _Sentence(Box(LEFT, TOP - 2, RIGHT - LEFT, step.line * len(lines[:2])), lines[:2], step)

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
        head, high = self.type.label, self._row_height(body, room)
        columns = list(zip(widths, body.aligns, strict=True))
        self._table_row(body.header, columns, room._replace(h=head.line), min(step, head), hue="mist")
        y = room.y + self._head_height
        for number in numbers:
            self.stage.box(Box(LEFT, y - 4, room.w, 2), Skin(fill="night3"))
            self._table_row(body.rows[number].cells, columns, Box(LEFT, y, room.w, high), step)
            y += high

    def _table_row(
        self,
        cells: Sequence[Words],
        columns: Sequence[tuple[int, str]],
        box: Box,
        step: Step,
        *,
        hue: str = "paper",
    ) -> None:
        x = box.x
        for cell, (wide, align) in zip(cells, columns, strict=True):
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
        """Draw picture and facts on a quiet panel, as high as they need; the picture gives way to the facts."""
        if not (bound.picture or bound.facts):
            return
        inside = Box(box.x + 24, box.y + 20, box.w - 48, box.h - 32)
        is_wide = box.w > PANEL.w
        small, large = self._fact_steps(len(bound.facts), inside.h - (0 if is_wide or not bound.picture else 132))
        high = (small.line + large.line + 6) * len(bound.facts)
        shown = self._picture_box(bound, inside, is_wide=is_wide, facts=high)
        beside = inside
        if shown and is_wide:
            beside = Box(shown.right + 24, inside.y, inside.right - shown.right - 24, inside.h)
        elif shown:
            beside = inside._replace(y=shown.bottom + 12)
        if beside.y + high > box.bottom:
            self.complaints.append(Complaint(("facts",), "panel_full"))
        bottom = min(box.bottom, max(shown.bottom + 20 if shown else 0, beside.y + high + 8 if bound.facts else 0))
        self.stage.box(box._replace(h=bottom - box.y), Skin(fill="night1", radius=18))
        if bound.picture and shown:
            source, alt = bound.picture
            self.stage.picture(shown, self.addresses.picture(source.text), alt.text)
        self._facts(bound.facts, beside, small, large)

    def _fact_steps(self, count: int, room: int) -> tuple[Step, Step]:
        """Return the largest label and body steps in which all facts fit into `room` pixels."""
        steps = list(zip(self._steps("label"), self._steps("body"), strict=True))
        return next((pair for pair in steps if (pair[0].line + pair[1].line + 6) * count <= room), steps[-1])

    def _picture_box(self, bound: Bound, inside: Box, *, is_wide: bool, facts: int) -> Box | None:
        """Return where the picture goes; None when the page has none, or not in the package."""
        if bound.picture is None:
            return None
        source, _ = bound.picture
        found = self.pictures.get(source.text)
        if found is None:
            self.complaints.append(Complaint(source.path, "picture_missing", {"name": source.text}))
            return None
        high = min(320, inside.h) if is_wide else max(96, min(234, inside.h - facts - 12))
        return _fitted(found, inside._replace(w=480 if is_wide else inside.w, h=high))

    def _facts(self, facts: Sequence[tuple[Words, Words]], box: Box, small: Step, large: Step) -> None:
        y = box.y
        for name, value in facts:
            self._line_in([small], Box(box.x, y, box.w, small.line), name, Ink(0, "mist"))
            steps = [step for step in self._steps("body") if step.size <= large.size]
            self._line_in(steps, Box(box.x, y + small.line - 4, box.w, large.line), value, Ink(0))
            y += small.line + large.line + 6

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
        self._line_in(self._steps(kind), box, words, Ink(0, hue, role=role))

    def _line_in(self, steps: Sequence[Step], box: Box, words: Words, ink: Ink) -> None:
        """Set one line in the first of `steps` that fits, else in the last, with a complaint."""
        step = next((step for step in steps if measure.width(words.text, step.size) <= box.w), steps[-1])
        self._check_fit(words, step, box.w)
        self.stage.text(box, words.text, Ink(step.size, ink.colour, ink.align, role=ink.role))

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
    """Return the largest box of the picture's own shape at the top of `frame`, centred, never enlarged."""
    scale = min(frame.w / picture.width, frame.h / picture.height, 1)
    wide, high = round(picture.width * scale), round(picture.height * scale)
    return Box(frame.x + (frame.w - wide) // 2, frame.y, wide, high)
