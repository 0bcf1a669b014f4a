"""The promise of a device: said again and again, the same, until it is recorded."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from firmware_stubs import log
from firmware_stubs.events import EventSender, Timing
from firmware_stubs.second_road import SecondRoad
from gateway.contract.alarm_post import KEY_HEADER, PATH, TOKEN_HEADER, AlarmAnswer, AlarmFacts, AlarmPost
from gateway.contract.messages import Event
from gateway.contract.signing import alarm_key, check_event, receipt_of, sign_event, sign_receipt
from tests.firmware_stubs.conftest import DEVICE, Listen, Run
from tests.kit import servers
from tests.kit.wire import Wire

TOKEN = "token-of-0301-abcdef"
KEY = alarm_key(DEVICE, "secret")


async def test_a_puback_is_not_a_receipt(
    any_broker: servers.AnyBroker, listening: Listen, running: Run, tmp_path: Path
) -> None:
    """The broker acknowledges every time, and still the event is said again with the same identity."""
    async with listening(any_broker) as ear, running(any_broker, tmp_path) as sender:
        event = sender.report("sos_pressed", {"held_ms": 2100})
        said = [await ear.event() for _ in range(4)]
        assert said == [event] * 4
        assert sender.pending == (event,)


async def test_the_receipt_ends_it(
    any_broker: servers.AnyBroker, listening: Listen, running: Run, tmp_path: Path
) -> None:
    """After `recorded` nothing more is said, and the number is known."""
    async with listening(any_broker) as ear, running(any_broker, tmp_path) as sender:
        event = sender.report("sos_pressed", {})
        await ear.event()
        await ear.receipt(event)
        settled = await sender.wait_settled(event, 5)
        assert (settled.state, settled.alarm_no) == ("recorded", "A20261120-0007")
        assert sender.pending == ()
        while not ear.line.inbox.empty():
            ear.line.inbox.get_nowait()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await ear.event()


async def test_seen_is_not_recorded(
    mosquitto: servers.Mosquitto, listening: Listen, running: Run, tmp_path: Path
) -> None:
    """A desk that has seen it does not end the repetition: only the record does."""
    heard: list[str] = []
    async with listening(mosquitto) as ear, running(mosquitto, tmp_path) as sender:
        sender.on_receipt = lambda _id, state, _no: heard.append(state)
        event = sender.report("sos_pressed", {})
        await ear.event()
        await ear.receipt(event, "seen")
        assert [await ear.event() for _ in range(3)] == [event] * 3
        assert heard == ["seen"]


async def test_somebody_elses_receipt_changes_nothing(
    mosquitto: servers.Mosquitto, listening: Listen, running: Run, tmp_path: Path
) -> None:
    """A receipt must name id, boot and seq of the event; a guess at one of them is ignored."""
    async with listening(mosquitto) as ear, running(mosquitto, tmp_path) as sender:
        event = sender.report("sos_pressed", {})
        await ear.event()
        await ear.receipt(Event(event.event_id, event.boot - 1, event.seq, event.at, event.kind))
        await ear.receipt(Event(event.event_id, event.boot, event.seq + 1, event.at, event.kind))
        with pytest.raises(TimeoutError):
            await sender.wait_settled(event, 0.5)


async def test_it_goes_on_after_a_restart_of_the_device(
    mosquitto: servers.Mosquitto, listening: Listen, running: Run, tmp_path: Path
) -> None:
    """What was pressed before the power cut is said after it, with the boot of then."""
    async with listening(mosquitto) as ear:
        async with running(mosquitto, tmp_path) as sender:
            event = sender.report("sos_pressed", {})
            await ear.event()
        async with running(mosquitto, tmp_path) as again:
            assert await ear.event() == event
            assert again.device.boot > event.boot
            await ear.receipt(event)
            assert (await again.wait_settled(event, 5)).state == "recorded"


async def test_a_press_without_any_broker_is_said_when_there_is_one(
    mosquitto: servers.Mosquitto, listening: Listen, running: Run, tmp_path: Path
) -> None:
    """The key works while the network is away; the event goes out when it is back."""
    mosquitto.kill()
    mosquitto.credentials["sos-0301"] = "x" * 8
    async with running(mosquitto, tmp_path) as sender:
        event = sender.report("sos_pressed", {})
        await asyncio.sleep(0.5)
        assert sender.pending == (event,)
        mosquitto.launch()
        mosquitto.add_user("sos-0301", "x" * 8)
        async with listening(mosquitto) as ear:
            assert await ear.event() == event


async def test_it_survives_a_broker_that_dies_with_the_event_in_flight(
    mosquitto: servers.Mosquitto, listening: Listen, running: Run, tmp_path: Path
) -> None:
    """The wire breaks between PUBLISH and PUBACK and the broker is killed; the event comes through afterwards."""
    async with Wire(mosquitto.port) as wire, running(mosquitto, tmp_path, port=wire.port) as sender:
        await sender.device.connected.wait()
        wire.black_hole()
        event = sender.report("sos_pressed", {})
        await asyncio.sleep(0.3)
        mosquitto.kill()
        wire.reset()
        wire.mend()
        mosquitto.launch()
        async with listening(mosquitto) as ear:
            assert await ear.event() == event


async def test_a_receipt_that_came_while_the_device_was_away_waits_for_it(
    mosquitto: servers.Mosquitto, listening: Listen, running: Run, tmp_path: Path
) -> None:
    """The broker keeps the device's session, so a receipt that was sent into the gap arrives after it."""
    patient = Timing((30.0,))
    async with (
        Wire(mosquitto.port) as wire,
        listening(mosquitto) as ear,
        running(mosquitto, tmp_path, port=wire.port, timing=patient) as sender,
    ):
        await sender.device.connected.wait()
        event = sender.report("sos_pressed", {})
        await ear.event()
        wire.cut()
        while sender.device.connected.is_set():
            await asyncio.sleep(0.02)
        await ear.receipt(event)
        wire.mend()
        assert (await sender.wait_settled(event, 15)).state == "recorded"
        assert sender.sent == 1


async def test_two_events_keep_their_order_and_their_numbers(
    mosquitto: servers.Mosquitto, listening: Listen, running: Run, tmp_path: Path
) -> None:
    """Press and cancellation are two events of one boot with rising seq."""
    async with listening(mosquitto) as ear, running(mosquitto, tmp_path) as sender:
        await sender.device.connected.wait()
        press, cancellation = sender.report("sos_pressed", {}), sender.report("cancelled", {})
        assert [await ear.event(), await ear.event()] == [press, cancellation]
        assert (press.boot, press.seq + 1) == (cancellation.boot, cancellation.seq)


async def test_a_forged_receipt_silences_nobody(
    mosquitto: servers.Mosquitto, listening: Listen, running: Run, tmp_path: Path
) -> None:
    """With a key: unsigned, wrongly signed, another device's receipts are ignored and counted; the right one ends."""
    before = dict(log.DROPPED)
    async with listening(mosquitto) as ear, running(mosquitto, tmp_path, key=KEY) as sender:
        event = sender.report("sos_pressed", {})
        said = await ear.event()
        assert said == replace(event, signature=sign_event(KEY, DEVICE, event))
        await ear.receipt(event)
        await ear.receipt(event, "seen")
        await ear.receipt(event, key=alarm_key(DEVICE, "guessed"))
        await ear.receipt(event, key=alarm_key("sos-0302", "secret"))
        with pytest.raises(TimeoutError):
            await sender.wait_settled(event, 1)
        assert sender.pending == (event,)
        assert log.DROPPED["unsigned_receipt"] == before.get("unsigned_receipt", 0) + 2
        assert log.DROPPED["bad_receipt_signature"] == before.get("bad_receipt_signature", 0) + 2
        await ear.receipt(event, key=KEY)
        assert (await sender.wait_settled(event, 5)).state == "recorded"


# --- the second road -------------------------------------------------------------------------------------------------


class Door:
    """An HTTP server that answers alarms with `status`, signed with `key` where it has one, and notes what came."""

    def __init__(self, status: int, key: bytes | None = None) -> None:
        self.status = status
        self.key = key
        self.is_seen = False
        self.came: list[tuple[AlarmPost, str, str]] = []

    async def take(self, request: web.Request) -> web.Response:
        post = AlarmPost.decode(await request.read())
        self.came.append((post, request.headers[KEY_HEADER], request.headers[TOKEN_HEADER]))
        now = datetime.now(UTC).replace(microsecond=0)
        facts = AlarmFacts("01K8Z6Q91RN5Y7W3T9X2B4D6FH", "A20261120-0008", "raised", now)
        answer = AlarmAnswer(ok=True, alarm=facts, now=now)
        said = receipt_of(post.event(), answer)
        if self.key is not None and said is not None:
            answer = replace(answer, signature=sign_receipt(self.key, post.device_id, said))
        if self.status == 202:
            answer = AlarmAnswer(ok=True, is_unrecorded=True, is_seen=self.is_seen)
        return web.Response(status=self.status, body=answer.encode() if self.status < 300 else b"no")


@contextlib.asynccontextmanager
async def _door(status: int, key: bytes | None = None) -> AsyncIterator[tuple[Door, SecondRoad]]:
    door = Door(status, key)
    app = web.Application()
    app.router.add_post(PATH, door.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield door, SecondRoad(f"http://127.0.0.1:{runner.addresses[0][1]}/", TOKEN)
    finally:
        await runner.cleanup()


async def _wait_for_post(door: Door) -> None:
    async with asyncio.timeout(10):
        while not door.came:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("status", [200, 201])
async def test_http_carries_the_same_identity_when_mqtt_is_silent(
    mosquitto: servers.Mosquitto, running: Run, tmp_path: Path, status: int
) -> None:
    """After a while without receipt the event is posted too; a committed answer settles it."""
    async with _door(status) as (door, road), running(mosquitto, tmp_path, second_road=road) as sender:
        event = sender.report("sos_pressed", {"held_ms": 2100})
        settled = await sender.wait_settled(event, 10)
        assert settled.alarm_no == "A20261120-0008"
        post, key, token = door.came[0]
        assert (post.event(), post.device_id) == (event, "sos-0301")
        assert (key, token) == (event.event_id, TOKEN)
        assert sender.pending == ()


@pytest.mark.parametrize(("of_server", "reason"), [(b"forged", "bad_receipt_signature"), (None, "unsigned_receipt")])
async def test_a_forged_answer_over_http_silences_nobody(  # noqa: PLR0917  two servers, three fixtures
    mosquitto: servers.Mosquitto, listening: Listen, running: Run, tmp_path: Path, of_server: bytes | None, reason: str
) -> None:
    """A device with a key believes only the signed answer; MQTT goes on meanwhile, and so does HTTP."""
    before = log.DROPPED[reason]
    async with (
        _door(201, of_server) as (door, road),
        listening(mosquitto) as ear,
        running(mosquitto, tmp_path, second_road=road, key=KEY) as sender,
    ):
        event = sender.report("sos_pressed", {})
        await _wait_for_post(door)
        assert check_event(KEY, DEVICE, door.came[0][0].event())
        with pytest.raises(TimeoutError):
            await sender.wait_settled(event, 0.5)
        assert log.DROPPED[reason] > before
        assert check_event(KEY, DEVICE, await ear.event())
        door.key = KEY
        assert (await sender.wait_settled(event, 10)).alarm_no == "A20261120-0008"


async def test_http_works_without_any_broker(mosquitto: servers.Mosquitto, running: Run, tmp_path: Path) -> None:
    """Two roads: one of them is enough."""
    mosquitto.add_user("sos-0301")
    mosquitto.kill()
    async with _door(201) as (_, road), running(mosquitto, tmp_path, second_road=road) as sender:
        event = sender.report("sos_pressed", {})
        assert (await sender.wait_settled(event, 10)).state == "recorded"


async def test_mqtt_alone_is_used_while_it_answers(
    mosquitto: servers.Mosquitto, listening: Listen, running: Run, tmp_path: Path
) -> None:
    """A receipt that comes in time leaves the second road untouched."""
    patient = Timing((0.2,), second_road_after_s=3.0)
    async with _door(201) as (door, road), listening(mosquitto) as ear:
        async with running(mosquitto, tmp_path, second_road=road, timing=patient) as sender:
            event = sender.report("sos_pressed", {})
            await ear.event()
            await ear.receipt(event)
            await sender.wait_settled(event, 5)
        assert door.came == []


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 503])
async def test_a_refusal_over_http_is_no_receipt(
    mosquitto: servers.Mosquitto, listening: Listen, running: Run, tmp_path: Path, status: int
) -> None:
    """Whatever a server answers but 200 and 201, the event stays pending and MQTT goes on."""
    async with (
        _door(status) as (door, road),
        listening(mosquitto) as ear,
        running(mosquitto, tmp_path, second_road=road) as sender,
    ):
        event = sender.report("sos_pressed", {})
        await _wait_for_post(door)
        assert sender.pending == (event,)
        assert await ear.event() == event


@pytest.mark.parametrize("is_seen", [False, True])
async def test_taken_in_is_not_recorded(
    mosquitto: servers.Mosquitto, running: Run, tmp_path: Path, is_seen: bool
) -> None:
    """A 202 settles nothing, however often it comes; the lamp learns that a desk has seen it."""
    heard: list[str] = []
    async with _door(202) as (door, road), running(mosquitto, tmp_path, second_road=road) as sender:
        door.is_seen = is_seen
        sender.on_receipt = lambda _event_id, state, _alarm_no: heard.append(state)
        event = sender.report("sos_pressed", {})
        async with asyncio.timeout(10):
            while len(door.came) < 3:
                await asyncio.sleep(0.02)
        assert sender.pending == (event,)
        assert set(heard) == ({"seen"} if is_seen else set())
        door.status = 201
        assert (await sender.wait_settled(event, 10)).state == "recorded"


async def test_a_sensors_event_has_one_road(
    mosquitto: servers.Mosquitto, listening: Listen, running: Run, tmp_path: Path
) -> None:
    """Only what a person in need sends is posted."""
    async with (
        _door(201) as (door, road),
        listening(mosquitto) as ear,
        running(mosquitto, tmp_path, second_road=road) as sender,
    ):
        sender.report("smoke", {})
        for _ in range(5):
            await ear.event()
        assert door.came == []


async def test_stopping_twice_and_before_starting_is_fine(
    mosquitto: servers.Mosquitto, running: Run, tmp_path: Path
) -> None:
    """A service's stop may come at any time."""
    async with running(mosquitto, tmp_path) as sender:
        fresh = EventSender(sender.device, sender._journal)
        await fresh.stop()
        await sender.stop()
        await sender.stop()
