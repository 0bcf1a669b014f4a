import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.alarms import intake
from gateway.alarms.ledger import AlarmLedger
from gateway.alarms.shelter.reception import Reception
from gateway.alarms.shelter.spool import Spool, spool_path
from gateway.contract.alarm_post import KEY_HEADER, TOKEN_HEADER, AlarmAnswer, AlarmPost
from gateway.contract.signing import alarm_key, check_receipt, receipt_of, sign_event
from gateway.runtime import metrics
from gateway.runtime.clock import to_ms
from gateway.runtime.service import running
from gateway.store import registry
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


def counted(name: str, **labels: str) -> float:
    """Return what one counter of this process stands at."""
    return metrics._REGISTRY.get_sample_value(name, labels) or 0.0


def doubted(reason: str, source: str) -> float:
    return counted("linli_alarms_doubted_total", reason=reason, source=source)


def refusals() -> float:
    """Return how many posts were refused so far: by the road under their reason, by the server for their length."""
    found = next(family for family in metrics._REGISTRY.collect() if family.name == "linli_dropped").samples
    by_road = [s.value for s in found if s.labels["program"] == "alarms_https" and s.name.endswith("_total")]
    return sum(by_road) + counted("linli_http_requests_total", server="test", path="/api/v1/alarms", status="413")


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
    row = await database.fetchrow("select late_by_s, is_clock_wrong, details from alarms")
    assert row is not None and tuple(row) == (42, False, {})


@pytest.mark.parametrize("ts", [0, -1, 2**63, 4_102_444_800_001])
async def test_a_press_with_a_wrong_clock_is_taken_with_our_own_time(
    road: aiohttp.ClientSession, database: Database, clock: FakeClock, ts: int
) -> None:
    """1970, before it, the end of the calendar, 2100: recorded, marked, not late, counted, and answered with `now`."""
    before = doubted("clock_wrong", "https")
    answer = await road.post("/api/v1/alarms", json=body(clock, ts=ts), headers=HEADERS)
    said = await answer.json()
    assert (answer.status, said["alarm"]["recorded_at"], said["now"]) == (201, *[to_ms(clock.now())] * 2)
    row = await database.fetchrow("select is_clock_wrong, late_by_s, raised_at from alarms")
    assert row is not None and tuple(row) == (True, 0, clock.now())
    assert doubted("clock_wrong", "https") == before + 1
    assert (await road.post("/api/v1/alarms", json=body(clock, ts=ts), headers=HEADERS)).status == 200


async def _give_keys(database: Database, *device_ids: str) -> None:
    async with database.transaction() as connection:
        await registry.write_alarm_keys(connection, {name: alarm_key(name, "secret") for name in device_ids})


def signed(said: dict[str, Any]) -> dict[str, Any]:
    event = AlarmPost.decode(json.dumps(said).encode()).event()
    return {**said, "sig": sign_event(alarm_key(said["device"], "secret"), said["device"], event)}


@pytest.mark.parametrize(
    ("change", "suspicion"),
    [
        ({}, ""),
        ({"sig": ""}, ""),
        ({"seq": 2}, "bad_signature"),
        ({"sig": "é"}, "bad_signature"),
        ({"sig": "0" * 60_000}, "bad_signature"),
    ],
)
async def test_the_token_proves_a_browser_and_a_wrong_signature_is_shown(
    road: aiohttp.ClientSession, database: Database, clock: FakeClock, change: dict[str, Any], suspicion: str
) -> None:
    """Unsigned with the household's token is no doubt; a signature that is there must be right. None is refused."""
    await _give_keys(database, "stb-0301")
    before = doubted("bad_signature", "https")
    answer = await road.post("/api/v1/alarms", json=signed(body(clock)) | change, headers=HEADERS)
    assert answer.status == 201
    assert await database.fetchval("select suspicion from alarms") == suspicion
    assert doubted("bad_signature", "https") == before + bool(suspicion)


async def test_the_answer_carries_the_signature_of_its_receipt(
    road: aiohttp.ClientSession, database: Database, clock: FakeClock
) -> None:
    """A device with a key can check the answer to its press and to its cancellation; without a key there is none."""
    plain = await (await road.post("/api/v1/alarms", json=body(clock), headers=HEADERS)).read()
    assert AlarmAnswer.decode(plain).signature == ""
    await _give_keys(database, "stb-0301")
    key = alarm_key("stb-0301", "secret")
    for seq, kind in ((1, "sos_pressed"), (2, "cancelled")):
        said = signed(body(clock, seq=seq, e=kind))
        answer = AlarmAnswer.decode(await (await road.post("/api/v1/alarms", json=said, headers=HEADERS)).read())
        receipt = receipt_of(AlarmPost.decode(json.dumps(said).encode()).event(), answer)
        assert receipt is not None and check_receipt(key, "stb-0301", receipt)
        assert receipt.state == ("cancelled" if kind == "cancelled" else "recorded")


async def test_a_replay_that_says_something_else_gets_the_same_receipt_and_is_counted(
    road: aiohttp.ClientSession, database: Database, clock: FakeClock
) -> None:
    """Another id, time or kind under a used identity changes nothing, adds nothing, and somebody sees it."""
    first = await (await road.post("/api/v1/alarms", json=body(clock), headers=HEADERS)).json()
    others: list[dict[str, Any]] = [{"id": EVENT_ID[:-1] + "D"}, {"ts": 0}, {"e": "cancelled"}]
    for number, other in enumerate(others, 1):
        before = counted("linli_alarm_replay_differs_total", source="https")
        answer = await road.post("/api/v1/alarms", json=body(clock, **other), headers={TOKEN_HEADER: TOKEN})
        assert answer.status == 200, number
        assert (await answer.json())["alarm"] == first["alarm"]
        assert counted("linli_alarm_replay_differs_total", source="https") == before + 1, other
    assert await database.fetchval("select count(*) from alarm_presses") == 1
    assert not await database.fetchval("select is_clock_wrong or is_silent from alarms")


async def test_a_silent_press_is_answered_like_any_other_and_seen_by_no_screen(
    road: aiohttp.ClientSession, database: Database, clock: FakeClock
) -> None:
    """The same shape of answer with the same keys; afterwards the box can neither read it nor take it back."""
    loud = await (await road.post("/api/v1/alarms", json=body(clock), headers=HEADERS)).json()
    quiet_id = EVENT_ID[:-1] + "D"
    said = body(clock, seq=2, id=quiet_id, e="sos_silent")
    answer = await road.post("/api/v1/alarms", json=said, headers={TOKEN_HEADER: TOKEN})
    quiet = await answer.json()
    assert answer.status == 201
    assert {name: type(value) for name, value in quiet["alarm"].items()} == {
        name: type(value) for name, value in loud["alarm"].items()
    }
    assert not {"silent", "kind", "duress"} & (set(quiet) | set(quiet["alarm"]))
    quiet_alarm = quiet["alarm"]["alarm_id"]
    assert quiet_alarm != loud["alarm"]["alarm_id"]
    assert (await road.get(f"/api/v1/alarms/{quiet_alarm}", headers={TOKEN_HEADER: TOKEN})).status == 404
    taken_back = body(clock, seq=3, id=EVENT_ID[:-1] + "E", e="cancelled")
    answer = await road.post("/api/v1/alarms", json=taken_back, headers={TOKEN_HEADER: TOKEN})
    assert (await answer.json())["alarm"]["alarm_id"] == loud["alarm"]["alarm_id"]
    rows = await database.fetch("select is_silent, cancelled_by_user_at is not null from alarms order by is_silent")
    assert [tuple(row) for row in rows] == [(False, True), (True, False)]


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
        ({"ts": "now"}, {TOKEN_HEADER: TOKEN}, 422, "ts"),
        ({"ts": 1.5}, {TOKEN_HEADER: TOKEN}, 422, "ts"),
        ({"sig": 7}, {TOKEN_HEADER: TOKEN}, 422, "sig"),
        ({"d": {"x": "y" * 70_000}}, {TOKEN_HEADER: TOKEN}, 413, "bytes"),
        ({"d": {"x": [[[[[[[[1]]]]]]]]}}, {TOKEN_HEADER: TOKEN}, 422, "deep"),
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
    before = refusals()
    answer = await road.post("/api/v1/alarms", json=body(clock, **changed), headers=headers)
    assert refusals() == before + 1
    error = (await answer.json())["error"]
    assert answer.status == status
    assert said in f"{error.get('place')} {error['message']}"
    assert error.get("cure") or status in {404, 413}
    assert await database.fetchval("select count(*) from alarms") == 0
    assert (await road.post("/api/v1/alarms", json=body(clock), headers=HEADERS)).status == 201


# --- while the database is away ---------------------------------------------------------------------------------------


async def test_without_a_database_a_known_box_is_heard_and_told_to_repeat(
    database: Database, clock: FakeClock, tmp_path: Path
) -> None:
    """202, no alarm, not recorded; a box that was never seen before is 503; when it is back, 200 as for any repetition.

    The token and the device are believed as they were when the registry last answered.
    """
    urgent = Database(database.dsn, max_size=3, hang_s=1.0)
    ledger = AlarmLedger(urgent, clock)
    reception = Reception(urgent, ledger, Spool(spool_path(tmp_path, "test")), clock)
    server = HttpServer("test", routes=intake.routes(ledger, reception, clock))
    second = body(clock, seq=2, id="01M7XV6ZDPKD9KHX9YQ6DRNHBD")
    again = {TOKEN_HEADER: TOKEN, KEY_HEADER: second["id"]}
    async with running([urgent, reception, server]), aiohttp.ClientSession(server.url) as road:
        assert (await road.post("/api/v1/alarms", json=body(clock), headers=HEADERS)).status == 201
        await urgent.stop()
        taken = await road.post("/api/v1/alarms", json=second, headers=again)
        assert taken.status == 202
        answer = AlarmAnswer.decode(await taken.read())
        assert (answer.alarm, answer.is_unrecorded, answer.is_seen) == (None, True, False)
        stranger = {TOKEN_HEADER: "token-of-hh-0302-token", KEY_HEADER: EVENT_ID}
        assert (await road.post("/api/v1/alarms", json=body(clock), headers=stranger)).status == 503
        await urgent.start()
        async with asyncio.timeout(15):
            while (last := await road.post("/api/v1/alarms", json=second, headers=again)).status == 202:
                await asyncio.sleep(0.1)
        assert last.status == 200
    assert await database.fetchval("select count(*) from alarm_presses") == 2
