"""The report's page: who sees which figures, the month's file, and figures that renew themselves."""

import csv
import io
import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, expect

from gateway.model.registry import Area
from gateway.store import registry
from tests.kit import months
from tests.security_video.desk.conftest import AREA, ELSEWHERE, Stage

ZONE = ZoneInfo("Asia/Shanghai")
STREET = "110105001000"
EVIL = "=cmd|' /C calc'!A0"
JUNE = datetime(2026, 6, 3, 12, tzinfo=ZONE)


def signed(number: int, after_s: float, at: datetime = JUNE, area_id: str = AREA, **facts: Any) -> dict[str, Any]:
    """Return a closed alarm that was signed after so many seconds."""
    done = {"state": "closed", "acknowledged_at": at + timedelta(seconds=after_s), "acknowledged_name": "周敏"}
    return months.row(number, at, area_id, **{**done, "outcome": "false", **facts})


async def put_areas(stage: Stage) -> None:
    async with stage.database.transaction() as connection:
        await registry.put_area(connection, Area(STREET, "柳湾镇", "Liuwan Town"))
        await registry.put_area(connection, Area(ELSEWHERE, "河西社区", "Hexi"))


async def text_of(stage: Stage, name: str, path: str, status: int = 200) -> str:
    async with stage.client(name) as (client, _csrf), client.get(path) as answer:
        assert answer.status == status, path
        return await answer.text()


async def test_only_the_desk_reads_the_report(stage: Stage) -> None:
    """Strangers are sent to the login, an official is refused, on every address of the report."""
    await stage.person("chenlei", "陈磊", "official")
    for path in ("/report", "/report/figures", "/report/table.csv?month=2026-06"):
        await text_of(stage, "chenlei", path, 403)
        await text_of(stage, "zhoumin", path)


async def test_an_area_is_asked_only_by_those_who_may_see_it(stage: Stage) -> None:
    """An operator asks for neither street nor neighbour; the street sees both, together and each alone."""
    await put_areas(stage)
    await stage.person("chief", "陈队", "supervisor", area_id=STREET)
    await months.put(stage.database, [signed(1, 5), signed(2, 5, area_id=ELSEWHERE), signed(3, 50, area_id=ELSEWHERE)])
    for area in (STREET, ELSEWHERE):
        for path in ("/report?month=2026-06", "/report/figures?month=2026-06", "/report/table.csv?month=2026-06"):
            await text_of(stage, "zhoumin", f"{path}&area={area}", 403)
    expected = {"": "66.7%", f"&area={STREET}": "66.7%", f"&area={AREA}": "100%", f"&area={ELSEWHERE}": "50.0%"}
    for more, share in expected.items():
        page = await text_of(stage, "chief", f"/report?month=2026-06{more}")
        assert f"2026 年 6 月 {share} 在 30 秒内签收" in page
    assert "2026 年 6 月 100% 在 30 秒内签收（1 起中 1 起）" in await text_of(stage, "zhoumin", "/report?month=2026-06")


@pytest.mark.parametrize("query", ["month=2026-13", "month=June", "period=year", "area=1101", "colour=red"])
async def test_a_period_that_is_none_is_refused(stage: Stage, query: str) -> None:
    """What cannot be a month, a period or an area is refused with 422 and read from no table."""
    await text_of(stage, "zhoumin", f"/report/figures?{query}", 422)


async def test_an_empty_month_says_so(stage: Stage) -> None:
    """No alarms is a sentence and dashes, not a hundred per cent, in both languages."""
    page = await text_of(stage, "zhoumin", "/report/figures?month=2025-01")
    assert "2025 年 1 月没有警情。" in page and "100%" not in page
    assert "2025-01: no alarms." in await text_of(stage, "zhoumin", "/report/figures?month=2025-01&lang=en")


async def test_silent_alarms_are_counted_and_never_placed(stage: Stage) -> None:
    """The page counts them and shows no address and no resident of any alarm, open or closed."""
    rows = [
        signed(1, 5, is_silent=True, household_id="hh-0301"),
        months.row(2, JUNE, AREA, household_id="hh-0301", is_silent=True),
    ]
    await months.put(stage.database, rows)
    page = await text_of(stage, "zhoumin", "/report?month=2026-06")
    assert re.search(r"<dt>静默报警</dt><dd>2</dd>", page)
    household = await registry.household(stage.database, "hh-0301")
    assert household is not None
    for secret in (household.address, household.resident_name, "hh-0301", "501"):
        assert secret not in page


async def test_the_months_file_has_a_line_for_each_alarm_and_names_no_household(stage: Stage) -> None:
    """Words instead of codes, times by the wall clock, no formula, practice left out, on record."""
    facts: dict[str, Any] = {
        "dispatched_at": JUNE + timedelta(minutes=6),
        "dispatched_to": EVIL,
        "resolved_at": JUNE + timedelta(minutes=36),
    }
    rows = [
        signed(1, 12.34, household_id="hh-0301", cancelled_by_user_at=JUNE, escalation_level=2, **facts),
        signed(2, 5, JUNE + timedelta(hours=1), suspicion="unsigned", late_by_s=42, is_silent=True),
        signed(3, 5, is_drill=True),
        signed(4, 5, datetime(2026, 7, 1, tzinfo=ZONE)),
    ]
    await months.put(stage.database, rows)
    async with stage.client("zhoumin") as (client, _csrf), client.get("/report/table.csv?month=2026-06") as answer:
        assert answer.headers["Content-Disposition"] == f'attachment; filename="linli-2026-06-{AREA}.csv"'
        raw = await answer.read()
    assert raw.startswith(b"\xef\xbb\xbf")
    text = raw.decode("utf-8-sig")
    first, second = csv.DictReader(io.StringIO(text))
    assert (first["警情号"], first["社区"], first["送达时间"]) == (
        "A20260603-000001",
        "柳湾社区",
        "2026-06-03 12:00:00",
    )
    assert (first["签收用时（秒）"], first["出警用时（秒）"], first["反馈用时（秒）"]) == ("12.3", "360.0", "1800.0")
    assert (first["结果"], first["转到"], first["用户撤销"], first["派谁去"]) == ("误报", "县", "是", "'" + EVIL)
    assert (second["身份可疑"], second["迟到（秒）"], second["用户撤销"]) == ("没有签名", "42", "")
    for secret in ("王", "hh-", "301", "501", "单元"):
        assert secret not in text
    [entry] = [one for one in await stage.accounts.audit(AREA) if one.action == "report_downloaded"]
    assert (entry.person_name, entry.details) == ("zhoumin", {"month": "2026-06", "rows": 2})
    await text_of(stage, "zhoumin", "/report/table.csv?period=day", 404)


async def test_a_responders_name_stays_text(stage: Stage) -> None:
    """Markup in what an operator has typed is shown as it was written."""
    facts: dict[str, Any] = {
        "dispatched_at": JUNE,
        "dispatched_to": "<img src=x onerror=alert(1)>",
        "resolved_at": JUNE,
    }
    await months.put(stage.database, [signed(1, 5, **facts)])
    page = await text_of(stage, "zhoumin", "/report?month=2026-06")
    assert "<img" not in page and "&lt;img src=x" in page


@pytest.mark.browser
async def test_figures_change_when_an_alarm_is_signed(stage: Stage, browser: Browser) -> None:
    """A press and its signature appear on an open page without a reload; the page says aloud that an alarm waits."""
    page = await stage.signed_in(browser, "zhoumin")
    await page.goto(f"{stage.url}report?period=day")
    await expect(page.locator("#result")).to_have_text("今天没有警情。")
    raised = await stage.press()
    await expect(page.locator("#waiting")).to_be_visible()
    await expect(page.locator("#waiting-title")).to_have_text("有 1 起警情等签收")
    await expect(page.locator("#result")).to_contain_text("今天有 1 起警情")
    await expect(page.locator("[data-card=quick] b")).to_have_text("—")
    async with stage.client("liqiang") as (client, csrf):
        step = {"action": "acknowledge", "version": (await stage.ledger.alarm(raised.alarm_id)).version}
        path = f"/api/alarms/{raised.alarm_id}/steps"
        async with client.post(path, json=step, headers={"X-CSRF-Token": csrf}) as answer:
            assert answer.status == 200, await answer.text()
    await expect(page.locator("[data-card=quick] b")).to_have_text("100%")
    await expect(page.locator("#waiting")).to_be_hidden()
    first = page.locator("[data-scale=sign] tbody tr").first
    await expect(first).to_contain_text("100%1")
    # This page draws no alarm: it must not have told the ledger that somebody has seen it.
    assert (await stage.ledger.alarm(raised.alarm_id)).notified_at is None


@pytest.mark.browser
async def test_old_figures_are_never_shown_as_new_ones(stage: Stage, browser: Browser) -> None:
    """When the figures cannot be read the page says of when the shown ones are, and it takes that back itself."""
    page = await stage.signed_in(browser, "zhoumin")
    await page.goto(f"{stage.url}report?period=day")
    await expect(page.locator("[data-card=alarms] b")).to_have_text("0")
    await page.route("**/report/figures*", lambda route: route.abort())
    await stage.press()
    await expect(page.locator("#stale-title")).to_contain_text("数字停在")
    await page.unroute("**/report/figures*")
    await stage.press("stb-0302")
    await expect(page.locator("[data-card=alarms] b")).to_have_text("2")
    await expect(page.locator("#stale")).to_be_hidden()


@pytest.mark.browser
@pytest.mark.parametrize("size", [(1920, 1080), (1366, 768), (700, 900)])
async def test_a_busy_month_fits_its_width_in_both_themes(
    stage: Stage, browser: Browser, size: tuple[int, int]
) -> None:
    """Five thousand alarms of eight areas need no sideways scrolling, and no script or style is refused."""
    await put_areas(stage)
    await stage.person("chief", "陈队", "supervisor", area_id=STREET)
    since = datetime(2026, 6, 1, tzinfo=ZONE)
    await months.put(
        stage.database, list(months.busy(7, 5000, since, since + timedelta(days=30), areas=[AREA, ELSEWHERE]))
    )
    page = await stage.signed_in(browser, "chief", size=size)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
    for language in ("zh", "en"):
        await page.goto(f"{stage.url}report?month=2026-06&lang={language}")
        await page.wait_for_selector("[data-link=live]")
        assert await page.evaluate("document.documentElement.scrollWidth") <= size[0]
        widths = await page.eval_on_selector_all(".gauge", "all => all.map((one) => one.getBoundingClientRect().width)")
        assert min(widths) > 40
    assert said == []


@pytest.mark.browser
async def test_digits_lead_from_page_to_page(stage: Stage, browser: Browser) -> None:
    """4 opens the report from the board, 1 leads back, 6 opens the roster."""
    page = await stage.signed_in(browser, "zhoumin")
    await page.keyboard.press("4")
    await expect(page).to_have_url(f"{stage.url}report")
    await page.wait_for_selector("[data-link=live]")
    await page.keyboard.press("6")
    await expect(page).to_have_url(f"{stage.url}duty")
    await page.wait_for_selector("[data-link=live]")
    await page.keyboard.press("1")
    await expect(page).to_have_url(stage.url)
