"""The silent alarm of a television: the desk knows, the screen does not, whoever stands beside it."""

import asyncio
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Page, Route, expect

from gateway.model.alarms import Action, Press
from gateway.model.ids import new_ulid
from tests.kit.television import OPERATOR, OTHER_TOKEN, TOKEN, TvServer
from tests.kit.tv_gallery import PAGES, html_of, looks

pytestmark = [pytest.mark.browser]

KEYS = "2580"
#: What would betray it to somebody who reads the screen, the page or the traffic over the resident's shoulder.
HINTS = re.compile(r"silent|duress|coerc|covert|静默|无声|胁迫|劫持|暗号", re.IGNORECASE)


async def choose_keys(tv: TvServer, digits: str = KEYS) -> None:
    await tv.database.execute("update households set silent_keys = $1 where household_id = 'h-1'", digits)


async def silent_alarms(tv: TvServer) -> int:
    return int(await tv.database.fetchval("select count(*) from alarms where is_silent"))


async def until_silent(tv: TvServer, count: int = 1) -> None:
    async with asyncio.timeout(10):
        while await silent_alarms(tv) < count:
            await asyncio.sleep(0.05)


async def press_all(page: Page, keys: Sequence[str], pause_s: float = 0) -> None:
    for key in keys:
        await page.keyboard.press(key)
        await asyncio.sleep(pause_s)


async def _film(page: Page, tv: TvServer) -> list[bytes]:
    """Press the digits as somebody does who looks at each page, and return what the screen showed after each."""
    await page.goto(tv.entry)
    pictures = []
    for key in KEYS:
        await page.keyboard.press(key)
        await expect(page).to_have_url(f"{tv.url}tv/s/{key}")
        await asyncio.sleep(0.2)
        pictures.append(await page.screenshot())
    for _ in range(3):
        await asyncio.sleep(0.7)
        pictures.append(await page.screenshot())
    return pictures


async def test_the_screen_is_the_same_to_the_pixel_with_and_without_the_sequence(
    tv: TvServer, television: Page
) -> None:
    """The same digits in a home without and with a sequence: every picture is equal, and only one raises an alarm."""
    for _ in range(2):  # a minute may end between the two films; then the clock on the screen differs
        await choose_keys(tv, "")
        minute = datetime.now(UTC).minute
        without = await _film(television, tv)
        assert await silent_alarms(tv) == 0
        await choose_keys(tv)
        with_keys = await _film(television, tv)
        await until_silent(tv)
        if datetime.now(UTC).minute == minute:
            break
        await tv.database.execute("update alarms set state = 'closed', version = version + 1")
    assert with_keys == without
    row = await tv.database.fetchrow("select device_id, kind, source, is_silent, suspicion, press_count from alarms")
    assert row is not None and tuple(row) == ("stb-1", "sos", "https", True, "", 1)
    await expect(television.locator("#al")).to_be_hidden()


@pytest.mark.parametrize(("pause_s", "slower"), [(0, 1), (0.3, 1), (1.1, 1), (0.3, 6), (0.6, 6)])
async def test_digits_count_however_fast_they_come_and_slow_the_box_is(
    tv: TvServer, television: Page, pause_s: float, slower: float
) -> None:
    """Typed in one breath or over four pages, on a fast box and on one that is six times slower: one alarm."""
    await choose_keys(tv)
    protocol = await television.context.new_cdp_session(television)
    await protocol.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    await television.goto(tv.entry)
    await press_all(television, KEYS, pause_s)
    await until_silent(tv)
    await asyncio.sleep(1.5)
    assert await tv.database.fetchval("select press_count from alarms") == 1


async def test_a_digit_that_may_begin_the_sequence_opens_its_section_a_moment_later(
    tv: TvServer, television: Page
) -> None:
    """The others open at once, as everywhere; an arrow or OK after a digit opens it first."""
    await choose_keys(tv)
    await television.goto(tv.entry)
    await television.keyboard.press("7")
    await expect(television).to_have_url(f"{tv.url}tv/s/7", timeout=700)
    await television.keyboard.press("2")
    await asyncio.sleep(0.5)
    assert television.url == f"{tv.url}tv/s/7"
    await expect(television).to_have_url(f"{tv.url}tv/s/2", timeout=2000)
    await television.keyboard.press("2")
    await television.keyboard.press("6")
    await expect(television).to_have_url(f"{tv.url}tv/s/6", timeout=700)
    await television.keyboard.press("2")
    await television.keyboard.press("ArrowDown")
    await expect(television).to_have_url(f"{tv.url}tv/s/2", timeout=700)
    assert await silent_alarms(tv) == 0


async def test_other_digits_another_order_and_a_slow_hand_are_no_alarm(tv: TvServer, television: Page) -> None:
    """Nearly right is nothing; the right digits over more than five seconds are nothing; another home's are nothing."""
    await choose_keys(tv)
    await television.goto(tv.entry)
    for wrong in ("2508", "258", "580", "0258"):
        await press_all(television, wrong, 0.05)
        await press_all(television, "1")
    await press_all(television, "258", 0.05)
    await asyncio.sleep(5.2)
    await press_all(television, "0")
    await asyncio.sleep(1.5)  # the digit opens its page when it can no longer go on as a sequence
    await television.goto(f"{tv.url}tv?box={OTHER_TOKEN}")
    await press_all(television, KEYS, 0.05)
    await asyncio.sleep(1.5)
    assert await silent_alarms(tv) == 0
    await television.goto(tv.entry)
    await press_all(television, "9", 0.8)
    await press_all(television, KEYS, 0.05)
    await until_silent(tv)


async def test_it_works_behind_the_alarm_layer_and_tells_it_nothing(tv: TvServer, television: Page) -> None:
    """While a loud alarm is shown the digits do nothing to be seen, and still call; BACK reaches the loud one."""
    await choose_keys(tv)
    await television.goto(tv.entry)
    await television.keyboard.press("r")
    await television.keyboard.press("Enter")
    await expect(television.locator("#at")).to_have_text("已送到值班台", timeout=8000)
    await press_all(television, KEYS, 0.05)
    await until_silent(tv)
    await expect(television.locator("#at")).to_have_text("已送到值班台")
    await television.keyboard.press("Escape")
    await expect(television.locator("#at")).to_have_text("已收到您的撤销", timeout=8000)
    rows = await tv.database.fetch("select is_silent, cancelled_by_user_at is null from alarms order by is_silent")
    assert [tuple(row) for row in rows] == [(False, False), (True, True)]


async def test_it_is_written_down_while_the_network_is_away_and_arrives_once(tv: TvServer, television: Page) -> None:
    """Nothing tells that it was not delivered; it waits in the box under its identity, also over a restart."""
    await choose_keys(tv)
    await television.goto(tv.entry)
    await television.route("**/tv/s/*", lambda route: route.fulfill(status=204))
    await television.route("**/api/v1/alarms", lambda route: route.abort())
    await press_all(television, KEYS, 0.1)
    await asyncio.sleep(2.5)
    await expect(television.locator("#al")).to_be_hidden()
    written = json.loads(str(await television.evaluate("localStorage.getItem('linli_s')")))
    assert [one["e"] for one in written] == ["sos_silent"]
    await television.reload()
    await television.unroute("**/api/v1/alarms")
    await until_silent(tv)
    row = await tv.database.fetchrow("select device_id, boot, seq, event_id from alarms")
    assert row is not None and tuple(row) == tuple(written[0][name] for name in ("device", "boot", "seq", "id"))
    await asyncio.sleep(1.5)
    assert await television.evaluate("localStorage.getItem('linli_s')") == "[]"
    assert await tv.database.fetchval("select count(*) from alarm_presses") == 1


async def test_a_database_that_is_away_is_no_reason_to_forget(tv: TvServer, television: Page) -> None:
    """202 is no receipt: the box says it again until it is recorded, and shows nothing of all that."""
    said: dict[str, Any] = {"ok": True, "alarm": None, "unrecorded": True, "seen": True}

    async def answer(route: Route) -> None:
        await (route.fulfill(status=202, json=said) if said else route.continue_())

    await choose_keys(tv)
    await television.goto(tv.entry)
    await television.route("**/api/v1/alarms", answer)
    await press_all(television, KEYS, 0.3)
    await asyncio.sleep(2.5)
    await expect(television.locator("#al")).to_be_hidden()
    assert await silent_alarms(tv) == 0
    said.clear()
    await until_silent(tv)
    await expect(television.locator("#al")).to_be_hidden()


async def test_keys_pressed_while_a_page_is_still_coming_are_not_lost(tv: TvServer, television: Page) -> None:
    """A slow box: the page trickles in, and its digits and its red key count from the first byte on."""
    await choose_keys(tv)
    body = asyncio.Event()

    async def slowly(route: Route) -> None:
        answer = await route.fetch()
        html = await answer.text()
        # The script comes at once, the rest of the page behind a picture of a stylesheet that takes its time.
        slow = html.replace(
            "<title>", '<link rel="stylesheet" href="/slow.css"><script src="/tv/slow.js"></script><title>'
        )
        await route.fulfill(response=answer, body=slow, headers={"content-type": "text/html"})

    async def wait(route: Route) -> None:
        await body.wait()
        await route.fulfill(status=200, body="", content_type="text/javascript")

    await television.goto(tv.entry)
    await television.route("**/tv/s/7", slowly)
    await television.route("**/slow.css", lambda route: route.fulfill(status=200, body="", content_type="text/css"))
    await television.route("**/slow.js", wait)
    coming = asyncio.create_task(television.goto(f"{tv.url}tv/s/7"))
    await asyncio.sleep(1.0)
    await press_all(television, KEYS, 0.05)
    await television.keyboard.down("r")
    await asyncio.sleep(0.3)
    body.set()
    await coming
    await until_silent(tv)
    await expect(television.locator("#at")).to_have_text("已送到值班台", timeout=8000)
    await television.keyboard.up("r")


async def test_no_page_and_no_answer_of_the_television_knows_of_it(tv: TvServer) -> None:
    """With a silent alarm that an operator has signed, every page says what it said before it."""
    await choose_keys(tv)
    paths = ["home", *(f"s/{digit}" for digit in range(10)), "my/alarms", "my/devices", "alarm", "more", "help", "live"]
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(base_url=tv.url, cookie_jar=jar) as box:
        await box.get(f"/tv?box={TOKEN}")

        async def read() -> dict[str, str]:
            found = {path: await (await box.get(f"/tv/{path}")).text() for path in paths}
            return {path: re.sub(r"data-now='\d+'", "", html) for path, html in found.items()}

        before = await read()
        now = datetime.now(UTC)
        press = Press("stb-1", 1, 1, "sos", "https", new_ulid(now), now, is_silent=True)
        alarm = await tv.ledger.alarm((await tv.ledger.raise_alarm(press)).alarm_id)
        await tv.ledger.step(alarm.alarm_id, Action.ACKNOWLEDGE, by=OPERATOR, version=alarm.version)
        after = await read()
        assert [path for path in paths if after[path] != before[path]] == [] or now.minute != datetime.now(UTC).minute
        assert not any(HINTS.search(html) or alarm.short_no in html for html in after.values())
        news = await (await box.get("/api/v1/tv/now")).json()
        assert news["alarm"] is None
        for path in (f"/tv/alarm/{alarm.alarm_id}", f"/api/v1/alarms/{alarm.alarm_id}"):
            assert (await box.get(path)).status == 404
        taken_back = await box.post(f"/tv/alarm/{alarm.alarm_id}/cancel")
        assert taken_back.status == 404
        assert await tv.database.fetchval("select cancelled_by_user_at is null from alarms")


def test_no_page_in_any_look_holds_a_hint() -> None:
    """Every page of the portal, in every size, language and tier."""
    for look in looks():
        assert [name for name in PAGES if HINTS.search(html_of(name, look))] == []
