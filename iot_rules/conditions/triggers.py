"""Triggers: what a rule waits for, and what each says about a device's newest value.

State, Threshold and Presence are lasting: they are true, false or unknown at every moment. Occurrence is a point in
time. Silence is the absence of both.
"""

import math
from dataclasses import dataclass
from datetime import timedelta

from iot_rules.conditions.truth import Truth, Value


@dataclass(frozen=True, slots=True)
class State:
    """The property has this value; a value of another type is UNKNOWN."""

    input: str
    equals: Value

    def judge(self, value: Value | None, before: Truth) -> Truth:  # noqa: ARG002  one shape for all
        if value is None or isinstance(value, str) != isinstance(self.equals, str):
            return Truth.UNKNOWN
        if isinstance(value, bool) != isinstance(self.equals, bool):
            return Truth.UNKNOWN
        return Truth.of(value == self.equals)


@dataclass(frozen=True, slots=True)
class Threshold:
    """The property is above (or below) `limit`; once true it stays so until it is `hysteresis` back inside.

    Only finite numbers arm it: text, flags and NaN are UNKNOWN.
    """

    input: str
    is_above: bool
    limit: float
    hysteresis: float = 0.0

    def judge(self, value: Value | None, before: Truth) -> Truth:
        if value is None or isinstance(value, (bool, str)) or not math.isfinite(value):
            return Truth.UNKNOWN
        beyond = value - self.limit if self.is_above else self.limit - value
        slack = self.hysteresis if before is Truth.TRUE else 0.0
        return Truth.of(beyond > -slack)


@dataclass(frozen=True, slots=True)
class Presence:
    """The device's own word, or its will, about itself: online, offline, sleeping, init."""

    input: str
    equals: str

    def judge(self, value: Value | None, before: Truth) -> Truth:  # noqa: ARG002  one shape for all
        return Truth.UNKNOWN if value is None else Truth.of(value == self.equals)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """The device says that something happened; it is an edge by itself and never becomes unknown."""

    input: str


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing at all was heard from the device for `after`; the next message ends it."""

    input: str
    after: timedelta


Lasting = State | Threshold | Presence
Trigger = State | Threshold | Presence | Occurrence | Silence
