"""The database goes away under a whole node: every press is seen, nothing is lost, nothing is double."""

import asyncio
import re
import time

import aiohttp
import psutil
import pytest
from playwright.async_api import Browser, expect

from gateway.alarms.failpoints import VARIABLE
from tests.kit.browser import DESK_SIZE
from tests.kit.outage import PASSWORD, WAYS, Node, box_id, running_node

ALARMS = 50
OUTAGE_S = 20.0
SEEN_WITHIN_S = 2.0
PATIENCE_S = 40.0


async def assert_each_once(node: Node, presses: int) -> None:
    """The ledger holds every press once, each household one alarm, the spool nothing."""
    assert await node.count("select count(*) from alarm_presses") == presses
    assert await node.count("select count(distinct (device_id, boot, seq)) from alarm_presses") == presses
    assert await node.count("select count(*) from alarms") == len({one for one, _ in node.boxes.presses})
    spool = node.gateway.folder / "spool" / "gateway.spool"
    lines = spool.read_text().splitlines()
    kept = [line for line in lines if '"op":"press"' in line or '"op":"cancel"' in line]
    settled = [line for line in lines if '"op":"settled"' in line]
    assert len(kept) == len(settled)


@pytest.mark.parametrize("how", ["hang", "stop"])
async def test_fifty_boxes_press_while_the_database_is_away(how: str) -> None:
    """Each is before an operator within two seconds, seen to its box, recorded once afterwards, and receipted."""
    async with running_node(ALARMS) as node:
        with WAYS[how](node.postgres):
            begun_s = time.monotonic()
            for number in range(ALARMS):
                node.boxes.press(number)
                await asyncio.sleep(0.8 * OUTAGE_S / ALARMS)
            assert await node.boxes.until(lambda one: bool(one.seen_s), 10.0)
            await asyncio.sleep(max(0.0, begun_s + OUTAGE_S - time.monotonic()))
            assert len(node.page.unrecorded) == ALARMS
            assert node.page.was_blind
            assert node.boxes.recorded_receipts == 0
        late = {one.device_id: one.on_desk_s - one.pressed_s for one in node.boxes.presses.values()}
        assert {device: age_s for device, age_s in late.items() if not 0 < age_s < SEEN_WITHIN_S} == {}
        assert await node.boxes.until(lambda one: bool(one.recorded_s), PATIENCE_S)
        await asyncio.sleep(1.0)
        await assert_each_once(node, ALARMS)
        assert node.page.doubles == set()
        assert node.page.status["blind_since_ms"] is None
        assert not [row for row in node.page.rows.values() if row["state"] == "unrecorded"]


async def test_a_person_at_a_browser_sees_it_and_signs_when_it_is_recorded(browser: Browser) -> None:
    """Frozen database, open page: the row with its words, the bar that says that the ledger cannot be read, no calm."""
    async with running_node(2) as node:
        context = await browser.new_context(viewport={"width": DESK_SIZE[0], "height": DESK_SIZE[1]}, locale="zh-CN")
        page = await context.new_page()
        await page.goto(node.desk_url)
        await page.fill("#name", "zhoumin")
        await page.fill("#password", PASSWORD)
        await page.click("button[type=submit]")
        await page.wait_for_selector("[data-link=live]")
        with WAYS["hang"](node.postgres):
            await expect(page.locator("#alert-title")).to_contain_text("读不到账本", timeout=10_000)
            await expect(page.locator("#calm-title")).to_have_text("现在看不到警情")
            node.boxes.press(1)
            row = page.locator("#queue [role=option]").first
            await expect(row).to_contain_text("未登记", timeout=3_000)
            await expect(row).to_contain_text("数据库连不上，已看到，登记后可签收")
            await expect(row).to_contain_text("7号楼 1单元 1")
            await page.reload()
            await expect(page.locator("#queue [role=option]").first).to_contain_text("未登记", timeout=15_000)
        await expect(page.locator("#alert")).to_be_hidden(timeout=20_000)
        await expect(page.locator("[role=option]").filter(has_text="未登记")).to_have_count(0, timeout=20_000)
        await page.locator("#queue [role=option]").first.click()
        await page.keyboard.press("Space")
        await expect(page.locator("[data-state=acknowledged]").first).to_be_visible(timeout=10_000)


@pytest.mark.parametrize("failpoint", ["after_spool_before_puback", "after_record_before_settle"])
async def test_a_gateway_killed_with_a_full_spool_drains_it_once(failpoint: str) -> None:
    """SIGKILL while presses lie in the spool, or between the ledger and the note of it: the next start records each."""
    async with running_node(5) as node:
        node.gateway.stop()
        environment = {VARIABLE: f"{failpoint}:3"}
        await asyncio.to_thread(node.gateway.launch_again, environment)
        with WAYS["stop"](node.postgres):
            for number in range(5):
                node.boxes.press(number)
            if failpoint == "after_spool_before_puback":
                await asyncio.to_thread(node.gateway.wait_until_killed)
                assert len((node.gateway.folder / "spool" / "gateway.spool").read_text().splitlines()) >= 4
            else:
                assert await node.boxes.until(lambda one: bool(one.seen_s), PATIENCE_S)
        if failpoint == "after_record_before_settle":
            await asyncio.to_thread(node.gateway.wait_until_killed)
        await asyncio.to_thread(node.gateway.launch_again)
        assert await node.boxes.until(lambda one: bool(one.recorded_s), PATIENCE_S)
        await asyncio.sleep(1.0)
        await assert_each_once(node, 5)
        assert node.page.doubles == set()


async def until_crossed_out(node: Node) -> None:
    async with asyncio.timeout(10):
        while not any(row["cancelled_ms"] for row in node.page.rows.values()):
            await asyncio.sleep(0.05)


async def test_a_box_that_takes_it_back_meanwhile_is_understood() -> None:
    """Press and cancellation lie in the spool in their order, and are recorded so."""
    async with running_node(1) as node:
        with WAYS["hang"](node.postgres):
            node.boxes.press(0)
            await asyncio.sleep(0.3)
            node.boxes.press(0, 2, "cancelled")
            await until_crossed_out(node)
        assert await node.boxes.until(lambda one: bool(one.recorded_s), PATIENCE_S)
        assert await node.count(f"select count(*) from alarm_presses where device_id = '{box_id(0)}'") == 2
        assert await node.count("select count(*) from alarms where cancelled_by_user_at is not null") == 1


async def not_kept(url: str) -> float:
    """How many messages neither ledger nor spool took, as the gateway's metrics say it."""
    async with aiohttp.ClientSession(url) as client, client.get("/metrics") as answer:
        found = re.search(r'linli_dropped_total\{program="spool",reason="not_kept"\} (\S+)', await answer.text())
    return float(found[1]) if found else 0.0


async def test_a_disk_without_room_leaves_the_press_with_the_box() -> None:
    """Neither database nor disk: nothing is acknowledged, somebody reads why, and the press is recorded afterwards."""
    async with running_node(1) as node:
        folder = node.gateway.folder / "spool"
        with WAYS["stop"](node.postgres):
            # The gateway may write no file longer than this one already is: what a full disk does to a program.
            size = (folder / "gateway.spool").stat().st_size
            own = psutil.Process(node.gateway.process.pid)
            before = own.rlimit(psutil.RLIMIT_FSIZE)
            own.rlimit(psutil.RLIMIT_FSIZE, (size + 10, before[1]))
            node.boxes.press(0)
            await asyncio.sleep(4.0)
            assert not node.boxes.presses[box_id(0), 1].seen_s
            assert await not_kept(node.gateway.url) > 0
            own.rlimit(psutil.RLIMIT_FSIZE, before)
        assert await node.boxes.until(lambda one: bool(one.recorded_s), PATIENCE_S)
        assert node.gateway.process.poll() is None
        await assert_each_once(node, 1)
