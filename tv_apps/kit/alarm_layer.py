"""The alarm as a layer that every page carries hidden: it must appear also when the network is gone.

The same function draws it open, in one state, for pages that work without scripts. Scripts only fill its slots:
`at` title, `a1 a2` lines, `f1 f2 f3` facts, `r1 … r4` rail, `dk-*` dials, `kb-*` key bars, `dr` the band of a drill.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tv_apps.kit import alarm_words, measure
from tv_apps.kit.alarm_words import Screen
from tv_apps.kit.focus import Box
from tv_apps.kit.look import STAGE, Look, TextSize, Tier, colour
from tv_apps.kit.stage import Hint, Ink, KeyCap, Skin, Stage

RADIUS: Final = 150
RING: Final = 26
_DIALS: Final = {
    "hold": "ember",
    "ask": "mist",
    "send": "lamp",
    "wait": "lamp",
    "ok": "mint",
    "call": "sky",
    "off": "night3",
}
_WHOLE: Final = Box(0, 0, *STAGE)
_COLUMN: Final = {TextSize.STANDARD: 500, TextSize.LARGE: 500, TextSize.XLARGE: 430}
_ROW: Final = {TextSize.STANDARD: 62, TextSize.LARGE: 68, TextSize.XLARGE: 66}


@dataclass(frozen=True, slots=True)
class Shown:
    """The layer when the server itself opens it: which screen, with which values filled in."""

    screen: str
    values: Mapping[str, str]


def words_attribute(look: Look) -> str:
    """Return all screens as the value of `data-w`, for an attribute in single quotes (JSON is full of double ones)."""
    last = alarm_words.stations(look.language)[-1]
    slots = {name: screen.as_slots(last) for name, screen in alarm_words.screens(look.language).items()}
    words = json.dumps(slots, ensure_ascii=False, separators=(",", ":"))
    return words.replace("&", "&amp;").replace("'", "&#39;").replace("<", "&lt;")


def draw(stage: Stage, shown: Shown | None = None) -> None:
    """Draw the layer into `stage`: hidden for scripts, or open in one state."""
    screen = alarm_words.screens(stage.look.language)[shown.screen] if shown else None
    bars = " ".join(alarm_words.key_bars(stage.look.language))
    attributes = f"data-w='{words_attribute(stage.look)}' data-dk='{' '.join(_DIALS)} bad' data-kb='{bars}'"
    with stage.group(_WHOLE, id="al", skin=Skin("night0"), role="" if shown else "h", attributes=attributes):
        _draw_head(stage)
        _draw_drill(stage, shown is not None and bool(shown.values.get("drill")))
        _draw_rail(stage, screen)
        for kind in _DIALS:
            _draw_dial(stage, kind, shown is not None and screen is not None and screen.dial == kind)
        _draw_110(stage, screen)
        _draw_words(stage, screen, shown.values if shown else {})
        _draw_bars(stage, screen)


def _role(visible: bool) -> str:  # noqa: FBT001  a role is on or off
    return "" if visible else "h"


def _draw_head(stage: Stage) -> None:
    size = stage.look.type.lead.size
    stage.mark(Box(74, 38, 52, 52))
    stage.text(Box(142, 36, 300, 56), stage.look.say("报警求助", "Call for help"), Ink(min(size, 44)))
    stage.box(Box(74, 108, 1132, 2), Skin("night2"))


def _draw_drill(stage: Stage, visible: bool) -> None:  # noqa: FBT001
    """A band under the head of every state, so that nobody takes practice for the real thing."""
    words = stage.look.say("演练　这不是真的险情", "DRILL: this is not a real emergency")
    with stage.group(Box(74, 112, 1132, 40), id="dr", skin=Skin("lamp", radius=8), role=_role(visible)):
        stage.text(Box(0, 0, 1132, 40), words, Ink(28, "ink", "center", bold=True))


def _draw_rail(stage: Stage, screen: Screen | None) -> None:
    """Four stations with their words; at the largest size only the numbers, to keep the words large elsewhere."""
    words, done = alarm_words.stations(stage.look.language), screen.done if screen else 0
    has_words = stage.look.size is not TextSize.XLARGE
    size = 28 if stage.look.is_standard else 30
    last_words = {each.last or words[-1] for each in alarm_words.screens(stage.look.language).values()}
    widest = max(last_words, key=lambda word: measure.width(word, size))
    widths = [50 + measure.width(word, size) if has_words else 60 for word in (*words[:-1], widest)]
    failed = "bd" if screen and screen.dial == "bad" else ""
    x, room = 500, 706
    gap = (room - sum(widths)) // (len(words) - 1)
    with stage.group(Box(0, 0, 1206, 104), id="ra", role=f"{_role(done >= 0)} {failed}"):
        for number, (word, wide) in enumerate(zip(words, widths, strict=True), 1):
            state = "dn" if number <= done else "cu" if number == done + 1 else ""
            if number > 1:
                line = Box(x - gap + 10, 63, gap - 20, 3)
                stage.box(line, Skin("night3"), role="ln" if state == "dn" else "", id=f"l{number}")
            with stage.group(
                Box(x, 44, 40, 40),
                id=f"r{number}",
                skin=Skin(border="mist", width=2, radius=20),
                role=f"st {state}".strip(),
            ):
                stage.text(Box(-2, -2, 40, 40), str(number), Ink(24, "mist", "center", role="nm"))
                stage.text(Box(-2, -2, 40, 40), "√", Ink(24, "ink", "center", bold=True, role="tk"))
            if has_words:
                last = (screen.last if screen and number == len(words) else "") or word
                stage.text(Box(x + 50, 36, wide - 44, 56), last, Ink(size, id=f"q{number}"))
            x += wide + gap


def _draw_dial(stage: Stage, kind: str, visible: bool) -> None:  # noqa: FBT001
    place = Box(94, 164, 336, 336) if stage.look.size is not TextSize.XLARGE else Box(74, 164, 336, 336)
    with stage.group(place, id=f"dk-{kind}", role=_role(visible)):
        if kind in {"hold", "ask", "send", "wait"}:
            _draw_ring(stage, kind)
            number = 88
            stage.text(Box(0, 96, 336, 100), "", Ink(number, "paper", "center", id=f"dn-{kind}"))
            stage.text(
                Box(28, 196, 280, 48),
                "",
                Ink(max(28, min(stage.look.type.label.size, 36)), "mist", "center", id=f"ds-{kind}"),
            )
            if kind == "send":
                stage.icon(Box(108, 106, 120, 120), "siren", "lamp", stroke=3, role="")
        else:
            _draw_disc(stage, kind)


def _draw_ring(stage: Stage, kind: str) -> None:
    if stage.look.tier is Tier.F1:
        track = (
            f'<circle cx="168" cy="168" r="{RADIUS}" fill="none" stroke="{colour("night2")}" stroke-width="{RING}"/>'
        )
        arc = (
            f'<path id="da-{kind}" d="M168 18A150 150 0 0 1 318 168" fill="none" stroke="{colour(_DIALS[kind])}" '
            f'stroke-width="{RING}" stroke-linecap="round"/>'
        )
        stage.inline_svg(Box(0, 0, 336, 336), f'<svg width="336" height="336" viewBox="0 0 336 336">{track}{arc}</svg>')
    else:
        stage.box(Box(5, 5, 326, 326), Skin(border=_DIALS[kind], width=RING, radius=163))


def _draw_disc(stage: Stage, kind: str) -> None:
    icon = {"ok": "check", "call": "call", "off": "unplug"}[kind]
    hue = "mist" if kind == "off" else _DIALS[kind]
    stage.box(Box(4, 4, 328, 328), Skin("night1", _DIALS[kind], 8, 164))
    stage.icon(Box(84, 84, 168, 168), icon, hue, stroke=5 if kind == "ok" else 3.4, role="")


def _draw_110(stage: Stage, screen: Screen | None) -> None:
    x, w = 74, 396 if stage.look.size is not TextSize.XLARGE else 326
    visible = screen is not None and screen.dial == "bad"
    with stage.group(Box(x, 140, w, 392), id="dk-bad", skin=Skin("red", radius=28), role=_role(visible)):
        stage.text(Box(0, 24, w, 56), stage.look.say("请打电话", "Call"), Ink(40, "white", "center"))
        stage.text(Box(0, 84, w, 190), "110", Ink(176, "white", "center", bold=True))
        stage.icon(Box(w // 2 - 44, 280, 88, 88), "call", "white", stroke=3.2, role="")


def _draw_words(stage: Stage, screen: Screen | None, values: Mapping[str, str]) -> None:
    type_, x = stage.look.type, _COLUMN[stage.look.size]
    w = 1206 - x
    every = alarm_words.screens(stage.look.language).values()
    title_size = _fitting(type_.state.size, w, (each.title for each in every))
    lead_size = _fitting(type_.lead.size, w, (line for each in every for line in each.lines))
    lines = [line.format_map(_Blank(values)) for line in screen.lines] if screen else []
    title = screen.title.format_map(_Blank(values)) if screen else ""
    y = 148
    stage.text(Box(x, y, w, type_.state.line), title, Ink(title_size, id="at"))
    y += type_.state.line + 14
    if screen is None:
        _draw_ask(stage, Box(x, y + 10, w, 132))
    for number in (1, 2):
        words = lines[number - 1] if number <= len(lines) else ""
        stage.text(Box(x, y, w, type_.lead.line), words, Ink(lead_size, id=f"a{number}"))
        y += type_.lead.line
    _draw_facts(stage, Box(x, y + 22, w, 0), screen, values)
    note = screen.note if screen else ""
    if stage.look.is_standard:
        stage.text(Box(x, 560, w, 48), note, Ink(type_.body.size, "mist", id="nt"))


def _draw_ask(stage: Stage, box: Box) -> None:
    """What the short press shows: one big button that is focused already, and how to leave."""
    say, small = stage.look.say, stage.look.type.lead.size
    with stage.group(Box(box.x, box.y, box.w, 300), id="go", role="h"):
        stage.box(Box(-10, -10, box.w + 20, 152), Skin("night0", "lamp", 6, 26))
        stage.box(Box(0, 0, box.w, 132), Skin("red", radius=18))
        stage.icon(Box(32, 34, 64, 64), "siren", "white", role="")
        stage.text(Box(124, 0, box.w - 280, 132), say("马上报警", "Call for help now"), Ink(48, "white"))
        stage.text(Box(box.w - 124, 36, 96, 60), say("确定", "OK"), Ink(36, "ink", "center"), Skin("lamp", radius=12))
        words = say("不是要报警，按返回，或者不用管。", "No alarm? Press BACK or just wait.")
        stage.lines(
            Box(0, 160, box.w, 140),
            measure.wrap(words, small, box.w),
            Ink(small, "mist", line=stage.look.type.lead.line),
        )


def _draw_facts(stage: Stage, box: Box, screen: Screen | None, values: Mapping[str, str]) -> None:
    row, type_ = _ROW[stage.look.size], stage.look.type
    facts = screen.facts if screen else ()
    label = measure.width(stage.look.say("送达时间", "Number"), type_.body.size) + 28
    height = len(facts or "···") * row + 16
    every = alarm_words.screens(stage.look.language).values()
    values_of = (value for each in every for _, value in each.facts)
    size = _fitting(min(type_.lead.size, 44), box.w - label - 56, values_of)
    with stage.group(
        Box(box.x, box.y, box.w, height),
        id="fp",
        skin=Skin("night1", radius=16),
        role=_role(bool(facts)),
        attributes=f'data-row="{row}"',
    ):
        for number in (1, 2, 3):
            name, value = facts[number - 1] if number <= len(facts) else ("", "")
            hue = "lamp" if number == 1 else "paper"
            y = 8 + (number - 1) * row
            stage.text(Box(28, y, label, row), name, Ink(type_.body.size, "mist", id=f"n{number}"))
            stage.text(
                Box(28 + label, y, box.w - label - 56, row),
                value.format_map(_Blank(values)),
                Ink(size, hue, id=f"f{number}"),
            )


def _draw_bars(stage: Stage, screen: Screen | None) -> None:
    for name, keys in alarm_words.key_bars(stage.look.language).items():
        visible = screen is not None and screen.keys == name
        with stage.group(Box(0, 620, 1280, 100), id=f"kb-{name}", role=_role(visible)):
            stage.key_bar([Hint(KeyCap(word, kind), does) for word, kind, does in keys], y=24)


#: Long but ordinary values, by which the size of the words is chosen.
_SAMPLES: Final = {
    "short_no": "0719-042", "operator": "欧阳建国", "time": "19:42:29", "home": "12号楼 2单元 1501", "tries": "888",
    "dispatched_to": "保安欧阳建国", "why": "", "next_after_s": "120", "next_to": "幸福路街道",
    "escalated_to": "幸福路街道",
}  # fmt: skip


def _fitting(step: int, room: int, texts: Iterable[str]) -> int:
    """Return the largest size up to `step` at which every text fits: a word that is cut off must not happen here."""
    filled = [text.format_map(_SAMPLES) for text in texts]
    sizes = (size for size in (72, 64, 60, 56, 54, 50, 48, 46, 44, 42, 40, 38, 36, 34, 32, 30, 28) if size <= step)
    return next((size for size in sizes if all(measure.width(text, size) <= room for text in filled)), 28)


class _Blank(dict[str, str]):
    """Values by name; what is not known yet is empty, never a placeholder on the screen."""

    def __missing__(self, key: str) -> str:
        return ""
