"""A page being drawn: absolute boxes on 1280×720, rules shared by class, focusables with their graph.

Everything that the box needs is computed here; nothing flows. Text is escaped here and nowhere else.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from tv_apps.kit import icons, measure, sprites
from tv_apps.kit.focus import DIRECTIONS, Box, Target, graph_of
from tv_apps.kit.look import Look, Tier, colour

RING_GAP: Final = 10
RING_WIDTH: Final = 6


@dataclass(frozen=True, slots=True)
class Skin:
    """How a box is painted: fill, border (colour, width) and radius; widths are pixels."""

    fill: str = ""
    border: str = ""
    width: int = 0
    radius: int = 0


@dataclass(frozen=True, slots=True)
class Ink:
    """How text is set. `role` says what becomes of it on the focused tile (n: ink, m: umber, k: key cap, ok: shown)."""

    size: int
    colour: str = "paper"
    align: str = "left"
    bold: bool = False
    role: str = ""
    line: int = 0
    id: str = ""


@dataclass(frozen=True, slots=True)
class KeyCap:
    """A key of the remote as it is drawn: its word and its kind (line lamp red green yellow blue)."""

    word: str
    kind: str = "line"


@dataclass(frozen=True, slots=True)
class Hint:
    """One entry of the key bar: a key and what it does."""

    key: KeyCap
    does: str


@dataclass(frozen=True, slots=True)
class Press:
    """What a focusable does: open `href`, or (post) send a form there. `digit` opens it too."""

    href: str
    post: bool = False
    digit: str = ""
    fields: tuple[tuple[str, str], ...] = ()


_KEY_SKINS: Final = {
    "line": (Skin(border="mist", width=2, radius=10), "paper"),
    "lamp": (Skin(fill="lamp", radius=10), "ink"),
    "red": (Skin(fill="red", border="coral", width=2, radius=10), "white"),
    "green": (Skin(fill="green", border="mint", width=2, radius=10), "white"),
    "yellow": (Skin(fill="yellow", border="yellow", width=2, radius=10), "ink"),
    "blue": (Skin(fill="blue", border="sky", width=2, radius=10), "white"),
}


class Stage:
    """Collects boxes, text, pictures and focusables; `page.assemble` makes HTML of it."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self.parts: list[str] = []
        self.targets: list[Target] = []
        self.ring_radius: dict[str, int] = {}
        self.focus = ""
        self.sprite = sprites.Sprite()
        self._rules: dict[str, str] = {}
        self._inside = False

    # -- boxes and text ------------------------------------------------------------------------------------------

    def box(self, box: Box, skin: Skin = Skin(), *, role: str = "", id: str = "", attributes: str = "") -> None:  # noqa: A002  as in HTML
        """Draw an empty box."""
        self._open("div", box, skin, role=role, id=id, attributes=attributes)
        self._close("div")

    def text(self, box: Box, words: str, ink: Ink, skin: Skin = Skin()) -> None:
        """Set one line of text on `skin`, cut with an ellipsis where it does not fit."""
        self._text(box, escape(words, quote=False), ink, skin)

    def lines(self, box: Box, lines: Sequence[str], ink: Ink) -> None:
        """Set lines that are broken already, one under another, `ink.line` pixels apart."""
        self._text(box, "<br>".join(escape(line, quote=False) for line in lines), ink)

    def rich(self, box: Box, pieces: Sequence[tuple[str, str]], ink: Ink) -> None:
        """Set one line of pieces with their own colours: (words, colour token)."""
        spans = [
            f'<span class="{self._class(f"color:{colour(hue)}")}">{escape(words, quote=False)}</span>'
            if hue != ink.colour
            else escape(words, quote=False)
            for words, hue in pieces
        ]
        self._text(box, "".join(spans), ink)

    def _text(self, box: Box, html: str, ink: Ink, skin: Skin = Skin()) -> None:
        height = ink.line or box.h - 2 * skin.width
        rule = f"font-size:{ink.size}px;line-height:{height}px;color:{colour(ink.colour)}"
        rule += f";text-align:{ink.align}" if ink.align != "left" else ""
        rule += ";font-weight:bold" if ink.bold else ""
        self._open("div", box, skin, role=f"t {ink.role} {self._class(rule)}", id=ink.id)
        self.parts.append(html)
        self._close("div")

    def _open(self, tag: str, box: Box, skin: Skin, *, role: str = "", id: str = "", attributes: str = "") -> None:  # noqa: A002  as in HTML
        # Place, size and paint are classes of their own: most are shared, which halves the style.
        classes = [role, self._class(f"left:{box.x}px;top:{box.y}px")]
        classes.append(self._class(f"width:{box.w - 2 * skin.width}px;height:{box.h - 2 * skin.width}px"))
        classes += [self._class(paint)] if (paint := _paint(skin)) else []
        id_ = f' id="{id}"' if id else ""
        tag = "span" if self._inside and tag == "div" else tag
        names = " ".join(" ".join(classes).split())
        self.parts.append(f'<{tag} class="{names}"{id_}{" " + attributes if attributes else ""}>')

    def _close(self, tag: str) -> None:
        self.parts.append(f"</{'span' if self._inside and tag == 'div' else tag}>")

    def _class(self, rule: str) -> str:
        return self._rules.setdefault(rule, _name(len(self._rules)))

    @contextlib.contextmanager
    def group(self, box: Box, *, id: str, skin: Skin = Skin(), role: str = "", attributes: str = "") -> Iterator[None]:  # noqa: A002  as in HTML
        """Draw boxes inside a box that scripts show, hide or move as one; coordinates inside are relative."""
        self._open("div", box, skin, role=role, id=id, attributes=attributes)
        yield
        self._close("div")

    # -- pictures ------------------------------------------------------------------------------------------------

    def icon(self, box: Box, name: str, hue: str = "paper", *, stroke: float = icons.STROKE, role: str = "ic") -> None:
        """Draw an icon as wide as `box`; on a focused tile it turns to ink (role `ic`)."""
        if self.look.tier is Tier.F1:
            self._open("div", box, Skin(), role=f"{role} {self._class(f'color:{colour(hue)}')}".strip())
            self.parts.append(icons.icon_svg(name, box.w, stroke))
        else:
            top = self.sprite.place(name, box.w, colour(hue), stroke)
            self._open("div", box, Skin(), role="v")
            moved = self._class(f"left:0;top:{-top}px")
            tag = "span" if self._inside else "div"
            self.parts.append(f'<{tag} class="sp {role and "s" + str(box.w)} {moved}"></{tag}>')
        self._close("div")

    def mark(self, box: Box) -> None:
        """Draw the mark."""
        if self.look.tier is Tier.F1:
            self.inline_svg(box, icons.mark_svg(box.w))
        else:
            self.icon(box, sprites.MARK, role="")

    def inline_svg(self, box: Box, svg: str, *, id: str = "") -> None:  # noqa: A002  as in HTML
        """Place ready SVG (F1 only)."""
        self._open("div", box, Skin(), id=id)
        self.parts.append(svg)
        self._close("div")

    def picture(self, box: Box, source: str, words: str) -> None:
        """Place a picture file with the words that stand for it."""
        self._open("img", box, Skin(), attributes=f'src="{escape(source)}" alt="{escape(words)}"')

    # -- keys of the remote --------------------------------------------------------------------------------------

    def key(self, x: int, y: int, cap: KeyCap, *, size: int = 24, height: int = 40) -> int:
        """Draw a key as on the remote; returns its width."""
        wide = key_width(cap.word, size, height)
        skin, hue = _KEY_SKINS[cap.kind]
        self.text(Box(x, y, wide, height), cap.word, Ink(size, hue, "center"), skin)
        return wide

    def key_bar(self, hints: Sequence[Hint], *, x: int = 74, y: int = 644, room: int = 1206) -> int:
        """Draw what the keys do, left to right; hints that do not fit are left out. Returns where the bar ends."""
        size, height = self.look.type.label
        size, height = min(size, 30), min(height, 44)
        top = y + 40 - height
        for hint in hints:
            label_width = measure.width(hint.does, size)
            if x + key_width(hint.key.word, size, height) + 12 + label_width > room:
                continue
            x += self.key(x, top, hint.key, size=size, height=height) + 12
            self.text(Box(x, top, label_width, height), hint.does, Ink(size))
            x += label_width + 34
        return x

    # -- focusables ----------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def tile(self, name: str, box: Box, press: Press, skin: Skin, *, hot: bool = False) -> Iterator[None]:
        """Draw a focusable; what is drawn inside is relative to it. `hot` keeps its own fill when focused."""
        self.targets.append(Target(name, box))
        self.ring_radius[name] = skin.radius
        role = f"f{' hot' if hot else ''} {{{{on:{name}}}}}"
        slot = f'id="{name}" {{{{nav:{name}}}}}' + (f' data-n="{press.digit}"' if press.digit else "")
        if press.post:
            # The form itself is the box; the button fills it, so that it works without scripts.
            fields = "".join(f'<input type="hidden" name="{escape(k)}" value="{escape(v)}">' for k, v in press.fields)
            self._open("form", box, Skin(), attributes=f'method="post" action="{escape(press.href)}"')
            self.parts.append(fields)
            self._inside = True
            self._open("button", Box(0, 0, box.w, box.h), skin, role=role, attributes=slot)
        else:
            self._inside = True
            self._open("a", box, skin, role=role, attributes=f'{slot} href="{escape(press.href)}"')
        yield
        self._inside = False
        self.parts.append("</button></form>" if press.post else "</a>")

    def navigation(self) -> dict[str, str]:
        """Return the attributes of each focusable: neighbours, and where the ring goes."""
        graph = graph_of(self.targets)
        return {target.name: self._attributes(target, graph[target.name]) for target in self.targets}

    def _attributes(self, target: Target, ways: Mapping[str, str]) -> str:
        neighbours = [f'data-{way}="{ways[way]}"' for way in DIRECTIONS if way in ways]
        ring = ",".join(str(round(n)) for n in ring_of(target.box, self.ring_radius[target.name]))
        return " ".join([*neighbours, f'data-b="{ring}"'])

    def style(self) -> str:
        """Return the rules of this page, with the sheet of its icons where it has one (F0)."""
        rules = "".join(f".{name}{{{rule}}}" for rule, name in self._rules.items())
        if not self.sprite.items:
            return rules
        address = f"/tv/icons/{self.sprite.plan}.png"
        shift = "".join(
            f".on .s{size}{{left:-{size}px}}.hot.on .s{size}{{left:0}}"
            for size in sorted({i.size for i in self.sprite.items})
        )
        size = f"width:{self.sprite.width}px;height:{self.sprite.height}px"
        return f"{rules}.sp{{{size};background-image:url({address})}}{shift}"


def ring_of(box: Box, radius: int) -> tuple[int, int, int, int, int]:
    """Return left, top, inner width, inner height and radius of the ring around `box`."""
    inner = 2 * (RING_GAP - RING_WIDTH)
    return (box.x - RING_GAP, box.y - RING_GAP, box.w + inner, box.h + inner, radius + 8)


def key_width(word: str, size: int, height: int) -> int:
    """Return how wide a drawn key with `word` is."""
    return max(height + 4, measure.width(word, size) + 18)


def _paint(skin: Skin) -> str:
    paint = [f"background-color:{colour(skin.fill)}"] if skin.fill else []
    paint += [f"border:{skin.width}px solid {colour(skin.border)}"] if skin.width else []
    paint += [f"border-radius:{skin.radius}px"] if skin.radius else []
    return ";".join(paint)


def _name(number: int) -> str:
    """Return the number-th class name: short, and never one of the roles."""
    return f"_{number:x}"
