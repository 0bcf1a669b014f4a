import asyncio
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, expect

from gateway.model.alarms import Action, Verdict
from tests.kit.television import OPERATOR, TvServer, serving

pytestmark = [pytest.mark.browser]


async def hold_red(page: Page) -> None:
    """Hold the red key until it has been long enough."""
    await page.keyboard.down("r")
    await expect(page.locator("#at")).to_have_text("请继续按住红键")
    await expect(page.locator("#at")).not_to_have_text("请继续按住红键", timeout=8000)
    await page.keyboard.up("r")


async def count_alarms(tv: TvServer) -> int:
    return int(await tv.database.fetchval("select count(*) from alarms"))


async def test_held_red_key_shows_every_step_with_number_and_operator(tv: TvServer, television: Page) -> None:
    """Two seconds on the red key raise one alarm; the screen follows the ledger up to the end, with names."""
    await television.goto(tv.entry)
    await hold_red(television)
    await expect(television.locator("#at")).to_have_text("已送到值班台", timeout=8000)
    alarm = await tv.ledger.latest_for_household("h-1")
    assert alarm is not None and alarm.device_id == "stb-1" and alarm.kind == "sos" and alarm.source == "https"
    await expect(television.locator("#f1")).to_have_text(alarm.short_no)
    alarm = await tv.ledger.step(alarm.alarm_id, Action.ACKNOWLEDGE, by=OPERATOR, version=alarm.version)
    await expect(television.locator("#at")).to_have_text("值班员已受理", timeout=8000)
    await expect(television.locator("#a1")).to_contain_text("周敏")
    alarm = await tv.ledger.step(
        alarm.alarm_id, Action.VERIFY, by=OPERATOR, version=alarm.version, verdict=Verdict.TRUE, note="看到老人摔倒"
    )
    alarm = await tv.ledger.step(
        alarm.alarm_id, Action.DISPATCH, by=OPERATOR, version=alarm.version, dispatched_to="保安 赵勇"
    )
    await expect(television.locator("#at")).to_have_text("已经派人来", timeout=8000)
    await expect(television.locator("#a1")).to_contain_text("赵勇")
    assert await count_alarms(tv) == 1


async def test_short_press_asks_and_ok_raises(tv: TvServer, television: Page) -> None:
    """A short press raises nothing; OK within five seconds does, and BACK or waiting does not."""
    await television.goto(tv.entry)
    await television.keyboard.press("r")
    await expect(television.locator("#at")).to_have_text("要报警吗？")
    await television.keyboard.press("Escape")
    await expect(television.locator("#al")).to_be_hidden()
    await television.keyboard.press("r")
    await expect(television.locator("#al")).to_be_hidden(timeout=8000)
    assert await count_alarms(tv) == 0
    await television.keyboard.press("r")
    await television.keyboard.press("Enter")
    await expect(television.locator("#at")).to_have_text("已送到值班台", timeout=8000)
    assert await count_alarms(tv) == 1


async def test_back_is_a_second_event_and_deletes_nothing(tv: TvServer, television: Page) -> None:
    """BACK after the receipt takes the alarm back as an event of its own; the screen says so once it is recorded."""
    await television.goto(tv.entry)
    await hold_red(television)
    await expect(television.locator("#at")).to_have_text("已送到值班台", timeout=8000)
    await television.keyboard.press("Escape")
    await expect(television.locator("#at")).to_have_text("已收到您的撤销", timeout=8000)
    alarm = await tv.ledger.latest_for_household("h-1")
    assert alarm is not None and alarm.is_open and alarm.cancelled_by_user_at is not None
    kinds = [event.kind for event in await tv.ledger.history(alarm.alarm_id)]
    assert kinds[0] == "raised" and "cancelled" in kinds
    await television.keyboard.press("Escape")
    await expect(television.locator("#al")).to_be_hidden()


async def test_no_receipt_in_ten_seconds_shows_110_and_goes_on_sending(
    populated_dsn: str, tmp_path: Path, television: Page
) -> None:
    """While the server is away the screen says 110; the same press is delivered when it is back, and once."""
    async with serving(populated_dsn, tmp_path) as tv:
        await television.goto(tv.entry)
        port = urlsplit(tv.url).port or 0
    await television.keyboard.down("r")
    await expect(television.locator("#at")).to_have_text("正在报警……", timeout=8000)
    await television.keyboard.up("r")
    await expect(television.locator("#at")).to_have_text("报警还没有送到", timeout=15000)
    await expect(television.locator("#dk-bad")).to_contain_text("110")
    written = json.loads(str(await television.evaluate("localStorage.getItem('linli_alarm')")))
    async with serving(populated_dsn, tmp_path, port=port) as tv:
        await expect(television.locator("#at")).to_have_text("已送到值班台", timeout=15000)
        alarm = await tv.ledger.latest_for_household("h-1")
        press = written["q"][0]
        assert alarm is not None
        assert (alarm.device_id, alarm.boot, alarm.seq) == (press["device"], press["boot"], press["seq"])
        await television.reload()
        await expect(television.locator("#at")).to_have_text("已送到值班台", timeout=8000)
        assert await count_alarms(tv) == 1


async def test_answer_that_got_lost_adds_no_second_row(tv: TvServer, television: Page) -> None:
    """The server commits but its answer is lost on the way: the box sends the same press again, one row stays."""
    lost = 0

    async def lose_twice(route: "object") -> None:
        nonlocal lost
        lost += 1
        if lost <= 2:
            await route.fetch()  # type: ignore[attr-defined]
            await route.abort()  # type: ignore[attr-defined]
        else:
            await route.continue_()  # type: ignore[attr-defined]

    await television.goto(tv.entry)
    await television.route("**/api/v1/alarms", lose_twice)
    await hold_red(television)
    await expect(television.locator("#at")).to_have_text("已送到值班台", timeout=12000)
    assert lost == 3
    assert await count_alarms(tv) == 1
    assert await tv.database.fetchval("select count(*) from alarm_events where kind = 'raised'") == 1


async def test_pressing_again_is_counted_on_the_same_alarm(tv: TvServer, television: Page) -> None:
    """A second press while the alarm is open is said and counted, not a second alarm."""
    await television.goto(tv.entry)
    await hold_red(television)
    await expect(television.locator("#at")).to_have_text("已送到值班台", timeout=8000)
    await hold_red(television)
    await expect(television.locator("#at")).to_have_text("已经报过警了", timeout=8000)
    await asyncio.sleep(1.5)
    alarm = await tv.ledger.latest_for_household("h-1")
    assert alarm is not None and alarm.press_count == 2
    assert await count_alarms(tv) == 1


async def test_alarm_works_with_scripts_off(tv: TvServer, television: Page) -> None:
    """Without scripts the tile opens a page whose button is a form; the state is shown and can be taken back."""
    browser = television.context.browser
    assert browser is not None
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(tv.entry)
    await page.locator("#t9").click()
    await page.locator("#raise").click()
    await expect(page.locator("#at")).to_have_text("已送到值班台")
    alarm = await tv.ledger.latest_for_household("h-1")
    assert alarm is not None
    await expect(page.locator("#f1")).to_have_text(alarm.short_no)
    await tv.ledger.step(alarm.alarm_id, Action.ACKNOWLEDGE, by=OPERATOR, version=alarm.version)
    await expect(page.locator("#at")).to_have_text("值班员已受理", timeout=8000)
    await context.close()


async def test_message_appears_over_the_page_and_is_dismissed(tv: TvServer, television: Page) -> None:
    """A rule's notice is shown over any page until OK or BACK, and not again."""
    from datetime import UTC, datetime, timedelta

    from gateway.model.notices import TvMessage

    await television.goto(tv.entry)
    now = datetime.now(UTC)
    message = TvMessage(
        "m-1", "h-1", "门开了十分钟", "规则：夜里门没关", now, now + timedelta(hours=1), "请看看门关好没有。"
    )
    assert await tv.store.post_message(message)
    assert not await tv.store.post_message(message)
    await expect(television.locator("#ms")).to_be_visible(timeout=8000)
    await expect(television.locator("#mt")).to_have_text("门开了十分钟")
    await television.keyboard.press("Enter")
    await expect(television.locator("#ms")).to_be_hidden()
    await asyncio.sleep(1.5)
    await expect(television.locator("#ms")).to_be_hidden()
    assert await tv.database.fetchval("select seen_at is not null from tv_messages")
