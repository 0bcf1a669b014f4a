"""Rules as data: inputs, trigger, duration, limits, and the deeds that a rule wishes for."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from iot_rules.conditions.expression import Expression
from iot_rules.conditions.schedule import Window
from iot_rules.conditions.triggers import Occurrence, Silence, Trigger
from iot_rules.conditions.truth import Value

#: A wish may cause a wish may cause a wish; beyond this depth it is a loop.
MAX_CHAIN = 8

DEFAULT_GAP_LIMIT = timedelta(seconds=60)


class Scope(StrEnum):
    """Where a rule looks for its other inputs and whom its deeds reach."""

    HOUSEHOLD = "household"
    COMMUNITY = "community"


class Source(StrEnum):
    """What of a device an input stands for; DEVICE is the device itself, for silence and presence."""

    PROPERTY = "property"
    EVENT = "event"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Input:
    """A name for something that devices say: of one device, of every device of a kind, or of whoever says it."""

    name: str
    source: Source
    key: str = ""
    kind: str = ""
    device: str = ""

    def matches(self, device: "Device") -> bool:
        return self.device == device.device_id if self.device else self.kind in {"", device.kind}


class Mode(StrEnum):
    """What an event does while the rule is still active from an earlier one: nothing, prolong it, or fire again."""

    SINGLE = "single"
    RESTART = "restart"
    PARALLEL = "parallel"


class GapPolicy(StrEnum):
    """What a device's absence does to a running duration: forgive up to a limit, hold through it, or reset at once."""

    FORGIVE = "forgive"
    HOLD = "hold"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Gap:
    policy: GapPolicy = GapPolicy.FORGIVE
    limit: timedelta = DEFAULT_GAP_LIMIT


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `fires` firings of one rule for one device within `per`; alarms are never held back by it."""

    fires: int = 60
    per: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class RaiseAlarm:
    """An alarm in the ledger, under the identity of the message that caused it."""

    kind: str
    level: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class ShowOnTv:
    """A few words on the household's television, or on every one of the community."""

    title: str
    body: str
    lasts: timedelta
    level: int = 4


@dataclass(frozen=True, slots=True)
class ClearTv:
    """Take away what this rule has put on the television since it became active."""


@dataclass(frozen=True, slots=True)
class SendCommand:
    """A command for the device behind an input of the rule."""

    input: str
    action: str
    parameters: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NoticeToDesk:
    """A line for the security desk that is no alarm."""

    text: str


Deed = RaiseAlarm | ShowOnTv | ClearTv | SendCommand | NoticeToDesk


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `hold` is its `for`: how long the trigger (and the window) must be true without a break.

    `condition` is judged once, at the moment of firing. `lasts` ends the activity that an event began. `catch_up` is
    the greatest lateness with which it still fires after an outage; None is any.
    """

    rule_id: str
    version: int
    name: str
    scope: Scope
    inputs: tuple[Input, ...]
    trigger: Trigger
    then: tuple[Deed, ...]
    otherwise: tuple[Deed, ...] = ()
    hold: timedelta = timedelta()
    window: Window | None = None
    condition: Expression | None = None
    cooldown: timedelta = timedelta()
    gap: Gap = Gap()
    catch_up: timedelta | None = None
    budget: Budget = Budget()
    mode: Mode = Mode.PARALLEL
    lasts: timedelta = timedelta()
    fires_on_first: bool = False

    @property
    def trigger_input(self) -> Input:
        return self.input(self.trigger.input)

    @property
    def is_lasting(self) -> bool:
        return not isinstance(self.trigger, (Occurrence, Silence))

    @property
    def fingerprint(self) -> str:
        """What a running timer means: while this stays the same, a changed rule keeps its timers."""
        meaning = (self.rule_id, self.trigger_input, self.trigger, self.hold, self.window, self.gap, self.lasts)
        return hashlib.sha256(repr(meaning).encode()).hexdigest()[:16]

    def input(self, name: str) -> Input:
        return next(one for one in self.inputs if one.name == name)


@dataclass(frozen=True, slots=True)
class Device:
    """What a rule may know about a device; `name` stands in sentences."""

    device_id: str
    area_id: str
    household_id: str | None
    kind: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Cause:
    """The message that set a rule going; its identity becomes the alarm's."""

    device_id: str
    boot: int
    seq: int
    event_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Wish:
    """One deed that a rule decided, addressed and reasoned; the same decision always has the same `wish_id`.

    `started_at` names the episode (one firing with its `else`), `due_at` is when the deed should have been done.
    """

    wish_id: str
    rule_id: str
    rule_version: int
    device_id: str
    household_id: str | None
    area_id: str
    scope: Scope
    deed: Deed
    cause: Cause
    chain: tuple[str, ...]
    started_at: datetime
    due_at: datetime
    late_s: float
