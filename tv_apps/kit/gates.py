"""The gates of tier F0: what a page, its style and its script must be so that the oldest box shows them.

Each function returns a list of faults in words, empty when the gate is passed. Sources: the boxes' own limits and the
rules for elder viewers; figures as in the design.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

import esprima
import tinycss2

from tv_apps.kit import drawn, focus
from tv_apps.kit.drawn import Drawn, Element
from tv_apps.kit.focus import Box, Target
from tv_apps.kit.look import CONTENT, SAFE

MAX_PAGE_BYTES: Final = 30 * 1024
MAX_NODES: Final = 300
MAX_IMAGES: Final = 12
MAX_SCRIPT_BYTES: Final = 10 * 1024
MAX_STYLE_BYTES: Final = 15 * 1024
SMALLEST_TEXT: Final = 24
LEAST_CONTRAST: Final = 4.5
RING_PX: Final = 10

#: What the proven cable portal uses, and two of CSS 1.
PROPERTIES: Final = frozenset(
    [
        "background-color",
        "background-image",
        "background-repeat",
        "background-size",
        "border",
        "border-radius",
        "bottom",
        "color",
        "display",
        "font-family",
        "font-size",
        "font-weight",
        "height",
        "left",
        "line-height",
        "margin",
        "overflow",
        "padding",
        "position",
        "text-align",
        "text-decoration",
        "text-overflow",
        "top",
        "white-space",
        "width",
        "word-break",
        "z-index",
    ],
)
#: Syntax that came after ES5, by the parser's node names.
_AFTER_ES5: Final = frozenset(
    [
        "ArrowFunctionExpression",
        "ClassDeclaration",
        "ClassExpression",
        "TemplateLiteral",
        "TaggedTemplateExpression",
        "SpreadElement",
        "RestElement",
        "ForOfStatement",
        "ImportDeclaration",
        "ExportNamedDeclaration",
        "ExportDefaultDeclaration",
        "YieldExpression",
        "AwaitExpression",
        "ArrayPattern",
        "ObjectPattern",
        "AssignmentPattern",
        "MetaProperty",
        "Super",
    ],
)
#: Ways to break out of a static page that no television script needs.
_FORBIDDEN_CALLS: Final = re.compile(r"\beval\s*\(|\bnew\s+Function\b|document\.write|\.innerHTML\b")


def script_faults(source: str) -> list[str]:
    """Return what is wrong with a script: not ES5, too long, or writing HTML."""
    faults = [] if len(source.encode()) <= MAX_SCRIPT_BYTES else [f"script of {len(source.encode())} bytes"]
    try:
        tree = esprima.parseScript(source, {"loc": True})
    except esprima.Error as error:
        return [*faults, f"script: {error}"]
    faults += [f"line {node.loc.start.line}: {node.type} is not ES5" for node in _nodes(tree) if _is_modern(node)]
    return faults + [f"script: {match[0]} is not allowed" for match in _FORBIDDEN_CALLS.finditer(source)]


def _is_modern(node: "esprima.nodes.Node") -> bool:
    is_let = node.type == "VariableDeclaration" and node.kind != "var"
    is_short = node.type == "Property" and (node.shorthand or node.computed or node.method)
    is_generator = node.type.startswith("Function") and (node.generator or node.isAsync)
    return bool(node.type in _AFTER_ES5 or is_let or is_short or is_generator)


def _nodes(node: object) -> "Iterable[esprima.nodes.Node]":
    if isinstance(node, list):
        for each in node:
            yield from _nodes(each)
    elif isinstance(node, esprima.nodes.Node):
        yield node
        for name, value in vars(node).items():
            if name not in {"loc", "range"}:
                yield from _nodes(value)


def style_faults(style: str) -> list[str]:
    """Return what is wrong with a style: properties outside the list, rules that an old engine cannot read, weight."""
    faults = [] if len(style.encode()) <= MAX_STYLE_BYTES else [f"style of {len(style.encode())} bytes"]
    for rule in tinycss2.parse_stylesheet(style, skip_comments=True, skip_whitespace=True):
        if rule.type != "qualified-rule":
            faults.append(f"style line {rule.source_line}: {rule.type}")
            continue
        for declaration in tinycss2.parse_blocks_contents(rule.content, skip_comments=True, skip_whitespace=True):
            name = getattr(declaration, "lower_name", declaration.type)
            value = tinycss2.serialize(getattr(declaration, "value", []))
            if name not in PROPERTIES:
                faults.append(f"style: {name} is not on the list")
            if re.search(r"calc\(|var\(|rgba|hsl|gradient|url\((?!/tv/)", value):
                faults.append(f"style: {name}: {value}")
    return faults


def page_faults(html: str) -> list[str]:
    """Return what is wrong with a whole page: weight, text, contrast, places, focus, ways out, inline code."""
    page = drawn.read(html)
    return [
        *_weight_faults(html, page),
        *style_faults(page.style),
        *_code_faults(page),
        *_text_faults(page),
        *_focus_faults(page),
        *_way_out_faults(page),
    ]


def _weight_faults(html: str, page: Drawn) -> list[str]:
    images = {e.attributes.get("src", "") for e in page.elements if e.tag == "img"}
    counted: Mapping[str, tuple[int, int]] = {
        "bytes of HTML": (len(html.encode()), MAX_PAGE_BYTES),
        "nodes": (page.count, MAX_NODES),
        "images": (len(images), MAX_IMAGES),
    }
    return [f"{count} {what}, at most {limit}" for what, (count, limit) in counted.items() if count > limit]


def _code_faults(page: Drawn) -> list[str]:
    faults = ["inline script"] if page.inline_script else []
    for element in page.elements:
        faults += [f"{element.tag}: {name}" for name in element.attributes if name.startswith("on") or name == "style"]
    return faults + [f"script from {s.get('src')}" for s in page.scripts if not s.get("src", "").startswith("/")]


def _text_faults(page: Drawn) -> list[str]:
    faults = []
    for element in page.visible():
        if (
            not element.words
            or element.box is None
            or element.tag in {"title", "text"}
            or "font-size" not in element.style
        ):
            continue
        name = repr(element.words[:12])
        if element.size < SMALLEST_TEXT:
            faults.append(f"{name}: {element.size} px, at least {SMALLEST_TEXT}")
        if not _is_within(_ink_box(element), SAFE):
            faults.append(f"{name}: outside the safe area at {element.box}")
        ratio = contrast(_colour_of(element, page), element.behind)
        if ratio < LEAST_CONTRAST:
            faults.append(f"{name}: contrast {ratio:.1f} on {element.behind}, at least {LEAST_CONTRAST}")
    return faults


def _ink_box(element: Element) -> Box:
    """Where the letters are: the box without the empty part of its line height."""
    box = element.box or Box(0, 0, 0, 0)
    spare = max(0, min(box.h, _line(element)) - element.size)
    return Box(box.x, box.y + spare // 2, box.w, max(0, box.h - spare))


def _line(element: Element) -> int:
    return int(float(element.style.get("line-height", "0").removesuffix("px")))


def _colour_of(element: Element, page: Drawn) -> str:
    """The colour that is seen: parts of the focused tile change by their role."""
    on_focused = any(
        "on" in e.classes and "hot" not in e.classes and _holds(e, element) for e in page.elements if e.children
    )
    roles = {"n": "#12222B", "m": "#6B4A0E", "g": "#FFEDC8"}
    role = next((role for role in roles if role in element.classes), "")
    if on_focused and role == "g" and "u" in element.classes:
        element.behind = "#6B4A0E"
    return roles[role] if on_focused and role else element.style.get("color", "#F4EFE3")


def _holds(outer: Element, inner: Element) -> bool:
    return any(child is inner or _holds(child, inner) for child in outer.children)


def _focus_faults(page: Drawn) -> list[str]:
    tiles = [element for element in page.elements if "f" in element.classes]
    faults = [f"{len(tiles)} focusables, at most {focus.MAX_TARGETS}"] if len(tiles) > focus.MAX_TARGETS else []
    names = [tile.id for tile in tiles]
    faults += [f"two focusables are called {name}" for name in set(names) if names.count(name) > 1]
    targets = [Target(tile.id, tile.box) for tile in tiles if tile.box is not None]
    for target in targets:
        if target.box.w < focus.SMALLEST or target.box.h < focus.SMALLEST:
            faults.append(f"{target.name}: {target.box.w}×{target.box.h}, at least {focus.SMALLEST}×{focus.SMALLEST}")
        if not _is_within(_grown(target.box, RING_PX), SAFE):
            faults.append(f"{target.name}: its ring leaves the safe area at {target.box}; stay inside {CONTENT}")
    faults += _overlap_faults(targets)
    if tiles:
        graph = {t.id: {k: t.attributes[f"data-{k}"] for k in "udlr" if f"data-{k}" in t.attributes} for t in tiles}
        faults += focus.faults_of(graph, page.body.get("data-f", ""))
    return faults


def _overlap_faults(targets: list[Target]) -> list[str]:
    pairs = ((a, b) for number, a in enumerate(targets) for b in targets[number + 1 :])
    return [f"{a.name} and {b.name} overlap" for a, b in pairs if _overlap(a.box, b.box)]


def _overlap(a: Box, b: Box) -> bool:
    return a.x < b.right and b.x < a.right and a.y < b.bottom and b.y < a.bottom


def _grown(box: Box, by: int) -> Box:
    return Box(box.x - by, box.y - by, box.w + 2 * by, box.h + 2 * by)


def _is_within(box: Box, area: tuple[int, int, int, int]) -> bool:
    return box.x >= area[0] and box.y >= area[1] and box.right <= area[2] and box.bottom <= area[3]


def _way_out_faults(page: Drawn) -> list[str]:
    back = page.body.get("data-back", "")
    return [] if back.startswith("/tv") else [f"BACK leads nowhere: {back!r}"]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two hex colours (WCAG 2 relative luminance), 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(hue: str) -> float:
    channels = [int(hue[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
