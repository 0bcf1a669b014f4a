"""The home page: the number pad of the remote as a menu, with what is new beside it.

The grid keeps its places in all three text sizes. Only facts: the weather appears when something measures it, the
window is the television's own picture where the box has one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from tv_apps.kit import measure
from tv_apps.kit.focus import Box
from tv_apps.kit.look import TextSize
from tv_apps.kit.page import Frame, Page, local_date
from tv_apps.kit.stage import Ink, KeyCap, Press, Skin, Stage, key_width


class Section(NamedTuple):
    """One tile: the key that opens it, its name, icon and tint."""

    key: str
    name: str
    name_en: str
    icon: str
    tint: str
    href: str


SECTIONS: Final = (
    Section("1", "平安家园", "Safety", "shield", "coral", "/tv/s/1"),
    Section("2", "政务公开", "Gov info", "gov", "sky", "/tv/s/2"),
    Section("3", "办事指南", "Services", "guide", "sky", "/tv/s/3"),
    Section("4", "生活缴费", "Bills", "pay", "mint", "/tv/s/4"),
    Section("5", "通知公告", "Notices", "notice", "wheat", "/tv/s/5"),
    Section("6", "健康养老", "Health", "health", "coral", "/tv/s/6"),
    Section("7", "我的家", "My home", "home", "mint", "/tv/s/7"),
    Section("8", "文明实践", "Culture", "flag", "wheat", "/tv/s/8"),
    Section("9", "农技电商", "Farming", "sprout", "mint", "/tv/s/9"),
    Section("红", "报警求助", "Get help", "siren", "red", "/tv/alarm"),
    Section("0", "书屋课堂", "Library", "book", "sky", "/tv/s/0"),
    Section("菜单", "更多", "More", "more", "mist", "/tv/more"),
)
#: The key with the raised dot.
FIRST_FOCUS: Final = "t4"
RED: Final = 9
_KEYS_EN: Final = {"红": "RED", "菜单": "MENU"}


@dataclass(frozen=True, slots=True)
class NewNotice:
    """A notice that the household has not opened."""

    title: str
    published_on: date


@dataclass(frozen=True, slots=True)
class HomeView:
    """What the home page tells: the air in one word (empty where nobody measures) and what is new."""

    unread: int
    newest: Sequence[NewNotice]
    air: str = ""
    temperature: str = ""


def draw(frame: Frame, view: HomeView, *, focus: str = FIRST_FOCUS, idle_s: int = 0) -> Page:
    """Return the home page."""
    stage = Stage(frame.look)
    if frame.look.size is TextSize.XLARGE:
        _draw_strip_xlarge(stage, frame, view)
    else:
        _draw_strip(stage, frame, view)
        _draw_column(stage, frame, view)
    for number, section in enumerate(SECTIONS):
        _draw_tile(stage, number, section, view.unread if section.key == "5" else 0)
    back = "/tv/live" if frame.has_live_tv else "/tv/home"
    title = frame.look.say(f"邻里 · {frame.area_name}", f"Linli · {frame.area_name}")
    return Page(title, stage, back, focus=focus, idle_s=idle_s if frame.has_live_tv else 0)


# -- the strip at the top ------------------------------------------------------------------------------------------


def _draw_strip(stage: Stage, frame: Frame, view: HomeView) -> None:
    say, large = frame.look.say, not frame.look.is_standard
    stage.mark(Box(74, 36, 56, 56))
    if large:
        stage.text(Box(144, 36, 330, 56), frame.area_name, Ink(44))
    else:
        stage.text(Box(144, 36, 84, 56), say("邻里", "Linli"), Ink(36))
        stage.box(Box(236, 50, 2, 28), Skin("night3"))
        stage.text(Box(254, 36, 240, 56), frame.area_name, Ink(28, "mist"))
    size, clock = (36, 54) if large else (28, 48)
    wide = 164 if large else 134
    stage.text(Box(1206 - wide, 34, wide, 60), f"{frame.now:%H:%M}", Ink(clock, "paper", "right", id="ck"))
    x = 1206 - wide - 24
    words = local_date(frame)
    words = words.split()[1 if frame.look.language == "zh" else 0] if large else words
    date_width = measure.width(words, size) + 2
    stage.text(Box(x - date_width, 38, date_width, 56), words, Ink(size, "mist", "right"))
    x -= date_width + 44
    for icon, fact, tint in _facts(frame, view):
        fact_width = measure.width(fact, size)
        stage.text(Box(x - fact_width, 38, fact_width, 56), fact, Ink(size))
        stage.icon(Box(x - fact_width - 50, 44, 40, 40), icon, tint, role="")
        x -= fact_width + 50 + 36


def _facts(frame: Frame, view: HomeView) -> list[tuple[str, str, str]]:
    facts = []
    if view.air:
        air = frame.look.say(f"空气{view.air}", f"Air {view.air}") if frame.look.is_standard else view.air
        facts.append(("leaf", air, "mint"))
    if view.temperature:
        facts.append(("cloud", view.temperature, "sky"))
    return facts


def _draw_strip_xlarge(stage: Stage, frame: Frame, view: HomeView) -> None:
    say = frame.look.say
    stage.mark(Box(74, 36, 56, 56))
    news = say(f"{view.unread} 条新通知", f"{view.unread} new") if view.unread else frame.area_name
    wide = min(measure.width(news, 44), 420)
    stage.text(Box(144, 34, wide, 60), news, Ink(44, "lamp" if view.unread else "paper"))
    if view.unread:
        x = 144 + wide + 24
        x += stage.key(x, 36, KeyCap("5"), size=40, height=56) + 16
        stage.text(Box(x, 34, 140, 60), say("看", "read"), Ink(44))
    stage.text(Box(1206 - 170, 34, 170, 60), f"{frame.now:%H:%M}", Ink(54, "paper", "right", id="ck"))
    if view.air:
        wide = measure.width(view.air, 44)
        stage.text(Box(1206 - 200 - wide, 34, wide, 60), view.air, Ink(44))
        stage.icon(Box(1206 - 200 - wide - 58, 40, 48, 48), "leaf", "mint", role="")


# -- the left column -----------------------------------------------------------------------------------------------


def _draw_column(stage: Stage, frame: Frame, view: HomeView) -> None:
    say, large = frame.look.say, not frame.look.is_standard
    wide = 290 if large else 356
    high = round(wide * 9 / 16)
    _draw_window(stage, frame, Box(74, 106, wide, high))
    y = 106 + high + (10 if large else 6)
    if frame.has_live_tv:
        y = _draw_caption(stage, frame, y, wide)
    bottom = 674 - (48 if large else 40)
    card = Box(74, y, wide, bottom - 20 - y)
    _draw_news(stage, frame, view, card)
    x = 74
    hints = [("绿", "GREEN", "green", say("朗读", "read")), ("黄", "YELLOW", "yellow", _size_word(frame))]
    for key, key_en, kind, does in hints[1 if large or frame.look.tier == "f0" else 0 :]:
        cap = KeyCap(say(key, key_en), kind)
        size, height = (30, 48) if large else (24, 40)
        does_width = measure.width(does, 36 if large else 24)
        if x + key_width(cap.word, size, height) + 12 + does_width > card.right:
            break
        x += stage.key(x, bottom, cap, size=size, height=height) + 12
        stage.text(Box(x, bottom, does_width, height), does, Ink(36 if large else 24))
        x += does_width + 26


def _size_word(frame: Frame) -> str:
    words = {
        TextSize.STANDARD: ("大字", "larger"),
        TextSize.LARGE: ("特大字", "larger"),
        TextSize.XLARGE: ("小字", "smaller"),
    }
    return frame.look.say(*words[frame.look.size])


def _draw_window(stage: Stage, frame: Frame, box: Box) -> None:
    """The television's own picture goes here; without one, the community says good day."""
    say = frame.look.say
    place = ",".join(map(str, box))
    stage.box(box, Skin("black" if frame.has_live_tv else "night1"), attributes=f'data-tv-video="{place}"')
    if frame.has_live_tv:
        return
    hour = frame.now.hour
    greeting = say(
        "早上好" if 5 <= hour < 11 else "中午好" if hour < 13 else "下午好" if hour < 18 else "晚上好",
        "Good morning" if 5 <= hour < 12 else "Good afternoon" if hour < 18 else "Good evening",
    )
    stage.mark(Box(box.x + box.w // 2 - 42, box.y + (28 if box.h > 180 else 16), 84, 84))
    size = 40 if frame.look.language == "zh" else 32
    stage.text(Box(box.x, box.y + box.h - 76, box.w, 60), greeting, Ink(size, "paper", "center"))


def _draw_caption(stage: Stage, frame: Frame, y: int, wide: int) -> int:
    say, large = frame.look.say, not frame.look.is_standard
    size, height, words = (30, 48, 36) if large else (24, 40, 24)
    cap = KeyCap(say("返回", "BACK"))
    key_x = 74 if large else 74 + wide - key_width(cap.word, size, height) - 60
    used = stage.key(key_x, y + 2, cap, size=size, height=height)
    stage.text(Box(key_x + used + 12, y, 48 if not large else 200, height + 4), say("全屏", "TV"), Ink(words, "mist"))
    if not large:
        stage.text(Box(74, y, key_x - 84, 44), say("正在播出", "Live TV"), Ink(28))
    return y + height + (22 if large else 16)


def _draw_news(stage: Stage, frame: Frame, view: HomeView, card: Box) -> None:
    say, large = frame.look.say, not frame.look.is_standard
    stage.box(card, Skin("night1", radius=14))
    stage.box(Box(card.x, card.y, 8, card.h), Skin("lamp" if view.unread else "night3", radius=4))
    x, y = card.x + 28, card.y + (10 if large else 8)
    size, line = (36, 52) if large else (28, 40)
    if not view.unread:
        stage.text(Box(x, y, card.w - 44, line), say("没有新通知", "Nothing new"), Ink(size, "mist"))
        return
    news = say(f"{view.unread} 条新通知", f"{view.unread} new")
    stage.text(Box(x, y, card.w - 44 - (0 if large else 96), line + 4), news, Ink(size, "lamp"))
    if not large:
        stage.text(Box(card.right - 68, y + 2, 52, 40), say("查看", "see"), Ink(24, "mist", "right"))
        stage.key(card.right - 68 - 52, y + 2, KeyCap("5"))
    y += line + 10
    _draw_titles(stage, frame, view, Box(x, y, card.w - 44, card.bottom - y - 8))


def _draw_titles(stage: Stage, frame: Frame, view: HomeView, room: Box) -> None:
    large = not frame.look.is_standard
    size, line = (36, 52) if large else (28, 40)
    y = room.y
    for number, notice in enumerate(view.newest):
        day = _day_word(frame, notice.published_on)
        day_width = 0 if large else measure.width(day, 24) + 8
        lines = measure.fold(notice.title, size, room.w - day_width, 2)
        if y + line * len(lines) > room.bottom:
            break
        if number:
            stage.box(Box(room.x, y - 6, room.w - 8, 2), Skin("night3"))
        stage.lines(Box(room.x, y, room.w - day_width, line * len(lines)), lines, Ink(size, line=line))
        if day_width:
            stage.text(Box(room.right - day_width, y, day_width, line), day, Ink(24, "mist", "right"))
        y += line * len(lines) + 12


def _day_word(frame: Frame, day: date) -> str:
    age = (frame.now.date() - day).days
    words = {0: ("今天", "today"), 1: ("昨天", "1 day")}
    return frame.look.say(*words.get(age, (f"{day.month}月{day.day}日", f"{age} d")))


# -- tiles -----------------------------------------------------------------------------------------------------------


def _tile_box(stage: Stage, number: int) -> Box:
    row, column = divmod(number, 3)
    if stage.look.size is TextSize.XLARGE:
        return Box(74 + column * 383, 106 + row * 146, 366, 130)
    left = 74 + (356 if stage.look.is_standard else 290) + 24
    wide = (1206 - left - 32) // 3
    return Box(left + column * (wide + 16), 106 + row * 146, wide, 130)


def _draw_tile(stage: Stage, number: int, section: Section, unread: int) -> None:
    box, hot = _tile_box(stage, number), number == RED
    press = Press(section.href, digit=section.key if section.key.isdigit() else "")
    with stage.tile(f"t{number}", box, press, Skin("red" if hot else "night2", radius=18), hot=hot):
        if stage.look.size is TextSize.XLARGE:
            _fill_xlarge(stage, box, section, hot=hot)
        else:
            _fill_tile(stage, box, section, hot=hot)
            if unread:
                _draw_badge(stage, unread)


def _fill_tile(stage: Stage, box: Box, section: Section, *, hot: bool) -> None:
    large, say = not stage.look.is_standard, stage.look.say
    key = say(section.key, _KEYS_EN.get(section.key, section.key))
    hue = "white" if hot else "paper"
    stage.icon(Box(18, 16, 46, 46), section.icon, "white" if hot else section.tint)
    height = 48 if large else 42
    size = (36 if large else 28) - (4 if len(key) > 1 else 0)
    wide = max(height, measure.width(key, size) + 18)
    cap = Box(box.w - wide - 14, 14, wide, height)
    if hot:
        stage.text(cap, key, Ink(size, "red", "center"), Skin("white", radius=10))
    else:
        stage.text(cap, key, Ink(size, "paper", "center", role="n k"), Skin(border="key", width=2, radius=10))
    name, name_size = say(section.name, section.name_en), 44 if large else 32
    name_width = measure.width(name, name_size) + 4
    stage.text(
        Box(18, 65 if large else 70, min(name_width, box.w - 30), 60 if large else 48),
        name,
        Ink(name_size, hue, role="n"),
    )
    if not large and 18 + name_width + 86 <= box.w:
        chip = Box(box.w - 82, 76, 68, 40)
        ink, skin = Ink(24, "ink" if hot else "lamp", "center", role="ok"), Skin("lamp" if hot else "ink", radius=10)
        stage.text(chip, say("确定", "OK"), ink, skin)


def _fill_xlarge(stage: Stage, box: Box, section: Section, *, hot: bool) -> None:
    key = stage.look.say(section.key, _KEYS_EN.get(section.key, section.key))
    wide = max(64, measure.width(key, 40) + 16)
    cap = Box(24, 35, wide, 60)
    if hot:
        stage.text(cap, key, Ink(40, "red", "center"), Skin("white", radius=12))
    else:
        stage.text(cap, key, Ink(40, "paper", "center", role="n k"), Skin(border="key", width=2, radius=12))
    name = stage.look.say(section.name, section.name_en)
    room = box.w - wide - 24 - 22 - 10
    size = next((size for size in (54, 48, 44) if measure.width(name, size) <= room), 40)
    stage.text(Box(24 + wide + 22, 27, room, 76), name, Ink(size, "white" if hot else "paper", role="n"))


def _draw_badge(stage: Stage, unread: int) -> None:
    large = not stage.look.is_standard
    words = stage.look.say(f"{unread} 新" if unread < 100 else "99 新", f"{unread} new" if unread < 100 else "99 new")
    size, height = (30, 44) if large else (24, 38)
    box = Box(74, 18 if large else 20, measure.width(words, size) + 20, height)
    stage.text(box, words, Ink(size, "ink", "center", role="u g"), Skin("lamp", radius=19))
