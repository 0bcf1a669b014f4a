"""What one chaos run leaves behind, as values: what was pressed, what was receipted, and what the ledger says.

All times are aware and in UTC. `tests/chaos/collect.py` reads it, `tests/chaos/checker.py` judges it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.model.alarms import Delays

#: The identity of an event on every road: device, boot, seq.
Key = tuple[str, int, int]

#: Receipts after which a device stops repeating its event.
FINAL_STATES = frozenset({"recorded", "cancelled", "rejected"})


@dataclass(frozen=True, slots=True)
class Attempt:
    """An event that stood in a device's fsynced journal; `kind` is `sos_pressed` or `cancelled`."""

    device_id: str
    boot: int
    seq: int
    kind: str
    at: datetime
    event_id: str = ""

    @property
    def key(self) -> Key:
        return (self.device_id, self.boot, self.seq)


@dataclass(frozen=True, slots=True)
class Receipted:
    """A receipt that a device has read, on either road, also a repeated one and also `seen`.

    `road` is `mqtt` or `https`. A cancellation that found nothing to take back is receipted `recorded`, without a
    number, and its key is in `History.asides`.
    """

    device_id: str
    boot: int
    seq: int
    alarm_no: str
    state: str
    at: datetime
    event_id: str = ""
    road: str = "mqtt"

    @property
    def key(self) -> Key:
        return (self.device_id, self.boot, self.seq)

    @property
    def is_final(self) -> bool:
        return self.state in FINAL_STATES


@dataclass(frozen=True, slots=True)
class Pubacked:
    """The broker's PUBACK of an event, as its device saw it. A promise of nobody, but what a whole broker keeps."""

    device_id: str
    boot: int
    seq: int
    at: datetime

    @property
    def key(self) -> Key:
        return (self.device_id, self.boot, self.seq)


@dataclass(frozen=True, slots=True)
class Silenced:
    """A device was unplugged for good and its journal burnt: nobody repeats its events any more."""

    device_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LedgerAlarm:
    """A row of `alarms`, every column by its name."""

    row: Mapping[str, Any]

    @property
    def alarm_id(self) -> str:
        return str(self.row["alarm_id"])

    @property
    def alarm_no(self) -> str:
        return str(self.row["alarm_no"])

    @property
    def key(self) -> Key:
        """The press that opened it."""
        return (self.row["device_id"], self.row["boot"], self.row["seq"])


@dataclass(frozen=True, slots=True)
class LedgerPress:
    """A row of `alarm_presses`; `kind` is the alarm's kind (`sos`) or `cancelled`."""

    device_id: str
    boot: int
    seq: int
    event_id: str
    alarm_id: str
    kind: str
    source: str
    device_at: datetime
    recorded_at: datetime

    @property
    def key(self) -> Key:
        return (self.device_id, self.boot, self.seq)


@dataclass(frozen=True, slots=True)
class LedgerEvent:
    """A row of `alarm_events`; `text` is what the hash is about, spelled by the database."""

    event_id: int
    alarm_id: str
    version: int
    kind: str
    at: datetime
    by_id: str
    by_name: str
    from_state: str | None
    to_state: str | None
    details: Mapping[str, Any]
    stream: str
    stream_seq: int
    prev_hash: bytes
    hash: bytes
    text: str


@dataclass(frozen=True, slots=True)
class Timer:
    """A row of `alarm_timers`; `outcome` is `fired`, `void` or None while it waits."""

    timer_id: int
    alarm_id: str
    round: int
    kind: str
    level: int
    target_area: str
    target_name: str
    due_at: datetime
    done_at: datetime | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: when it began, and when every process was up, every wire whole and the gateway ready again.

    `details` says which wire, which failpoint, how long.
    """

    kind: str
    begun: datetime
    ended: datetime
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What was asked of the platform, and when the run was healed for good.

    From `healed_at` on nothing was disturbed; nothing was pressed after `quiet_at`; the ledger was read at `read_at`.
    """

    escalation: Delays
    healed_at: datetime
    quiet_at: datetime
    read_at: datetime


@dataclass(frozen=True, slots=True)
class History:
    """Everything that the checker may look at. Attempts and receipts stand in the order of their times."""

    attempts: tuple[Attempt, ...]
    receipts: tuple[Receipted, ...]
    alarms: tuple[LedgerAlarm, ...]
    presses: tuple[LedgerPress, ...]
    events: tuple[LedgerEvent, ...]
    timers: tuple[Timer, ...]
    faults: tuple[Fault, ...]
    settings: RunSettings
    #: Keys of device events that are no alarm, such as a cancellation with nothing to take back.
    asides: frozenset[Key] = frozenset()
    pubacks: tuple[Pubacked, ...] = ()
    silenced: tuple[Silenced, ...] = ()
    #: Programs that escalate: while one of them and the database stand, nothing may be late.
    engines: tuple[str, ...] = ("gateway",)
