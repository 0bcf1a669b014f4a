from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.alarms import intake
from gateway.alarms.ledger import AlarmLedger
from gateway.alarms.reception import Reception
from gateway.alarms.spool import Spool, spool_path
from gateway.contract.alarm_post import KEY_HEADER, TOKEN_HEADER
from gateway.runtime.clock import to_ms
from gateway.runtime.service import running
from gateway.store.pool import Database
from gateway.web.server import HttpServer
from tests.kit.clock import FakeClock
from tests.kit.community import TOKEN, registered

EVENT_ID = "01M7XV6ZDPKD9KHX9YQ6DRNHBC"


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    async with registered(database_dsn) as database:
        yield database


@pytest.fixture
async def road(database: Database, clock: FakeClock, tmp_path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the second road."""
    ledger = AlarmLedger(database, clock)
    reception = Reception(database, ledger, Spool(spool_path(tmp_path, "test")), clock)
    server = HttpServer("test", routes=intake.routes(ledger, reception, clock))
    async with running([reception, server]), aiohttp.ClientSession(server.url) as session:
        yield session


def body(clock: FakeClock, **changed: Any) -> dict[str, Any]:
    said = {"device": "stb-0301", "boot": 3, "seq": 1, "id": EVENT_ID, "ts": to_ms(clock.now()), "e": "sos_pressed"}
    return {**said, **changed}


HEADERS = {TOKEN_HEADER: TOKEN, KEY_HEADER: EVENT_ID}


async def test_a_press_by_https_is_created_once(
    road: aiohttp.ClientSession, database: Database, clock: FakeClock
) -> None:
    """The first POST answers 201, the same again 200 with the same number; one row."""
    first = await road.post("/api/v1/alarms", json=body(clock), headers=HEADERS)
    second = await road.post("/api/v1/alarms", json=body(clock), headers=HEADERS)
    assert (first.status, second.status) == (201, 200)
    assert (await first.json())["alarm"] == (await second.json())["alarm"]
    assert await database.fetchval("select count(*) from alarms") == 1


async def test_the_box_reads_how_its_alarm_stands(road: aiohttp.ClientSession, clock: FakeClock) -> None:
    """GET gives the state; the box's cookie is as good as the header."""
    made = await (await road.post("/api/v1/alarms", json=body(clock), headers=HEADERS)).json()
    road.cookie_jar.update_cookies({"box": TOKEN})
    answer = await (await road.get(f"/api/v1/alarms/{made['alarm']['alarm_id']}")).json()
    assert answer["alarm"]["state"] == "raised"
    assert answer["alarm"]["operator"] == ""


async def test_a_press_that_comes_late_says_by_how_much(
    road: aiohttp.ClientSession, database: Database, clock: FakeClock
) -> None:
    """An alarm that took 42 seconds is taken and marked."""
    late = body(clock)
    clock.advance(42)
    await road.post("/api/v1/alarms", json=late, headers=HEADERS)
    assert (await database.fetchval("select details from alarms"))["late_by_s"] == 42


@pytest.mark.parametrize(
    ("changed", "headers", "status", "said"),
    [
        ({}, {TOKEN_HEADER: "nobody's"}, 401, "box is not known"),
        ({}, {}, 401, "box is not known"),
        ({"device": "stb-0302"}, {TOKEN_HEADER: TOKEN}, 403, "does not belong"),
        ({"device": "nobody"}, {TOKEN_HEADER: TOKEN}, 403, "does not belong"),
        ({"e": "smoke"}, {TOKEN_HEADER: TOKEN}, 422, "is no alarm"),
        ({"e": "cancelled"}, {TOKEN_HEADER: TOKEN}, 404, "no open alarm"),
        ({"seq": "one"}, {TOKEN_HEADER: TOKEN}, 422, "seq"),
        ({"id": "x"}, {TOKEN_HEADER: TOKEN}, 422, "id"),
        ({}, {TOKEN_HEADER: TOKEN, KEY_HEADER: "another"}, 422, "idempotency key"),
    ],
)
async def test_what_is_wrong_is_refused_with_place_and_cure(  # noqa: PLR0917  one row of the table is one case
    road: aiohttp.ClientSession,
    database: Database,
    clock: FakeClock,
    changed: dict[str, Any],
    headers: dict[str, str],
    status: int,
    said: str,
) -> None:
    """Each refusal has its status, a sentence and a cure; no row is written and the next good press passes."""
    answer = await road.post("/api/v1/alarms", json=body(clock, **changed), headers=headers)
    error = (await answer.json())["error"]
    assert answer.status == status
    assert said in f"{error['place']} {error['message']}"
    assert error["cure"] or status == 404
    assert await database.fetchval("select count(*) from alarms") == 0
    assert (await road.post("/api/v1/alarms", json=body(clock), headers=HEADERS)).status == 201
