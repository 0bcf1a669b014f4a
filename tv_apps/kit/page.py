"""From a drawn stage to a page: one script, style, stage, hidden layers. Everything a box needs in one answer."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from typing import Final

from tv_apps.kit import alarm_layer, measure
from tv_apps.kit.focus import Box
from tv_apps.kit.look import Look, Tier
from tv_apps.kit.stage import RING_WIDTH, Hint, Ink, KeyCap, Skin, Stage, ring_of

#: What every page's style begins with. `.on` is the focused box; its parts change by their role (see stage.Ink).
_BASE: Final = (
    "body{margin:0;background-color:#0C171E;color:#F4EFE3;overflow:hidden;"
    'font-family:"Noto Sans CJK SC","Source Han Sans SC","WenQuanYi Zen Hei",sans-serif}'
    "a{color:#F4EFE3;text-decoration:none}div,a,img,form,button,.f span{position:absolute;display:block}"
    "button{margin:0;padding:0;border:0;text-align:left}svg{display:block}"
    ".t,.v{overflow:hidden}.t{white-space:nowrap;text-overflow:ellipsis}"
    "#s{left:0;top:0;width:1280px;height:720px;overflow:hidden}"
)
#: What comes after the page's own rules and therefore wins over them.
_STATES: Final = (
    ".h,.tk,.f .ok{display:none}"
    ".on,.f:focus{background-color:#FFEDC8}.on .n,.f:focus .n,.on .ic,.f:focus .ic{color:#12222B}"
    ".on .m,.f:focus .m{color:#6B4A0E}.on .k,.f:focus .k{border:2px solid #6B4A0E}"
    ".on .u,.f:focus .u{background-color:#6B4A0E}.on .g,.f:focus .g{color:#FFEDC8}"
    ".on .ok{display:block}.hot.on,.hot:focus{background-color:#BC332C}.hot.on .ic,.hot.on .n{color:#FFFFFF}"
    ".dn .nm{display:none}.dn .tk{display:block}.dn{background-color:#8FDDB8;border:2px solid #8FDDB8}"
    ".cu{border:2px solid #FFC861}.cu .nm{color:#FFC861}.bd .cu{border:2px solid #FFA392}.bd .cu .nm{color:#FFA392}"
    ".ln{background-color:#8FDDB8}"
)


@dataclass(frozen=True, slots=True)
class Frame:
    """Whose television this is and what stands around every page. `now` is local time."""

    look: Look
    now: datetime
    now_ms: int
    device_id: str
    address: str
    area_name: str
    keys: Mapping[str, str]
    script: str
    poll_s: int = 5
    has_live_tv: bool = False
    holds: bool = True
    #: Digits that the box notices; nothing on any page says what for.
    silent_keys: str = field(default="", repr=False)


@dataclass(slots=True)
class Page:
    """One page: what is drawn, where the focus starts, where BACK leads.

    `up` and `down` are pages that the arrows open where no focusable lies that way. `refresh_s` reloads a page that
    shows something in progress, only where scripts are off. `probes` lets an F0 box show once that it can do more.
    `idle_s` is when an untouched page gives way to live TV.
    """

    title: str
    stage: Stage
    back: str
    focus: str = ""
    up: str = ""
    down: str = ""
    left: str = ""
    right: str = ""
    refresh_s: int = 0
    idle_s: int = 0
    alarm: str = ""
    probes: bool = False
    shown: alarm_layer.Shown | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A finished page: its HTML and the digest by which its policy allows its own style."""

    html: str
    style_digest: str


def assemble(page: Page, frame: Frame) -> Document:
    """Return the page as HTML for this television."""
    stage = page.stage
    focus = page.focus if page.focus in stage.ring_radius else (stage.targets[0].name if stage.targets else "")
    _draw_ring(stage, focus)
    body = _with_navigation(stage, focus)
    overlay = Stage(stage.look)
    overlay.sprite = stage.sprite
    overlay._rules = stage._rules  # noqa: SLF001  one page, one style
    alarm_layer.draw(overlay, page.shown)
    _draw_message(overlay)
    style = _BASE + stage.style() + _STATES
    html = (
        f'<!DOCTYPE html>\n<html lang="{"zh-CN" if stage.look.language == "zh" else "en"}"><head><meta charset="utf-8">'
        f'<meta name="page-view-size" content="1280*720"><script src="{frame.script}"></script>'
        f"<title>{escape(page.title)}</title>{_refresh(page)}"
        f'<style>{style}</style></head>\n<body {_facts(page, frame, focus)}><div id="s">\n{body}\n</div>'
        f"{''.join(overlay.parts)}\n</body></html>\n"
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return Document(html, digest)


def _refresh(page: Page) -> str:
    if not page.refresh_s:
        return ""
    return f'<noscript><meta http-equiv="refresh" content="{page.refresh_s}"></noscript>'


def _facts(page: Page, frame: Frame, focus: str) -> str:
    facts = {
        "k": json.dumps(dict(frame.keys), separators=(",", ":")),
        "f": focus,
        "hold": "1" if frame.holds else "",
        "back": page.back,
        "u": page.up,
        "d": page.down,
        "l": page.left,
        "r": page.right,
        "dev": frame.device_id,
        "q": frame.silent_keys,
        "home": frame.address,
        "now": str(frame.now_ms),
        "poll": str(frame.poll_s),
        "idle": str(page.idle_s or ""),
        "alarm": page.alarm,
        "size": frame.look.size.next,
        "probe": "1" if page.probes and frame.look.tier is Tier.F0 else "",
    }
    return " ".join(f"data-{name}='{_single_quoted(value)}'" for name, value in facts.items() if value)


def _single_quoted(value: str) -> str:
    return value.replace("&", "&amp;").replace("'", "&#39;").replace("<", "&lt;")


def _draw_ring(stage: Stage, focus: str) -> None:
    """The lit window around the focused box: one box that the script moves, under the tiles: it takes no click."""
    target = next((each for each in stage.targets if each.name == focus), None)
    box = ring_of(target.box, stage.ring_radius[focus]) if target else (0, 0, 0, 0, 0)
    inner = Box(box[0], box[1], box[2] + 2 * RING_WIDTH, box[3] + 2 * RING_WIDTH)
    drawn = len(stage.parts)
    stage.box(inner, Skin("", "lamp", RING_WIDTH, box[4]), id="ring", role="" if target else "h")
    stage.parts[:0] = stage.parts[drawn:]
    del stage.parts[-2:]


def _with_navigation(stage: Stage, focus: str) -> str:
    body = "".join(stage.parts)
    for name, attributes in stage.navigation().items():
        body = body.replace(f"{{{{nav:{name}}}}}", attributes)
        body = body.replace(f"{{{{on:{name}}}}}", "on" if name == focus else "")
    return body.replace('="f  ', '="f ').replace("hot  ", "hot ")


def _draw_message(stage: Stage) -> None:
    """The band for short messages (a rule, an office): lower third, closed by BACK or OK."""
    type_, say = stage.look.type, stage.look.say
    with stage.group(Box(0, 428, 1280, 292), id="ms", skin=Skin("night0"), role="h"):
        stage.box(Box(0, 0, 1280, 8), Skin("l3"))
        stage.icon(Box(74, 36, 64, 64), "notice", "lamp", role="")
        stage.text(Box(162, 24, 1044, 88), "", Ink(type_.document.size, id="mt"))
        stage.text(Box(74, 120, 1132, type_.lead.line), "", Ink(min(type_.lead.size, 44), id="mb"))
        stage.text(Box(560, 216, 646, 40), "", Ink(max(24, min(type_.label.size, 30)), "mist", "right", id="mo"))
        stage.key_bar([Hint(KeyCap(say("确定", "OK"), "lamp"), say("知道了", "Got it"))], y=216)


def header(stage: Stage, frame: Frame, title: str, trail: str = "") -> None:
    """Draw the head of a page: mark, way here, title, date and time."""
    type_ = stage.look.type
    stage.mark(Box(74, 38, 52, 52))
    x, size = 142, type_.title.size
    clock = stage.look.type.lead.size
    end = 1206 - round(clock * 2.9) - 20
    if stage.look.is_standard:
        stage.text(Box(end - 230, 38, 230, 56), local_date(frame), Ink(24, "mist", "right"))
        end -= 240
    if trail and stage.look.is_standard:
        wide = measure.width(trail, 28)
        stage.text(Box(x, 36, wide, 56), trail, Ink(28, "mist"))
        stage.icon(Box(x + wide + 8, 53, 22, 22), "right", "mist", stroke=5, role="")
        x += wide + 42
    stage.text(Box(x, 36, end - x, 56), title, Ink(size))
    stage.text(
        Box(1206 - round(clock * 2.9), 36, round(clock * 2.9), 56),
        f"{frame.now:%H:%M}",
        Ink(clock, "paper", "right", id="ck"),
    )


def local_date(frame: Frame) -> str:
    """Return `7月19日 周日` or `Sun 19 Jul`."""
    now = frame.now
    if frame.look.language == "zh":
        return f"{now.month}月{now.day}日 周{'一二三四五六日'[now.weekday()]}"
    return f"{now:%a} {now.day} {now:%b}"
