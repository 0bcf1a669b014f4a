import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, Route, expect

from gateway.model.alarms import Action, Alarm, Press, Verdict
from gateway.model.ids import new_ulid
from tests.kit.television import AREA, OPERATOR, OTHER_TOKEN, TvServer, serving

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


async def _raised(tv: TvServer, device_id: str = "stb-1", **details: Any) -> Alarm:
    """Raise an alarm as a device of the first household does it over MQTT."""
    now = datetime.now(UTC)
    press = Press(device_id, int(now.timestamp()), 1, "sos", "mqtt", new_ulid(now), now, **details)
    return await tv.ledger.alarm((await tv.ledger.raise_alarm(press)).alarm_id)


async def _name_the_desks(tv: TvServer) -> None:
    """Give the areas above the community their names: the chain of an alarm carries them."""
    for area_id, name in (("110105001000", "柳湾镇"), ("110105000000", "青溪县")):
        await tv.database.execute("insert into areas (area_id, name) values ($1, $2)", area_id, name)


async def test_the_screen_tells_the_escalation_of_the_alarms_own_chain(tv: TvServer, television: Page) -> None:
    """Who is asked next and when, then who was asked, then who signed; an expired signature takes its name along."""
    await _name_the_desks(tv)
    await television.goto(tv.entry)
    await hold_red(television)
    title, second = television.locator("#at"), television.locator("#a2")
    await expect(title).to_have_text("已送到值班台", timeout=8000)
    await expect(second).to_have_text("30 秒没人签收，自动转给柳湾镇。")
    now = datetime.now(UTC)
    assert await tv.ledger.fire_due(now + timedelta(seconds=31), 10)
    await expect(title).to_have_text("已转给柳湾镇值班台", timeout=8000)
    await expect(second).to_have_text("柳湾镇正在接。")
    assert await tv.ledger.fire_due(now + timedelta(seconds=62), 10)
    await expect(title).to_have_text("已转给青溪县值班台", timeout=8000)
    alarm = await tv.ledger.latest_for_household("h-1")
    assert alarm is not None
    await tv.ledger.step(alarm.alarm_id, Action.ACKNOWLEDGE, by=OPERATOR, version=alarm.version)
    await expect(television.locator("#a1")).to_contain_text("周敏", timeout=8000)
    assert await tv.ledger.fire_due(datetime.now(UTC) + timedelta(seconds=301), 10)
    await expect(title).to_have_text("已转给青溪县值班台", timeout=8000)
    assert "周敏" not in await television.locator("#al").inner_text()


async def test_no_step_is_promised_where_nobody_else_is_asked(tv: TvServer, television: Page) -> None:
    """An area without a desk above it: the screen says what it knows and promises nothing."""
    await television.goto(tv.entry)
    await hold_red(television)
    await expect(television.locator("#a2")).to_have_text("有人签收，这里马上显示是谁。", timeout=8000)
    assert "转给" not in await television.locator("#al").inner_text()


async def test_a_drill_says_so_on_every_state(tv: TvServer, television: Page) -> None:
    """While a drill runs, the band stands over the alarm; outside of it, it does not."""
    await tv.database.execute(
        "insert into drills (drill_id, area_id, begins_at, ends_at, started_by)"
        " values ('d-1', $1, now() - interval '1 hour', now() + interval '1 hour', 'p-1')",
        AREA,
    )
    await television.goto(tv.entry)
    await hold_red(television)
    await expect(television.locator("#at")).to_have_text("已送到值班台", timeout=8000)
    await expect(television.locator("#dr")).to_be_visible()
    await expect(television.locator("#dr")).to_have_text("演练　这不是真的险情")
    await tv.database.execute("delete from drills")
    await asyncio.sleep(1.1)  # the ledger may remember it for a second
    await television.goto(f"{tv.url}tv?box={OTHER_TOKEN}")
    await television.evaluate("localStorage.clear()")
    await television.goto(f"{tv.url}tv?box={OTHER_TOKEN}")
    await hold_red(television)
    await expect(television.locator("#at")).to_have_text("已送到值班台", timeout=8000)
    await expect(television.locator("#dr")).to_be_hidden()


async def test_seen_before_recorded_is_told_apart_from_delivered(tv: TvServer, television: Page) -> None:
    """202: first only kept (still sending), then seen by a desk, then recorded with its number."""
    said: dict[str, Any] = {"ok": True, "alarm": None, "unrecorded": True, "seen": False}

    async def answer(route: Route) -> None:
        if said:
            await route.fulfill(status=202, json=said)
        else:
            await route.continue_()

    await television.goto(tv.entry)
    await television.route("**/api/v1/alarms", answer)
    await hold_red(television)
    title = television.locator("#at")
    await expect(title).to_have_text("正在报警……", timeout=4000)
    await asyncio.sleep(1.5)
    await expect(title).to_have_text("正在报警……")
    said["seen"] = True
    await expect(title).to_have_text("值班室已看到", timeout=4000)
    await expect(television.locator("#a1")).to_have_text("正在登记。")
    assert await count_alarms(tv) == 0
    said.clear()
    await expect(title).to_have_text("已送到值班台", timeout=4000)
    assert await count_alarms(tv) == 1


async def test_the_alarm_of_another_device_of_the_home_appears_on_the_screen(tv: TvServer, television: Page) -> None:
    """The button beside the bed was pressed: the TV shows it, can take it back, and shows it no more afterwards."""
    await tv.database.execute(
        "insert into devices (device_id, area_id, household_id, kind, name)"
        " values ('sos-1', $1, 'h-1', 'button', '床头')",
        AREA,
    )
    await television.goto(tv.entry)
    await asyncio.sleep(1.5)
    await expect(television.locator("#al")).to_be_hidden()
    alarm = await _raised(tv, "sos-1")
    await expect(television.locator("#at")).to_have_text("已送到值班台", timeout=8000)
    await expect(television.locator("#f1")).to_have_text(alarm.short_no)
    await television.keyboard.press("Escape")
    await expect(television.locator("#at")).to_have_text("已收到您的撤销", timeout=8000)
    await television.keyboard.press("Escape")
    await asyncio.sleep(2.5)
    await expect(television.locator("#al")).to_be_hidden()


async def test_a_second_press_before_the_first_arrived_loses_neither(tv: TvServer, television: Page) -> None:
    """While the network is away a frightened person presses again: both presses stay written down and arrive."""
    await television.goto(tv.entry)
    await television.route("**/api/v1/alarms", lambda route: route.abort())
    await hold_red(television)
    await expect(television.locator("#at")).to_have_text("正在报警……", timeout=4000)
    await hold_red(television)
    await television.unroute("**/api/v1/alarms")
    await expect(television.locator("#at")).to_have_text("已经报过警了", timeout=8000)
    await expect(television.locator("#a1")).to_contain_text("-001")
    assert await tv.database.fetchval("select press_count from alarms") == 2


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
