"""What goes into the engine and what comes out: facts of devices, traces, and the step that one of them makes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from iot_rules.conditions.truth import Value
from iot_rules.engine.timers import Episode, Key, Memory
from iot_rules.rules import Wish


@dataclass(frozen=True, slots=True)
class Sampled:
    """A live or historical report of values; `at` is when it holds from, by a clock that the caller trusts."""

    device_id: str
    boot: int
    seq: int
    at: datetime
    values: Mapping[str, Value]
    is_history: bool = False
    chain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of a device."""

    device_id: str
    event_id: str
    boot: int
    seq: int
    at: datetime
    kind: str
    chain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PresenceSaid:
    """A device's status message, or its will; a retained one that says nothing new is no sign of life."""

    device_id: str
    boot: int
    at: datetime
    presence: str
    is_retained: bool = False


Fact = Sampled | Happened | PresenceSaid


@dataclass(frozen=True, slots=True)
class Trace:
    """What a rule decided and why; kept by age."""

    at: datetime
    rule_id: str
    rule_version: int
    device_id: str
    outcome: str
    late_s: float = 0.0
    wishes: int = 0
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class Step:
    """Everything that one fact or one tick changes; `ignored` is the reason where a fact was not taken."""

    now: datetime
    episodes: dict[Key, Episode] = field(default_factory=dict)
    memories: dict[str, Memory] = field(default_factory=dict)
    wishes: list[Wish] = field(default_factory=list)
    traces: list[Trace] = field(default_factory=list)
    ignored: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.episodes or self.memories or self.wishes or self.traces)


@dataclass(frozen=True, slots=True)
class EngineState:
    """All that an engine remembers, as values, for the next engine; `ticked_at` is when time was last let pass."""

    episodes: Mapping[Key, Episode] = field(default_factory=dict)
    memories: Mapping[str, Memory] = field(default_factory=dict)
    ticked_at: datetime | None = None
