"""The roster's page: operators read, supervisors change inside their areas, every change is on record."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from gateway.model.registry import Area
from gateway.store import drills, duty, registry
from tests.security_video.desk.conftest import AREA, ELSEWHERE, Stage

STREET = "110105001000"
HEADER = "area_id,person,phone,role,begins,ends\n"


@pytest.fixture
async def desk(stage: Stage) -> Stage:
    """The stage with a supervisor of the community, one of the street, and a neighbour."""
    async with stage.database.transaction() as connection:
        await registry.put_area(connection, Area(STREET, "柳湾镇", "Liuwan Town"))
        await registry.put_area(connection, Area(ELSEWHERE, "河西社区", "Hexi"))
    await stage.person("chief", "陈队", "supervisor")
    await stage.person("street", "镇里", "supervisor", area_id=STREET)
    return stage


def wall(stage: Stage, hours: float) -> str:
    """Return a moment as a browser's form says it, by the community's clock."""
    return f"{stage.clock.now() + timedelta(hours=8 + hours):%Y-%m-%dT%H:%M}"


def shift_of(stage: Stage, area_id: str = AREA, begins: float = -1, ends: float = 8) -> dict[str, Any]:
    times = {"begins": wall(stage, begins), "ends": wall(stage, ends)}
    return {"area_id": area_id, "person": "吴桐", "phone": "13800000000", "role": "operator", **times}


async def post(stage: Stage, name: str, path: str, body: dict[str, Any] | bytes, status: int = 200) -> dict[str, Any]:
    async with stage.client(name) as (client, csrf):
        sent: dict[str, Any] = {"data": body} if isinstance(body, bytes) else {"json": body}
        async with client.post(path, headers={"X-CSRF-Token": csrf}, **sent) as answer:
            said: dict[str, Any] = await answer.json()
            assert answer.status == status, said
            return said


async def on_duty(stage: Stage, area_id: str = AREA) -> list[str]:
    return [one.person_name for one in await duty.on_duty(stage.database, area_id, stage.clock.now())]


def requests(stage: Stage) -> list[tuple[str, dict[str, Any] | bytes]]:
    """Return every change that the page can ask for."""
    drill = {"area_id": AREA, "minutes": 30, "note": "夏季演练", "understood": True}
    return [
        ("/api/duty/shifts", shift_of(stage)),
        ("/api/duty/shifts/remove", {"shift_id": "none"}),
        ("/api/duty/import", (HEADER + f"{AREA},吴桐,,operator,{wall(stage, 0)},{wall(stage, 8)}\n").encode()),
        ("/api/drills", drill),
        ("/api/drills/end", {"drill_id": "none"}),
    ]


async def test_operators_read_and_change_nothing(desk: Stage) -> None:
    """An operator sees the roster without forms and is refused every change; so is a page without its token."""
    async with desk.client("zhoumin") as (client, _csrf), client.get("/duty") as answer:
        text = await answer.text()
    assert "排班和演练由班长改" in text and "<form id=" not in text
    for path, body in requests(desk):
        await post(desk, "zhoumin", path, body, 403)
        async with desk.client("chief") as (client, _csrf):
            sent: dict[str, Any] = {"data": body} if isinstance(body, bytes) else {"json": body}
            async with client.post(path, **sent) as answer:
                assert answer.status == 403, path
    assert await on_duty(desk) == []
    assert await drills.active_drill(desk.database, AREA, desk.clock.now()) is None


async def test_officials_and_strangers_see_no_roster(desk: Stage) -> None:
    """Names and telephone numbers of those on duty are for the desk."""
    await desk.person("chenlei", "陈磊", "official")
    for path in ("/duty", "/duty/roster"):
        async with desk.client("chenlei") as (client, _csrf), client.get(path) as answer:
            assert answer.status == 403


async def test_a_supervisor_changes_the_own_area_alone(desk: Stage) -> None:
    """The neighbour's shift can be neither added nor removed nor imported; the street may do all of it."""
    said = await post(desk, "chief", "/api/duty/shifts", shift_of(desk, ELSEWHERE), 422)
    assert said["error"]["reason"] == "elsewhere"
    raw = (HEADER + f"{ELSEWHERE},吴桐,,operator,{wall(desk, 0)},{wall(desk, 8)}\n").encode()
    said = await post(desk, "chief", "/api/duty/import", raw)
    assert (said["added"], said["refused"][0]["reason"]) == (0, "elsewhere")
    added = await post(desk, "street", "/api/duty/shifts", shift_of(desk, ELSEWHERE))
    await post(desk, "chief", "/api/duty/shifts/remove", {"shift_id": added["shift_id"]}, 403)
    assert await on_duty(desk, ELSEWHERE) == ["吴桐"]
    await post(desk, "street", "/api/duty/shifts/remove", {"shift_id": added["shift_id"]})
    await post(desk, "street", "/api/duty/shifts/remove", {"shift_id": added["shift_id"]}, 404)
    trail = [(one.person_name, one.action) for one in await desk.accounts.audit(added["shift_id"])]
    assert trail == [("street", "shift_removed"), ("street", "shift_added")]


async def test_an_import_is_all_or_nothing_unless_asked(desk: Stage) -> None:
    """Each refused line is named with reason and value; nothing is half stored; asked for, the good ones are."""
    good = f"{AREA},吴桐,,operator,{wall(desk, -1)},{wall(desk, 8)}\n"
    raw = (
        HEADER + good + f"{AREA},李四,abc,operator,{wall(desk, 0)},{wall(desk, 8)}\n{AREA},王五,,operator,x,y\n"
    ).encode("gb18030")
    said = await post(desk, "chief", "/api/duty/import", raw)
    assert said == {
        "ok": False,
        "added": 0,
        "refused": [
            {"line": 3, "reason": "bad_phone", "value": "abc"},
            {"line": 4, "reason": "bad_time", "value": "x"},
        ],
    }
    assert await on_duty(desk) == []
    said = await post(desk, "chief", "/api/duty/import?partial=1", raw)
    assert (said["added"], len(said["refused"])) == (1, 2)
    assert await on_duty(desk) == ["吴桐"]


@pytest.mark.parametrize(
    ("raw", "status", "reason"),
    [(b"", 422, "roster_columns"), (b"a,b\n1,2\n", 422, "roster_columns"), (b"x" * 300_000, 413, "")],
)
async def test_a_file_that_is_no_roster_is_refused(desk: Stage, raw: bytes, status: int, reason: str) -> None:
    """Other columns and too many bytes are refused as a whole."""
    said = await post(desk, "chief", "/api/duty/import", raw, status)
    assert said["error"].get("reason", "") == reason


async def test_the_page_says_loudly_where_nobody_is(desk: Stage) -> None:
    """A roster without anybody now is a red line with the name; a gap that comes is a warning; no roster is neither."""
    await post(desk, "street", "/api/duty/shifts", shift_of(desk, ELSEWHERE, 3, 5))
    async with desk.client("street") as (client, _csrf), client.get("/duty/roster") as answer:
        text = await answer.text()
    assert "1 个社区现在没人值班" in text and "没有排班：柳湾镇、柳湾社区" in text
    await post(desk, "street", "/api/duty/shifts", shift_of(desk, ELSEWHERE, -1, 2))
    async with desk.client("street") as (client, _csrf), client.get("/duty/roster") as answer:
        text = await answer.text()
    assert "没人值班" not in text and text.count("没人</span>") == 2
    async with desk.client("chief") as (client, _csrf), client.get("/duty/roster") as answer:
        assert "河西" not in await answer.text()


async def test_a_drill_is_begun_by_who_says_what_it_means(desk: Stage) -> None:
    """Without the promise, beyond four hours, without a reason or elsewhere it does not begin; begun, it is known."""
    drill = {"area_id": AREA, "minutes": 30, "note": "夏季演练", "understood": True}
    for wrong, status in (
        ({"understood": False}, 422),
        ({"minutes": 241}, 422),
        ({"note": " "}, 422),
        ({"area_id": ELSEWHERE}, 403),
        ({"area_id": STREET}, 403),
    ):
        await post(desk, "chief", "/api/drills", {**drill, **wrong}, status)
    assert await drills.active_drill(desk.database, AREA, desk.clock.now()) is None
    started = await post(desk, "chief", "/api/drills", drill)
    await post(desk, "chief", "/api/drills", drill, 409)
    raised = await desk.press()
    assert (await desk.ledger.alarm(raised.alarm_id)).is_drill
    await post(desk, "chief", "/api/drills/end", {"drill_id": started["drill_id"]})
    await post(desk, "chief", "/api/drills/end", {"drill_id": started["drill_id"]}, 409)
    trail = [(one.person_name, one.action) for one in await desk.accounts.audit(started["drill_id"])]
    assert trail == [("chief", "drill_ended"), ("chief", "drill_started")]


async def test_the_streets_drill_is_ended_by_the_street(desk: Stage) -> None:
    """A community sees the street's drill that covers it, and cannot end it."""
    drill = {"area_id": STREET, "minutes": 30, "note": "全镇演练", "understood": True}
    started = await post(desk, "street", "/api/drills", drill)
    async with desk.client("chief") as (client, _csrf), client.get("/duty") as answer:
        text = await answer.text()
    assert "全镇演练" in text and "data-end" not in text
    await post(desk, "chief", "/api/drills/end", {"drill_id": started["drill_id"]}, 403)


@pytest.mark.browser
async def test_a_supervisor_works_with_the_page(desk: Stage, browser: Browser, tmp_path: Path) -> None:
    """Adding, importing with errors, removing on the second press, a drill begun and ended: all without a reload."""
    page = await desk.signed_in(browser, "chief")
    await page.goto(f"{desk.url}duty")
    await page.wait_for_selector("[data-link=live]")
    await page.fill("#add [name=person]", "吴桐")
    await page.fill("#add [name=begins]", wall(desk, -1))
    await page.fill("#add [name=ends]", wall(desk, 8))
    await page.click("#add [type=submit]")
    await expect(page.locator("[data-part=now]")).to_contain_text("吴桐")
    await page.fill("#add [name=person]", "吴桐")
    await page.click("#add [type=submit]")
    await expect(page.locator("#add .wrong")).to_have_text("这个人这段时间已经有班。")
    file = tmp_path / "roster.csv"
    file.write_text(HEADER + f"{AREA},陈静,abc,operator,{wall(desk, -1)},{wall(desk, 8)}\n")
    await page.set_input_files("#import [name=file]", file)
    await page.click("#import [type=submit]")
    await expect(page.locator("#outcome")).to_contain_text("一班也没有收")
    await expect(page.locator("#outcome li")).to_contain_text("第 2 行 电话只能有数字")
    remove = page.locator("[data-remove]").first
    await remove.click()
    await expect(remove).to_have_text("确定撤掉")
    assert await on_duty(desk) == ["吴桐"]
    await remove.click()
    await expect(page.locator("[data-remove]")).to_have_count(0)
    assert await on_duty(desk) == []
    await page.fill("#drill [name=note]", "夏季演练")
    await page.click("#drill [type=submit]")
    await expect(page.locator(".drill")).to_have_count(0)
    await page.check("#drill [name=understood]")
    await page.click("#drill [type=submit]")
    await expect(page.locator(".drill")).to_contain_text("演练进行中　柳湾社区")
    end = page.locator("[data-end]")
    await end.click()
    await end.click()
    await expect(page.locator(".drill")).to_have_count(0)
    await expect(page.locator("[data-part=past]")).to_contain_text("夏季演练")
