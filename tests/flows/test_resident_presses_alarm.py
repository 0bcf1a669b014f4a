"""One press, end to end: red key, desk, live picture, 签收, and back on the television."""

import json

import aiohttp
from playwright.async_api import Browser, expect

from gateway.contract import topics
from gateway.contract.alarm_post import TOKEN_HEADER
from gateway.contract.messages import Event
from gateway.contract.times import from_ms
from gateway.store.pool import Database
from tests.kit.community import AREA
from tests.kit.mqtt import peer
from tests.kit.people import PATIENCE_MS, Grandmother, Operator, short_number
from tests.kit.stack import Demo


async def rows(demo: Demo) -> tuple[int, int]:
    """Return how many alarms the ledger holds, and how many presses the newest of them."""
    database = Database(demo.facts["database"], max_size=1)
    await database.start()
    try:
        alarms = await database.fetchval("select count(*) from alarms")
        presses = await database.fetchval("select press_count from alarms order by raised_at desc limit 1")
    finally:
        await database.stop()
    return int(alarms), int(presses)


async def test_a_resident_presses_and_somebody_has_it(demo: Demo, browser: Browser) -> None:
    """The whole main road on real parts, closed by two people; the same press said again adds no second row."""
    home = demo.facts["households"][0]
    operator = await Operator.signs_in(browser, demo)
    grandmother = await Grandmother.sits_down(browser, home["tv_url"])

    await grandmother.holds_the_red_key()
    number = short_number(await grandmother.reads("已送到值班台"))

    await operator.sees(home["name"], "王桂兰")
    await expect(operator.page.locator(".detail, [data-alarm]").filter(has_text=number).first).to_be_visible()
    first = await operator.frame_number()
    await operator.page.wait_for_timeout(700)
    assert await operator.frame_number() > first

    await operator.page.keyboard.press("Space")
    accepted = await grandmother.reads("值班员已受理")
    assert "周敏" in accepted
    assert number in accepted

    before = await rows(demo)
    await say_it_again(demo, home["tv_url"], grandmother.presses[0])
    assert await rows(demo) == before

    await grandmother.page.keyboard.press("Escape")
    await grandmother.reads("已收到您的撤销")
    await operator.sees(home["name"], "撤销")

    await operator.presses("h", ".ask")
    await operator.page.keyboard.press("2")
    await expect(operator.page.locator("[data-slot=close]")).to_have_class("button hot", timeout=PATIENCE_MS)
    await operator.presses("j", ".ask input:focus")
    await operator.page.keyboard.type("老人说按错了")
    await operator.page.keyboard.press("Enter")
    await operator.sees(home["name"], "待另一人复核")

    supervisor = await Operator.signs_in(browser, demo, "supervisor")
    await supervisor.presses("j", ".ask input:focus")
    await supervisor.page.keyboard.press("Enter")
    await expect(operator.page.locator("[role=option]")).to_have_count(0, timeout=PATIENCE_MS)
    await grandmother.reads("这次报警已办完")


async def say_it_again(demo: Demo, tv_url: str, body: dict[str, object]) -> None:
    """Send the press that the page sent once more, by HTTP and by MQTT, and wait for both answers."""
    token = tv_url.rstrip("/").rsplit("=", 1)[-1].rsplit("/", 1)[-1]
    async with aiohttp.ClientSession() as client:
        answer = await client.post(f"{demo.api}api/v1/alarms", json=body, headers={TOKEN_HEADER: token})
        assert answer.status == 200, await answer.text()
    device = str(body["device"])
    passwords = json.loads((demo.folder / "data" / "secrets" / "devices.json").read_text())
    event = Event(
        str(body["id"]), int(str(body["boot"])), int(str(body["seq"])), from_ms(int(str(body["ts"]))), str(body["e"])
    )
    receipts = topics.down_receipt(AREA, device)
    async with peer("127.0.0.1", demo.port_base + 4, device, passwords[device], receipts) as box:
        await box.publish(topics.up_evt(AREA, device), event.encode())
        while True:
            topic, payload = await box.next_message()
            if topic == receipts and json.loads(payload)["seq"] == event.seq:
                return
