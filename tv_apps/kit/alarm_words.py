"""The words of the alarm, state by state, exactly as designed: a screen never says what has not happened.

`{short_no}`, `{operator}`, `{escalated_to}` … are the facts of the alarm, filled in by the box (scripts) or by the
server (without scripts); `{time}`, `{home}`, `{tries}` and `{why}` are the box's own. A person's name stands only on
screens after that person has signed, and what happens next only where the alarm's own chain says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tv_apps.kit.look import Language


@dataclass(frozen=True, slots=True)
class Screen:
    """One state of the alarm: `done` stations of the rail are behind, the next is where it stands."""

    title: str
    lines: tuple[str, ...]
    dial: str
    done: int
    keys: str
    facts: tuple[tuple[str, str], ...] = ()
    note: str = ""
    #: The last station of the rail where it is not the usual one.
    last: str = ""
    count: str = ""
    quiet: bool = True

    def as_slots(self, usual_last: str) -> list[object]:
        """The screen as the script reads it: title, lines, dial, done, keys, facts, note, last, count, quiet."""
        facts = [list(fact) for fact in self.facts]
        return [
            self.title, list(self.lines), self.dial, self.done, self.keys, facts, self.note,
            self.last or usual_last, self.count, int(self.quiet),
        ]  # fmt: skip


ZH: Final[Mapping[str, Screen]] = {
    "hold": Screen(
        "请继续按住红键", ("按满 2 秒，马上报警。", "现在松手，不会报警。"), "hold", 0, "leave",
        (("按不住？", "松手再按确定也行"),), count="秒后报警",
    ),
    "ask": Screen("要报警吗？", (), "ask", 0, "leave", count="秒后自动关闭"),
    "sent": Screen(
        "正在报警……", ("请不要关电视，不要拔电源。", "送到以后，这里会马上告诉您。"), "send", 1, "undo",
        (("家庭", "{home}"),),
    ),
    "seen": Screen(
        "值班室已看到", ("正在登记。", "登记好了，这里马上显示警情号。"), "send", 2, "undo", (("家庭", "{home}"),),
    ),
    "late": Screen(
        "报警还没有送到", ("网络不通。请马上打电话 110，", "或者大声叫邻居帮忙。"), "bad", 1, "again",
        (("电视", "还在继续发送（第 {tries} 次）"),), note="送到以后，这里会马上告诉您。", quiet=False,
    ),
    "recorded": Screen(
        "已送到值班台", ("等待值班员签收。", "{next_after_s} 秒没人签收，自动转给{next_to}。"), "wait", 2, "undo",
        (("警情号", "{short_no}"), ("送达时间", "{time}")), count="秒 · 已等待",
    ),
    "arrived": Screen(
        "已送到值班台", ("等待值班员签收。", "有人签收，这里马上显示是谁。"), "wait", 2, "undo",
        (("警情号", "{short_no}"), ("送达时间", "{time}")), count="秒 · 已等待",
    ),
    "escalated": Screen(
        "已转给{escalated_to}值班台", ("村里还没人签收，", "{escalated_to}正在接。"), "wait", 2, "undo",
        (("警情号", "{short_no}"), ("送达时间", "{time}")), count="秒 · 已等待", quiet=False,
    ),
    "acknowledged": Screen(
        "值班员已受理", ("{operator}马上和您通话，", "请留在电视旁边。"), "ok", 3, "undo",
        (("警情号", "{short_no}"), ("值班员", "{operator}"), ("受理时间", "{time}")), quiet=False,
    ),
    "dispatched": Screen(
        "已经派人来", ("{dispatched_to}正在赶来，", "请留在电视旁边。"), "ok", 3, "undo",
        (("警情号", "{short_no}"), ("值班员", "{operator}"), ("派出时间", "{time}")), quiet=False,
    ),
    "on_scene": Screen(
        "人已经到了", ("请听外面说清身份，再开门。",), "ok", 3, "leave_quietly",
        (("警情号", "{short_no}"), ("值班员", "{operator}"), ("到场时间", "{time}")), quiet=False,
    ),
    "closed": Screen(
        "这次报警已办完", ("还有事，再按红键。",), "ok", 4, "done", (("警情号", "{short_no}"), ("办完时间", "{time}")),
    ),
    "cancelled": Screen(
        "已收到您的撤销", ("值班员还会打电话问一声，", "请接一下，说明情况就好。"), "call", 2, "cancelled",
        (("警情号", "{short_no}"), ("状态", "用户撤销，等待核实")), last="核实",
    ),
    "cancelling": Screen(
        "正在撤销……", ("报警已经送到值班台，", "送到以后，这里马上告诉您。"), "send", 2, "leave_quietly",
        (("警情号", "{short_no}"),),
    ),
    "undoing": Screen(
        "报警还没有送到", ("您要撤销，已经记下了。", "有急事，请打电话 110。"), "bad", 1, "leave_quietly",
        (("电视", "还在继续发送（第 {tries} 次）"),), quiet=False,
    ),
    "pressed_again": Screen(
        "已经报过警了", ("警情号 {short_no}，", "值班台看到您又按了一次。"), "ok", 2, "undo",
    ),
    "refused": Screen(
        "报警没有发出去", ("值班台不认识这台电视。", "请马上打电话 110。"), "bad", 1, "done",
        (("原因", "{why}"),), quiet=False,
    ),
    "offline": Screen(
        "现在连不上网络", ("看电视不受影响。", "办事、缴费、家门口画面先不能用。"), "off", -1, "retry",
        (("有急事", "请打电话 110"), ("红键", "按了会存下，连上就发出")),
    ),
}  # fmt: skip

EN: Final[Mapping[str, Screen]] = {
    "hold": Screen(
        "Keep holding red", ("Hold for 2 seconds to call for help.", "Let go now, and nothing is sent."), "hold", 0,
        "leave", (("Too hard?", "let go, press OK"),), count="s to go",
    ),
    "ask": Screen("Call for help?", (), "ask", 0, "leave", count="s, then it closes"),
    "sent": Screen(
        "Sending your alarm…", ("Do not switch off the TV.", "You will see here when it arrives."), "send", 1, "undo",
        (("Home", "{home}"),),
    ),
    "seen": Screen(
        "The desk has seen it", ("It is being recorded.", "You will see the number here."), "send", 2, "undo",
        (("Home", "{home}"),),
    ),
    "late": Screen(
        "Not delivered yet", ("No network. Please call 110 now,", "or call out to a neighbour."), "bad", 1, "again",
        (("TV", "still sending (try {tries})"),), note="You will see here when it arrives.", quiet=False,
    ),
    "recorded": Screen(
        "The desk has it", ("Waiting for somebody to sign.", "After {next_after_s} s {next_to} is asked."), "wait", 2,
        "undo", (("Number", "{short_no}"), ("Arrived", "{time}")), count="s waiting",
    ),
    "arrived": Screen(
        "The desk has it", ("Waiting for somebody to sign.", "You will see here who it is."), "wait", 2, "undo",
        (("Number", "{short_no}"), ("Arrived", "{time}")), count="s waiting",
    ),
    "escalated": Screen(
        "Passed on: {escalated_to}", ("Nobody here has signed yet.", "{escalated_to} is taking it."), "wait", 2, "undo",
        (("Number", "{short_no}"), ("Arrived", "{time}")), count="s waiting", quiet=False,
    ),
    "acknowledged": Screen(
        "Somebody has it", ("{operator} will talk to you now.", "Please stay near the TV."), "ok", 3, "undo",
        (("Number", "{short_no}"), ("On duty", "{operator}"), ("Signed", "{time}")), quiet=False,
    ),
    "dispatched": Screen(
        "Help is on the way", ("{dispatched_to} is coming.", "Please stay near the TV."), "ok", 3, "undo",
        (("Number", "{short_no}"), ("On duty", "{operator}"), ("Sent", "{time}")), quiet=False,
    ),
    "on_scene": Screen(
        "They have arrived", ("Ask who it is before you open.",), "ok", 3, "leave_quietly",
        (("Number", "{short_no}"), ("On duty", "{operator}"), ("Arrived", "{time}")), quiet=False,
    ),
    "closed": Screen(
        "This alarm is closed", ("Press red if you need more.",), "ok", 4, "done",
        (("Number", "{short_no}"), ("Closed", "{time}")),
    ),
    "cancelled": Screen(
        "You cancelled", ("The desk will still call you.", "Please answer and tell them."), "call", 2,
        "cancelled", (("Number", "{short_no}"), ("State", "cancelled, to be verified")), last="Verify",
    ),
    "cancelling": Screen(
        "Cancelling…", ("The desk has your alarm.", "You will see here when it knows."), "send", 2, "leave_quietly",
        (("Number", "{short_no}"),),
    ),
    "undoing": Screen(
        "Not delivered yet", ("You want to cancel: noted.", "If it is urgent, call 110."), "bad", 1, "leave_quietly",
        (("TV", "still sending (try {tries})"),), quiet=False,
    ),
    "pressed_again": Screen(
        "Already reported", ("Number {short_no}:", "the desk sees that you pressed again."), "ok", 2, "undo",
    ),
    "refused": Screen(
        "The alarm was not sent", ("The desk does not accept this TV.", "Please call 110 now."), "bad", 1, "done",
        (("Reason", "{why}"),), quiet=False,
    ),
    "offline": Screen(
        "No network now", ("Watching TV still works.", "Services are away for the moment."), "off", -1, "retry",
        (("Urgent", "please call 110"), ("Red key", "is kept, sent when back")),
    ),
}  # fmt: skip

#: Key bars of the layer: (key word, kind, what it does) in both languages.
KEYS_ZH: Final = {
    "leave": (("返回", "line", "不报警，回到电视"),),
    "undo": (("返回", "line", "按错了，撤销报警"),),
    "again": (("确定", "lamp", "现在再发一次"), ("返回", "line", "按错了，撤销报警")),
    "done": (("返回", "line", "回到电视"),),
    "leave_quietly": (("返回", "line", "回到电视"),),
    "cancelled": (("红", "red", "又需要帮助，重新报警"), ("返回", "line", "回到电视")),
    "retry": (("返回", "line", "看电视"), ("确定", "lamp", "再试一次")),
}
KEYS_EN: Final = {
    "leave": (("BACK", "line", "no alarm, back to TV"),),
    "undo": (("BACK", "line", "by mistake: cancel"),),
    "again": (("OK", "lamp", "send again now"), ("BACK", "line", "by mistake: cancel")),
    "done": (("BACK", "line", "back to TV"),),
    "leave_quietly": (("BACK", "line", "back to TV"),),
    "cancelled": (("RED", "red", "need help again"), ("BACK", "line", "back to TV")),
    "retry": (("BACK", "line", "watch TV"), ("OK", "lamp", "try again")),
}
STATIONS_ZH: Final = ("按下", "送达", "值班员签收", "处置")
STATIONS_EN: Final = ("Pressed", "Arrived", "Signed", "Help")


def screens(language: Language) -> Mapping[str, Screen]:
    """Return all screens in one language."""
    return ZH if language is Language.ZH else EN


def key_bars(language: Language) -> Mapping[str, tuple[tuple[str, str, str], ...]]:
    """Return the key bars in one language."""
    return KEYS_ZH if language is Language.ZH else KEYS_EN


def stations(language: Language) -> tuple[str, ...]:
    """Return the words of the rail."""
    return STATIONS_ZH if language is Language.ZH else STATIONS_EN
