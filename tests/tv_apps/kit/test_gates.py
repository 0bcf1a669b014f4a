import re
from collections.abc import Callable

import pytest

from tests.kit.tv_gallery import PAGES, html_of, looks
from tv_apps.kit import gates, script
from tv_apps.kit.look import Look, TextSize, Tier

STANDARD = Look(tier=Tier.F0)


@pytest.mark.parametrize("look", list(looks()), ids=lambda look: f"{look.size}-{look.language}-{look.tier}")
def test_every_page_passes_every_gate(look: Look) -> None:
    """Every page of the portal, in every size, language and tier, passes weight, style, text, focus and exits."""
    faults = {name: found for name in PAGES if (found := gates.page_faults(html_of(name, look)))}
    assert not faults


def test_served_script_is_old_javascript_within_its_budget() -> None:
    """The one script of the television is ES5 and at most 10 KB, and carries no name-shortening."""
    assert gates.script_faults(script.source()) == []
    assert "function pump()" in script.source()
    assert script.tokens(script.source()) == script.tokens(script.written())


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("let a = 1;", "VariableDeclaration"),
        ("const a = 1;", "VariableDeclaration"),
        ("var f = () => 1;", "ArrowFunctionExpression"),
        ("class A {}", "ClassDeclaration"),
        ("var s = `x`;", "TemplateLiteral"),
        ("for (var x of y) { x(); }", "ForOfStatement"),
        ("var o = {a};", "Property"),
        ("function f(a = 1) { return a; }", "AssignmentPattern"),
        ("function f( {", "script:"),
        ("eval('1');", "not allowed"),
        ("e.innerHTML = '';", "not allowed"),
        ("var a = '" + "x" * 11000 + "';", "bytes"),
    ],
)
def test_script_gate_refuses(source: str, expected: str) -> None:
    """Newer syntax, broken syntax, HTML writing and overweight are each refused by name."""
    assert any(expected in fault for fault in gates.script_faults(source))


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        (".a{transform:none}", "transform"),
        (".a{display:block;flex:1}", "flex"),
        ("@media screen{.a{color:#fff}}", "at-rule"),
        (".a{width:calc(1px + 1px)}", "calc"),
        (".a{background-image:url(https://elsewhere/x.png)}", "url"),
        (".a{color:#fff}" * 1200, "bytes"),
    ],
)
def test_style_gate_refuses(style: str, expected: str) -> None:
    """A property outside the list, an at-rule, a function, a foreign picture and overweight are refused."""
    assert any(expected in fault for fault in gates.style_faults(style))


def _with_rule(name: str, value: str) -> Callable[[str], str]:
    """Change one declaration of the first rule that has it."""
    return lambda html: re.sub(rf"{name}:[^;}}]+", f"{name}:{value}", html, count=60)


CONTROLS: dict[str, tuple[Callable[[str], str], str]] = {
    "small text": (lambda html: html.replace("font-size:24px", "font-size:20px"), "at least 24"),
    "faint text": (lambda html: html.replace("color:#B4C4CB", "color:#3A5866"), "contrast"),
    "outside the safe area": (lambda html: html.replace("left:74px;top:38px", "left:10px;top:10px").replace(
        "left:142px;top:36px", "left:20px;top:4px"), "safe area"),
    "too many nodes": (lambda html: html.replace("</body>", "<div></div>" * 300 + "</body>"), "nodes"),
    "too many pictures": (
        lambda html: html.replace("</body>", "".join(f'<img src="/{n}.png" alt="">' for n in range(13)) + "</body>"),
        "images",
    ),
    "too heavy": (lambda html: html.replace("<body", "<!--" + "x" * 31000 + "--><body"), "bytes of HTML"),
    "inline handler": (lambda html: html.replace("<body ", '<body onload="go()" '), "onload"),
    "inline style": (lambda html: html.replace('<div id="s"', '<div style="left:0" id="s"'), "style"),
    "inline script": (lambda html: html.replace("</body>", "<script>go()</script></body>"), "inline script"),
    "foreign script": (lambda html: html.replace("</body>", '<script src="https://x/y.js"></script></body>'), "https"),
    "unreachable": (lambda html: re.sub(r'data-[udlr]="m3"', "", html), "cannot be reached"),
    "trap": (lambda html: re.sub(r'(id="m3") (data-[udlr]="\w+" )+', r"\1 ", html), "trap"),
    "no such neighbour": (lambda html: html.replace('data-r="m1"', 'data-r="m9"'), "no such target"),
    "small target": (lambda html: html.replace("width:558px;height:118px", "width:558px;height:60px"), "at least 80"),
    "no way back": (lambda html: html.replace("data-back='/tv/home?f=t11'", "data-back=''"), "BACK"),
    "focus nowhere": (lambda html: html.replace("data-f='m0'", "data-f='m7'"), "not there"),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTROLS)
def test_page_gate_refuses_a_broken_page(name: str) -> None:
    """A page that breaks one promise is refused, and the fault says which: the control of every gate."""
    good = html_of("more", STANDARD)
    spoil, expected = CONTROLS[name]
    bad = spoil(good)
    assert bad != good
    assert gates.page_faults(good) == []
    assert any(expected in fault for fault in gates.page_faults(bad))


def test_every_section_is_at_most_three_presses_from_the_start() -> None:
    """From the key with the raised dot every tile of the home page is at most three arrows away."""
    from tv_apps.kit.drawn import read
    from tv_apps.kit.focus import presses_to

    page = read(html_of("home", Look(TextSize.STANDARD)))
    tiles = [element for element in page.elements if "f" in element.classes]
    graph = {t.id: {k: t.attributes[f"data-{k}"] for k in "udlr" if f"data-{k}" in t.attributes} for t in tiles}
    distances = presses_to(graph, page.body["data-f"])
    assert len(distances) == 12
    assert max(distances.values()) <= 3
