"""Air quality of the community: today's word, PM2.5 of the last 24 hours, the newest figures with their units.

The index follows HJ 633-2012; where too few hours were measured the page shows the figures and no index. The window
ends at the newest reading: when that is old, the page says so instead of calling it now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tv_apps.air_quality import HOURS_FOR_A_DAY, AirQuality, quality_of
from tv_apps.charts import hours, panel
from tv_apps.charts.shapes import Drawing
from tv_apps.kit.page import Frame, Page, header
from tv_apps.kit.stage import Hint, KeyCap, Stage
from tv_apps.pages.blank import draw_blank

HOURS: Final = 24
#: Readings older than this are not "now".
FRESH: Final = timedelta(hours=3)
METRICS: Final = ("pm2_5", "pm10", "no2", "so2", "o3", "co")
ADVICE: Final = {
    "优": ("放心出门。", "go out and enjoy it."),
    "良": ("可以出门。", "fine for a walk."),
    "轻度污染": ("老人孩子少在外面久待。", "old people and children: not too long outside."),
    "中度污染": ("老人孩子少出门。", "old people and children: stay in."),
    "重度污染": ("尽量不出门，出门戴口罩。", "stay in, or wear a mask."),
    "严重污染": ("不要出门，关好窗。", "stay in and close the windows."),
}


@dataclass(frozen=True, slots=True)
class AirView:
    """Hourly means by metric, oldest first, `end` (local) the beginning of the newest hour; None is a gap."""

    station: str
    end: datetime
    updated_at: datetime
    hourly: Mapping[str, Sequence[float | None]]


def quality(view: AirView) -> AirQuality | None:
    """Return the air quality at the newest hour: 24-hour means for particles, the hour itself for gases."""
    figures: dict[str, float] = {}
    for metric, name in (("pm2_5", "pm25_24h"), ("pm10", "pm10_24h")):
        known = [value for value in view.hourly.get(metric, ()) if value is not None]
        if len(known) >= HOURS_FOR_A_DAY:
            figures[name] = sum(known) / len(known)
    for metric, name, scale in (
        ("no2", "no2_1h", 1.0),
        ("so2", "so2_1h", 1.0),
        ("o3", "o3_1h", 1.0),
        ("co", "co_1h", 0.001),
    ):
        value = newest(view, metric)
        if value is not None:
            figures[name] = value * scale
    return quality_of(figures)


def newest(view: AirView, metric: str) -> float | None:
    """Return the newest hour's value of a metric, None where that hour has none."""
    values = view.hourly.get(metric, ())
    return values[-1] if values else None


def is_fresh(frame: Frame, view: AirView) -> bool:
    """Tell whether the newest reading may be called now."""
    return frame.now - view.updated_at <= FRESH


def draw(frame: Frame, view: AirView | None, *, chart_address: str) -> Page:
    """Return the page; without a station it says so."""
    stage = Stage(frame.look)
    say = frame.look.say
    header(stage, frame, say("空气", "Air"), say("我的家", "My home"))
    page = Page(say("社区空气", "Air of the community"), stage, "/tv/s/7?f=m1")
    if view is None:
        draw_blank(stage, say("附近还没有空气站，看不到空气好不好。", "No air station measures here yet."), "leaf")
    else:
        panel.draw_sentence(stage, sentence(frame, view))
        panel.draw_chart(stage, drawing(frame, view), chart_address)
        panel.draw_table(stage, _table(frame, view))
        panel.draw_source(stage, _source(frame, view))
    hints = [Hint(KeyCap(say("返回", "BACK")), say("上一页", "back"))]
    hints.append(Hint(KeyCap(say("黄", "YELLOW"), "yellow"), say("换字大小", "text size")))
    stage.key_bar(hints)
    return page


def sentence(frame: Frame, view: AirView) -> list[tuple[str, str]]:
    """Return the answer: the word and what to do, or why there is no word."""
    say, found = frame.look.say, quality(view)
    when = say("现在", "Now") if is_fresh(frame, view) else _when(frame, view)
    if found is None:
        value = newest(view, "pm2_5")
        if value is None:
            return [(say(f"{when}没有 PM2.5 的数。", f"{when}: no PM2.5 reading."), "paper")]
        return [
            (say(f"{when} PM2.5 是 ", f"{when} PM2.5 is "), "paper"),
            (f"{value:.0f}", "lamp"),
            (say("，测得还不够久，先不下结论。", ": not measured long enough for a verdict."), "paper"),
        ]
    zh, en = ADVICE[found.word]
    word = say(f"{found.word}（{found.aqi}）", f"{found.word_en} ({found.aqi})")
    return [(say(f"{when}空气", f"{when} the air is "), "paper"), (word, "lamp"), (say(f"，{zh}", f": {en}"), "paper")]


def _when(frame: Frame, view: AirView) -> str:
    at = view.updated_at
    zh = f"{at.month}月{at.day}日{at.hour}点" if at.year == frame.now.year else f"{at.year}年{at.month}月{at.day}日"
    return frame.look.say(zh, f"{at:%d %b %Y}")


def drawing(frame: Frame, view: AirView) -> Drawing:
    """Return the chart: PM2.5 of the hours up to the newest."""
    say, values = frame.look.say, view.hourly.get("pm2_5", ())
    first = view.end - timedelta(hours=len(values) - 1)
    moments = [first + timedelta(hours=index) for index in range(len(values))]
    names = tuple(say(f"{at.hour}点", f"{at.hour}:00") if at.hour % 6 == 0 else "" for at in moments)
    words = hours.HourWords(
        say("PM2.5 每小时", "PM2.5 by the hour"),
        say("PM2.5 微克/立方米", "PM2.5 µg/m³"),
        names,
        say("没有读数", "no reading"),
    )
    return hours.draw(values, words)


def _table(frame: Frame, view: AirView) -> panel.Table:
    say = frame.look.say
    names = {
        "pm2_5": "PM2.5",
        "pm10": "PM10",
        "no2": say("二氧化氮", "NO₂"),
        "o3": say("臭氧", "O₃"),
        "co": say("一氧化碳", "CO"),
    }
    rows = []
    for metric in ("pm2_5", "pm10", "no2", "o3"):
        value = newest(view, metric)
        rows.append((names[metric], "—" if value is None else f"{value:.0f}"))
    known = [value for value in view.hourly.get("pm2_5", ()) if value is not None]
    below = (
        say(f"24 小时平均 {sum(known) / len(known):.0f}", f"24 h mean {sum(known) / len(known):.0f}") if known else ""
    )
    return panel.Table(((say("这个小时", "This hour"), "lamp"),), tuple(rows), below)


def _source(frame: Frame, view: AirView) -> str:
    at = view.updated_at
    day = frame.look.say("今天", "today") if at.date() == frame.now.date() else f"{at.year}-{at.month:02d}-{at.day:02d}"
    return frame.look.say(
        f"数据：{view.station}　更新：{day} {at:%H:%M}　单位：微克/立方米",
        f"Source: {view.station}, {day} {at:%H:%M}, in µg/m³",
    )
