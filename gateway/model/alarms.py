"""Alarms as values: a press, its receipt, the alarm row, its history, and the words of its states."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from gateway.model.ids import area_prefix, is_within


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
    """What can be done to an alarm; RENDER and EXPIRE are a machine's, the rest are a person's."""

    RENDER = "render"
    EXPIRE = "expire"
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


#: Why an alarm's identity may be doubted; it is shown all the same.
SUSPICIONS: Final = ("revoked_device", "unsigned", "bad_signature")

#: Level of each kind of alarm where nobody says another: 1 is the gravest of four.
LEVEL_OF_KIND: Mapping[str, int] = {"sos": 1, "smoke": 2, "gas": 2, "water_leak": 3, "intrusion": 3, "tamper": 4}


@dataclass(frozen=True, slots=True)
class Delays:
    """When an alarm that nobody answers goes further, in seconds after it was raised; see EscalationSettings."""

    unseen_s: float = 5.0
    street_s: float = 30.0
    district_s: float = 60.0
    supervisor_s: float = 90.0
    #: After an acknowledgement without progress, and after each progress.
    progress_s: float = 300.0
    #: Alarms of this level and graver go further by themselves.
    levels: int = 2


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
    #: Seconds between the device's clock and ours beyond what counts as at once; 0 for an alarm that came at once.
    late_by_s: int = 0
    #: One of SUSPICIONS, or empty.
    suspicion: str = ""
    is_clock_wrong: bool = False
    #: A duress alarm: no screen of the household may show it.
    is_silent: bool = False
    #: When it was taken in while the database was away.
    spooled_at: datetime | None = None


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
    late_by_s: int = 0
    suspicion: str = ""
    is_clock_wrong: bool = False
    is_silent: bool = False
    is_drill: bool = False
    #: 0 community, 1 street, 2 district, 3 district supervisor and the outside hook.
    escalation_level: int = 0
    #: The escalation as decided when the alarm was raised: `{"kind", "level", "after_s", "area", "name"}` each.
    chain: Sequence[Mapping[str, object]] = ()
    duplicate_of: str | None = None
    evidence: Sequence[Mapping[str, object]] = ()
    last_press_at: datetime | None = None
    spooled_at: datetime | None = None
    resolved_by: str | None = None
    resolved_name: str | None = None
    closed_name: str | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether somebody still has work with it."""
        return self.state is not AlarmState.CLOSED

    @property
    def is_waiting(self) -> bool:
        """Tell whether nobody has signed for it yet."""
        return self.state in {AlarmState.RAISED, AlarmState.NOTIFIED}

    @property
    def needs_second_person(self) -> bool:
        """Tell whether one person resolves and another closes: real alarms of level 1."""
        return self.level == 1 and not self.is_drill

    def reaches(self, area_id: str) -> bool:
        """Tell whether the alarm has come up to a desk that serves `area_id`; its own community always has it."""
        return is_within(self.area_id, area_id) and desk_level(area_id) <= self.escalation_level

    @property
    def short_no(self) -> str:
        """The number as screens show it."""
        return short_number(self.alarm_no)


def desk_level(area_id: str) -> int:
    """Return the escalation level from which a desk of this area is asked: 0 community … 3 city and above."""
    return {12: 0, 9: 1, 6: 2}.get(len(area_prefix(area_id)), 3)


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
