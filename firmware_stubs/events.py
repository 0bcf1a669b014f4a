"""Sends a device's events until they are receipted: journal first, then MQTT again and again, then also HTTP.

The promise: what `report` returned is on disk, and is repeated with the same (boot, seq) until a receipt says that it
is recorded, across restarts of the device, the broker and the gateway. A PUBACK changes nothing.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from firmware_stubs import log
from firmware_stubs.device import Device
from firmware_stubs.journal import Journal, Settled
from firmware_stubs.second_road import SecondRoad
from gateway.contract.alarm_post import POSTED_EVENTS, AlarmAnswer
from gateway.contract.messages import Event, Message, Receipt
from gateway.contract.signing import check_receipt, receipt_of, sign_event
from gateway.contract.topics import TopicKind
from gateway.model.errors import Unavailable

FINAL_STATES: Final = frozenset({"recorded", "cancelled", "rejected"})


@dataclass(frozen=True, slots=True)
class Timing:
    """When an event is said again: pauses after each attempt (the last one repeats), and when HTTP joins in."""

    pauses_s: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 15.0)
    second_road_after_s: float = 3.0

    def pause_s(self, attempt: int) -> float:
        """The pause after attempt number `attempt` (from 1), with a tenth of jitter."""
        return self.pauses_s[min(attempt, len(self.pauses_s)) - 1] * random.uniform(0.9, 1.1)


@dataclass(frozen=True, slots=True)
class _Attempt:
    first_monotonic_s: float
    next_monotonic_s: float
    count: int = 0


class EventSender:
    """One device's events. `on_receipt` hears every receipt of our own events, also `seen`."""

    def __init__(
        self, device: Device, journal: Journal, second_road: SecondRoad | None = None, timing: Timing | None = None
    ) -> None:
        self.device = device
        self.on_receipt: Callable[[str, str, str], None] = lambda _event_id, _state, _alarm_no: None
        self.sent = 0
        self._journal = journal
        self._second_road = second_road
        self._timing = timing or Timing()
        self._attempts: dict[str, _Attempt] = {}
        self._waiting: dict[str, asyncio.Future[Settled]] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to send; what an earlier boot left in the journal goes first."""
        self._task = asyncio.create_task(self._run(), name=f"stub-events-{self.device.identity.device_id}")

    async def stop(self) -> None:
        """End; what is not receipted stays in the journal. Also before `start`, also twice."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        for answer in self._waiting.values():
            answer.cancel()

    def report(self, kind: str, details: Mapping[str, object]) -> Event:
        """Put an event on disk, then send it for as long as it takes; returns when it is on disk."""
        event = self._journal.record(kind, self.device.clock.now(), details)
        log.info("event", device=self.device.identity.device_id, kind=kind, boot=event.boot, seq=event.seq)
        self._wake.set()
        return event

    async def wait_settled(self, event: Event, timeout_s: float) -> Settled:
        """Return how the event ended; TimeoutError when it has not after `timeout_s`, while sending goes on."""
        answer = self._waiting.setdefault(event.event_id, asyncio.get_running_loop().create_future())
        async with asyncio.timeout(timeout_s):
            return await asyncio.shield(answer)

    @property
    def pending(self) -> tuple[Event, ...]:
        """Events that no receipt has settled."""
        return self._journal.pending

    def receive(self, message: Message) -> None:
        """Take a message that was sent down to the device; anything but a receipt is none of ours."""
        if not isinstance(message, Receipt):
            return
        own = {event.event_id: event for event in self._journal.pending}
        event = own.get(message.event_id)
        if event is None or (event.boot, event.seq) != (message.boot, message.seq):
            return
        if self._is_ours(message):
            self._note(event, message.state, message.alarm_no, message.why)

    def _is_ours(self, receipt: Receipt) -> bool:
        """Tell whether the gateway says it; then it also says what time it is. A forged one must silence nobody."""
        device_id, key = self.device.identity.device_id, self.device.identity.alarm_key
        if key is not None and not check_receipt(key, device_id, receipt):
            reason = "bad_receipt_signature" if receipt.signature else "unsigned_receipt"
            log.dropped(reason, device=device_id, boot=receipt.boot, seq=receipt.seq, state=receipt.state)
            return False
        if self.device.clock.hear(receipt.now):
            log.warning("clock_corrected", device=device_id, now=receipt.now.isoformat())
        return True

    def _signed(self, event: Event) -> Event:
        identity = self.device.identity
        if identity.alarm_key is None:
            return event
        return replace(event, signature=sign_event(identity.alarm_key, identity.device_id, event))

    def _note(self, event: Event, state: str, alarm_no: str, why: str) -> None:
        device_id = self.device.identity.device_id
        log.info("receipt", device=device_id, seq=event.seq, state=state, alarm_no=alarm_no, why=why)
        if state in FINAL_STATES:
            self._journal.settle(event.event_id, state, alarm_no)
            self._attempts.pop(event.event_id, None)
            answer = self._waiting.setdefault(event.event_id, asyncio.get_running_loop().create_future())
            if not answer.done():
                answer.set_result(Settled(event.event_id, state, alarm_no))
        self.on_receipt(event.event_id, state, alarm_no)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            pause_s = self._send_what_is_due()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()

    def _send_what_is_due(self) -> float | None:
        """Send every event whose time has come; return how long until the next one, or None when all is settled."""
        now_s = self.device.clock.monotonic_s()
        for event in self._journal.pending:
            attempt = self._attempts.get(event.event_id, _Attempt(now_s, now_s))
            if attempt.next_monotonic_s <= now_s:
                attempt = self._send(event, attempt, now_s)
            self._attempts[event.event_id] = attempt
        times = [attempt.next_monotonic_s for attempt in self._attempts.values()]
        return max(0.01, min(times) - now_s) if times else None

    def _send(self, event: Event, attempt: _Attempt, now_s: float) -> _Attempt:
        waited_s = now_s - attempt.first_monotonic_s
        road = self._second_road if event.kind in POSTED_EVENTS else None
        if road is not None and waited_s >= self._timing.second_road_after_s:
            self.device.run_errand(self._post(road, event))
        if not self.device.connected.is_set():
            return replace(attempt, next_monotonic_s=now_s + min(0.5, self._timing.pauses_s[-1]))
        self.device.run_errand(self._publish(event))
        pause_s = self._timing.pause_s(attempt.count + 1)
        return replace(attempt, count=attempt.count + 1, next_monotonic_s=now_s + pause_s)

    async def _publish(self, event: Event) -> None:
        try:
            self.sent += 1
            await self.device.publish(TopicKind.UP_EVT, self._signed(event))
        except Unavailable as error:
            log.info("event_not_acknowledged", device=self.device.identity.device_id, why=str(error))

    async def _post(self, road: SecondRoad, event: Event) -> None:
        answer = await road.post(self.device.identity.device_id, self._signed(event))
        if answer is None or event.event_id not in {left.event_id for left in self._journal.pending}:
            return
        if answer.alarm is not None:
            self._believe(event, answer)
        elif answer.is_seen:
            self._note(event, "seen", "", "over HTTP")

    def _believe(self, event: Event, answer: AlarmAnswer) -> None:
        """Take a committed answer as the receipt that it stands for; a device without a key needs no times in it."""
        receipt = receipt_of(event, answer)
        if receipt is None and self.device.identity.alarm_key is not None:
            log.dropped("unsigned_receipt", device=self.device.identity.device_id, boot=event.boot, seq=event.seq)
            return
        if receipt is None or self._is_ours(receipt):
            self._note(event, "recorded", answer.alarm.alarm_no if answer.alarm else "", "over HTTP")
