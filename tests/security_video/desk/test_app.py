"""The desk's doors: who gets in, what they may see and do, and what is refused."""

import asyncio
import json

import aiohttp
import pytest

from tests.security_video.desk.conftest import ELSEWHERE, PASSWORD, Stage


async def test_a_wrong_password_opens_nothing(stage: Stage) -> None:
    """A wrong password is refused with 401 and gives no session; the right one does, and takes the seat."""
    async with aiohttp.ClientSession(stage.url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        async with client.post("/login", json={"name": "zhoumin", "password": "guess"}) as answer:
            assert answer.status == 401
        async with client.get("/api/community") as answer:
            assert answer.status == 401
        async with client.post("/login", json={"name": "zhoumin", "password": PASSWORD, "seat": "7"}) as answer:
            assert answer.status == 200
            assert answer.cookies["desk_seat"].value == "7"
        async with client.get("/api/community") as answer:
            assert (await answer.json())["name"] == "柳湾社区"
    [taken] = [entry for entry in await stage.accounts.audit() if entry.action == "seat_taken"]
    assert taken.object == "seat 7"


async def test_a_seat_is_a_number(stage: Stage) -> None:
    """A seat that is no number from 1 to 99 is refused before the password is looked at."""
    async with (
        aiohttp.ClientSession(stage.url) as client,
        client.post("/login", json={"name": "zhoumin", "password": PASSWORD, "seat": "<b>"}) as answer,
    ):
        assert answer.status == 422
        assert (await answer.json())["error"]["place"] == "seat"


async def test_guessing_is_slowed_down_and_the_page_says_for_how_long(stage: Stage) -> None:
    """After repeated wrong passwords the form answers 429 with the seconds to wait, also to the right password."""
    form = {"name": "zhoumin", "password": "guess", "seat": "1"}
    headers = {"Accept": "text/html"}
    async with aiohttp.ClientSession(stage.url) as client:
        for _ in range(20):
            async with client.post("/login", data=form, headers=headers) as answer:
                status = answer.status
            if status == 429:
                break
        async with client.post("/login", data={**form, "password": PASSWORD}, headers=headers) as answer:
            assert answer.status == 429
            assert "秒后再试" in await answer.text()


async def test_pages_send_strangers_to_the_login(stage: Stage) -> None:
    """A browser without a session is sent to the login page, and the page has no inline script or style."""
    async with aiohttp.ClientSession(stage.url) as client:
        async with client.get("/", headers={"Accept": "text/html"}, allow_redirects=False) as answer:
            assert answer.status == 303
            assert answer.headers["Location"].startswith("/login")
        async with client.get("/") as answer:
            assert (answer.status, answer.url.path) == (200, "/login")
        async with client.get("/login", headers={"Accept": "text/html"}) as answer:
            text = await answer.text()
            assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "签到席位" in text
    assert "<style" not in text
    assert "<script" not in text


async def test_only_operators_sit_at_the_desk(stage: Stage) -> None:
    """A signed-in person without the role gets 403 on every address of the desk."""
    await stage.person("chenlei", "陈磊", "official")
    raised = await stage.press()
    async with stage.client("chenlei") as (client, _csrf):
        for path in ("/", "/feed", "/api/community", "/api/tonight", "/api/watch", f"/api/alarms/{raised.alarm_id}"):
            headers = {"Upgrade": "websocket", "Origin": stage.url.rstrip("/")}
            async with client.get(path, headers=headers) as answer:
                assert answer.status == 403, path


async def test_an_operator_of_elsewhere_sees_and_does_nothing(stage: Stage) -> None:
    """Somebody of another community gets 403 for an alarm, for every step on it, and never sees it in the feed."""
    await stage.person("far", "远方", area_id=ELSEWHERE)
    raised = await stage.press()
    path, step = f"/api/alarms/{raised.alarm_id}", {"action": "acknowledge", "version": 1}
    async with stage.client("far") as (client, csrf):
        headers = {"X-CSRF-Token": csrf}
        async with client.get(path) as answer:
            assert answer.status == 403
        async with client.post(f"{path}/steps", json=step, headers=headers) as answer:
            assert answer.status == 403
        async with client.post(f"{path}/reveal", json={"contact": "self"}, headers=headers) as answer:
            assert answer.status == 403
        async with client.ws_connect("/feed", headers={"Origin": stage.url.rstrip("/")}) as feed:
            assert (await feed.receive_json(timeout=5))["alarms"] == []
            await feed.send_json({"t": "rendered", "alarm_id": raised.alarm_id})
            await stage.press("stb-0302")
            assert (await feed.receive_json(timeout=5))["t"] != "alarm"
    assert (await stage.ledger.alarm(raised.alarm_id)).state == "raised"


async def test_a_step_without_the_pages_token_is_refused(stage: Stage) -> None:
    """A step without the CSRF token, or from another site's page, is refused with 403 and changes nothing."""
    raised = await stage.press()
    path, step = f"/api/alarms/{raised.alarm_id}/steps", {"action": "acknowledge", "version": 1}
    async with stage.client("zhoumin") as (client, csrf):
        async with client.post(path, json=step) as answer:
            assert answer.status == 403
        foreign = {"X-CSRF-Token": csrf, "Origin": "http://evil.example"}
        async with client.post(path, json=step, headers=foreign) as answer:
            assert answer.status == 403
        assert (await stage.ledger.alarm(raised.alarm_id)).acknowledged_by is None
        async with client.post(path, json=step, headers={"X-CSRF-Token": csrf}) as answer:
            assert (await answer.json())["alarm"]["acknowledged_name"] == "周敏"


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"action": "close", "version": 1, "note": "x", "outcome": "false"}, 422, "illegal_transition"),
        ({"action": "render", "version": 1}, 422, "bad_value"),
        ({"action": "acknowledge"}, 422, "missing_field"),
        ({"action": "acknowledge", "version": 1, "colour": "red"}, 422, "unknown_key"),
        ({"action": "acknowledge", "version": "1"}, 422, "wrong_type"),
    ],
)
async def test_a_step_that_cannot_be_is_refused_with_its_reason(
    stage: Stage, body: dict[str, object], status: int, reason: str
) -> None:
    """An illegal, machine-only or misspelt step is refused with place and reason, and the next good one works."""
    raised = await stage.press()
    path = f"/api/alarms/{raised.alarm_id}/steps"
    async with stage.client("zhoumin") as (client, csrf):
        headers = {"X-CSRF-Token": csrf}
        async with client.post(path, json=body, headers=headers) as answer:
            assert (answer.status, (await answer.json())["error"]["reason"]) == (status, reason)
        async with client.post(path, json={"action": "acknowledge", "version": 1}, headers=headers) as answer:
            assert answer.status == 200


async def test_the_slower_of_two_operators_is_told_who_has_it(stage: Stage) -> None:
    """Two operators sign at the same moment: one gets it, the other gets 409 and the name."""
    raised = await stage.press()
    path, step = f"/api/alarms/{raised.alarm_id}/steps", {"action": "acknowledge", "version": 1}
    async with stage.client("zhoumin") as (one, csrf_one), stage.client("liqiang") as (two, csrf_two):
        answers = await asyncio.gather(
            one.post(path, json=step, headers={"X-CSRF-Token": csrf_one}),
            two.post(path, json=step, headers={"X-CSRF-Token": csrf_two}),
        )
        assert sorted(answer.status for answer in answers) == [200, 409]
        [slower] = [answer for answer in answers if answer.status == 409]
        owner = (await stage.ledger.alarm(raised.alarm_id)).acknowledged_name
        assert owner in (await slower.json())["error"]["message"]


async def test_a_number_is_masked_until_somebody_answers_for_it(stage: Stage) -> None:
    """Numbers leave the server masked; a whole one is given once it stands in the audit who asked and why."""
    daughter = {"name": "张丽", "relation": "女儿", "phone": "13987654321"}
    note = {"age": 70, "phone": "13812345678", "contacts": [daughter]}
    update = "update households set resident_note = $1 where household_id = 'hh-0301'"
    await stage.database.execute(update, note)
    raised = await stage.press()
    path = f"/api/alarms/{raised.alarm_id}"
    async with stage.client("zhoumin") as (client, csrf):
        async with client.get(path) as answer:
            text = await answer.text()
        assert "13812345678" not in text
        assert [line["masked"] for line in json.loads(text)["household"]["contacts"]] == ["138****5678", "139****4321"]
        headers = {"X-CSRF-Token": csrf}
        async with client.post(f"{path}/reveal", json={"contact": "0"}, headers=headers) as answer:
            assert (await answer.json())["phone"] == "13987654321"
        async with client.post(f"{path}/reveal", json={"contact": "9"}, headers=headers) as answer:
            assert answer.status == 404
    [seen] = [entry for entry in await stage.accounts.audit("hh-0301") if entry.action == "contact_revealed"]
    assert seen.details == {"alarm_no": raised.alarm_no, "contact": "0"}


async def test_a_detail_ranks_the_cameras_that_see_the_home(stage: Stage) -> None:
    """The alarm's own cameras come with it, the one that sees the home before those that are merely near."""
    raised = await stage.press()
    async with (
        stage.client("zhoumin") as (client, _csrf),
        client.get(f"/api/alarms/{raised.alarm_id}") as answer,
    ):
        detail = await answer.json()
    ranked = [camera["why"] for camera in detail["cameras"]]
    assert ranked == sorted(ranked, key=["chosen", "sees", "near"].index)
    assert len(ranked) == 4
    assert detail["place"] == {"x": 375.0, "y": pytest.approx(200.2, abs=0.01)}


async def test_the_shifts_figures_are_those_of_the_rows(stage: Stage) -> None:
    """Tonight's figures count the alarms of this area since the shift began, from the ledger's rows."""
    first = await stage.press()
    await stage.press("stb-0302", "smoke", source="mqtt")
    resolved = await stage.resolved(first.alarm_id, stage.people["liqiang"])
    async with stage.client("zhoumin") as (client, csrf):
        headers = {"X-CSRF-Token": csrf}
        step = {"action": "close", "version": resolved.version, "note": "看过了"}
        async with client.post(f"/api/alarms/{first.alarm_id}/steps", json=step, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
        async with client.get("/api/tonight") as answer:
            tonight = await answer.json()
    assert (tonight["alarms"], tonight["closed"], tonight["false_alarms"]) == (2, 1, 1)
    assert tonight["median_sign_ms"] >= 0
