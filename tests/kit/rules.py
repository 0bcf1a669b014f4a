"""Small rules and devices for tests: a night door, a smoke detector, a thermometer, a silent box."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from iot_rules.conditions.triggers import Occurrence, Silence, State, Threshold
from iot_rules.conditions.truth import Value
from iot_rules.engine.facts import Happened, PresenceSaid, Sampled
from iot_rules.engine.machine import Engine
from iot_rules.engine.registry import Registry
from iot_rules.rules import (
    ClearTv,
    Device,
    Input,
    NoticeToDesk,
    RaiseAlarm,
    Rule,
    Scope,
    ShowOnTv,
    Source,
)

AREA = "110105001001"
HOME = "hh-0301"
NOON = datetime(2026, 1, 15, 4, 0, tzinfo=UTC)  # noon in Shanghai

DOOR = Device("door-0301", AREA, HOME, "sensor", "入户门磁")
SMOKE = Device("smoke-0301", AREA, HOME, "sensor", "厨房烟感")
CLIMATE = Device("temp-0301", AREA, HOME, "sensor", "卧室温湿度")
BOX = Device("stb-0301", AREA, HOME, "stb", "机顶盒")
OTHER_DOOR = Device("door-0304", AREA, "hh-0304", "sensor", "入户门磁")
DOOR_ID = DOOR.device_id
SMOKE_ID = SMOKE.device_id
REGISTRY = Registry((DOOR, SMOKE, CLIMATE, BOX, OTHER_DOOR))

MINUTE = timedelta(minutes=1)
SHOW = ShowOnTv("门开着已经{minutes}分钟", "", timedelta(hours=8))


def a_rule(**changes: object) -> Rule:
    """Return a door rule of ten minutes with its `else`; `changes` replace fields."""
    fields: dict[str, object] = {
        "rule_id": "door-open",
        "version": 1,
        "name": "门开着",
        "scope": Scope.HOUSEHOLD,
        "inputs": (Input("door", Source.PROPERTY, "open"),),
        "trigger": State("door", equals=True),
        "hold": 10 * MINUTE,
        "then": (SHOW,),
        "otherwise": (ClearTv(),),
    }
    return Rule(**{**fields, **changes})  # type: ignore[arg-type]  # a builder of one known shape


def a_threshold(**changes: object) -> Rule:
    """Return a rule that fires when it is warmer than 30 °C."""
    fields: dict[str, object] = {
        "rule_id": "too-warm",
        "inputs": (Input("temp", Source.PROPERTY, "temp"),),
        "trigger": Threshold("temp", is_above=True, limit=30.0),
        "hold": timedelta(),
    }
    return a_rule(**{**fields, **changes})


def a_smoke_rule(**changes: object) -> Rule:
    """Return a rule that raises an alarm at every smoke event."""
    fields: dict[str, object] = {
        "rule_id": "smoke",
        "inputs": (Input("smoke", Source.EVENT, "smoke"),),
        "trigger": Occurrence("smoke"),
        "hold": timedelta(),
        "then": (RaiseAlarm("smoke", 1),),
        "otherwise": (),
    }
    return a_rule(**{**fields, **changes})


def a_silence(**changes: object) -> Rule:
    """Return a rule about boxes that say nothing for 15 minutes."""
    fields: dict[str, object] = {
        "rule_id": "box-silent",
        "inputs": (Input("box", Source.DEVICE, kind="stb"),),
        "trigger": Silence("box", 15 * MINUTE),
        "hold": timedelta(),
        "then": (NoticeToDesk("silent"),),
        "otherwise": (NoticeToDesk("back"),),
    }
    return a_rule(**{**fields, **changes})


#: A rule file for tests on real parts: an alarm at once, a notice after three seconds.
SMOKE_AND_DOOR = """
[[rule]]
id = "smoke-alarm"
inputs.smoke = { event = "smoke" }
when = { input = "smoke" }
then = [{ do = "alarm", kind = "smoke", level = 1 }, { do = "show_on_tv", title = "{device}响了" }]

[[rule]]
id = "door-open"
inputs.door = { property = "open" }
when = { input = "door", is = true }
for = "3 s"
then = [{ do = "show_on_tv", title = "门开着" }]
else = [{ do = "clear_tv" }]
"""


class Home:
    """An engine with a clock of its own and devices that count their messages."""

    def __init__(self, *rules: Rule, start: datetime = NOON) -> None:
        self.engine = Engine(rules, REGISTRY)
        self.now = start
        self.seq = 0
        self.did: list[str] = []
        self.engine.tick(start)

    def wait(self, minutes: float) -> list[str]:
        """Let time pass deadline by deadline and return what was done in it."""
        until, before = self.now + timedelta(minutes=minutes), len(self.did)
        while (at := self.engine.next_due_at()) is not None and at <= until:
            self.now = max(self.now, at)
            self._note(self.engine.due(self.now))
        self.now = until
        self.engine.due(self.now)
        return self.did[before:]

    def say(self, device: Device = DOOR, *, is_history: bool = False, **values: Value) -> list[str]:
        """Let a device report values now."""
        self.seq += 1
        return self._feed(Sampled(device.device_id, 1, self.seq, self.now, values, is_history=is_history))

    def happen(
        self, kind: str = "smoke", device: Device = SMOKE, seq: int = 0, at: datetime | None = None
    ) -> list[str]:
        """Let an event happen now, or have happened at `at`."""
        self.seq += 1
        return self._feed(
            Happened(device.device_id, f"event-{seq or self.seq}", 1, seq or self.seq, at or self.now, kind)
        )

    def presence(self, presence: str, device: Device = DOOR, *, boot: int = 1, is_retained: bool = False) -> list[str]:
        return self._feed(PresenceSaid(device.device_id, boot, self.now, presence, is_retained))

    def restart(self, *rules: Rule) -> None:
        """Replace the engine by one that knows only what the first one exported."""
        state = self.engine.export()
        self.engine = Engine(rules or tuple(self.engine.rules.values()), REGISTRY, state)

    def values(self) -> Mapping[str, Value]:
        return dict(self.engine.memory_of(DOOR.device_id).values)

    def _feed(self, fact: Sampled | Happened | PresenceSaid) -> list[str]:
        before = len(self.did)
        self._note(self.engine.feed(fact, self.now))
        return self.did[before:]

    def _note(self, wishes: object) -> None:
        assert isinstance(wishes, tuple)
        self.did.extend(type(wish.deed).__name__ for wish in wishes)
