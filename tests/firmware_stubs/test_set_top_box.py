"""What a box shows, and what it does when it is told."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from firmware_stubs import log
from firmware_stubs.button import Button
from firmware_stubs.device import Device, Identity
from firmware_stubs.events import EventSender
from firmware_stubs.journal import Journal
from firmware_stubs.set_top_box import SetTopBox
from firmware_stubs.settings import Broker
from gateway.contract.messages import Ack, Cast, Command, Event, Message, Ota, Receipt, Want
from gateway.contract.topics import TopicKind
from gateway.model.ids import new_ulid
from tests.firmware_stubs.conftest import AREA, META
from tests.kit.clock import FakeClock


class Mute(Device):
    """A device without a line that notes what it would publish."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(Broker(), Identity(AREA, "stb-0301", "", "hh-0301"), META, 1, clock)
        self.said: list[Message] = []

    async def publish(self, kind: TopicKind, message: Message) -> None:
        self.said.append(message)


@pytest.fixture
def sender(tmp_path: Path, clock: FakeClock) -> Iterator[EventSender]:
    journal = Journal.open(tmp_path, clock.now())
    yield EventSender(Mute(clock), journal)
    journal.close()


async def _settle(sender: EventSender) -> list[Message]:
    """Let the box's errands run and return what it said."""
    device = sender.device
    assert isinstance(device, Mute)
    while device._errands:
        await asyncio.wait(device._errands)
        await asyncio.sleep(0)  # an errand that is done leaves the set in the loop's next turn
    return device.said


def _receipt(event: Event, state: str) -> Receipt:
    return Receipt(event.event_id, event.boot, event.seq, state, event.at, event.at, "A20260720-0003")


def _warning(clock: FakeClock, expires_at: datetime, signature: str) -> Cast:
    return Cast(
        "c-1",
        "office@example",
        clock.now(),
        "Actual",
        "Alert",
        "洪水",
        urgency="Immediate",
        severity="Severe",
        certainty="Observed",
        headline="洪水预警",
        expires_at=expires_at,
        signature=signature,
    )


async def test_the_screen_follows_the_receipts(sender: EventSender) -> None:
    """Sending, then seen, then accepted with the number."""
    box = SetTopBox(sender)
    assert box.screen == "idle"
    event = box.press()
    assert box.screen == "sending"
    box.receive(_receipt(event, "seen"))
    assert box.screen == "seen"
    box.receive(_receipt(event, "recorded"))
    assert (box.screen, box.alarm_no) == ("accepted", "A20260720-0003")


async def test_after_ten_seconds_without_receipt_it_says_so_and_goes_on(sender: EventSender, clock: FakeClock) -> None:
    """The resident is told to call 110; a receipt that still comes is believed."""
    box = SetTopBox(sender)
    event = box.press()
    clock.advance(9.9)
    assert box.screen == "sending"
    clock.advance(0.1)
    assert box.screen == "undelivered"
    assert sender.pending == (event,)
    box.receive(_receipt(event, "recorded"))
    assert box.screen == "accepted"


async def test_a_cancellation_is_a_second_event(sender: EventSender) -> None:
    """Taking it back deletes nothing: both events stand in the journal."""
    box = SetTopBox(sender)
    press, cancellation = box.press(), box.cancel()
    assert [event.kind for event in sender.pending] == ["sos_pressed", "cancelled"]
    assert (press.boot, press.seq) != (cancellation.boot, cancellation.seq)


async def test_a_command_is_accepted_and_done(sender: EventSender, clock: FakeClock) -> None:
    """`set` changes a setting, and both steps are acknowledged."""
    box = SetTopBox(sender)
    command = Command(new_ulid(clock.now()), clock.now() + timedelta(minutes=1), "set", {"volume": 40})
    box.receive(command)
    assert await _settle(sender) == [Ack(command.command_id, "accepted"), Ack(command.command_id, "done")]
    assert box.settings == {"volume": 40}


async def test_a_repeated_command_is_done_once(sender: EventSender, clock: FakeClock) -> None:
    """The same id twice is answered twice and shown once."""
    box = SetTopBox(sender)
    command = Command(new_ulid(clock.now()), clock.now() + timedelta(minutes=1), "show", {"text": "停水"})
    box.receive(command)
    await _settle(sender)
    box.receive(command)
    said = await _settle(sender)
    assert box.shown == ["停水"]
    assert [ack.state for ack in said if isinstance(ack, Ack)] == ["accepted", "done", "done"]


@pytest.mark.parametrize(("action", "seconds", "code"), [("set", -1, "expired"), ("explode", 60, "unknown_action")])
async def test_a_command_that_cannot_be_done_fails_with_a_word(
    sender: EventSender, clock: FakeClock, action: str, seconds: int, code: str
) -> None:
    """Too late or unknown: the box says failed and why."""
    box = SetTopBox(sender)
    command = Command(new_ulid(clock.now()), clock.now() + timedelta(seconds=seconds), action)
    box.receive(command)
    assert (await _settle(sender))[-1] == Ack(command.command_id, "failed", code)


async def test_the_desired_state_is_acknowledged_with_its_version(sender: EventSender, clock: FakeClock) -> None:
    """The box reports which version it applied; a firmware it cannot install it refuses."""
    box = SetTopBox(sender)
    box.receive(Want(7, {"volume": 30.0}))
    box.receive(Ota(new_ulid(clock.now()), "2", "https://updates.example/x", 1, "0" * 64, "ab"))
    said = await _settle(sender)
    assert said[0] == Ack("want", "done", version=7)
    assert isinstance(said[1], Ack) and said[1].state == "failed"


async def test_a_warning_without_signature_is_not_shown(sender: EventSender, clock: FakeClock) -> None:
    """Nobody can frighten a community by publishing: an unsigned or expired warning is counted, not shown."""
    box = SetTopBox(sender)
    later = clock.now() + timedelta(hours=1)
    before = log.DROPPED["unsigned_warning"]
    box.receive(_warning(clock, later, ""))
    assert box.shown == []
    assert log.DROPPED["unsigned_warning"] == before + 1
    box.receive(_warning(clock, clock.now(), "ab"))
    assert box.shown == []
    box.receive(_warning(clock, later, "ab"))
    assert box.shown == ["洪水预警"]


async def test_a_short_touch_is_no_press(sender: EventSender) -> None:
    """The key must be held for two seconds."""
    button = Button(sender)
    assert button.press(1999) is None
    assert sender.pending == ()
    event = button.press(2000)
    assert event is not None
    assert button.lamp == "sending"
    sender.receive(_receipt(event, "recorded"))
    assert button.lamp == "accepted"


async def test_three_touches_within_three_seconds_are_a_silent_alarm(sender: EventSender, clock: FakeClock) -> None:
    """The lamp does not change, not for the alarm and not for its receipts; three slow touches are nothing."""
    button = Button(sender)
    for _ in range(4):
        assert button.press(200) is None
        clock.advance(1.5)
    clock.advance(10)
    assert [button.press(200) is not None for _ in range(3)] == [False, False, True]
    (event,) = sender.pending
    assert (event.kind, button.lamp) == ("sos_silent", "off")
    for state in ("seen", "recorded"):
        sender.receive(_receipt(event, state))
        assert button.lamp == "off"
    assert sender.pending == ()


@pytest.mark.parametrize("wrong", [timedelta(days=-20_000), timedelta(days=60_000), timedelta(minutes=-5)])
async def test_a_device_with_a_wrong_clock_learns_the_time(
    sender: EventSender, clock: FakeClock, wrong: timedelta
) -> None:
    """Its first event says the wrong time and can still be encoded; after the receipt it says the right one."""
    right = clock.now()
    clock.jump(wrong.total_seconds())
    first = sender.report("sos_pressed", {})
    assert first.encode()
    sender.receive(Receipt(first.event_id, first.boot, first.seq, "recorded", right, right, "A20260720-0003"))
    assert sender.report("sos_pressed", {}).at == right
    clock.advance(5)
    assert sender.report("cancelled", {}).at == right + timedelta(seconds=5)


async def test_a_receipt_a_few_seconds_away_leaves_the_clock_alone(sender: EventSender, clock: FakeClock) -> None:
    """A slow network is no wrong clock."""
    first, then = sender.report("sos_pressed", {}), clock.now() + timedelta(seconds=40)
    sender.receive(Receipt(first.event_id, first.boot, first.seq, "recorded", then, then))
    assert sender.device.clock.now() == clock.now()
