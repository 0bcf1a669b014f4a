"""The rules' lines at the desk: they arrive by themselves, are taken off in a name, and stay text."""

import asyncio
from datetime import timedelta

import pytest
from playwright.async_api import Browser, expect

from gateway.store.rules import DeskNotice, RuleStore
from tests.security_video.desk.conftest import AREA, ELSEWHERE, Stage
from tests.security_video.desk.test_alarm_feed import feed_of, next_of

MID_UNDER_TAG = """() => [...document.querySelectorAll('.side .cam')].filter((cam) => {
  const [tag, cap] = ['.tag', '.cap'].map((name) => cam.querySelector(name).getBoundingClientRect());
  return [...cam.querySelectorAll('.mid b, .mid span')].map((words) => words.getBoundingClientRect())
    .some((box) => box.height > 0 && (box.top < tag.bottom || box.bottom > cap.top));
}).map((cam) => cam.textContent)"""
EVIL = '<img src=x onerror="document.title=1"><b>盒子</b>'


async def post(stage: Stage, number: int = 1, *, text: str = "机顶盒 15 分钟没有消息", area_id: str = AREA) -> str:
    """Write a line as the rules' program does; a higher number is newer."""
    notice_id = f"rule/silent:{number}"
    created_at = stage.clock.now() - timedelta(minutes=60 - number)
    line = DeskNotice(notice_id, area_id, "hh-0301", "stb-0301", text, "rule:silent-box", created_at)
    await RuleStore(stage.database).post_desk_notice(line)
    return notice_id


async def test_a_rules_line_reaches_an_open_page_in_the_feeds_own_order(stage: Stage) -> None:
    """What the rule store writes is told without a reload, numbered like every message, with its address."""
    async with feed_of(stage, "zhoumin") as feed:
        snapshot = await next_of(feed, "snapshot")
        assert snapshot["notices"] == {"lines": [], "more": 0}
        notice_id, last, told = await post(stage), snapshot["seq"], None
        async with asyncio.timeout(10):
            while told is None:
                message = await feed.receive_json()
                assert message["seq"] == last + 1
                last += message["t"] != "beat"
                told = message.get("notices")
    [line] = told["lines"]
    assert (line["notice_id"], line["address"], line["text"]) == (
        notice_id,
        "3号楼 2单元 501",
        "机顶盒 15 分钟没有消息",
    )


async def test_the_newest_four_are_told_and_the_rest_is_counted(stage: Stage) -> None:
    """A page that opens later gets the newest first, four at most, and how many more are open in its own area."""
    for number in range(1, 8):
        await post(stage, number)
    await post(stage, 20, area_id=ELSEWHERE)
    async with feed_of(stage, "zhoumin") as feed:
        notices = (await next_of(feed, "snapshot"))["notices"]
        while notices["more"] != 3:
            notices = (await next_of(feed, "notices"))["notices"]
    assert [line["notice_id"] for line in notices["lines"]] == [f"rule/silent:{number}" for number in (7, 6, 5, 4)]


async def test_a_line_is_taken_off_once_and_in_one_name(stage: Stage) -> None:
    """The first 知道了 is on record with person and time; a second one changes neither row nor audit trail."""
    notice_id = await post(stage)
    for name in ("zhoumin", "liqiang"):
        async with stage.client(name) as (client, csrf):
            headers = {"X-CSRF-Token": csrf, "Origin": stage.url.rstrip("/")}
            async with client.post("/api/notices/sign", json={"notice_id": notice_id}, headers=headers) as answer:
                assert answer.status == 200, await answer.text()
    row = await stage.database.fetchrow("select * from desk_notices where notice_id = $1", notice_id)
    assert row is not None
    assert (row["seen_name"], row["seen_at"] is not None) == ("周敏", True)
    [entry] = await stage.accounts.audit(notice_id)
    assert (entry.person_id, entry.action) == (row["seen_by"], "notice_signed")
    async with feed_of(stage, "liqiang") as feed:
        assert (await next_of(feed, "snapshot"))["notices"]["lines"] == []


@pytest.mark.parametrize(("area_id", "notice_id", "status"), [(ELSEWHERE, "", 403), (AREA, "no such", 404)])
async def test_nobody_signs_for_another_area_or_for_nothing(
    stage: Stage, area_id: str, notice_id: str, status: int
) -> None:
    """A line of another area is refused and stays open; an unknown one is not found."""
    posted = await post(stage, area_id=area_id)
    async with stage.client("zhoumin") as (client, csrf):
        headers = {"X-CSRF-Token": csrf, "Origin": stage.url.rstrip("/")}
        async with client.post("/api/notices/sign", json={"notice_id": notice_id or posted}, headers=headers) as answer:
            assert answer.status == status
    assert await stage.database.fetchval("select seen_at from desk_notices where notice_id = $1", posted) is None
    assert await stage.accounts.audit(posted) == []


@pytest.mark.browser
async def test_the_keyboard_takes_a_line_off_every_desk(stage: Stage, browser: Browser) -> None:
    """The strip appears on the quiet board with level, words and age; 知道了 by keyboard takes it off both desks."""
    one = await stage.signed_in(browser, "zhoumin", "1")
    two = await stage.signed_in(browser, "liqiang", "2")
    await expect(one.locator("#notices")).to_be_hidden()
    await post(stage, 56)
    await post(stage, 57, text="门口机 20 分钟没有消息")
    await expect(one.locator("#notices li")).to_have_count(2)
    await expect(two.locator("#notices li").first).to_contain_text("3号楼 2单元 5013 分前门口机 20 分钟没有消息")
    await expect(one.locator("#notices li svg").first).to_have_attribute("aria-label", "四级警情")
    await expect(one.locator("#calm-title")).to_have_text("一切平静")
    await one.locator("#sound").focus()
    async with asyncio.timeout(15):
        while not await one.evaluate("document.activeElement.closest('#notices') !== null"):
            await one.keyboard.press("Tab")
    await one.keyboard.press("Space")
    await expect(one.locator("#notices li")).to_have_count(1)
    await expect(one.locator("#notices button")).to_be_focused()
    await one.keyboard.press("Enter")
    await expect(one.locator("#notices")).to_be_hidden()
    await expect(two.locator("#notices")).to_be_hidden()


@pytest.mark.browser
async def test_a_lines_markup_stays_text(stage: Stage, browser: Browser) -> None:
    """Markup in a rule's words or in an address is shown as it is written and never becomes an element."""
    await stage.database.execute("update households set address = $1 where household_id = 'hh-0301'", EVIL)
    page = await stage.signed_in(browser, "zhoumin")
    title = await page.title()
    await post(stage, text=EVIL)
    await expect(page.locator("#notices li p")).to_have_text(EVIL)
    await expect(page.locator("#notices li .head b")).to_have_text(EVIL)
    assert await page.locator("#notices img, #notices p b, #notices b b").count() == 0
    assert await page.title() == title


@pytest.mark.browser
@pytest.mark.parametrize(("size", "more"), [((1920, 1080), "+3"), ((1366, 768), "+5")])
async def test_lines_leave_room_for_alarms(stage: Stage, browser: Browser, size: tuple[int, int], more: str) -> None:
    """Alarms stay in sight above the lines, figures below; a low screen shows two; no camera's words meet its tag."""
    page = await stage.signed_in(browser, "zhoumin", size=size)
    for number in range(1, 8):
        await post(stage, number, text="王桂兰家机顶盒 15 分钟没有消息，红键可能送不到，请打电话问一声")
    await stage.press()
    await expect(page.locator("#notices [data-part=more]")).to_contain_text(more)
    await expect(page.locator(".side .cam .mid b").first).to_be_visible(timeout=15000)
    assert await page.evaluate(MID_UNDER_TAG) == []
    boxes = [await page.locator(name).bounding_box() for name in (".alarm", "#notices", "#tonight", ".queue")]
    alarm, strip, figures, panel = (box for box in boxes if box is not None)
    assert alarm["y"] + alarm["height"] <= strip["y"] + 1
    assert strip["y"] + strip["height"] <= figures["y"] + 1
    assert figures["y"] + figures["height"] <= panel["y"] + panel["height"] + 1
    assert await page.evaluate("document.querySelector('#notices').scrollWidth") <= strip["width"]
