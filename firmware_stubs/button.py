"""An alarm button: a key that is held for two seconds, a lamp, and a journal behind it."""

from typing import Final

from firmware_stubs.events import EventSender
from gateway.contract.messages import Event
from gateway.contract.meta import EventKind, Parameter, Part, Property

HOLD_MS: Final = 2000
#: So many short touches within so long are a silent alarm.
TOUCHES: Final = 3
TOUCHES_WITHIN_S: Final = 3.0

PARTS: Final = {
    "key": Part(
        "报警键",
        events={
            "sos_pressed": EventKind("报警", "alert", {"held_ms": Parameter("integer", "按住时间", "ms")}),
            "sos_silent": EventKind("静默报警", "alert"),
        },
    ),
    "power": Part("电池", {"battery": Property("float", "电量", "%", "0:100")}),
}


class Button:
    """The key; the lamp tells the resident what became of the press, and nothing of a silent one."""

    def __init__(self, sender: EventSender) -> None:
        self._sender = sender
        self.lamp = "off"
        self._touched_monotonic_s: list[float] = []
        self._silent: set[str] = set()
        sender.on_receipt = self._light

    def press(self, held_ms: int = 2100) -> Event | None:
        """Hold the key. Shorter than two seconds is no press and returns None, except the third touch of three."""
        if held_ms < HOLD_MS:
            return self._touch()
        self.lamp = "sending"
        return self._sender.report("sos_pressed", {"held_ms": held_ms})

    def _touch(self) -> Event | None:
        now_s = self._sender.device.clock.monotonic_s()
        recent = [then for then in self._touched_monotonic_s if now_s - then < TOUCHES_WITHIN_S]
        self._touched_monotonic_s = [*recent, now_s]
        if len(self._touched_monotonic_s) < TOUCHES:
            return None
        self._touched_monotonic_s = []
        event = self._sender.report("sos_silent", {})
        self._silent.add(event.event_id)
        return event

    def _light(self, event_id: str, state: str, _alarm_no: str) -> None:
        if event_id in self._silent:
            return
        self.lamp = {"recorded": "accepted", "seen": "seen"}.get(state, state)
