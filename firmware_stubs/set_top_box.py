"""A set-top box without its screen: red key, cancellation, receipts, acknowledged commands, what it would show."""

from datetime import timedelta
from typing import Final

from firmware_stubs import log
from firmware_stubs.events import EventSender
from gateway.contract.messages import Ack, Cast, Command, Event, Message, Ota, Want
from gateway.contract.meta import ActionKind, EventKind, Parameter, Part, Property
from gateway.contract.topics import TopicKind

#: After this long without any receipt the resident is told to call 110, while sending goes on.
UNDELIVERED_AFTER_S: Final = 10.0

PARTS: Final = {
    "key": Part("红键", events={"sos_pressed": EventKind("报警", "alert"), "cancelled": EventKind("撤销", "alert")}),
    "screen": Part(
        "屏幕",
        {"volume": Property("integer", "音量", "%", "0:100", settable=True)},
        actions={"show": ActionKind("显示", {"text": Parameter("string", "文字")}), "say": ActionKind("播报")},
    ),
}

_KNOWN_ACTIONS: Final = frozenset({"set", "show", "say"})


class SetTopBox:
    """One household's box. `screen` is one of idle, sending, seen, accepted, cancelled, rejected, undelivered."""

    def __init__(self, sender: EventSender) -> None:
        self.alarm_no = ""
        self.shown: list[str] = []
        self.settings: dict[str, object] = {}
        self._sender = sender
        self._state = "idle"
        self._pressed_monotonic_s = 0.0
        self._done: dict[str, Ack] = {}
        sender.on_receipt = self._note

    @property
    def screen(self) -> str:
        """What the alarm page shows now."""
        waited_s = self._sender.device.clock.monotonic_s() - self._pressed_monotonic_s
        is_late = self._state == "sending" and waited_s >= UNDELIVERED_AFTER_S
        return "undelivered" if is_late else self._state

    def press(self, held_ms: int = 2100) -> Event:
        """Hold the red key; the event is on disk when this returns."""
        event = self._sender.report("sos_pressed", {"held_ms": held_ms, "key": "red"})
        self._state = "sending"
        self._pressed_monotonic_s = self._sender.device.clock.monotonic_s()
        return event

    def cancel(self) -> Event:
        """Take it back: a second event, which deletes nothing."""
        return self._sender.report("cancelled", {"key": "back"})

    def receive(self, message: Message) -> None:
        """Take a message that was sent down to the box."""
        self._sender.receive(message)
        if isinstance(message, Command):
            self._sender.device.run_errand(self._obey(message))
        elif isinstance(message, Want):
            self.settings.update(message.values)
            ack = Ack("want", "done", version=message.version)
            self._sender.device.run_errand(self._sender.device.publish(TopicKind.UP_ACK, ack))
        elif isinstance(message, Ota):
            refusal = Ack(message.job, "failed", "not_supported")
            self._sender.device.run_errand(self._sender.device.publish(TopicKind.UP_ACK, refusal))
        elif isinstance(message, Cast):
            self._warn(message)

    async def _obey(self, command: Command) -> None:
        """Accept, do, say done; a command that came before is only answered again."""
        publish = self._sender.device.publish
        known = self._done.get(command.command_id)
        if known is None:
            await publish(TopicKind.UP_ACK, Ack(command.command_id, "accepted"))
            known = self._done[command.command_id] = self._do(command)
        await publish(TopicKind.UP_ACK, known)

    def _do(self, command: Command) -> Ack:
        if command.expires_at <= self._sender.device.clock.now():
            return Ack(command.command_id, "failed", "expired")
        if command.action not in _KNOWN_ACTIONS:
            return Ack(command.command_id, "failed", "unknown_action")
        if command.action == "set":
            self.settings.update(command.values)
        else:
            self.shown.append(str(command.values.get("text", "")))
        return Ack(command.command_id, "done")

    def _warn(self, warning: Cast) -> None:
        if not warning.signature:
            log.dropped("unsigned_warning", device=self._sender.device.identity.device_id, id=warning.cast_id)
            return
        if self._sender.device.clock.now() < warning.expires_at + timedelta():
            self.shown.append(warning.headline)

    def _note(self, _event_id: str, state: str, alarm_no: str) -> None:
        self._state = {"recorded": "accepted"}.get(state, state)
        self.alarm_no = alarm_no or self.alarm_no
