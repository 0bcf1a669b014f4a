"""平安家园: the alarm as a button, the household's own alarms, and an honest word about cameras."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tv_apps.kit import measure
from tv_apps.kit.focus import Box
from tv_apps.kit.look import TextSize
from tv_apps.kit.page import Frame, Page, header
from tv_apps.kit.stage import Ink, Press, Skin, Stage
from tv_apps.pages import lists, tiles


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """One alarm of the household; `at` is local time, `by` who signed it (empty: nobody yet)."""

    alarm_id: str
    number: str
    kind: str
    state: str
    at: datetime
    by: str
    is_cancelled: bool


KINDS: Final = {
    "sos": ("按键报警", "Red key"),
    "smoke": ("烟雾报警", "Smoke"),
    "gas": ("燃气报警", "Gas"),
    "water_leak": ("漏水报警", "Water leak"),
    "intrusion": ("闯入报警", "Intrusion"),
    "tamper": ("设备被动过", "Tamper"),
}
STATES: Final = {
    "raised": ("已送到", "arrived"),
    "notified": ("已送到", "arrived"),
    "acknowledged": ("已受理", "signed"),
    "verified": ("已核实", "verified"),
    "dispatched": ("已派人", "help sent"),
    "on_scene": ("人已到", "arrived at yours"),
    "resolved": ("已处理", "resolved"),
    "closed": ("已办完", "closed"),
}


def draw(frame: Frame, alarms: int, *, focus: str = "") -> Page:
    """Return the section's page."""
    stage = Stage(frame.look)
    say = frame.look.say
    title = say("平安家园", "Safety")
    header(stage, frame, title)
    box = Box(74, 108, 1132, 150)
    with stage.tile("m0", box, Press("/tv/alarm"), Skin("red", radius=18), hot=True):
        stage.icon(Box(40, 39, 72, 72), "siren", "white")
        size = 48 if frame.look.size is not TextSize.XLARGE else 60
        stage.text(Box(148, 0, 420, 150), say("报警求助", "Get help"), Ink(size, "white", role="n"))
        if frame.look.size is not TextSize.XLARGE:
            hint = say("也可以随时按住红键 2 秒", "or hold the red key for 2 s")
            wide = measure.width(hint, frame.look.type.label.size) + 4
            stage.text(Box(1132 - 32 - wide, 0, wide, 150), hint, Ink(frame.look.type.label.size, "white", "right"))
    history = say(f"{alarms} 次", f"{alarms}") if alarms else say("还没有报过警", "none so far")
    entries = (
        tiles.Tile("m1", say("报警记录", "My alarms"), history, "clock", "coral", Press("/tv/my/alarms")),
        tiles.Tile(
            "m2",
            say("安全提示", "Advice"),
            say("防火、防骗、用电用气", "fire, fraud, gas"),
            "shield",
            "coral",
            Press("/tv/list/safety"),
        ),
    )
    end = tiles.draw(stage, entries, top=274)
    _draw_cameras(stage, end + 4)
    lists.draw_keys(stage, is_list=True)
    return Page(title, stage, "/tv/home?f=t0", focus=focus)


def _draw_cameras(stage: Stage, y: int) -> None:
    """The cameras at the door cannot be watched here yet; say so instead of showing an empty frame."""
    say, type_ = stage.look.say, stage.look.type
    box = Box(74, y, 1132, 632 - y)
    stage.box(box, Skin("night1", radius=18))
    words = say(
        "家门口的摄像头现在只有值班台能看。报警时，值班员会马上看到离您家最近的画面。",
        "Cameras are seen at the security desk only. In an alarm the desk sees those nearest to your home.",
    )
    size, line = min(type_.lead.size, 40), min(type_.lead.line, 54)
    stage.icon(Box(box.x + 28, box.y + 28, 64, 64), "camera", "sky", role="")
    lines = measure.fold(words, size, 960, max(1, (box.h - 32) // line))
    stage.lines(Box(box.x + 120, box.y + 20, 980, line * len(lines)), lines, Ink(size, line=line))


def draw_history(frame: Frame, alarms: Sequence[AlarmLine], *, page: int = 1) -> Page:
    """Return the household's own alarms, newest first."""
    say = frame.look.say
    per_page = lists.rows_per_page(frame.look.size, len(alarms))
    pages = max(1, -(-len(alarms) // per_page))
    page = min(page, pages)
    return lists.draw(
        frame,
        lists.ListView(
            title=say("报警记录", "My alarms"),
            trail=say("平安家园", "Safety"),
            rows=[_row(frame, alarm) for alarm in alarms[(page - 1) * per_page : page * per_page]],
            back="/tv/s/1?f=m1" if page == 1 else f"/tv/my/alarms?p={page - 1}",
            empty=say("还没有报过警。要报警，按住红键 2 秒。", "No alarms so far. To call, hold the red key for 2 s."),
            next_href=f"/tv/my/alarms?p={page + 1}" if page < pages else "",
            pages=say(f"第 {page} 页，共 {pages} 页", f"page {page} of {pages}"),
            icon="shield",
        ),
    )


def _row(frame: Frame, alarm: AlarmLine) -> lists.Row:
    say = frame.look.say
    state = say(*STATES.get(alarm.state, (alarm.state, alarm.state)))
    if alarm.is_cancelled:
        state = say(f"您已撤销，{state}", f"cancelled, {state}")
    at = alarm.at
    when = say(f"{at.month}月{at.day}日 {at:%H:%M}", f"{at:%d %b %H:%M}")
    by = say(f"　{alarm.by}受理", f", {alarm.by}") if alarm.by else ""
    kind = say(*KINDS.get(alarm.kind, (alarm.kind, alarm.kind)))
    return lists.Row(
        f"{kind}　{when}",
        Press(f"/tv/alarm/{alarm.alarm_id}"),
        state,
        below=f"{alarm.number}{by}",
        icon="siren",
        tint="coral",
    )
