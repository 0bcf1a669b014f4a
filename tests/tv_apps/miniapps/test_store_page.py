"""The store on the television: every text size, every tier, few apps, many apps, apps that do not open."""

import itertools
import re

import pytest

from tv_apps.kit.focus import faults_of, graph_of
from tv_apps.kit.look import SAFE, Language, Look, TextSize, Tier
from tv_apps.kit.page import assemble
from tv_apps.miniapps.check import MAX_HTML_BYTES, MAX_NODES, sample_frame
from tv_apps.miniapps.store_page import Entry, StoreView, draw_refused, draw_store

ENTRIES = [
    Entry(
        app_id=f"cn.example.app{number}",
        name="种田问答课堂"[: 3 + number % 4],
        description="拍一张叶子，问县里农技员。当天回答，不收钱。" if number % 2 else "一" * 36,
        publisher="县农业技术推广站"[: 4 + number % 5],
        category=("service", "health", "life", "learn")[number % 4],
        version="1.4.0",
        size_bytes=300_000,
        scopes=("profile.area",) if number % 2 else (),
        icon="icon.png",
        is_open=number != 2,
    )
    for number in range(14)
]
LOOKS = [Look(size, language, tier) for size, language, tier in itertools.product(TextSize, Language, Tier)]


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look.size}-{look.language}-{look.tier}")
@pytest.mark.parametrize(("count", "part"), [(0, 0), (1, 0), (6, 0), (14, 1), (14, 99)])
def test_the_store_passes_the_gates_however_many_apps_there_are(look: Look, count: int, part: int) -> None:
    """Reachable, trap-free, inside the safe area, within the budgets, nothing below 24 px."""
    frame = sample_frame(look)
    page = draw_store(frame, StoreView(ENTRIES[:count], part=part))
    html = assemble(page, frame).html
    targets = page.stage.targets
    assert faults_of(graph_of(targets), page.focus) == []
    assert len(targets) <= 12
    assert len(html.encode()) <= MAX_HTML_BYTES
    assert len(re.findall(r"<[a-z]", html)) <= MAX_NODES
    assert html.count("<img") <= 13
    assert min(int(size) for size in re.findall(r"font-size:(\d+)px", html)) >= 24
    for target in targets:
        assert target.box.w >= 80 and target.box.h >= 80
        assert SAFE[0] + 10 <= target.box.x and target.box.right <= SAFE[2] - 10
        assert SAFE[1] + 10 <= target.box.y and target.box.bottom <= SAFE[3] - 10


def test_a_shelf_shows_only_its_own_apps_and_keeps_the_place() -> None:
    """The chosen shelf filters; an app that was left has the focus again."""
    frame = sample_frame(Look())
    page = draw_store(frame, StoreView(ENTRIES, shelf="learn", focus="cn.example.app7"))
    html = assemble(page, frame).html
    assert "cn.example.app3" in html and "cn.example.app1/" not in html
    assert page.focus == "a1"


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look.size}-{look.language}-{look.tier}")
def test_an_app_that_does_not_open_says_so_and_leads_back(look: Look) -> None:
    """No code, no blame, one way out."""
    frame = sample_frame(look)
    page = draw_refused(frame, "血压记录问答")
    html = assemble(page, frame).html
    assert [target.name for target in page.stage.targets] == ["back"]
    assert ("现在打不开" if look.language == "zh" else "Cannot be opened now") in html
    assert page.back == "/tv/apps"
