"""What a finished page puts where, read back from its HTML without a browser: boxes, words, colours, paint order.

Only pages of this kit can be read so: everything is absolute and every rule is a single class. Hidden parts (class
`h`, the marks `tk` and `ok`) are left out.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

from tv_apps.kit.focus import Box

VOID: Final = frozenset({"meta", "img", "br", "input", "link", "path", "circle", "line", "rect", "polyline", "polygon"})
HIDDEN: Final = frozenset({"h", "tk", "ok"})
_RULE: Final = re.compile(r"\.([\w-]+)\{([^}]*)\}")
_INSIDE_SVG: Final = frozenset({"path", "circle", "line", "rect", "polyline", "polygon", "g", "title", "text"})


@dataclass(slots=True)
class Element:
    """One element: its place on the stage, what it says itself, how that is set, and what is painted behind it."""

    tag: str
    attributes: Mapping[str, str]
    box: Box | None
    style: Mapping[str, str]
    is_hidden: bool
    words: str = ""
    behind: str = ""
    children: "list[Element]" = field(default_factory=list)

    @property
    def classes(self) -> list[str]:
        return self.attributes.get("class", "").split()

    @property
    def id(self) -> str:
        return self.attributes.get("id", "")

    @property
    def size(self) -> int:
        """Font size in pixels, 0 where none is set."""
        return _pixels(self.style.get("font-size", "0"))


@dataclass(frozen=True, slots=True)
class Drawn:
    """A page as read back: its elements in paint order (with every element's count), its style, its body's facts."""

    elements: tuple[Element, ...]
    count: int
    style: str
    body: Mapping[str, str]
    scripts: tuple[Mapping[str, str], ...]
    inline_script: str

    def visible(self) -> Iterator[Element]:
        """Yield the elements that are seen."""
        return (element for element in self.elements if not element.is_hidden)


def read(html: str) -> Drawn:
    """Return the page in `html`."""
    style = "".join(re.findall(r"<style>(.*?)</style>", html, re.DOTALL))
    reader = _Reader({name: _declarations(body) for name, body in _RULE.findall(style)})
    reader.feed(html)
    reader.close()
    _find_backgrounds(reader.elements)
    return Drawn(
        tuple(reader.elements), reader.count, style, reader.body, tuple(reader.scripts), reader.inline_script.strip()
    )


class _Reader(HTMLParser):
    def __init__(self, rules: Mapping[str, Mapping[str, str]]) -> None:
        super().__init__(convert_charrefs=True)
        self.rules = rules
        self.elements: list[Element] = []
        self.count = 0
        self.body: Mapping[str, str] = {}
        self.scripts: list[Mapping[str, str]] = []
        self.inline_script = ""
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count += 1
        attributes = {name: value or "" for name, value in attrs}
        if tag == "body":
            self.body = attributes
        if tag == "script":
            self.scripts.append(attributes)
        parent = self._open[-1] if self._open else None
        element = self._element(tag, attributes, parent)
        self.elements.append(element)
        if parent:
            parent.children.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open:
            if self._open.pop().tag == tag:
                return

    def handle_data(self, data: str) -> None:
        if not self._open:
            return
        if self._open[-1].tag == "script":
            self.inline_script += data
        elif self._open[-1].tag != "style":
            self._open[-1].words += data.strip()

    def _element(self, tag: str, attributes: Mapping[str, str], parent: Element | None) -> Element:
        style: dict[str, str] = {}
        names = attributes.get("class", "").split()
        for name in names:
            if name.startswith("_"):
                style |= self.rules.get(name, {})
        hidden = bool(HIDDEN.intersection(names)) and not (parent and "on" in parent.classes and "ok" in names)
        is_hidden = hidden or (parent is not None and parent.is_hidden)
        return Element(tag, attributes, _box(tag, style, parent), style, is_hidden)


def _box(tag: str, style: Mapping[str, str], parent: Element | None) -> Box | None:
    outer = parent.box if parent else None
    if "width" not in style or tag in _INSIDE_SVG:
        return outer
    border = _border(style)
    inner = _border(parent.style) if parent and parent.box and "width" in parent.style else 0
    x, y = (outer.x + inner, outer.y + inner) if outer else (0, 0)
    w, h = _pixels(style["width"]) + 2 * border, _pixels(style["height"]) + 2 * border
    return Box(x + _pixels(style.get("left", "0")), y + _pixels(style.get("top", "0")), w, h)


def _border(style: Mapping[str, str]) -> int:
    return _pixels(style.get("border", "0").split()[0])


def _pixels(text: str) -> int:
    return int(float(text.removesuffix("px") or 0))


def _declarations(body: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in body.split(";") if line)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _find_backgrounds(elements: list[Element]) -> None:
    """Tell every element what colour was painted last under its middle."""
    painted: list[tuple[Box, str]] = [(Box(0, 0, 1280, 720), "#0C171E")]
    for element in elements:
        if element.is_hidden or element.box is None:
            continue
        fill = _fill(element)
        if fill:
            painted.append((element.box, fill))
        x, y = element.box.x + element.box.w // 2, element.box.y + element.box.h // 2
        covering = (hue for box, hue in reversed(painted) if box.x <= x < box.right and box.y <= y < box.bottom)
        element.behind = next(covering, "#0C171E")


def _fill(element: Element) -> str:
    if "on" in element.classes and "hot" not in element.classes:
        return "#FFEDC8"
    return element.style.get("background-color", "") if "width" in element.style else ""
