"""The check: every mistake of an app gets its rule at its line; what passes can be drawn on any box."""

import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tv_apps.miniapps.conftest import LIBRARY
from tv_apps.kit.focus import faults_of, graph_of
from tv_apps.kit.look import SAFE, Look, TextSize, Tier
from tv_apps.kit.page import assemble
from tv_apps.miniapps import scaffold
from tv_apps.miniapps.address import Here
from tv_apps.miniapps.check import (
    MAX_HTML_BYTES,
    MAX_NODES,
    Report,
    check_package,
    check_path,
    sample_frame,
    screens_of,
)
from tv_apps.miniapps.findings import Level
from tv_apps.miniapps.package import Package, open_folder, pack
from tv_apps.miniapps.rules import RULES

BUNDLED = sorted(path.parent for path in LIBRARY.parent.glob("*/manifest.json"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A fresh app as `linli app new` makes it."""
    folder = tmp_path / "village-guide"
    scaffold.make_app(folder, name="办事指南", app_id="", category="service", publisher="村委会")
    return folder


def edit(path: Path, change: Callable[[Any], object]) -> None:
    """Change a JSON file; each member stands on a line of its own afterwards."""
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1))


def problems(report: Report) -> list[str]:
    return [found.rule_id for found in report.findings if found.level is Level.PROBLEM]


def test_a_new_app_passes_the_check_as_it_is(source: Path) -> None:
    """The scaffold is an example, not a list of errors."""
    report = check_path(source)
    assert [found.level for found in report.findings] == [Level.INFORMATION] * 3


@pytest.mark.parametrize("folder", BUNDLED, ids=lambda folder: str(folder.name))
def test_every_bundled_app_passes_the_public_check(folder: Path) -> None:
    """Ours get no favours: no problem and no warning."""
    assert {found.level for found in check_path(folder).findings} == {Level.INFORMATION}


@pytest.mark.parametrize(
    ("file", "change", "rule", "line"),
    [
        ("manifest.json", lambda m: m.update(app_id="Library"), "MAN-02", 2),
        ("manifest.json", lambda m: m.update(titel="x"), "MAN-02", None),
        ("manifest.json", lambda m: m.pop("version"), "MAN-02", 1),
        ("manifest.json", lambda m: m.update(name="一个太长太长的名字"), "TEXT-01", 3),
        ("manifest.json", lambda m: m["version"].update(code="1"), "MAN-02", None),
        ("manifest.json", lambda m: m["platform_version"].update(min_code=99), "MAN-06", None),
        ("manifest.json", lambda m: m.update(device_type=["phone"]), "MAN-08", None),
        ("manifest.json", lambda m: m["pages"].append("pages/gone"), "MAN-03", None),
        ("manifest.json", lambda m: m["icons"][0].update(src="none.png"), "MAN-04", None),
        ("manifest.json", lambda m: m["linli"].update(net=["example.com"]), "MAN-02", None),
        ("manifest.json", lambda m: m["req_permissions"].append({"name": "root", "reason": "x"}), "PERM-02", None),
        (
            "manifest.json",
            lambda m: m["req_permissions"].append({"name": "camera.view", "reason": "x"}),
            "PERM-03",
            None,
        ),
        ("pages/home.json", lambda p: p.update(sentence="{guide.tody}"), "PAGE-02", 3),
        ("pages/home.json", lambda p: p.update(sentence="{guide.items}"), "PAGE-03", 3),
        ("pages/home.json", lambda p: p.update(sentence="{guide.today"), "PAGE-04", 3),
        ("pages/home.json", lambda p: p.update(sentence="{area.name}"), "PERM-04", None),
        ("pages/home.json", lambda p: p["list"].update(link="nowhere"), "PAGE-05", None),
        ("pages/home.json", lambda p: p.update(links=[{"page": "item", "name": "去"}]), "PAGE-06", None),
        ("pages/item.json", lambda p: p.update(each="guide.other"), "PAGE-07", None),
        ("pages/home.json", lambda p: p["list"].pop("link"), "PAGE-08", None),
        ("pages/home.json", lambda p: p.update(each="guide.items"), "PAGE-11", None),
        ("pages/item.json", lambda p: p.pop("each"), "PAGE-12", None),
        ("pages/home.json", lambda p: p.update(table={"of": "guide.items", "columns": []}), "PAGE-01", None),
        (
            "pages/home.json",
            lambda p: p.update(title="一个怎么都放不进电视标题栏里去的特别特别特别长的长长长题目呀"),
            "TEXT-01",
            None,
        ),
        ("pages/home.json", lambda p: p.update(sentence="很长" * 90), "TEXT-01", 3),
        ("pages/home.json", lambda p: p["list"].update(mark="五个字的标"), "TEXT-01", None),
        ("pages/home.json", lambda p: p.update(picture={"src": "gone.png", "alt": "没有"}), "IMG-01", None),
        ("data/guide.json", lambda d: d.update(items=[d["items"][1]] * 121), "PAGE-10", None),
        ("data/guide.json", lambda d: d.update(api_key="abcdefgh12345678"), "SEC-02", None),
        ("data/guide.json", lambda d: d.update(today="-----BEGIN PRIVATE KEY-----"), "SEC-02", 2),
    ],
)
def test_each_mistake_is_a_problem_at_its_place_with_a_cure(
    source: Path, file: str, change: Callable[[Any], object], rule: str, line: int | None
) -> None:
    """File, line, column, rule and cure, for everything that keeps an app from going on."""
    edit(source / file, change)
    report = check_path(source)
    found = next((found for found in report.findings if found.rule_id == rule), None)
    assert found is not None, [str(each) for each in report.findings]
    assert not report.is_clean
    assert found.file and found.line >= 1 and found.column >= 1
    assert found.cure("zh") and found.cure("en")
    assert line in {None, found.line}


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("点击打开", "WORD-01"),
        ("快来！", "WORD-02"),
        ("包治百病", "WORD-03"),
        ("看 www.example.com", "SEC-01"),
    ],
)
def test_words_that_a_television_does_not_say_are_warned_about(source: Path, words: str, rule: str) -> None:
    """Advice does not keep an app from going on."""
    edit(source / "data" / "guide.json", lambda d: d.update(today=words))
    report = check_path(source)
    assert rule in {found.rule_id for found in report.findings}
    assert report.is_clean


def test_a_text_with_doubled_braces_shows_braces() -> None:
    """Two braces are one brace to see, and never a gap of the platform's own."""
    from tv_apps.miniapps.binding import bind
    from tv_apps.miniapps.template import PageModel

    page = PageModel.model_validate({"title": "{{a}} {d.x}", "text": {"paragraphs": ["x"]}})
    bound = bind(page, {"d": {"x": "{{nav:r0}}"}})
    assert bound.complaints == ()
    assert bound.title.text == "{a} { {nav:r0}}"


def test_every_rule_speaks_both_languages_and_says_what_to_do() -> None:
    """No rule without its sentence; no problem and no warning without its cure."""
    for rule in RULES.values():
        assert rule.zh and rule.en
        assert rule.level == Level.INFORMATION or (rule.cure_zh and rule.cure_en)
        gaps = [set(re.findall(r"\{(\w+)\}", text)) for text in (rule.zh, rule.en)]
        assert {gap.removesuffix("_en") for gap in gaps[0]} == {gap.removesuffix("_en") for gap in gaps[1]}


# -- whatever passes can be drawn ----------------------------------------------------------------------------

SHORT = st.text(alphabet="邻里书屋开门时间 0123abcXYZ{{}}<>&\"'", min_size=1, max_size=9).filter(str.strip)
LONG = st.text(alphabet="一二三四五六七八九十，。 abc<&", min_size=1, max_size=900)
FACTS = st.lists(st.fixed_dictionaries({"name": SHORT, "value": SHORT}), max_size=4)
BODIES = st.one_of(
    st.fixed_dictionaries({"text": st.fixed_dictionaries({"paragraphs": st.lists(LONG, min_size=1, max_size=6)})}),
    st.just({"list": {"of": "d.rows", "title": "{row.a}", "note": "{row.b}", "mark": "{row.c}", "link": "one"}}),
    st.just({"list": {"of": "d.rows", "title": "{row.a}", "link": "one"}}),
    st.just(
        {"table": {"of": "d.rows", "columns": [{"name": "名", "value": "{row.a}"}, {"name": "值", "value": "{row.c}"}]}}
    ),
)


def _package(home: dict[str, object], rows: list[dict[str, str]]) -> Package:
    files = dict(open_folder(LIBRARY).files)
    manifest = json.loads(files["manifest.json"])
    manifest |= {"pages": ["pages/home", "pages/one"], "req_permissions": []}
    one = {"title": "一", "each": "d.rows", "text": {"paragraphs": ["{item.a}"]}}
    documents = {
        "manifest.json": manifest,
        "pages/home.json": home,
        "pages/one.json": one,
        "data/d.json": {"rows": rows},
    }
    kept = {name: files[name] for name in ("icon.png", "img/room.png")}
    kept |= {name: json.dumps(value).encode() for name, value in documents.items()}
    return Package(kept, "made", pack(kept))


ROW = st.fixed_dictionaries({"a": SHORT, "b": SHORT, "c": st.sampled_from(["", "新", "免费"])})
HOMES = st.builds(
    lambda head, body, links, picture: {
        **head,
        **body,
        "links": [{"page": "home", "name": "再看"}] * links,
        "picture": {"src": "img/room.png", "alt": "书屋"} if picture else None,
    },
    st.fixed_dictionaries({"title": SHORT, "sentence": st.none() | SHORT, "facts": FACTS}),
    BODIES,
    st.integers(0, 3),
    st.booleans(),
)


@settings(deadline=None, max_examples=60)
@given(HOMES, st.lists(ROW, max_size=14))
def test_whatever_passes_the_check_fits_every_box_in_every_text_size(
    home: dict[str, object], rows: list[dict[str, str]]
) -> None:
    """Focus graph, safe area, budgets and smallest text hold on every screen of every page that passes."""
    report = check_package(_package(home, rows))
    if not report.is_clean or report.app is None:
        return
    for size, tier in itertools.product(TextSize, Tier):
        frame = sample_frame(Look(size=size, tier=tier))
        for rendered in screens_of(report.app, Here("home", back="/tv/apps"), frame):
            _assert_gates(rendered.page.stage, assemble(rendered.page, frame).html)
            assert rendered.complaints == ()


def _assert_gates(stage: Any, html: str) -> None:
    assert faults_of(graph_of(stage.targets), stage.targets[0].name) == []
    assert len(stage.targets) <= 12
    assert len(html.encode()) <= MAX_HTML_BYTES
    assert len(re.findall(r"<[a-z]", html)) <= MAX_NODES
    assert min(int(size) for size in re.findall(r"font-size:(\d+)px", html)) >= 24
    left, top, right, bottom = SAFE
    for target in stage.targets:
        assert target.box.w >= 80 and target.box.h >= 80
        assert left + 10 <= target.box.x and target.box.right <= right - 10
        assert top + 10 <= target.box.y and target.box.bottom <= bottom - 10
    assert "{{" not in html.replace("{ {", "")


def test_control_a_page_that_is_too_full_does_not_pass(source: Path) -> None:
    """The gates bite: four facts beside a long sentence and a picture in the smallest panel are refused."""
    edit(
        source / "pages" / "home.json",
        lambda p: p.update(facts=[{"name": "电话", "value": "这里写了一句放不进右边小面板的很长的话"}] * 4),
    )
    assert "TEXT-01" in problems(check_path(source))
