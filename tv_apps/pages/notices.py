"""A notice to be read on a sofa: nine lines of twenty-six characters, who says it, since when, until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.model.notices import Notice
from tv_apps.kit import measure
from tv_apps.kit.focus import Box
from tv_apps.kit.look import Look, TextSize
from tv_apps.kit.page import Frame, Page, header
from tv_apps.kit.stage import Hint, Ink, KeyCap, Press, Skin, Stage
from tv_apps.pages import lists

BODY: Final = Box(74, 184, 834, 441)
SIDE: Final = Box(950, 184, 256, 344)
#: Lines a page; at the largest size one is given to who says it.
LINES: Final = {TextSize.STANDARD: 9, TextSize.LARGE: 7, TextSize.XLARGE: 5}
INDENT: Final = "　　"


@dataclass(frozen=True, slots=True)
class NoticeList:
    """One page of a section's notices; `page` counts from 1."""

    title: str
    notices: Sequence[Notice]
    address: str
    page: int
    total: int
    back: str
    icon: str = "notice"


def draw_list(frame: Frame, view: NoticeList, *, focus: str = "") -> Page:
    """Return the list: title, date, and the word 新 on what nobody has opened yet."""
    say = frame.look.say
    per_page = lists.rows_per_page(frame.look.size, view.total)
    pages = max(1, -(-view.total // per_page))
    is_last = view.page >= pages
    rows = [_row(frame, notice, f"{view.address}?p={view.page}", number) for number, notice in enumerate(view.notices)]
    return lists.draw(
        frame,
        lists.ListView(
            title=view.title,
            rows=rows[:per_page],
            back=view.back if view.page == 1 else f"{view.address}?p={view.page - 1}",
            empty=say("这里还没有内容。有了新的，首页会告诉您。", "Nothing here yet. The home page will tell you."),
            next_href="" if is_last else f"{view.address}?p={view.page + 1}",
            pages=say(f"第 {view.page} 页，共 {pages} 页", f"page {view.page} of {pages}"),
            icon=view.icon,
        ),
        focus=focus,
    )


def _row(frame: Frame, notice: Notice, back: str, number: int) -> lists.Row:
    day = notice.published_on
    is_this_year = day.year == frame.now.year
    words = frame.look.say(
        f"{day.month}月{day.day}日" if is_this_year else f"{day.year}年{day.month}月",
        f"{day:%d %b}" if is_this_year else f"{day:%b %Y}",
    )
    mark = "" if notice.is_read else frame.look.say("新", "new")
    href = f"/tv/notices/{notice.notice_id}?from={_quoted(f'{back}&f=r{number}')}"
    return lists.Row(notice.title, Press(href), words, mark=mark)


def _quoted(address: str) -> str:
    return address.replace("&", "%26").replace("?", "%3F").replace("=", "%3D")


# -- one notice --------------------------------------------------------------------------------------------------------


def lines_of(notice: Notice, look: Look) -> list[str]:
    """Return the body broken into lines as this television shows them."""
    size = look.type.reading.size
    room = BODY.w if look.size is TextSize.STANDARD else BODY.w + 300
    return [line for words in notice.body for line in measure.wrap(_indented(words, look), size, room)]


def _indented(words: str, look: Look) -> str:
    """Running text begins two characters in; an address line such as 各位居民： and a title do not."""
    is_address = words.endswith(("：", ":")) and words.startswith(("各", "尊敬"))
    is_title = len(words) < 48 and words.endswith(("方案", "办法", "意见", "规划", "通知"))
    is_running = not is_address and not is_title
    return (INDENT if is_running and look.language == "zh" and ord(words[0]) > 0x2E7F else "") + words


def pages_of(notice: Notice, look: Look) -> int:
    """Return how many pages the body fills."""
    return max(1, -(-len(lines_of(notice, look)) // LINES[look.size]))


def draw(frame: Frame, notice: Notice, *, page: int, back: str) -> Page:
    """Return one page (from 1) of a notice."""
    look, per_page = frame.look, LINES[frame.look.size]
    stage = Stage(look)
    pages = pages_of(notice, look)
    page = min(max(page, 1), pages)
    header(
        stage,
        frame,
        look.say("政务公开", "Gov info") if notice.section == "government" else look.say("通知公告", "Notices"),
    )
    _draw_title(stage, notice, page, pages)
    lines = lines_of(notice, look)[(page - 1) * per_page : page * per_page]
    reading = look.type.reading
    wide = BODY.w if look.size is TextSize.STANDARD else 1132
    stage.lines(Box(BODY.x, BODY.y, wide, reading.line * len(lines)), lines, Ink(reading.size, line=reading.line))
    address = f"/tv/notices/{notice.notice_id}?from={_quoted(back)}"
    result = Page(notice.title, stage, back)
    result.up = f"{address}&p={page - 1}" if page > 1 else ""
    result.down = f"{address}&p={page + 1}" if page < pages else ""
    if look.size is TextSize.STANDARD:
        _draw_thumb(stage, page, pages)
        _draw_facts(stage, frame, notice)
        _draw_turns(stage, result)
    else:
        _draw_source(stage, notice)
    _draw_keys(stage, pages)
    return result


def _draw_title(stage: Stage, notice: Notice, page: int, pages: int) -> None:
    look = stage.look
    count = look.say(f"第 {page} 页，共 {pages} 页", f"page {page} of {pages}")
    count_size = 28 if look.is_standard else 30
    wide = measure.width(count, count_size) + 4
    room = 1132 - wide - 24
    steps = [s for s in (60, 54, 48, 44, 40, 36, 32, 28) if s <= look.type.document.size]
    best = next((s for s in steps if measure.width(notice.title, s) <= room), 0)
    if best:
        stage.text(Box(74, 104, room, 68), notice.title, Ink(best))
    else:
        size = next((s for s in (36, 32) if len(measure.wrap(notice.title, s, room)) <= 2), 28)
        lines = measure.fold(notice.title, size, room, 2)
        stage.lines(Box(74, 98, room, 80), lines, Ink(size, line=40))
    stage.text(Box(1206 - wide, 104, wide, 68), count, Ink(count_size, "mist", "right"))


def _draw_thumb(stage: Stage, page: int, pages: int) -> None:
    """How far one has read, as a mark on a line."""
    high = max(24, 428 // pages)
    top = 190 + (428 - high) * (page - 1) // max(1, pages - 1)
    stage.box(Box(926, 190, 6, 428), Skin("night2", radius=3))
    stage.box(Box(926, top, 6, high), Skin("lamp", radius=3))


def _draw_facts(stage: Stage, frame: Frame, notice: Notice) -> None:
    say = frame.look.say
    published, until = notice.published_on, notice.valid_until
    facts = [
        (say("发布单位", "From"), notice.source_unit),
        (
            say("发布日期", "Date"),
            say(f"{published.year}年{published.month}月{published.day}日", f"{published:%d %b %Y}"),
        ),
        (say("文号", "Number"), notice.doc_number),
        (say("有效期到", "Valid until"), say(f"{until.month}月{until.day}日", f"{until:%d %b}") if until else ""),
        (say("电话", "Phone"), notice.contact),
    ]
    stage.box(SIDE, Skin("night1", radius=18))
    y = SIDE.y + 8
    for label, words in facts:
        lines = measure.fold(words, 24, SIDE.w - 14, 2) if words else []
        if not lines or y + 34 + 32 * len(lines) > SIDE.bottom:
            continue
        stage.text(Box(SIDE.x + 12, y, SIDE.w - 24, 32), label, Ink(24, "mist"))
        stage.lines(Box(SIDE.x + 12, y + 32, SIDE.w - 14, 32 * len(lines)), lines, Ink(24, line=32))
        y += 44 + 32 * len(lines)


def _draw_source(stage: Stage, notice: Notice) -> None:
    """Who says it and when, in one line: larger text leaves no room for the panel."""
    day, label = notice.published_on, stage.look.type.label
    date = stage.look.say(f"{day.year}年{day.month}月{day.day}日", f"{day:%d %b %Y}")
    words = "　".join(filter(None, (notice.source_unit, date, notice.contact)))
    line = min(label.line, 50) if stage.look.size is TextSize.XLARGE else 36
    top = BODY.y + LINES[stage.look.size] * stage.look.type.reading.line + (8 if line > 36 else 0)
    size = next((s for s in (label.size, 36, 30) if measure.width(words, s) <= 1132), 24)
    stage.text(Box(74, top, 1132, line), measure.cut(words, size, 1132), Ink(size, "mist"))


def _draw_turns(stage: Stage, page: Page) -> None:
    """Two buttons that turn the page, for remotes and boxes where 上下 do nothing."""
    say = stage.look.say
    turns = [("pu", page.up, say("上页", "Prev")), ("pd", page.down, say("下页", "Next"))]
    for number, (name, href, words) in enumerate(turns):
        if not href:
            continue
        box = Box(SIDE.x + number * 132, 544, 124, 84)
        with stage.tile(name, box, Press(href), Skin("night2", radius=18)):
            stage.text(Box(8, 0, 108, 84), words, Ink(32, "paper", "center", role="n"))
    page.focus = "pd" if page.down else "pu"


def _draw_keys(stage: Stage, pages: int) -> None:
    say = stage.look.say
    hints = [Hint(KeyCap(say("返回", "BACK")), say("上一页", "back"))]
    if pages > 1:
        hints.append(Hint(KeyCap(say("上下", "▲ ▼")), say("翻页", "turn page")))
    if stage.look.tier != "f0":
        hints.append(Hint(KeyCap(say("绿", "GREEN"), "green"), say("读给我听", "read aloud")))
    hints.append(Hint(KeyCap(say("黄", "YELLOW"), "yellow"), say("换字大小", "text size")))
    stage.key_bar(hints)
