"""The story of the bundled app: published by command, approved on a page, opened with a remote control."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from gateway.runtime.settings import load
from gateway.store.pool import Database
from tests.kit import browser as kit
from tests.tv_apps.miniapps.conftest import AREA, LIBRARY, PASSWORD, Console
from tv_apps import app
from tv_apps.settings import SECTIONS

TV_TOKEN = "tv-token-of-the-test"


@pytest.fixture
async def television(
    console: Console, database_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[str]:
    """The television's program on the same database and data folder; the address of one household's television."""
    await _add_household(console.database)
    monkeypatch.setenv("LINLI_DATABASE_DSN", database_dsn)
    monkeypatch.setenv("LINLI_NODE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("LINLI_TV_PORT", "0")
    monkeypatch.setenv("LINLI_DEVELOPER_PORT", "0")
    program = app.build(load(None, *SECTIONS), console.clock)
    for service in program.services:
        await service.start()
    yield program.tv.url
    for service in reversed(program.services):
        await service.stop()


async def _add_household(database: Database) -> None:
    await database.execute(
        "insert into areas (area_id, name, name_en) values ($1, '柳湾社区', 'Liuwan') on conflict do nothing", AREA
    )
    await database.execute(
        "insert into households (household_id, area_id, building, unit, room, address, resident_name, tv_token)"
        " values ('h1', $1, '3', '2', '501', '3号楼 2单元 501', '王桂英', $2)",
        AREA,
        TV_TOKEN,
    )


async def _picture(page: Page, name: str) -> None:
    """Keep a picture where somebody wants to look (LINLI_PICTURES)."""
    folder = os.environ.get("LINLI_PICTURES")
    if folder:
        await page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


async def _sign_in(page: Page, url: str, name: str) -> None:
    await page.goto(url)
    await page.fill("#name", name)
    await page.fill("#password", PASSWORD)
    await page.click("button[type=submit]")


@pytest.mark.browser
@pytest.mark.flow
async def test_the_library_goes_from_the_command_line_to_the_television(
    console: Console, television: str, browser: Browser
) -> None:
    """Published by command; an official reads the report, sees every page and approves; a household opens it."""
    assert await console.publish(await console.packed(LIBRARY)) == 0

    official = await (await browser.new_context(viewport={"width": 1280, "height": 800})).new_page()
    await _sign_in(official, console.server.url, "chenlei")
    await _picture(official, "review_list")
    await official.click("tr[data-app='cn.linli.library'] a")
    await expect(official.locator(".signature")).to_have_text("已核验")
    await expect(official.frame_locator("iframe").first.locator("body")).to_contain_text("书屋")
    await official.wait_for_load_state("networkidle")
    await _picture(official, "submission")
    await official.click("text=批准，上电视")
    await expect(official.locator(".way .done").last).to_contain_text("上电视")
    await _picture(official, "submission_approved")

    tv = await (await browser.new_context(viewport={"width": kit.TV_SIZE[0], "height": kit.TV_SIZE[1]})).new_page()
    await tv.goto(f"{television}tv?box={TV_TOKEN}")
    await tv.goto(f"{television}tv/apps")
    await expect(tv.locator(".on")).to_contain_text("书屋")
    await _picture(tv, "tv_store")
    await tv.keyboard.press("Enter")
    await expect(tv.locator("#s")).to_contain_text("柳湾社区书屋今天开到晚上 8 点")
    await _picture(tv, "tv_library")
    await tv.keyboard.press("Enter")
    await expect(tv.locator("#s")).to_contain_text("一千五百年前的农书")
    await _picture(tv, "tv_book")
    await tv.keyboard.press("r")
    await expect(tv.get_by_text("要报警吗？")).to_be_visible()
    await tv.keyboard.press("Escape")
    await tv.keyboard.press("Backspace")
    await expect(tv.locator(".on")).to_contain_text("齐民要术")
    await tv.keyboard.press("Backspace")
    await expect(tv).to_have_title("小应用")

    await console.database.execute(
        "update miniapp_submissions set package = set_byte(package, 90, get_byte(package, 90) # 1)"
    )
    await tv.keyboard.press("Enter")
    await expect(tv.locator("#s")).to_contain_text("和批准的不一样")
    await _picture(tv, "tv_refused")


@pytest.mark.browser
@pytest.mark.flow
async def test_a_developer_registers_a_key_and_a_token_and_reads_why_an_app_was_rejected(
    console: Console, browser: Browser
) -> None:
    """Keys and tokens are made on the page; a rejection needs a reason, and the developer sees it."""
    page = await (await browser.new_context(viewport={"width": 1280, "height": 800})).new_page()
    await _sign_in(page, console.server.url + "keys", "liuyang")
    await page.fill("[name=public_key]", "not a key")
    await page.click("text=登记公钥")
    await expect(page.locator(".note.bad")).to_contain_text("不是一个公钥")
    await page.click("text=新建令牌")
    token = await page.locator("#token").inner_text()
    await _picture(page, "keys")
    package = await console.packed(LIBRARY)
    assert await console.run("publish", package, "--server", console.server.url, "--token", token) == 0

    official = await (await browser.new_context(viewport={"width": 1280, "height": 800})).new_page()
    await _sign_in(official, console.server.url, "chenlei")
    await official.click("tr[data-app='cn.linli.library'] a")
    await official.click("text=不批准")
    await expect(official.locator("[role=alert]")).to_contain_text("要写原因")
    await official.fill("[name=reason]", "电话是空号，请换成真的。")
    await official.click("text=不批准")

    await page.goto(console.server.url)
    await page.click("tr[data-app='cn.linli.library'] a")
    await expect(page.locator("main, body")).to_contain_text("电话是空号")
    await _picture(page, "rejected")
    await page.goto(console.server.url + "docs?lang=en")
    await _picture(page, "docs")
