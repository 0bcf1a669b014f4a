"""The board in a real browser: what an operator sees, hears of and does with the keyboard alone."""

import asyncio
from datetime import timedelta

import pytest
from playwright.async_api import Browser, Page, Route, expect

from gateway.model.alarms import AlarmState, Cancellation
from tests.security_video.desk.conftest import Stage

pytestmark = pytest.mark.browser

PATIENCE_S = 15
COUNT_TONES = """() => {
  const start = OscillatorNode.prototype.start;
  document.body.dataset.tones = 0;
  OscillatorNode.prototype.start = function (when) {
    document.body.dataset.tones = Number(document.body.dataset.tones) + 1;
    return start.call(this, when);
  };
}"""


async def state_becomes(stage: Stage, alarm_id: str, state: AlarmState) -> None:
    """Wait until the ledger says so."""
    async with asyncio.timeout(PATIENCE_S):
        while (await stage.ledger.alarm(alarm_id)).state is not state:
            await asyncio.sleep(0.05)


async def tones_reach(page: Page, count: int) -> None:
    """Wait until the page has struck that many oscillators."""
    async with asyncio.timeout(PATIENCE_S):
        while int(await page.evaluate("document.body.dataset.tones")) < count:
            await asyncio.sleep(0.1)


async def press_until(page: Page, key: str, selector: str) -> None:
    """Press a key once and wait for what it opens."""
    await page.keyboard.press(key)
    await page.wait_for_selector(selector)


async def test_a_press_is_on_the_screen_and_the_ledger_knows(stage: Stage, browser: Browser) -> None:
    """An alarm appears with household, resident and number, is selected, and its painting is confirmed."""
    page = await stage.signed_in(browser, "zhoumin")
    await expect(page.locator("#calm-title")).to_have_text("一切平静")
    raised = await stage.press()
    row = page.locator(f'[data-alarm="{raised.alarm_id}"][role=option]')
    await expect(row).to_contain_text("3号楼 2单元 501")
    await expect(row).to_contain_text("王桂兰")
    await expect(row).to_have_attribute("aria-selected", "true")
    number = (await stage.ledger.alarm(raised.alarm_id)).short_no
    await expect(page.locator("#detail")).to_contain_text(number)
    await expect(page.locator("#detail")).to_contain_text("电视红键，按住 2.1 秒，按了 1 次")
    await state_becomes(stage, raised.alarm_id, AlarmState.NOTIFIED)
    await expect(page.locator("#detail [data-part=course]")).to_contain_text("2 号席弹屏")
    await expect(page.locator("#map .struck")).to_have_count(1)
    await expect(page.locator(".views .cam[data-linked=lead]")).to_have_attribute("data-camera", "cam-08")


async def test_a_hidden_page_confirms_nothing(stage: Stage, browser: Browser) -> None:
    """A page that paints nothing does not tell the ledger that a person saw the alarm."""
    page = await stage.signed_in(browser, "zhoumin")
    await page.evaluate("window.requestAnimationFrame = () => 0")
    raised = await stage.press()
    await expect(page.locator(f'[data-alarm="{raised.alarm_id}"][role=option]')).to_be_attached()
    await asyncio.sleep(1.5)
    assert (await stage.ledger.alarm(raised.alarm_id)).state is AlarmState.RAISED


async def test_an_alarm_is_worked_from_signature_to_close_by_keyboard_alone(stage: Stage, browser: Browser) -> None:
    """空格 签收, H 核实, J 结案: each key does its step once, and a second person's J takes it off the board."""
    page = await stage.signed_in(browser, "zhoumin")
    second = await stage.signed_in(browser, "liqiang", seat="3")
    raised = await stage.press()
    await state_becomes(stage, raised.alarm_id, AlarmState.NOTIFIED)
    await expect(page.locator("[data-slot=acknowledge]")).to_be_focused()
    await page.keyboard.press("Space")
    await state_becomes(stage, raised.alarm_id, AlarmState.ACKNOWLEDGED)
    await expect(page.locator("[data-slot=verify]")).to_have_class("button hot")
    await expect(page.locator("[data-slot=verify]")).to_be_focused()
    await press_until(page, "h", ".ask")
    await page.keyboard.press("2")
    await state_becomes(stage, raised.alarm_id, AlarmState.VERIFIED)
    await expect(page.locator("[data-slot=close]")).to_have_class("button hot")
    await press_until(page, "j", ".ask input:focus")
    await page.keyboard.insert_text("按错了，电话里说没事")
    await page.keyboard.press("Enter")
    await state_becomes(stage, raised.alarm_id, AlarmState.RESOLVED)
    await expect(page.locator("[role=option]")).to_contain_text("待另一人复核")
    await expect(page.locator("[data-slot=close]")).to_be_disabled()
    await expect(page.locator("[data-part=mind]")).to_contain_text("结论是您写的，请另一人复核结案")
    await expect(second.locator("[data-slot=close]")).to_have_text("复核结案J")
    await press_until(second, "j", ".ask input:focus")
    await expect(second.locator(".ask")).to_contain_text("周敏")
    await expect(second.locator('.ask [data-value="false"]')).to_have_attribute("aria-pressed", "true")
    await second.keyboard.press("Enter")
    await state_becomes(stage, raised.alarm_id, AlarmState.CLOSED)
    alarm = await stage.ledger.alarm(raised.alarm_id)
    assert (alarm.resolved_name, alarm.closed_name, alarm.verdict, alarm.outcome) == ("周敏", "李强", "false", "false")
    await expect(page.locator("#calm-title")).to_have_text("一切平静")
    await expect(page.locator("#watch")).to_contain_text("已结案：误报")
    await expect(page.locator("#tonight [data-part=closed]")).to_have_text("1")


async def test_somebody_is_sent_and_arrives(stage: Stage, browser: Browser) -> None:
    """P asks who goes, a digit chooses, Enter sends; P again says that they arrived."""
    page = await stage.signed_in(browser, "zhoumin")
    raised = await stage.press()
    await expect(page.locator("[data-slot=acknowledge]")).to_be_focused()
    await page.keyboard.press("Space")
    await expect(page.locator("[data-slot=verify]")).to_be_enabled()
    await press_until(page, "h", ".ask")
    await page.keyboard.press("1")
    await expect(page.locator("[data-slot=dispatch]")).to_be_enabled()
    await press_until(page, "p", ".ask")
    await page.keyboard.press("2")
    await expect(page.locator(".ask input")).to_be_focused()
    await page.keyboard.press("Enter")
    await state_becomes(stage, raised.alarm_id, AlarmState.DISPATCHED)
    assert (await stage.ledger.alarm(raised.alarm_id)).dispatched_to == "网格员"
    await expect(page.locator("[data-slot=dispatch]")).to_contain_text("到场")
    await page.keyboard.press("p")
    await state_becomes(stage, raised.alarm_id, AlarmState.ON_SCENE)


async def test_keys_are_letters_while_somebody_writes(stage: Stage, browser: Browser) -> None:
    """In the note field the desk's keys are ordinary letters; Enter keeps the line in the history."""
    page = await stage.signed_in(browser, "zhoumin")
    raised = await stage.press()
    await expect(page.locator("[data-slot=acknowledge]")).to_be_focused()
    await press_until(page, "n", "[name=note]:focus")
    await page.keyboard.type("hpj says hello")
    await expect(page.locator("[name=note]")).to_have_value("hpj says hello")
    await page.keyboard.press("Enter")
    await expect(page.locator("#detail [data-part=course]")).to_contain_text("hpj says hello")
    assert (await stage.ledger.alarm(raised.alarm_id)).acknowledged_by is None
    assert await page.locator(".ask").count() == 0


async def test_the_slower_operator_reads_who_was_faster(stage: Stage, browser: Browser) -> None:
    """Two boards, one alarm: what one signs, the other shows as owned by name, and its late key says so in words."""
    one = await stage.signed_in(browser, "zhoumin", "1")
    two = await stage.signed_in(browser, "liqiang", "2")
    raised = await stage.press()
    await expect(two.locator("[data-slot=acknowledge]")).to_be_enabled()
    # The other's step is on its way to this board when its key is pressed: hold it back there.
    release = asyncio.Event()

    async def hold(route: object) -> None:
        await release.wait()
        await route.continue_()  # type: ignore[attr-defined]

    await two.route("**/steps", hold)
    await two.keyboard.press("Space")
    await one.keyboard.press("Space")
    await state_becomes(stage, raised.alarm_id, AlarmState.ACKNOWLEDGED)
    release.set()
    await expect(two.locator("[data-part=wrong] p")).to_contain_text("周敏")
    await expect(two.locator("#detail")).to_contain_text("已签收")
    assert (await stage.ledger.alarm(raised.alarm_id)).acknowledged_name == "周敏"


async def test_the_signature_counts_when_the_key_goes_down_and_once(stage: Stage, browser: Browser) -> None:
    """A panel that is drawn anew while the key is held loses no 签收, and the key's way up presses nothing else."""
    page = await stage.signed_in(browser, "zhoumin")
    raised = await stage.press()
    await expect(page.locator("[data-slot=acknowledge]")).to_be_focused()
    await page.keyboard.down("Space")
    await state_becomes(stage, raised.alarm_id, AlarmState.ACKNOWLEDGED)
    await page.wait_for_selector("[data-slot=verify].hot")
    await page.keyboard.up("Space")
    await asyncio.sleep(0.3)
    await expect(page.locator(".ask")).to_have_count(0)
    assert (await stage.ledger.alarm(raised.alarm_id)).state is AlarmState.ACKNOWLEDGED


async def test_a_late_answer_does_not_take_away_the_next_question(stage: Stage, browser: Browser) -> None:
    """The feed may be faster than the answer to a step: what the operator has begun by then stays open."""
    page = await stage.signed_in(browser, "zhoumin")
    raised = await stage.press()
    await expect(page.locator("[data-slot=acknowledge]")).to_be_focused()
    await press_until(page, "Space", "[data-slot=verify].hot")
    release, answered = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        answer = await route.fetch()
        await release.wait()
        await route.fulfill(response=answer)
        answered.set()

    await page.route("**/steps", hold)
    await press_until(page, "h", ".ask")
    await page.keyboard.press("2")
    await state_becomes(stage, raised.alarm_id, AlarmState.VERIFIED)
    await expect(page.locator("[data-slot=close]")).to_have_class("button hot")
    await press_until(page, "j", ".ask input:focus")
    await page.keyboard.type("按错")
    release.set()
    await answered.wait()
    await asyncio.sleep(0.3)  # the page has taken the answer
    await expect(page.locator(".ask input")).to_have_value("按错")
    await expect(page.locator(".ask input")).to_be_focused()


async def test_a_lost_line_is_loud_and_an_empty_board_is_not_called_calm(stage: Stage, browser: Browser) -> None:
    """Without the line the board says so, since when and what to do; back again it shows what happened meanwhile."""
    page = await stage.signed_in(browser, "zhoumin")
    await expect(page.locator("#calm-title")).to_have_text("一切平静")
    server = stage.desk.server
    await server.stop()
    await expect(page.locator("#alert")).to_be_visible(timeout=PATIENCE_S * 1000)
    await expect(page.locator("#alert")).to_contain_text("和服务器断开")
    await expect(page.locator("#calm-title")).to_have_text("现在看不到警情")
    await expect(page.locator('#health [data-key="alarms"]')).to_have_attribute("data-level", "lost")
    raised = await stage.press()
    await server.start()
    await expect(page.locator(f'[data-alarm="{raised.alarm_id}"][role=option]')).to_be_visible(
        timeout=PATIENCE_S * 1000
    )
    await expect(page.locator("#alert")).to_be_hidden()


async def test_an_ended_session_is_told_and_leads_to_the_login(stage: Stage, browser: Browser) -> None:
    """When the account's sessions end, the board says that it is blind and offers the login, not an endless wait."""
    page = await stage.signed_in(browser, "zhoumin")
    await stage.accounts.set_password("zhoumin", "another long night here")
    await stage.desk.server.stop()
    await stage.desk.server.start()
    await expect(page.locator("#sign-in")).to_be_visible(timeout=PATIENCE_S * 1000)
    await expect(page.locator("#alert-title")).to_have_text("登录已经结束")


async def test_names_and_notes_stay_text(stage: Stage, browser: Browser) -> None:
    """Markup in a name, an address, a tag or a note is shown as it is written and never becomes an element."""
    evil = '<img src=x onerror="document.title=1"><b>王</b>'
    note = {"tags": [evil], "phone": "13812345678", "contacts": [{"name": evil, "relation": evil, "phone": "1"}]}
    update = "update households set resident_name = $1, address = $1, resident_note = $2 where household_id = 'hh-0301'"
    await stage.database.execute(update, evil, note)
    page = await stage.signed_in(browser, "zhoumin")
    raised = await stage.press()
    await expect(page.locator("[role=option]")).to_contain_text("<b>王</b>")
    await expect(page.locator("#detail .household")).to_contain_text("onerror")
    people = await stage.accounts.people()
    await stage.ledger.add_note(raised.alarm_id, evil, by=people[0].person)
    await expect(page.locator("#detail [data-part=course]")).to_contain_text("onerror")
    assert await page.locator("#main img").count() == 0
    assert await page.title() != "1"


async def test_a_new_alarm_does_not_take_away_what_is_in_hand(stage: Stage, browser: Browser) -> None:
    """While an operator works on an alarm, the next one joins the queue and rings, and the panel stays."""
    page = await stage.signed_in(browser, "zhoumin")
    first = await stage.press()
    await expect(page.locator("[data-slot=acknowledge]")).to_be_focused()
    await page.keyboard.press("Space")
    await state_becomes(stage, first.alarm_id, AlarmState.ACKNOWLEDGED)
    await expect(page.locator("[data-slot=verify]")).to_be_enabled()
    await press_until(page, "h", ".ask")
    second = await stage.press("stb-0302")
    await expect(page.locator(f'[data-alarm="{second.alarm_id}"][role=option]')).to_be_visible()
    await expect(page.locator("#detail")).to_have_attribute("data-alarm", first.alarm_id)
    await expect(page.locator(".ask")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("g")
    await expect(page.locator("#detail")).to_have_attribute("data-alarm", second.alarm_id)


async def test_a_storm_is_shown_whole_and_leaves_the_panel_alone(stage: Stage, browser: Browser) -> None:
    """Forty alarms at once are all in the queue and all confirmed; the first level 1 stays in the panel."""
    page = await stage.signed_in(browser, "zhoumin")
    first = await stage.press()
    await expect(page.locator("#detail")).to_have_attribute("data-alarm", first.alarm_id)
    boxes = [f"stb-030{number}" for number in range(1, 9)]
    kinds = ("sos", "smoke", "gas", "water_leak", "intrusion")
    raised = [await stage.press(box, kind) for box in boxes for kind in kinds]
    await expect(page.locator("#queue > li")).to_have_count(len({one.alarm_id for one in raised}))
    for one in raised:
        await state_becomes(stage, one.alarm_id, AlarmState.NOTIFIED)
    await expect(page.locator("#detail")).to_have_attribute("data-alarm", first.alarm_id)
    levels = await page.evaluate(
        "[...document.querySelectorAll('#queue > li')].map((row) => Number(row.dataset.level))"
    )
    assert levels == sorted(levels)


async def test_a_household_that_takes_it_back_is_still_verified(stage: Stage, browser: Browser) -> None:
    """A cancellation changes the title to 用户撤销 待核实 and leaves the alarm open for a person."""
    page = await stage.signed_in(browser, "zhoumin")
    raised = await stage.press()
    await expect(page.locator("[role=option]")).to_contain_text("一键报警")
    await stage.ledger.cancel(Cancellation("stb-0301", 1, 99, "event-cancel", stage.clock.now(), "https"))
    await expect(page.locator("[role=option]")).to_contain_text("用户撤销待核实")
    assert (await stage.ledger.alarm(raised.alarm_id)).is_open


async def test_a_late_alarm_says_how_late(stage: Stage, browser: Browser) -> None:
    """An alarm that waited in a box says so: 迟到, with its time."""
    page = await stage.signed_in(browser, "zhoumin")
    await stage.press(at=stage.clock.now() - timedelta(seconds=42), late_by_s=42)
    await expect(page.locator("#detail [data-part=came]")).to_contain_text("迟到 42 秒")


async def test_the_theme_is_kept_for_the_person(stage: Stage, browser: Browser) -> None:
    """Light and dark are chosen in the menu and are there again after a reload; English is a switch away."""
    page = await stage.signed_in(browser, "zhoumin")
    await page.click("#operator")
    await page.click('[data-choice="light"]')
    await page.reload()
    await page.wait_for_selector("[data-link=live]")
    assert await page.evaluate("document.documentElement.dataset.theme") == "light"
    await page.goto(f"{stage.url}?lang=en")
    await expect(page.locator("#calm-title")).to_have_text("All is calm")


async def test_the_bell_rings_until_somebody_signs(stage: Stage, browser: Browser) -> None:
    """Level 1 rings again and again until 签收; a second level rings once and not on."""
    page = await stage.signed_in(browser, "zhoumin")
    await page.evaluate(COUNT_TONES)
    await page.click("#clock")  # the gesture that a browser asks for
    await expect(page.locator("#sound")).to_have_attribute("data-on", "yes")
    raised = await stage.press()
    await tones_reach(page, 8)  # two tones of two oscillators, twice
    await page.keyboard.press("Space")
    await state_becomes(stage, raised.alarm_id, AlarmState.ACKNOWLEDGED)
    await expect(page.locator("body[data-ringing]")).to_have_count(0)
    before = int(await page.evaluate("document.body.dataset.tones"))
    await stage.press("stb-0302", "smoke", source="mqtt")
    await tones_reach(page, before + 2)
    await asyncio.sleep(3)
    assert int(await page.evaluate("document.body.dataset.tones")) == before + 2


async def test_a_bell_that_cannot_be_heard_is_not_called_on(stage: Stage, strict_browser: Browser) -> None:
    """Where the browser holds sound back until a click, the bar says so, and the click opens it."""
    page = await stage.signed_in(strict_browser, "zhoumin")
    await page.goto(f"{stage.url}?lang=zh")
    await page.wait_for_selector("[data-link=live]")
    await expect(page.locator("#sound")).to_have_attribute("data-on", "no")
    await expect(page.locator("#sound")).to_contain_text("没开")
    await page.click("#sound")
    await expect(page.locator("#sound")).to_have_attribute("data-on", "yes")


@pytest.mark.parametrize("size", [(1920, 1080), (1366, 768)])
async def test_nothing_is_cut_off(stage: Stage, browser: Browser, size: tuple[int, int]) -> None:
    """At both sizes the page does not scroll sideways and no text of queue, panel or bar runs out of its box."""
    page = await stage.signed_in(browser, "zhoumin", size=size)
    await stage.press("stb-0302", "smoke", source="mqtt")
    await stage.press()
    await expect(page.locator("#detail .household")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= size[0]
    cut = await page.evaluate(
        """() => [...document.querySelectorAll('.top *, .queue *, .detail *')]
            .filter((e) => e.children.length === 0 && e.textContent.trim() && e.getClientRects().length)
            .filter((e) => !(e instanceof SVGElement) && e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0)
            .map((e) => e.className + ': ' + e.textContent)"""
    )
    assert cut == []
