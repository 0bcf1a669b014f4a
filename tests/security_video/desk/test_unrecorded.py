"""What lies in a spool is before people's eyes, with and without a database, and leaves when the ledger has it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Browser, expect

from gateway.alarms.shelter.seen import SeenReader
from gateway.alarms.shelter.spool import Spool, spool_path
from gateway.model.alarms import Cancellation, Press
from gateway.model.ids import new_ulid
from gateway.runtime.clock import SystemClock, from_ms, to_ms
from tests.security_video.desk.conftest import AREA, ELSEWHERE, Stage

CLOCK = SystemClock()
ROW_ID = "unrecorded:stb-0301:7:1"


@pytest.fixture
def spool(stage: Stage, tmp_path: Path) -> Iterator[Spool]:
    """The gateway's spool of the stage's node."""
    one = Spool(spool_path(tmp_path, "gateway"))
    one.open()
    yield one
    one.close()


def press(seq: int = 1, device: str = "stb-0301", *, is_silent: bool = False) -> Press:
    now = from_ms(to_ms(CLOCK.now()))
    return Press(device, 7, seq, "sos", "mqtt", new_ulid(now), now, is_silent=is_silent)


def keep(spool: Spool, said: Press | Cancellation, area_id: str = AREA) -> None:
    spool.append(said, area_id=area_id, at=CLOCK.now())


class Page:
    """What an open page would show: the rows that the feed has told, and how often each was new."""

    def __init__(self, feed: aiohttp.ClientWebSocketResponse) -> None:
        self.feed = feed
        self.rows: dict[str, dict[str, Any]] = {}
        self.status: dict[str, Any] = {}
        self.counts: list[int] = []

    async def hear(self) -> None:
        """Take one message as the page does."""
        message = await self.feed.receive_json()
        if message["t"] == "snapshot":
            self.rows = {}
        self.status = message.get("status", self.status)
        changed = message.get("alarms", [message["alarm"]] if message["t"] == "alarm" else [])
        for row in changed:
            self.rows[row["alarm_id"]] = row
        for alarm_id in message.get("gone", ()):
            self.rows.pop(alarm_id, None)
        self.counts.append(len(self.rows))

    async def until(self, *states: str) -> list[dict[str, Any]]:
        """Listen until the rows have exactly these states; return them."""
        async with asyncio.timeout(15):
            while sorted(row["state"] for row in self.rows.values()) != sorted(states):
                await self.hear()
        return list(self.rows.values())


@asynccontextmanager
async def page_of(stage: Stage, name: str = "zhoumin") -> AsyncIterator[Page]:
    headers = {"Origin": stage.url.rstrip("/")}
    async with stage.client(name) as (client, _csrf), client.ws_connect("/feed", headers=headers) as feed:
        page = Page(feed)
        await page.hear()
        yield page


async def test_a_spooled_press_is_a_row_without_steps(stage: Stage, spool: Spool) -> None:
    """It has the household's address and the gravest level, is not recorded, and nothing can be done to it."""
    async with page_of(stage) as page:
        keep(spool, press())
        [row] = await page.until("unrecorded")
    assert (row["alarm_id"], row["level"], row["no"]) == (ROW_ID, 1, "")
    assert (row["address"], row["resident"]) == ("3号楼 2单元 501", "王桂兰")
    assert row["actions"] == []


async def test_it_is_there_while_the_database_is_not(stage: Stage, spool: Spool) -> None:
    """Neither the row nor its address needs the database; the page is told that the ledger cannot be read."""
    async with page_of(stage) as page:
        await stage.desk.services[0].stop()
        keep(spool, press())
        [row] = await page.until("unrecorded")
        assert row["address"] == "3号楼 2单元 501"
        async with asyncio.timeout(15):
            while page.status["blind_since_ms"] is None:
                await page.hear()
        await stage.desk.services[0].start()


async def test_the_recorded_alarm_takes_its_place_without_a_gap_and_without_a_double(
    stage: Stage, spool: Spool
) -> None:
    """From the press on there is exactly one row at every message: first unrecorded, then the ledger's."""
    async with page_of(stage) as page:
        said = press()
        keep(spool, said)
        await page.until("unrecorded")
        page.counts.clear()
        receipt = await stage.ledger.raise_alarm(said)
        [row] = await page.until("raised")
        spool.settle(("stb-0301", 7, 1), receipt.alarm_id)
        for _ in range(3):
            await page.hear()
    assert row["alarm_id"] == receipt.alarm_id
    assert page.rows.keys() == {receipt.alarm_id}
    assert set(page.counts) == {1}


async def test_a_settled_row_stays_until_the_ledger_could_be_read(stage: Stage, spool: Spool) -> None:
    """The gateway's database may be back before the desk's: the row leaves when the alarm is there to replace it."""
    async with page_of(stage) as page:
        said = press()
        keep(spool, said)
        await page.until("unrecorded")
        await stage.desk.services[0].stop()
        receipt = await stage.ledger.raise_alarm(said)
        spool.settle(("stb-0301", 7, 1), receipt.alarm_id)
        page.counts.clear()
        for _ in range(3):
            await page.hear()
        assert page.rows.keys() == {ROW_ID}
        await stage.desk.services[0].start()
        await page.until("raised")
    assert set(page.counts) == {1}


async def test_a_press_that_joined_another_alarm_leaves_when_it_is_settled(stage: Stage, spool: Spool) -> None:
    """The household's second press is a number on the first one's alarm."""
    async with page_of(stage) as page:
        first, second = press(1), press(2)
        for said in (first, second):
            keep(spool, said)
        await page.until("unrecorded", "unrecorded")
        for said in (first, second):
            receipt = await stage.ledger.raise_alarm(said)
            spool.settle(("stb-0301", 7, said.seq), receipt.alarm_id)
        [row] = await page.until("raised")
    assert row["press_count"] == 2


async def test_what_a_file_begun_anew_does_not_hold_has_been_recorded(stage: Stage, spool: Spool) -> None:
    """Settled and cleared between two looks: the row goes, after a look at the ledger."""
    async with page_of(stage) as page:
        said = press()
        keep(spool, said)
        await page.until("unrecorded")
        receipt = await stage.ledger.raise_alarm(said)
        spool.settle(("stb-0301", 7, 1), receipt.alarm_id)
        spool._file.begin_anew()
        [row] = await page.until("raised")
    assert row["alarm_id"] == receipt.alarm_id


async def test_a_cancellation_marks_the_row_and_removes_nothing(stage: Stage, spool: Spool) -> None:
    """Taken back from the household's other device; a silent press shows no sign of it."""
    async with page_of(stage) as page:
        keep(spool, press(1, is_silent=True))
        keep(spool, press(2))
        now = CLOCK.now()
        keep(spool, Cancellation("stb-0301", 7, 3, new_ulid(now), now))
        async with asyncio.timeout(15):
            while len(page.rows) < 2 or not any(row["cancelled_ms"] for row in page.rows.values()):
                await page.hear()
    taken_back = {row["is_silent"]: row["cancelled_ms"] is not None for row in page.rows.values()}
    assert taken_back == {True: False, False: True}


async def test_both_roads_are_one_row(stage: Stage, spool: Spool, tmp_path: Path) -> None:
    """The same press in the spools of two programs."""
    other = Spool(spool_path(tmp_path, "tv"))
    other.open()
    async with page_of(stage) as page:
        said = press()
        keep(spool, said)
        keep(other, said)
        await page.until("unrecorded")
        for _ in range(3):
            await page.hear()
        assert page.rows.keys() == {ROW_ID}
    other.close()


async def test_an_unknown_device_is_called_by_its_id(stage: Stage, spool: Spool) -> None:
    """Somebody called for help: who it is may be found out later."""
    async with page_of(stage) as page:
        keep(spool, press(device="new-0815"))
        [row] = await page.until("unrecorded")
    assert (row["address"], row["level"]) == ("new-0815", 1)


async def test_a_press_of_another_area_is_not_ours(stage: Stage, spool: Spool) -> None:
    """A node's spool may hold what another desk serves."""
    async with page_of(stage) as page:
        keep(spool, press(1, device="far-1"), ELSEWHERE)
        keep(spool, press(2))
        [row] = await page.until("unrecorded")
    assert row["alarm_id"] == "unrecorded:stb-0301:7:2"


async def test_what_a_screen_shows_is_written_down_once(stage: Stage, spool: Spool, tmp_path: Path) -> None:
    """`rendered` of such a row reaches the file that the gateway follows; a row that nobody showed does not."""
    reader = SeenReader(tmp_path)
    async with page_of(stage) as page:
        keep(spool, press(1))
        keep(spool, press(2))
        await page.until("unrecorded", "unrecorded")
        for alarm_id in (ROW_ID, ROW_ID, "unrecorded:nobody:1:1", "unrecorded:", "unrecorded:::"):
            await page.feed.send_json({"t": "rendered", "alarm_id": alarm_id})
        seen: list[Any] = []
        async with asyncio.timeout(15):
            while not seen:
                await asyncio.sleep(0.05)
                seen += reader.read()
        await page.feed.send_json({"t": "rendered", "alarm_id": ROW_ID})
        await asyncio.sleep(0.5)
        seen += reader.read()
    assert seen == [("stb-0301", 7, 1)]


async def test_a_person_reads_that_it_is_not_recorded(stage: Stage, spool: Spool, browser: Browser) -> None:
    """On top of the queue, in words, ringing; when it is recorded it is an alarm like any other and can be signed."""
    await stage.press("stb-0302")
    page = await stage.signed_in(browser, "zhoumin")
    said = press()
    keep(spool, said)
    row = page.locator("#queue [role=option]").first
    await expect(row).to_contain_text("未登记")
    await expect(row).to_contain_text("数据库连不上，已看到，登记后可签收")
    await expect(row).to_contain_text("3号楼 2单元 501")
    await expect(page.locator("body")).to_have_attribute("data-ringing", "")
    await row.click()
    await expect(page.locator("#detail [data-slot=acknowledge]")).to_be_disabled()
    receipt = await stage.ledger.raise_alarm(said)
    spool.settle(("stb-0301", 7, 1), receipt.alarm_id)
    await expect(page.locator("[role=option]").filter(has_text="未登记")).to_have_count(0)
    await expect(page.locator("#detail")).to_have_attribute("data-alarm", receipt.alarm_id)
    await page.keyboard.press("Space")
    await expect(page.locator(f'[data-alarm="{receipt.alarm_id}"][data-state=acknowledged]').first).to_be_visible()
