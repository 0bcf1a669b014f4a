"""更多: text size, language, the store of mini-apps, and what this television is; also live TV and a strange box."""

from collections.abc import Sequence

from tv_apps.kit import measure
from tv_apps.kit.focus import Box
from tv_apps.kit.look import Language, TextSize
from tv_apps.kit.page import Frame, Page, header
from tv_apps.kit.stage import Ink, KeyCap, Press, Skin, Stage
from tv_apps.pages import lists, tiles

SIZES_ZH = {TextSize.STANDARD: "标准", TextSize.LARGE: "大字", TextSize.XLARGE: "特大字"}
SIZES_EN = {TextSize.STANDARD: "standard", TextSize.LARGE: "large", TextSize.XLARGE: "extra large"}


def draw(frame: Frame, *, store_href: str, focus: str = "") -> Page:
    """Return the page; the store's tile stands only where there is a store."""
    stage = Stage(frame.look)
    look, say = frame.look, frame.look.say
    header(stage, frame, say("更多", "More"))
    following = look.size.next
    other = Language.EN if look.language is Language.ZH else Language.ZH
    size = say(
        f"现在{SIZES_ZH[look.size]}，按确定换{SIZES_ZH[following]}",
        f"now {SIZES_EN[look.size]}, OK: {SIZES_EN[following]}",
    )
    entries = [
        tiles.Tile(
            "m0", say("字的大小", "Text size"), size, "search", "sky",
            Press("/tv/choices", post=True, fields=(("text_size", following), ("back", "/tv/more?f=m0"))),
        ),
        tiles.Tile(
            "m1", say("English", "中文"), say("换成英文", "switch to Chinese"), "swap", "sky",
            Press("/tv/choices", post=True, fields=(("language", other), ("back", "/tv/more?f=m1"))),
        ),
        tiles.Tile(
            "m2", say("遥控器按键", "Remote keys"), say("按键不对，在这里换", "choose yours here"), "phone", "mint",
            Press("/tv/keys"),
        ),
        tiles.Tile(
            "m3", say("怎么用", "How to"), say("数字键、颜色键、返回", "digits, colours, BACK"), "info", "mint",
            Press("/tv/help"),
        ),
    ]  # fmt: skip
    if store_href:
        fact = say("书屋、健康、学习", "library, health, learning")
        entries.append(tiles.Tile("m4", say("小应用", "Mini-apps"), fact, "more", "wheat", Press(store_href)))
    end = tiles.draw(stage, entries)
    about = say(
        f"{frame.area_name}　{frame.address}　电视编号 {frame.device_id}",
        f"{frame.area_name}, {frame.address}, TV {frame.device_id}",
    )
    label = frame.look.type.label
    if end + 8 + label.line <= 636:
        stage.text(Box(74, end + 8, 1132, label.line), measure.cut(about, label.size, 1132), Ink(label.size, "mist"))
    lists.draw_keys(stage, is_list=True)
    return Page(say("更多", "More"), stage, "/tv/home?f=t11", focus=focus)


def draw_help(frame: Frame) -> Page:
    """Return the page that explains the remote."""
    stage = Stage(frame.look)
    say = frame.look.say
    header(stage, frame, say("怎么用", "How to"), say("更多", "More"))
    rows = (
        (say("红", "RED"), "red", say("按住 2 秒，马上报警", "hold 2 s: call for help")),
        ("1 – 0", "line", say("直接打开一个栏目", "open a section")),
        (say("返回", "BACK"), "line", say("回到上一页", "one page back")),
        (say("黄", "YELLOW"), "yellow", say("字变大，再按变回来", "larger text, round and round")),
        (say("菜单", "MENU"), "line", say("更多设置", "more settings")),
    )
    size, line = min(frame.look.type.lead.size, 44), 92
    for number, (key, kind, words) in enumerate(rows):
        y = 124 + number * line
        stage.key(74, y, KeyCap(key, kind), size=36, height=64)
        stage.text(Box(300, y, 906, 64), measure.cut(words, size, 906), Ink(size))
    lists.draw_keys(stage, is_list=False)
    return Page(say("怎么用", "How to"), stage, "/tv/more?f=m3")


def draw_live(frame: Frame) -> Page:
    """Return the page under full-screen television: any key that leads home."""
    stage = Stage(frame.look)
    stage.box(Box(0, 0, 1280, 720), Skin("black"), attributes='data-tv-video="0,0,1280,720"')
    return Page(frame.look.say("电视", "Television"), stage, "/tv/home")


def draw_keys(frame: Frame, profiles: Sequence[tuple[str, str]], chosen: str) -> Page:
    """Return the page where the kind of remote is chosen: (name, title) of each profile."""
    stage = Stage(frame.look)
    say = frame.look.say
    header(stage, frame, say("遥控器按键", "Remote keys"), say("更多", "More"))
    entries = [
        tiles.Tile(
            f"m{number}", title, say("现在用的", "in use") if name == chosen else say("按确定换成这个", "OK to use it"),
            "check" if name == chosen else "phone", "mint",
            Press("/tv/choices", post=True, fields=(("profile", name), ("back", f"/tv/keys?f=m{number}"))),
        )
        for number, (name, title) in enumerate(profiles[:8])
    ]  # fmt: skip
    tiles.draw(stage, entries)
    lists.draw_keys(stage, is_list=True)
    return Page(say("遥控器按键", "Remote keys"), stage, "/tv/more?f=m2")


def draw_stranger(frame: Frame) -> Page:
    """Return the page for a television that nobody has registered: what to do, and 110."""
    stage = Stage(frame.look)
    say, type_ = frame.look.say, frame.look.type
    header(stage, frame, say("邻里", "Linli"))
    stage.text(Box(74, 160, 1132, 88), say("这台电视还没有登记", "This TV is not registered"), Ink(64))
    words = (
        say("请找社区网格员登记，一次就好。", "Ask the neighbourhood office to register it, once."),
        say("看电视不受影响。有急事，请打电话 110。", "TV still works. In an emergency call 110."),
    )
    for number, line in enumerate(words):
        size = next((s for s in (54, 44, 40) if s <= type_.lead.size and measure.width(line, s) <= 1132), 36)
        stage.text(Box(74, 270 + number * 78, 1132, 78), line, Ink(size, "mist" if number else "paper"))
    return Page(say("还没有登记", "Not registered"), stage, "/tv")


def draw_trouble(frame: Frame, *, is_gone: bool) -> Page:
    """Return the page for something that is not there (any more), or cannot be had just now."""
    stage = Stage(frame.look)
    say, type_ = frame.look.say, frame.look.type
    header(stage, frame, say("邻里", "Linli"))
    title = say("这一页没有了", "This page is gone") if is_gone else say("现在用不了", "Not available now")
    words = (
        say("按返回，去看别的。", "Press BACK and try another.")
        if is_gone
        else say("过一会儿再试。", "Try again in a moment.")
    )
    stage.text(Box(74, 160, 1132, 88), title, Ink(64))
    stage.text(Box(74, 270, 1132, 78), words, Ink(type_.lead.size))
    stage.text(
        Box(74, 356, 1132, 78), say("红键报警照常能用。", "The red key works as always."), Ink(type_.lead.size, "mist")
    )
    lists.draw_keys(stage, is_list=False)
    return Page(title, stage, "/tv/home")
