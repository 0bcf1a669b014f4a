"""The board says what is so: marks, what comes next, who may do it, who else is there, and what it does not know."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from gateway.model.alarms import Action, AlarmState, Verdict
from gateway.store import duty
from gateway.store.drills import Drill, start_drill
from tests.security_video.desk.conftest import AREA, Stage
from tests.security_video.desk.test_board_page import PATIENCE_S, press_until, state_becomes

pytestmark = pytest.mark.browser

STREET = "110105001000"
SOON_MS = PATIENCE_S * 1000
SENTENCE = """async ([alarm, at_ms, isSure]) => {
  const src = document.querySelector('script[type=module]').src.replace('page.js', 'next.js');
  return (await import(src)).sentenceOf(alarm, at_ms, isSure);
}"""
WAITING = {"state": "notified", "ladder": [{}], "escalation_level": 0, "escalated_to": "", "acknowledged_ms": None}


@pytest.fixture
async def page(stage: Stage, browser: Browser) -> Page:
    """The board of 周敏."""
    return await stage.signed_in(browser, "zhoumin")


def row(page: Page, alarm_id: str) -> Any:
    return page.locator(f'[data-alarm="{alarm_id}"][role=option]')


async def fire(stage: Stage, seconds: int) -> None:
    """Do what is due within `seconds`; an alarm that somebody is writing to at this moment is tried again."""
    async with asyncio.timeout(PATIENCE_S):
        while not await stage.ledger.fire_due(stage.clock.now() + timedelta(seconds=seconds), 50):
            await asyncio.sleep(0.05)


async def test_an_alarm_carries_its_marks_as_words(stage: Stage, page: Page) -> None:
    """Late, doubted, with a wrong clock, pressed again and again: each is a word on the row and in the panel."""
    doubted = await stage.press("stb-0303", late_by_s=42, suspicion="bad_signature", is_clock_wrong=True)
    for words in ("迟到 42 秒", "存疑：签名不对", "时钟不准"):
        await expect(row(page, doubted.alarm_id)).to_contain_text(words)
        await expect(page.locator("#detail [data-part=marks]")).to_contain_text(words)
    for _ in range(5):
        pressed = await stage.press("stb-0304")
    await expect(row(page, pressed.alarm_id)).to_contain_text("连续按 5 次")


async def test_a_silent_alarm_comes_first_and_warns_before_any_number(stage: Stage, page: Page) -> None:
    """静默 stands above everything; a number is shown only after the warning and a second, deliberate answer."""
    note = {"phone": "13812340721"}
    await stage.database.execute("update households set resident_note = $1 where household_id = 'hh-0302'", note)
    silent = await stage.press("stb-0302", is_silent=True)
    await stage.press("stb-0301")
    await expect(page.locator("#queue > li")).to_have_count(2)
    await expect(page.locator("#queue > li").first).to_have_attribute("data-alarm", silent.alarm_id)
    await expect(page.locator("#queue > li").first).to_contain_text("静默")
    await row(page, silent.alarm_id).click()
    await expect(page.locator("[data-part=mind]")).to_contain_text("静默报警，不要呼叫")
    await expect(page.locator("[data-part=first]")).not_to_contain_text("打住户电话")
    household = page.locator("#detail .household")
    await household.get_by_text("看号码").click()
    await expect(household.get_by_role("alert")).to_contain_text("静默报警，不要呼叫")
    await expect(household).not_to_contain_text("13812340721")
    assert [one for one in await stage.accounts.audit("hh-0302") if one.action == "contact_revealed"] == []
    await household.get_by_text("仍要看号码").click()
    await expect(household).to_contain_text("13812340721")


async def test_a_silent_alarms_number_is_refused_without_the_warning(stage: Stage) -> None:
    """The server asks for the second answer too, whatever a page does."""
    note = {"phone": "13812340721"}
    await stage.database.execute("update households set resident_note = $1 where household_id = 'hh-0302'", note)
    silent = await stage.press("stb-0302", is_silent=True)
    path = f"/api/alarms/{silent.alarm_id}/reveal"
    async with stage.client("zhoumin") as (client, csrf):
        headers = {"X-CSRF-Token": csrf}
        async with client.post(path, json={"contact": "self"}, headers=headers) as answer:
            assert (answer.status, (await answer.json())["error"]["reason"]) == (422, "silent_alarm")
        async with client.post(path, json={"contact": "self", "is_sure": True}, headers=headers) as answer:
            assert (await answer.json())["phone"] == "13812340721"


async def test_a_drill_is_announced_marked_and_stands_last(stage: Stage, page: Page) -> None:
    """While a drill runs every board says so; its alarms are below real ones, in a dashed box, and ring once."""
    real = await stage.press("stb-0301", "water_leak", source="mqtt")
    now = stage.clock.now()
    await start_drill(stage.database, Drill("d1", STREET, now, now + timedelta(hours=1), "防汛疏散", "王站长"))
    await expect(page.locator("#drill")).to_contain_text("演练进行中", timeout=SOON_MS)
    await expect(page.locator("#drill")).to_contain_text("防汛疏散")
    practice = await stage.press("stb-0302")
    await expect(row(page, practice.alarm_id)).to_contain_text("演练　一键报警")
    await expect(page.locator("#queue > li").first).to_have_attribute("data-alarm", real.alarm_id)
    await expect(page.locator("body[data-ringing]")).to_have_count(0)


@pytest.mark.parametrize(
    ("step", "left_s", "sentence", "is_late"),
    [
        ({"kind": "street", "name": "柳湾镇"}, 12, "12 秒后转柳湾镇值班台", False),
        ({"kind": "street", "name": ""}, 12, "12 秒后转镇值班台", False),
        ({"kind": "district", "name": "青溪县"}, 60, "60 秒后转青溪县值班台", False),
        ({"kind": "supervisor", "name": "青溪县"}, 3, "3 秒后转青溪县督办", False),
        ({"kind": "street", "name": "柳湾镇"}, -1, "正在转柳湾镇值班台", False),
        ({"kind": "street", "name": "柳湾镇"}, -12, "应在 12 秒前转柳湾镇值班台，还没有转", True),
    ],
)
async def test_the_next_step_is_one_true_sentence(
    page: Page, step: dict[str, str], left_s: int, sentence: str, is_late: bool
) -> None:
    """Who is asked next and in how many seconds; a step that is overdue is not called done."""
    alarm = {**WAITING, "next_step": {**step, "at_ms": 1_000_000 + left_s * 1000}}
    assert await page.evaluate(SENTENCE, [alarm, 1_000_000, True]) == {"text": sentence, "isLate": is_late}
    if left_s < 0:
        unsure = await page.evaluate(SENTENCE, [alarm, 1_000_000, False])
        assert unsure == {"text": "现在不知道转到哪里了", "isLate": True}


async def test_the_bar_shows_the_alarms_own_chain_and_stops_at_the_signature(stage: Stage, page: Page) -> None:
    """Three bars with the times of this alarm; after 签收 they are gone and the sentence says who signed."""
    raised = await stage.press()
    await expect(page.locator("#detail [data-part=says]")).to_contain_text("秒后转柳湾镇值班台", timeout=SOON_MS)
    await expect(page.locator("#detail [data-part=labels]")).to_have_text("30 秒 镇60 秒 县90 秒 督办")
    await page.keyboard.press("Space")
    await state_becomes(stage, raised.alarm_id, AlarmState.ACKNOWLEDGED)
    await expect(page.locator("#detail [data-part=limits]")).to_be_hidden()
    await expect(page.locator("#detail [data-part=says]")).to_contain_text("周敏 用")


async def test_an_alarm_rings_at_the_street_when_it_comes_up_to_it(stage: Stage, page: Page, browser: Browser) -> None:
    """The street's desk is calm until the escalation reaches it; then it rings there, and everybody reads 已转."""
    await stage.person("street", "陈镇", area_id=STREET)
    await stage.person("chief", "王站长", "supervisor", area_id=STREET)
    street = await stage.signed_in(browser, "street", seat="1")
    chief = await stage.signed_in(browser, "chief", seat="9")
    raised = await stage.press()
    await expect(row(chief, raised.alarm_id)).to_be_visible(timeout=SOON_MS)
    await expect(street.locator("#calm-title")).to_have_text("一切平静")
    await expect(street.locator("#watch")).not_to_contain_text("一键报警")
    await fire(stage, 31)
    await expect(row(street, raised.alarm_id)).to_contain_text("已转柳湾镇", timeout=SOON_MS)
    await expect(street.locator("body")).to_have_attribute("data-ringing", "")
    await expect(row(page, raised.alarm_id)).to_contain_text("已转柳湾镇")
    await expect(page.locator("[data-part=course]")).to_contain_text("没有人签收，已转柳湾镇")


async def test_a_signature_without_progress_rings_again(stage: Stage, page: Page) -> None:
    """When an acknowledgement expires the alarm waits again: it rings, and nobody is said to have it."""
    raised = await stage.press()
    await expect(row(page, raised.alarm_id)).to_be_visible()
    await stage.ledger.step(raised.alarm_id, Action.ACKNOWLEDGE, by=stage.people["liqiang"], version=1)
    await expect(row(page, raised.alarm_id)).to_contain_text("已签收　李强")
    await expect(page.locator("body[data-ringing]")).to_have_count(0)
    await fire(stage, 301)
    await expect(row(page, raised.alarm_id)).to_contain_text("待签收", timeout=SOON_MS)
    await expect(page.locator("body")).to_have_attribute("data-ringing", "")
    await expect(page.locator("[data-part=course]")).to_contain_text("签收后没有进展，重新响铃")


async def test_the_one_who_resolved_is_told_in_words_why_closing_is_refused(stage: Stage, page: Page) -> None:
    """A stale page that tries to close alone gets the reason in the desk's words, and nothing is closed."""
    raised = await stage.press()
    await expect(row(page, raised.alarm_id)).to_be_visible()
    await stage.resolved(raised.alarm_id, stage.people["zhoumin"])
    await expect(row(page, raised.alarm_id)).to_contain_text("待另一人复核")
    await expect(page.locator("[data-slot=close]")).to_be_disabled()
    await page.keyboard.press("j")
    await expect(page.locator("[data-part=wrong] p")).to_have_text("结论是您写的，请另一人复核结案。")
    async with stage.client("zhoumin") as (client, csrf):
        step = {"action": "close", "version": 9, "note": "x"}
        headers = {"X-CSRF-Token": csrf}
        version = (await stage.ledger.alarm(raised.alarm_id)).version
        path = f"/api/alarms/{raised.alarm_id}/steps"
        async with client.post(path, json={**step, "version": version}, headers=headers) as answer:
            assert answer.status == 403
    assert (await stage.ledger.alarm(raised.alarm_id)).state is AlarmState.RESOLVED


async def test_a_home_with_false_alarms_is_verified_before_anybody_is_sent(stage: Stage, page: Page) -> None:
    """From two false alarms in a year on the panel says so, and 派警 waits for 真实; the server holds to it too."""
    zhou, li = stage.people["zhoumin"], stage.people["liqiang"]
    for _ in range(2):
        done = await stage.resolved((await stage.press()).alarm_id, zhou)
        await stage.ledger.step(done.alarm_id, Action.CLOSE, by=li, version=done.version)
    raised = await stage.press()
    await expect(page.locator("[data-part=mind]")).to_have_text("一年内误报 2 次，请先核实再派警", timeout=SOON_MS)
    alarm = await stage.ledger.step(raised.alarm_id, Action.ACKNOWLEDGE, by=zhou, version=1)
    alarm = await stage.ledger.step(
        raised.alarm_id, Action.VERIFY, by=zhou, version=alarm.version, verdict=Verdict.UNCLEAR
    )
    await expect(page.locator("#detail [data-part=state]")).to_contain_text("无法核实")
    await expect(page.locator("[data-slot=dispatch]")).to_be_disabled()
    await page.keyboard.press("p")
    await expect(page.locator("[data-part=wrong] p")).to_contain_text("请先核实再派警")
    path, step = f"/api/alarms/{raised.alarm_id}/steps", {"action": "dispatch", "dispatched_to": "保安"}
    async with stage.client("zhoumin") as (client, csrf):
        headers = {"X-CSRF-Token": csrf}
        async with client.post(path, json={**step, "version": alarm.version}, headers=headers) as answer:
            assert (answer.status, (await answer.json())["error"]["reason"]) == (422, "verify_first")
    await press_until(page, "h", ".ask")
    await page.keyboard.press("1")
    await expect(page.locator("[data-slot=dispatch]")).to_be_enabled()


async def test_a_board_says_who_else_is_there_and_who_is_not_looking(
    stage: Stage, page: Page, browser: Browser
) -> None:
    """Alone is a colour of its own; a covered page is named as covered and does not count as company."""
    await expect(page.locator("#seats")).to_have_text("只有这一席", timeout=SOON_MS)
    other = await stage.signed_in(browser, "liqiang", seat="3")
    await expect(page.locator("#seats")).to_have_text("在席 2", timeout=SOON_MS)
    await cover(other)
    await expect(page.locator("#seats")).to_have_text("只有这一席", timeout=SOON_MS)
    await expect(page.locator("#seats")).to_have_attribute("title", "李强 3 号席　没在看")
    await other.close()
    await expect(page.locator("#seats")).to_have_attribute("title", "本辖区没有别的值班页面开着，或者都没在看")


async def cover(page: Page, is_hidden: bool = True) -> None:
    """Let a page believe that it lies behind another, as a browser says it."""
    await page.evaluate(
        """(isHidden) => {
          Object.defineProperty(document, "hidden", { configurable: true, get: () => isHidden });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        is_hidden,
    )


async def test_a_covered_page_confirms_nothing_and_says_so(stage: Stage, page: Page) -> None:
    """Behind another tab nothing is called seen, and its title says how much waits; in front again it confirms."""
    await cover(page)
    raised = await stage.press()
    await expect(row(page, raised.alarm_id)).to_be_attached()
    await expect(page).to_have_title("（1 起待签收）页面没在看")
    await asyncio.sleep(1.5)
    assert (await stage.ledger.alarm(raised.alarm_id)).state is AlarmState.RAISED
    await cover(page, is_hidden=False)
    await state_becomes(stage, raised.alarm_id, AlarmState.NOTIFIED)
    await expect(page).to_have_title("柳湾值班台")


async def test_nobody_on_duty_is_a_red_line_for_the_supervisor(stage: Stage, page: Page, browser: Browser) -> None:
    """Where a roster is kept and empty now, the supervisor's board says so until somebody is on it."""
    await stage.person("chief", "王站长", "supervisor", area_id=STREET)
    chief = await stage.signed_in(browser, "chief", seat="9")
    now = stage.clock.now()
    await add_shift(stage, "past", now - timedelta(hours=20), now - timedelta(hours=8))
    await expect(chief.locator("#unmanned")).to_contain_text("没有人值班", timeout=SOON_MS)
    await expect(chief.locator("#unmanned")).to_contain_text("柳湾社区")
    await expect(page.locator("#unmanned")).to_be_hidden()
    await add_shift(stage, "now", now - timedelta(hours=1), now + timedelta(hours=8))
    await expect(chief.locator("#unmanned")).to_be_hidden(timeout=SOON_MS)


async def add_shift(stage: Stage, shift_id: str, begins_at: Any, ends_at: Any) -> None:
    async with stage.database.transaction() as connection:
        await duty.add_shifts(connection, [duty.Shift(shift_id, AREA, "周敏", "", "operator", begins_at, ends_at)])
