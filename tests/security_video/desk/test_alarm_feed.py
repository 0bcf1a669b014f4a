"""The feed of alarms: a snapshot, then every change in order, and the ledger hears what was really shown."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from gateway.model.alarms import Action
from gateway.model.errors import BadInput
from security_video.desk.alarm_feed import said_of
from tests.security_video.desk.conftest import Stage


@asynccontextmanager
async def feed_of(stage: Stage, name: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """The feed as `name`'s page hears it."""
    headers = {"Origin": stage.url.rstrip("/")}
    async with stage.client(name) as (client, _csrf), client.ws_connect("/feed", headers=headers) as feed:
        yield feed


async def next_of(feed: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    """Return the next message of a kind."""
    async with asyncio.timeout(10):
        while (message := await feed.receive_json())["t"] != kind:
            pass
        return dict(message)


def rows_of(message: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the alarms that a message tells of: one, or several that changed within a fifth of a second."""
    return [message["alarm"]] if message["t"] == "alarm" else list(message.get("alarms", ()))


async def row_of(feed: aiohttp.ClientWebSocketResponse, alarm_id: str, **facts: object) -> dict[str, Any]:
    """Wait until the feed tells of an alarm with these facts."""
    async with asyncio.timeout(10):
        wanted = {"alarm_id": alarm_id, **facts}.items()
        found: list[dict[str, Any]] = []
        while not found:
            found = [row for row in rows_of(await feed.receive_json()) if wanted <= row.items()]
        return found[0]


async def test_a_press_reaches_an_open_page(stage: Stage) -> None:
    """An alarm that another program raised is told with household, resident and number, after an empty snapshot."""
    async with feed_of(stage, "zhoumin") as feed:
        assert (await next_of(feed, "snapshot"))["alarms"] == []
        raised = await stage.press()
        alarm = (await next_of(feed, "alarm"))["alarm"]
    assert (alarm["alarm_id"], alarm["no"]) == (raised.alarm_id, (await stage.ledger.alarm(raised.alarm_id)).short_no)
    assert (alarm["address"], alarm["resident"], alarm["level"]) == ("3号楼 2单元 501", "王桂兰", 1)
    assert alarm["actions"] == ["acknowledge"]


async def test_messages_are_numbered_without_a_gap(stage: Stage) -> None:
    """Each message is one above the last; a beat names the number that comes next."""
    async with feed_of(stage, "zhoumin") as feed:
        last = (await next_of(feed, "snapshot"))["seq"]
        for household in (1, 2, 3):
            await stage.press(f"stb-030{household}")
        told = 0
        async with asyncio.timeout(10):
            while told < 3:
                message = await feed.receive_json()
                assert message["seq"] == last + 1
                last += message["t"] != "beat"
                told += len(rows_of(message))


async def test_a_page_that_missed_something_gets_everything_again(stage: Stage) -> None:
    """`resync` is answered with a snapshot of all that is open."""
    raised = await stage.press()
    async with feed_of(stage, "zhoumin") as feed:
        await next_of(feed, "snapshot")
        await feed.send_json({"t": "resync"})
        assert [row["alarm_id"] for row in (await next_of(feed, "snapshot"))["alarms"]] == [raised.alarm_id]


async def test_a_rendering_is_confirmed_to_the_ledger_once(stage: Stage) -> None:
    """`rendered` moves the alarm to notified by this person at this seat; again changes nothing."""
    raised = await stage.press()
    async with feed_of(stage, "zhoumin") as feed:
        await next_of(feed, "snapshot")
        for _ in range(2):
            await feed.send_json({"t": "rendered", "alarm_id": raised.alarm_id})
        assert (await next_of(feed, "alarm"))["alarm"]["state"] == "notified"
    [shown] = [event for event in await stage.ledger.history(raised.alarm_id) if event.kind == "rendered"]
    assert (shown.by_name, shown.details) == ("周敏", {"desk": "3"})


async def test_a_batch_of_renderings_is_confirmed_and_a_covered_page_confirms_nothing(stage: Stage) -> None:
    """`rendered` takes a list; from a page that has said that nobody sees it, it is counted and changes nothing."""
    raised = [(await stage.press(f"stb-030{number}")).alarm_id for number in (1, 2, 3)]
    async with feed_of(stage, "zhoumin") as feed:
        await next_of(feed, "snapshot")
        await feed.send_json({"t": "looking", "is_looking": False})
        await feed.send_json({"t": "rendered", "alarm_ids": raised})
        await feed.send_json({"t": "looking", "is_looking": True})
        await feed.send_json({"t": "rendered", "alarm_ids": ["unknown", *raised[:2]]})
        notified: set[str] = set()
        async with asyncio.timeout(10):
            while not notified >= set(raised[:2]):
                notified |= {
                    row["alarm_id"] for row in rows_of(await feed.receive_json()) if row["state"] == "notified"
                }
    assert (await stage.ledger.alarm(raised[2])).state == "raised"


async def test_noise_on_the_feed_is_counted_and_the_next_message_goes_through(stage: Stage) -> None:
    """Broken JSON, unknown words and unknown alarms do not end the line."""
    raised = await stage.press()
    async with feed_of(stage, "zhoumin") as feed:
        await next_of(feed, "snapshot")
        for noise in ("{", '{"t":"obey"}', '{"t":"rendered","alarm_id":"no such"}', "[]", '{"t":NaN}'):
            await feed.send_str(noise)
        await feed.send_bytes(b"\x00")
        await feed.send_json({"t": "rendered", "alarm_id": raised.alarm_id})
        assert (await next_of(feed, "alarm"))["alarm"]["state"] == "notified"


async def test_a_closed_alarm_is_told_and_leaves_the_snapshot(stage: Stage) -> None:
    """What another desk closes is told as closed, and a page that opens later does not see it."""
    raised = await stage.press()
    async with feed_of(stage, "zhoumin") as feed:
        await next_of(feed, "snapshot")
        alarm = await stage.resolved(raised.alarm_id, stage.people["zhoumin"])
        row = await row_of(feed, raised.alarm_id, state="resolved")
        assert (row["resolved_name"], row["needs_second_person"], row["actions"]) == ("周敏", True, ["close"])
        await stage.ledger.step(
            raised.alarm_id, Action.CLOSE, by=stage.people["liqiang"], version=alarm.version, note="看过了"
        )
        await row_of(feed, raised.alarm_id, state="closed")
    async with feed_of(stage, "liqiang") as feed:
        assert (await next_of(feed, "snapshot"))["alarms"] == []


async def test_a_lost_database_is_told_as_blindness_not_as_calm(stage: Stage) -> None:
    """While the ledger cannot be read the feed says since when; it catches up by itself with all that happened."""
    async with feed_of(stage, "zhoumin") as feed:
        assert (await next_of(feed, "snapshot"))["status"]["blind_since_ms"] is None
        desk_database = stage.desk.services[0]
        await desk_database.stop()
        assert (await next_of(feed, "status"))["status"]["blind_since_ms"] is not None
        raised = await stage.press()
        await desk_database.start()
        told = await next_of(feed, "snapshot")
    assert told["status"]["blind_since_ms"] is None
    assert [row["alarm_id"] for row in told["alarms"]] == [raised.alarm_id]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"t":"rendered","more":1}',
        '"rendered"',
        json.dumps({"t": "rendered", "alarm_ids": ["a"] * 201}),
    ],
)
def test_what_no_page_says_is_bad_input(text: str) -> None:
    """Anything but a known message is BadInput."""
    with pytest.raises(BadInput):
        said_of(text)
