"""The store on the television: shelves, six apps on a screen, and what each uses and does not use."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tv_apps.kit import measure
from tv_apps.kit.focus import Box
from tv_apps.kit.look import TYPES, Step, TextSize
from tv_apps.kit.page import Frame, Page, header
from tv_apps.kit.stage import Hint, Ink, KeyCap, Press, Skin, Stage
from tv_apps.miniapps.manifest import CATEGORIES, SCOPES
from tv_apps.miniapps.rendering import STORE

HOME: Final = "/tv/home"
_ENGLISH: Final = {"": "All", "service": "Services", "health": "Health", "life": "Life", "learn": "Learn"}
_PANEL: Final = Box(846, 108, 360, 508)
_LEFT: Final = 74
_CARDS_TOP: Final = 204
_GAP: Final = 16


@dataclass(frozen=True, slots=True)
class Entry:
    """One app on the shelf; `is_open` is false when it did not pass the verification just now."""

    app_id: str
    name: str
    description: str
    publisher: str
    category: str
    version: str
    size_bytes: int
    scopes: tuple[str, ...]
    icon: str
    is_open: bool = True

    @property
    def address(self) -> str:
        return f"/tv/app/{self.app_id}"


@dataclass(frozen=True, slots=True)
class StoreView:
    """What the store shows: the chosen shelf ("" all), its apps, and which screen of them."""

    entries: Sequence[Entry]
    shelf: str = ""
    part: int = 0
    focus: str = ""

    @property
    def chosen(self) -> list[Entry]:
        return [entry for entry in self.entries if self.shelf in {"", entry.category}]


def draw_store(frame: Frame, view: StoreView, back: str = HOME) -> Page:
    """Return the store page."""
    stage, say = Stage(frame.look), frame.look.say
    title = say("小应用", "Mini-apps")
    header(stage, frame, title)
    size = 4 if frame.look.size is TextSize.XLARGE else 6
    chosen = view.chosen
    parts = max(1, -(-len(chosen) // size))
    part = max(0, min(view.part, parts - 1))
    _draw_chips(stage, view, part, parts)
    shown = chosen[part * size : (part + 1) * size]
    if frame.look.is_standard:
        _draw_panel(stage)
    for place, entry in enumerate(shown):
        _draw_card(stage, place, entry)
    if not shown:
        words = say("这里还没有小应用。", "No apps here yet.")
        stage.text(Box(_LEFT, _CARDS_TOP, 744, 58), words, Ink(frame.look.type.lead.size, "mist"))
    stage.key_bar(_hints(stage))
    focus = next((f"a{n}" for n, entry in enumerate(shown) if entry.app_id == view.focus), "a0" if shown else "k0")
    return Page(title, stage, back, focus=focus, down=_address(view.shelf, part + 1) if part + 1 < parts else "")


def draw_refused(frame: Frame, name: str) -> Page:
    """Return the page of an app that did not pass the verification: honest, short, with a way out."""
    stage, say = Stage(frame.look), frame.look.say
    title = say("现在打不开", "Cannot be opened now")
    header(stage, frame, title, say("小应用", "Mini-apps"))
    stage.icon(Box(94, 220, 160, 160), "lock", "wheat", role="")
    big, small = frame.look.type.lead, frame.look.type.body
    sentences = (
        (say(f"“{name}”和批准的不一样。", f"“{name}” is not what was approved."), big, "paper"),
        (say("为了安全，先不打开。", "To be safe, it stays closed."), big, "paper"),
        (say("已经记下来了，您可以先看别的。", "It has been noted. The other apps are fine."), small, "mist"),
    )
    y = 200
    for words, step, hue in sentences:
        lines = measure.wrap(words, step.size, 870)
        stage.lines(Box(320, y, 886, step.line * len(lines)), lines, Ink(step.size, hue, line=step.line))
        y += step.line * len(lines) + 8
    label = say("返回小应用", "Back to apps")
    wide = measure.width(label, small.size) + 56
    with stage.tile("back", Box(320, 520, wide, 80), Press(STORE), Skin("night2", radius=18)):
        stage.text(Box(0, 0, wide, 80), label, Ink(small.size, align="center", role="n"))
    stage.key_bar([Hint(KeyCap(say("返回", "Back")), say("小应用", "Mini-apps")), _red(stage)])
    return Page(title, stage, STORE, focus="back")


def _draw_chips(stage: Stage, view: StoreView, part: int, parts: int) -> None:
    shelves = [("", "全部"), *CATEGORIES.items()]
    chips = [
        (f"k{number}", stage.look.say(name, _ENGLISH[shelf]), _address(shelf), shelf == view.shelf)
        for number, (shelf, name) in enumerate(shelves)
    ]
    if parts > 1:
        chips.append(("more", f"{part + 1}/{parts}", _address(view.shelf, (part + 1) % parts), False))
    room = 744 if stage.look.is_standard else 1132
    loose, tight = (stage.look.type.body.size, 44), (stage.look.type.label.size, 28)
    wanted = sum(_chip_width(label, *loose) + _GAP for _, label, _, _ in chips) - _GAP
    size, padding = loose if wanted <= room else tight
    x = _LEFT
    for name, label, href, is_on in chips:
        wide = _chip_width(label, size, padding)
        _draw_chip(stage, name, Box(x, 108, wide, 80), (label, href), size, is_on=is_on)
        x += wide + _GAP


def _chip_width(label: str, size: int, padding: int) -> int:
    return max(60 + padding, measure.width(label, size) + padding)


def _draw_chip(stage: Stage, name: str, box: Box, entry: tuple[str, str], size: int, *, is_on: bool) -> None:
    """A pill 56 high inside a target of 80, so that the thumb may miss a little."""
    label, href = entry
    with stage.tile(name, box, Press(href), Skin(radius=28)):
        pill = Box(0, 12, box.w, 56)
        stage.box(pill, Skin("night2", radius=28) if is_on else Skin(border="night2", width=2, radius=28))
        ink = Ink(min(size, 40), "lamp" if is_on else "paper", "center", role="" if is_on else "n")
        stage.text(pill, label, ink)
        if is_on:
            stage.box(Box(box.w // 2 - 18, 72, 36, 4), Skin("lamp", radius=2))


def _draw_card(stage: Stage, place: int, entry: Entry) -> None:
    down, across = divmod(place, 2)
    box = _card_box(stage, down, across)
    with stage.tile(f"a{place}", box, Press(entry.address), Skin("night2", radius=18)):
        side = min(72, box.h - 40)
        icon = Box(20, (box.h - side) // 2, side, side)
        if entry.icon:
            stage.picture(icon, f"{entry.address}/files/{entry.icon}", "")
        else:
            stage.icon(icon, "lock", "wheat")
        room = box.w - 112 - 20
        mark = "" if entry.is_open else stage.look.say("打不开", "closed")
        mark_wide = measure.width(mark, stage.look.type.label.size) + 8 if mark else 0
        name, note = stage.look.type.tile, stage.look.type.label
        top = (box.h - name.line - note.line) // 2 - 1
        _fitted(stage, Box(112, top, room - mark_wide, name.line), entry.name, "tile", Ink(0, role="n"))
        _fitted(stage, Box(112, top + name.line, room, note.line), entry.publisher, "label", Ink(0, "mist", role="m"))
        if mark:
            stage.text(
                Box(box.w - 14 - mark_wide, top, mark_wide, name.line), mark, Ink(note.size, "wheat", "right", role="m")
            )
        if stage.look.is_standard:
            _draw_details(stage, box, entry)


def _card_box(stage: Stage, down: int, across: int) -> Box:
    if stage.look.is_standard:
        return Box(_LEFT + across * 380, _CARDS_TOP + down * 142, 364, 126)
    high = 126 if stage.look.size is TextSize.LARGE else 170
    return Box(_LEFT + across * 574, _CARDS_TOP + down * (high + _GAP), 558, high)


def _draw_panel(stage: Stage) -> None:
    """What is true of every app on the shelf; an app's own words are part of its tile (see _draw_details)."""
    say = stage.look.say
    stage.box(_PANEL, Skin("night1", radius=18))
    x, y = _PANEL.x, _PANEL.y
    for line in (y + 318, y + 424):
        stage.box(Box(x + 24, line, 312, 2), Skin("night3"))
    never = (("不用：姓名、摄像头", "No names, no cameras"), ("不用：付款", "No payment"))
    for number, (zh, en) in enumerate(never):
        top = y + 330 + 46 * number
        stage.icon(Box(x + 24, top + 6, 32, 32), "cross", "mist", stroke=5, role="")
        stage.text(Box(x + 68, top, 276, 44), say(zh, en), Ink(28 if say("1", "") else 24))
    verified = say("签名都核对过", "All signatures verified")
    stage.text(Box(x + 24, y + 464, 312, 36), verified, Ink(24, "mist"))


def _draw_details(stage: Stage, card: Box, entry: Entry) -> None:
    """What the panel says about the focused app: part of its tile, so no script is needed to change it."""
    say = stage.look.say
    with stage.group(_PANEL._replace(x=_PANEL.x - card.x, y=_PANEL.y - card.y), id=f"d{card.x}{card.y}", role="ok"):
        if entry.icon:
            stage.picture(Box(24, 20, 96, 96), f"{entry.address}/files/{entry.icon}", "")
        else:
            stage.icon(Box(24, 20, 96, 96), "lock", "wheat", role="")
        _fitted(stage, Box(140, 20, 210, 52), entry.name, "lead", Ink(0))
        _fitted(stage, Box(140, 72, 210, 40), entry.publisher, "label", Ink(0, "mist"))
        words = entry.description if entry.is_open else say("和批准的不一样，先不打开。", "Not what was approved.")
        lines = measure.wrap(words, 28, 312)[:3]
        stage.lines(Box(24, 128, 320, 42 * len(lines)), lines, Ink(28, line=42))
        if entry.is_open:
            _draw_uses(stage, entry)


def _draw_uses(stage: Stage, entry: Entry) -> None:
    say = stage.look.say
    used = "、".join(SCOPES[scope] for scope in entry.scopes if scope in SCOPES)
    words = say(f"会用到：{used}", "Uses: area name") if used else say("什么都不用", "Uses nothing")
    stage.icon(Box(24, 274, 32, 32), "check", "mint", stroke=5, role="")
    _fitted(stage, Box(68, 268, 276, 44), words, "body", Ink(0))
    size = f"{max(entry.size_bytes / 1024 / 1024, 0.01):.2f}"
    version = say(f"{entry.version} 版　{size} 兆", f"{entry.version} · {size} MB")
    stage.text(Box(24, 430, 312, 36), version, Ink(24, "mist"))


def _fitted(stage: Stage, box: Box, words: str, kind: str, ink: Ink) -> None:
    """Set a line in its own step, or in the next smaller size that fits."""
    sizes = list(TextSize)
    steps: list[Step] = [getattr(TYPES[size], kind) for size in sizes[sizes.index(stage.look.size) :: -1]]
    standard = TYPES[TextSize.STANDARD]
    steps += [step for step in (standard.tile, standard.body, standard.label) if step.size < steps[-1].size]
    step = next((step for step in steps if measure.width(words, step.size) <= box.w), steps[-1])
    stage.text(box, words, Ink(step.size, ink.colour, ink.align, role=ink.role))


def _hints(stage: Stage) -> list[Hint]:
    say = stage.look.say
    return [
        Hint(KeyCap(say("返回", "Back")), say("上一页", "Back")),
        Hint(KeyCap(say("确定", "OK"), "lamp"), say("打开", "Open")),
        _red(stage),
        Hint(KeyCap(say("绿", "Green"), "green"), say("朗读", "Read aloud")),
        Hint(KeyCap(say("黄", "Yellow"), "yellow"), say("大字", "Text size")),
    ]


def _red(stage: Stage) -> Hint:
    return Hint(KeyCap(stage.look.say("红", "Red"), "red"), stage.look.say("报警", "Alarm"))


def _address(shelf: str, part: int = 0) -> str:
    query = "&".join([*([f"k={shelf}"] if shelf else []), *([f"p={part + 1}"] if part else [])])
    return f"{STORE}?{query}" if query else STORE
