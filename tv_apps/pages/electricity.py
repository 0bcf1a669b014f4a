"""Electricity of the household: this week against the week before, as a sentence, bars, a table and its source.

A week that is not over is compared with the same days of the week before. A day counts when the meter has reported
on it; a day without readings is a gap, not a zero.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from tv_apps.charts import panel, weeks
from tv_apps.charts.shapes import Drawing
from tv_apps.kit.page import Frame, Page, header
from tv_apps.kit.stage import Hint, KeyCap, Stage
from tv_apps.pages.blank import draw_blank

DAYS_ZH: Final = tuple(f"周{day}" for day in "一二三四五六日")
DAYS_EN: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class WeekUse:
    """Kilowatt hours of Monday to Sunday; None where the meter said nothing."""

    monday: date
    days: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class ElectricityView:
    """Two weeks of one meter (`updated_at` is local time); `earlier` and `later` tell whether there is more."""

    this: WeekUse
    last: WeekUse
    meter: str
    updated_at: datetime
    earlier: bool = False
    later: bool = False
    #: What the week before had used on the newest, unfinished day up to the same time: (day 0-6, kWh).
    so_far: tuple[int, float] | None = None

    @property
    def before(self) -> tuple[float | None, ...]:
        """The week before as it is compared: its unfinished day only up to the same time."""
        days = list(self.last.days)
        if self.so_far is not None:
            days[self.so_far[0]] = self.so_far[1]
        return tuple(days)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The figures of the page, over the days that both weeks know (or the one week, where the other is empty)."""

    this: tuple[float, ...]
    last: tuple[float, ...]
    is_partial: bool

    @property
    def difference(self) -> float:
        """Kilowatt hours more (or, below zero, fewer) than before; of the rounded totals, as the screen shows them."""
        return round(round(sum(self.this), 1) - round(sum(self.last), 1), 1)

    @property
    def per_cent(self) -> int:
        return round(abs(self.difference) / round(sum(self.last), 1) * 100) if sum(self.last) >= 0.05 else 0


def compare(this: Sequence[float | None], last: Sequence[float | None]) -> Comparison:
    """Pair the days; only pairs count where both weeks have any data."""
    pairs = [(a, b) for a, b in zip(this, last, strict=True) if a is not None and b is not None]
    if pairs:
        return Comparison(tuple(a for a, _ in pairs), tuple(b for _, b in pairs), len(pairs) < 7)
    known = tuple(value for value in this if value is not None)
    return Comparison(known, tuple(value for value in last if value is not None), len(known) < 7)


def draw(frame: Frame, view: ElectricityView | None, *, chart_address: str) -> Page:
    """Return the page; without a meter it says so."""
    stage = Stage(frame.look)
    say = frame.look.say
    header(stage, frame, say("用电", "Electricity"), say("我的家", "My home"))
    page = Page(say("我的家 · 用电", "My home · electricity"), stage, "/tv/s/7?f=m0")
    if view is None:
        words = say(
            "这个家还没有接上电表。接上以后，这里能看到每天用多少电。", "No meter is connected to this home yet."
        )
        draw_blank(stage, words, "home")
        return page
    figures = compare(view.this.days, view.before)
    panel.draw_sentence(stage, sentence(frame, view, figures))
    panel.draw_chart(stage, drawing(frame, view), chart_address)
    panel.draw_table(stage, _table(frame, figures))
    panel.draw_source(stage, _source(frame, view))
    _draw_keys(stage, frame, view, page)
    return page


def drawing(frame: Frame, view: ElectricityView) -> Drawing:
    """Return the chart of the page."""
    say = frame.look.say
    names = list(frame.look.say("|".join(DAYS_ZH), "|".join(DAYS_EN)).split("|"))
    today = (frame.now.date() - view.this.monday).days
    if 0 <= today < 7:
        names[today] = say("今天", "Today")
    this, last = _week_names(frame, view)
    words = weeks.WeekWords(
        say("这周和上周每天用电（度）", "kWh a day"), say("度/天", "kWh a day"), tuple(names), this, last
    )
    return weeks.draw(view.this.days, view.last.days, words)


def _is_now(frame: Frame, view: ElectricityView) -> bool:
    return 0 <= (frame.now.date() - view.this.monday).days < 7


def _week_names(frame: Frame, view: ElectricityView) -> tuple[str, str]:
    if _is_now(frame, view):
        return frame.look.say("这周", "this"), frame.look.say("上周", "last")
    return frame.look.say("那周", "that"), frame.look.say("前周", "before")


def sentence(frame: Frame, view: ElectricityView, figures: Comparison) -> list[tuple[str, str]]:
    """Return the answer in one sentence: how much, and against what."""
    say, total = frame.look.say, sum(figures.this)
    this = say("这周", "This week") if _is_now(frame, view) else _dates(frame, view.this.monday)
    last = say("上周", "last week") if _is_now(frame, view) else say("前一周", "the week before")
    if not figures.this:
        return [(say(f"{this}还没有收到电表的数。", f"{this}: no readings yet."), "paper")]
    start = [(say(f"{this}用电 ", f"{this}: "), "paper"), (say(f"{total:.1f} 度", f"{total:.1f} kWh"), "lamp")]
    if not any(value is not None for value in view.last.days):
        return [*start, (say(f"。{last}没有数，没法比。", f". No readings for {last}."), "paper")]
    if figures.is_partial or view.so_far:
        last = say(f"{last}同一时候", f"the same time {last}" if last == "last week" else f"the same time of {last}")
    return [*start, (_against(frame, figures, last), "paper")]


def _against(frame: Frame, figures: Comparison, last: str) -> str:
    say, difference = frame.look.say, figures.difference
    if abs(difference) < 0.05:
        return say(f"，和{last}一样。", f", the same as {last}.")
    zh, en = ("少", "less") if difference < 0 else ("多", "more")
    amount, share = f"{abs(difference):.1f}", figures.per_cent
    return say(f"，比{last}{zh} {amount} 度（{zh} {share}%）。", f", {amount} kWh {en} than {last} ({share}% {en}).")


def _dates(frame: Frame, monday: date) -> str:
    sunday = monday + timedelta(days=6)
    return frame.look.say(
        f"{monday.month}月{monday.day}日到{sunday.month}月{sunday.day}日", f"{monday:%d %b} to {sunday:%d %b}"
    )


def _table(frame: Frame, figures: Comparison) -> panel.Table:
    say = frame.look.say

    def row(label: str, figure_of: Callable[[Sequence[float]], float]) -> tuple[str, ...]:
        return (label, *(f"{figure_of(week):.1f}" if week else "—" for week in (figures.this, figures.last)))

    rows = (
        row(say("合计", "Total"), sum),
        row(say("每天", "A day"), lambda week: sum(week) / len(week)),
        row(say("最多", "Most"), max),
        row(say("最少", "Least"), min),
    )
    below = say(f"比较了 {len(figures.this)} 天，单位：度", f"{len(figures.this)} days compared, kWh")
    heads = ((say("这周", "This"), "lamp"), (say("上周", "Last"), "sky"))
    return panel.Table(heads, rows, below)


def _source(frame: Frame, view: ElectricityView) -> str:
    at, today = view.updated_at, frame.now.date()
    day = frame.look.say("今天", "today") if at.date() == today else f"{at.year}-{at.month:02d}-{at.day:02d}"
    return frame.look.say(
        f"数据：{view.meter}　更新：{day} {at:%H:%M}　单位：度", f"Source: {view.meter}, {day} {at:%H:%M}, in kWh"
    )


def _draw_keys(stage: Stage, frame: Frame, view: ElectricityView, page: Page) -> None:
    say, monday = frame.look.say, view.this.monday
    address = "/tv/my/electricity?week="
    page.left = f"{address}{monday - timedelta(days=7)}" if view.earlier else ""
    page.right = f"{address}{monday + timedelta(days=7)}" if view.later else ""
    hints = [Hint(KeyCap(say("返回", "BACK")), say("上一页", "back"))]
    if page.left or page.right:
        hints.append(Hint(KeyCap(say("左右", "◄ ►")), say("换一周", "other week")))
    hints.append(Hint(KeyCap(say("黄", "YELLOW"), "yellow"), say("换字大小", "text size")))
    stage.key_bar(hints)
