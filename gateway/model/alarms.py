"""Alarms as values: a press, its receipt, the alarm row, its history, and the words of its states."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class AlarmState(StrEnum):
    """Where an alarm stands; the order is the order of the work."""

    RAISED = "raised"
    NOTIFIED = "notified"
    ACKNOWLEDGED = "acknowledged"
    VERIFIED = "verified"
    DISPATCHED = "dispatched"
    ON_SCENE = "on_scene"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Action(StrEnum):
    """What can be done to an alarm; RENDER is a desk's machine confirmation, the rest are a person's."""

    RENDER = "render"
    ACKNOWLEDGE = "acknowledge"
    VERIFY = "verify"
    DISPATCH = "dispatch"
    ARRIVE = "arrive"
    RESOLVE = "resolve"
    CLOSE = "close"


class Verdict(StrEnum):
    """What verification (核实) found."""

    TRUE = "true"
    FALSE = "false"
    UNCLEAR = "unclear"


class Outcome(StrEnum):
    """How an alarm ended."""

    TRUE = "true"
    FALSE = "false"
    TEST = "test"
    HOAX = "hoax"
    DUPLICATE = "duplicate"


#: Level of each kind of alarm where nobody says another: 1 is the gravest of four.
LEVEL_OF_KIND: Mapping[str, int] = {"sos": 1, "smoke": 2, "gas": 2, "water_leak": 3, "intrusion": 3, "tamper": 4}


@dataclass(frozen=True, slots=True)
class Press:
    """One alarm as it was said by its source; (device_id, boot, seq) is its identity on every road."""

    device_id: str
    boot: int
    seq: int
    kind: str
    source: str
    event_id: str
    device_at: datetime
    level: int | None = None
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A household says that it pressed by mistake: a second event with an identity of its own."""

    device_id: str
    boot: int
    seq: int
    event_id: str
    device_at: datetime
    source: str = "mqtt"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the ledger answers after its commit; the same press always gets the same alarm."""

    alarm_id: str
    alarm_no: str
    state: AlarmState
    recorded_at: datetime
    is_new: bool
    is_cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Alarm:
    """One row of the ledger; `version` rises by one with every change and guards against two owners."""

    alarm_id: str
    alarm_no: str
    device_id: str
    boot: int
    seq: int
    event_id: str
    household_id: str | None
    area_id: str
    kind: str
    level: int
    state: AlarmState
    version: int
    source: str
    raised_at: datetime
    device_at: datetime
    notified_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    acknowledged_name: str | None
    verdict: Verdict | None
    verified_at: datetime | None
    dispatched_at: datetime | None
    dispatched_to: str | None
    on_scene_at: datetime | None
    resolved_at: datetime | None
    outcome: Outcome | None
    closed_at: datetime | None
    closed_by: str | None
    cancelled_by_user_at: datetime | None
    press_count: int
    details: Mapping[str, object]

    @property
    def is_open(self) -> bool:
        """Tell whether somebody still has work with it."""
        return self.state is not AlarmState.CLOSED

    @property
    def short_no(self) -> str:
        """The number as screens show it."""
        return short_number(self.alarm_no)


def short_number(alarm_no: str) -> str:
    """Return an alarm's number as screens show it: `0720-003` for `A20260720-0003`."""
    day, _, number = alarm_no.partition("-")
    return f"{day[5:]}-{int(number):03d}"


@dataclass(frozen=True, slots=True)
class AlarmEvent:
    """One line of an alarm's history, append-only."""

    event_id: int
    alarm_id: str
    version: int
    kind: str
    at: datetime
    by_id: str
    by_name: str
    from_state: str | None
    to_state: str | None
    details: Mapping[str, object]
