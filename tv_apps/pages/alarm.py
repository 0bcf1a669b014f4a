"""The alarm as pages of its own, so that it works with scripts off: a button, then the state, reloaded."""

from collections.abc import Mapping, Sequence

from tv_apps.kit import alarm_layer, measure
from tv_apps.kit.focus import Box
from tv_apps.kit.look import TextSize
from tv_apps.kit.page import Frame, Page, header
from tv_apps.kit.stage import Hint, Ink, KeyCap, Press, Skin, Stage

REFRESH_S = 2


def draw_ask(frame: Frame) -> Page:
    """Return the page behind the tile: one focused button that raises the alarm by a form."""
    stage = Stage(frame.look)
    say, type_ = frame.look.say, frame.look.type
    header(stage, frame, say("报警求助", "Get help"))
    stage.text(Box(74, 148, 1132, type_.state.line), say("要报警吗？", "Call for help?"), Ink(type_.state.size))
    box = Box(74, 270, 1132, 148)
    with stage.tile("raise", box, Press("/tv/alarm/raise", post=True), Skin("red", radius=18), hot=True):
        stage.icon(Box(40, 38, 72, 72), "siren", "white")
        stage.text(Box(148, 0, 760, 148), say("马上报警", "Call for help now"), Ink(56, "white", role="n"))
        stage.text(Box(1132 - 148, 42, 112, 64), say("确定", "OK"), Ink(40, "ink", "center"), Skin("lamp", radius=12))
    words = say("不是要报警，按返回就行。", "No alarm? Press BACK.")
    lines = measure.wrap(words, type_.lead.size, 1132)
    stage.lines(
        Box(74, 446, 1132, type_.lead.line * len(lines)), lines, Ink(type_.lead.size, "mist", line=type_.lead.line)
    )
    stage.key_bar((Hint(KeyCap(say("返回", "BACK")), say("不报警，回到电视", "no alarm, back to TV")),))
    return Page(say("报警求助", "Get help"), stage, "/tv/home?f=t9", focus="raise")


def draw_state(frame: Frame, alarm_id: str, screen: str, values: Mapping[str, str], *, may_cancel: bool) -> Page:
    """Return the page of one alarm: the layer, opened in its state; without scripts it reloads itself.

    The button to take it back is a form; scripts use BACK instead.
    """
    stage = Stage(frame.look)
    say = frame.look.say
    if may_cancel:
        wide = 330 if frame.look.size is TextSize.STANDARD else 420
        box = Box(1206 - wide, 592, wide, 80)
        press = Press(f"/tv/alarm/{alarm_id}/cancel", post=True)
        with stage.tile("cancel", box, press, Skin("night2", radius=18)):
            stage.text(
                Box(0, 0, wide, 80),
                say("按错了，撤销报警", "By mistake: cancel"),
                Ink(min(frame.look.type.label.size + 4, 40), "paper", "center", role="n"),
            )
    page = Page(say("报警求助", "Get help"), stage, "/tv/home?f=t9", refresh_s=REFRESH_S, alarm=alarm_id)
    page.shown = alarm_layer.Shown(screen, values)
    return page


def draw_record(frame: Frame, title: str, facts: Sequence[tuple[str, str]]) -> Page:
    """Return the page of an alarm that is over: what happened, as lines."""
    stage = Stage(frame.look)
    say, type_ = frame.look.say, frame.look.type
    header(stage, frame, say("报警记录", "My alarms"))
    stage.text(Box(74, 116, 1132, type_.document.line), title, Ink(type_.document.size))
    row = min(type_.lead.line + 6, 82)
    stage.box(Box(74, 204, 1132, len(facts) * row + 24), Skin("night1", radius=18))
    for number, (label, words) in enumerate(facts):
        y = 216 + number * row
        stage.text(Box(104, y, 280, row), label, Ink(type_.body.size, "mist"))
        size = min(type_.lead.size, 48)
        stage.text(Box(400, y, 776, row), measure.cut(words, size, 776), Ink(size))
    stage.key_bar((Hint(KeyCap(say("返回", "BACK")), say("上一页", "back")),))
    return Page(say("报警记录", "My alarms"), stage, "/tv/my/alarms")
