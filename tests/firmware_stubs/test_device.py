"""A device introduces itself, leaves a will, and comes back."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_stubs.device import FIRST_PAUSE_S, LONGEST_PAUSE_S, next_pause_s
from gateway.contract import topics
from gateway.contract.messages import Status, Sync
from gateway.contract.topics import TopicKind
from gateway.model.errors import Unavailable
from tests.firmware_stubs.conftest import AREA, DEVICE, META, Listen, Run
from tests.kit import servers
from tests.kit.wire import Wire


async def test_it_says_what_it_is_and_that_it_is_there(
    any_broker: servers.AnyBroker, listening: Listen, running: Run, tmp_path: Path
) -> None:
    """Description and presence are published after every connect, also on a broker without MQTT 5."""
    async with listening(any_broker) as ear, running(any_broker, tmp_path) as sender:
        assert await ear.next_of(TopicKind.META) == META
        status = await ear.next_of(TopicKind.STATUS)
        assert isinstance(status, Status)
        assert (status.state, status.boot) == ("online", sender.device.boot)


async def test_description_and_presence_are_retained(
    mosquitto: servers.Mosquitto, listening: Listen, running: Run, tmp_path: Path
) -> None:
    """A gateway that comes later hears them too."""
    async with running(mosquitto, tmp_path) as sender:
        await sender.device.connected.wait()
        async with listening(mosquitto) as late:
            assert await late.next_of(TopicKind.STATUS)


async def test_a_cut_line_leaves_the_will_of_this_boot_and_then_it_comes_back(
    mosquitto: servers.Mosquitto, listening: Listen, running: Run, tmp_path: Path
) -> None:
    """The broker says offline with the boot of the lost line; the device connects again and says online."""
    async with listening(mosquitto) as ear, running(mosquitto, tmp_path) as sender:
        await ear.next_of(TopicKind.STATUS)
        await sender.device.connected.wait()
        sender.device.cut()
        gone = await ear.next_of(TopicKind.STATUS)
        back = await ear.next_of(TopicKind.STATUS)
        assert isinstance(gone, Status) and isinstance(back, Status)
        assert (gone.state, gone.boot) == ("offline", sender.device.boot)
        assert (back.state, back.boot) == ("online", sender.device.boot)


async def test_it_says_goodbye_when_it_stops(
    any_broker: servers.AnyBroker, listening: Listen, running: Run, tmp_path: Path
) -> None:
    """A device that is switched off in good order says offline itself, once."""
    async with listening(any_broker) as ear:
        async with running(any_broker, tmp_path) as sender:
            await ear.next_of(TopicKind.STATUS)
            await sender.device.connected.wait()
        gone = await ear.next_of(TopicKind.STATUS)
        assert isinstance(gone, Status)
        assert gone.state == "offline"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await ear.next_of(TopicKind.STATUS)


async def test_it_comes_back_after_the_broker_was_killed(
    mosquitto: servers.Mosquitto, running: Run, tmp_path: Path
) -> None:
    """The broker dies and starts again; the device connects again by itself."""
    async with running(mosquitto, tmp_path) as sender:
        await sender.device.connected.wait()
        mosquitto.kill()
        await _wait_until_lost(sender.device.connected)
        with pytest.raises(Unavailable):
            await sender.device.publish(TopicKind.META, META)
        mosquitto.launch()
        async with asyncio.timeout(15):
            await sender.device.connected.wait()


async def test_it_comes_back_over_a_wire_that_was_cut(
    mosquitto: servers.Mosquitto, running: Run, tmp_path: Path
) -> None:
    """A wire that refuses for a while is tried again until it is mended."""
    async with Wire(mosquitto.port) as wire, running(mosquitto, tmp_path, port=wire.port) as sender:
        await sender.device.connected.wait()
        wire.cut()
        await _wait_until_lost(sender.device.connected)
        wire.mend()
        async with asyncio.timeout(15):
            await sender.device.connected.wait()


async def test_a_request_to_sync_is_answered(
    mosquitto: servers.Mosquitto, listening: Listen, running: Run, tmp_path: Path
) -> None:
    """After `down/sync` description and presence are said again."""
    async with listening(mosquitto) as ear, running(mosquitto, tmp_path) as sender:
        await ear.next_of(TopicKind.STATUS)
        await sender.device.connected.wait()
        await ear.line.publish(topics.down_sync(AREA, DEVICE), Sync("gap").encode())
        assert await ear.next_of(TopicKind.META) == META
        assert await ear.next_of(TopicKind.STATUS)


async def test_nonsense_from_above_is_survived(
    mosquitto: servers.Mosquitto, listening: Listen, running: Run, tmp_path: Path
) -> None:
    """A broken message to the device is counted, and the next good one is understood."""
    async with listening(mosquitto) as ear, running(mosquitto, tmp_path) as sender:
        await ear.next_of(TopicKind.STATUS)
        await sender.device.connected.wait()
        for payload in (b"", b"\xff", b"{", b'{"id":1}', b"[" * 70000):
            await ear.line.publish(topics.down_cmd(AREA, DEVICE), payload)
        await ear.line.publish(topics.down_sync(AREA, DEVICE), b"{}")
        assert await ear.next_of(TopicKind.META) == META


async def test_a_wrong_password_keeps_it_out_and_trying(
    mosquitto: servers.Mosquitto, running: Run, tmp_path: Path
) -> None:
    """A refused device goes on asking, and is in as soon as its password is right."""
    right = mosquitto.add_user(DEVICE)
    mosquitto.credentials[DEVICE] = "wrong"
    async with running(mosquitto, tmp_path) as sender:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await sender.device.connected.wait()
        mosquitto.add_user(DEVICE, "wrong")
        async with asyncio.timeout(20):
            await sender.device.connected.wait()
    assert right != "wrong"


@given(st.floats(0, 1000))
def test_pauses_grow_are_bounded_and_differ(previous_s: float) -> None:
    """Every pause lies between the first and the longest, and below three times the one before."""
    pause_s = next_pause_s(previous_s)
    assert FIRST_PAUSE_S <= pause_s <= min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, previous_s * 3))


async def _wait_until_lost(connected: asyncio.Event) -> None:
    async with asyncio.timeout(10):
        while connected.is_set():
            await asyncio.sleep(0.02)
