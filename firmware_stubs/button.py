"""An alarm button: a key that is held for two seconds, a lamp, and a journal behind it."""

from typing import Final

from firmware_stubs.events import EventSender
from gateway.contract.messages import Event
from gateway.contract.meta import EventKind, Parameter, Part, Property

HOLD_MS: Final = 2000

PARTS: Final = {
    "key": Part(
        "报警键",
        events={"sos_pressed": EventKind("报警", "alert", {"held_ms": Parameter("integer", "按住时间", "ms")})},
    ),
    "power": Part("电池", {"battery": Property("float", "电量", "%", "0:100")}),
}


class Button:
    """The key; the lamp tells the resident what became of the press."""

    def __init__(self, sender: EventSender) -> None:
        self._sender = sender
        self.lamp = "off"
        sender.on_receipt = self._light

    def press(self, held_ms: int = 2100) -> Event | None:
        """Hold the key. Shorter than two seconds is no press and returns None."""
        if held_ms < HOLD_MS:
            return None
        self.lamp = "sending"
        return self._sender.report("sos_pressed", {"held_ms": held_ms})

    def _light(self, _event_id: str, state: str, _alarm_no: str) -> None:
        self.lamp = {"recorded": "accepted", "seen": "seen"}.get(state, state)
