"""The ledger as a value in memory, made of the same pure functions as the real one; a call is a committed transaction.

`Store` is what a database would hold. `Sabotage` takes single promises away, so that a test can see that they matter.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from gateway.alarms import escalation, states
from gateway.alarms.escalation import AT_WORK, Deed
from gateway.alarms.steps import CHANGES, EVENT_OF, Said
from gateway.model.alarms import Action, Alarm, AlarmState, Delays, Outcome, Verdict
from gateway.model.errors import Conflict
from gateway.model.people import PLATFORM, Person
from tests.chaos.history import Attempt, Key, LedgerAlarm, LedgerEvent, LedgerPress, Timer
from tests.kit.clock import BEGINNING
from tests.kit.community import AREA

FAST: Final = Delays(unseen_s=1.0, street_s=2.0, district_s=4.0, supervisor_s=6.0, progress_s=5.0)
CHAIN: Final = escalation.chain_of(AREA, FAST, {})
CHAIN_DOCUMENT: Final = tuple(step.document() for step in CHAIN)
ROW: Final = (
    "alarm_id", "alarm_no", "device_id", "boot", "seq", "kind", "level", "version", "raised_at", "press_count",
    "chain", "acknowledged_by", "is_drill",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sabotage:
    """Promises that are taken away from the model."""

    has_no_unique_key: bool = False
    receipts_before_commit: bool = False
    keeps_timers_in_memory: bool = False
    forgets_commits: bool = False
    trusts_puback: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A receipt for one press: which alarm it belongs to, or none."""

    key: Key
    state: str
    alarm_no: str


@dataclass(slots=True)
class Store:
    """Everything that is committed."""

    alarms: dict[str, Alarm] = field(default_factory=dict)
    presses: dict[Key, str] = field(default_factory=dict)
    press_rows: list[LedgerPress] = field(default_factory=list)
    events: list[LedgerEvent] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)
    outbox: dict[tuple[Key, str], Told] = field(default_factory=dict)
    asides: set[Key] = field(default_factory=set)

    def copy(self) -> "Store":
        """Return what a database would have on its disk now."""
        return Store(
            dict(self.alarms), dict(self.presses), list(self.press_rows), list(self.events), list(self.timers),
            dict(self.outbox), set(self.asides),
        )  # fmt: skip


class Ledger:
    """Changes a store as `gateway.alarms.ledger` changes its tables; every method is one transaction."""

    def __init__(self, store: Store, sabotage: Sabotage) -> None:
        self.store = store
        self._sabotage = sabotage
        self.memory: list[Timer] = []

    def repeated(self, key: Key, kind: str) -> Told | None:
        """Return the receipt of a press that is there, and queue it again."""
        alarm_id = self.store.presses.get(key)
        if alarm_id is None or self._sabotage.has_no_unique_key:
            return None
        return self._answer(key, "cancelled" if kind == "cancelled" else "recorded", self.store.alarms[alarm_id])

    def record(self, said: Attempt, now: datetime) -> Told:
        """Record a press or a cancellation; Conflict where somebody was faster with the same."""
        if said.key in self.store.presses and not self._sabotage.has_no_unique_key:
            raise Conflict("already there")
        return self._cancel(said, now) if said.kind == "cancelled" else self._raise(said, now)

    def _raise(self, said: Attempt, now: datetime) -> Told:
        alarm = self._open_incident(household_of(said.device_id))
        if alarm is None:
            alarm = self._new(said, now)
            self._write(alarm, "raised", PLATFORM, now, to_state="raised")
            self._begin_chain(alarm, now)
        else:
            alarm = replace(alarm, press_count=alarm.press_count + 1, version=alarm.version + 1)
            self._write(alarm, "pressed_again", PLATFORM, now)
        self._put_press(said, alarm, "sos", now)
        return self._answer(said.key, "recorded", alarm)

    def _cancel(self, said: Attempt, now: datetime) -> Told:
        household = household_of(said.device_id)
        known = [one for one in self.store.alarms.values() if one.household_id == household and one.is_open]
        if not known:
            self.store.asides.add(said.key)
            told = Told(said.key, "recorded", "")
            self.store.outbox[said.key, "recorded"] = told
            return told
        alarm = replace(known[-1], cancelled_by_user_at=now, version=known[-1].version + 1)
        self._write(alarm, "cancelled", PLATFORM, now)
        self._put_press(said, alarm, "cancelled", now)
        return self._answer(said.key, "cancelled", alarm)

    def render(self, alarm_id: str, by: Person, now: datetime) -> None:
        alarm = self.store.alarms[alarm_id]
        if alarm.state is AlarmState.RAISED:
            self._move(alarm, Action.RENDER, "rendered", by, now=now, changed={"notified_at": now})

    def step(self, alarm_id: str, action: Action, by: Person, version: int, now: datetime) -> None:
        """Do what a person does; the same refusals as the real ledger's."""
        alarm = self.store.alarms[alarm_id]
        self._refuse_stale(alarm, action, version)
        states.step(alarm.state, action)
        said = Said("simulated", Verdict.TRUE, "保安", Outcome.TRUE)
        changed = CHANGES[action](alarm, by, now, said)
        after = self._move(alarm, action, EVENT_OF[action], by, now=now, changed=changed)
        self._void(alarm_id, now)
        if after.state in AT_WORK:
            self._arm_progress(alarm_id, now)

    def fire_due(self, due_before: datetime, now: datetime) -> bool:
        """Do what timers that were due by then ask for; tell whether there was one."""
        was_due = False
        for place, timer in enumerate(self.store.timers):
            if timer.done_at is not None or timer.due_at > due_before:
                continue
            alarm = self.store.alarms[timer.alarm_id]
            waiting = escalation.Timer(
                place, timer.alarm_id, timer.round, timer.kind, timer.level, "", "", timer.due_at
            )  # fmt: skip
            deed = escalation.deed_of(waiting, alarm)
            outcome = "void" if deed is Deed.NOTHING else "fired"
            self.store.timers[place] = replace(timer, done_at=now, outcome=outcome)
            self._do(deed, timer, alarm, now)
            was_due = True
        return was_due

    def remember_due(self, now: datetime) -> None:
        """Write down what was kept in memory and is due: a sabotaged engine's way."""
        due = [timer for timer in self.memory if timer.due_at <= now]
        self.memory = [timer for timer in self.memory if timer.due_at > now]
        self.store.timers.extend(due)

    def _do(self, deed: Deed, timer: Timer, alarm: Alarm, now: datetime) -> None:
        late_s = (now - timer.due_at).total_seconds()
        details: dict[str, Any] = {"late_by_s": late_s} if late_s > 1.0 else {}
        if deed is Deed.ESCALATE:
            level = max(timer.level, alarm.escalation_level)
            after = replace(alarm, escalation_level=level, version=alarm.version + 1)
            kind = "unseen" if timer.kind == escalation.UNSEEN else "escalated"
            self._write(after, kind, PLATFORM, now, details={**details, "step": timer.kind, "level": timer.level})
        elif deed is Deed.EXPIRE:
            nobody = {"acknowledged_at": None, "acknowledged_by": None, "acknowledged_name": None}
            after = self._move(alarm, Action.EXPIRE, "expired", PLATFORM, now=now, changed=nobody)
            self._begin_chain(after, now, round_number=timer.round + 1)
        elif deed is Deed.REMIND:
            after = replace(alarm, version=alarm.version + 1)
            self._write(after, "reminded", PLATFORM, now)
            self._arm_progress(alarm.alarm_id, now)

    def _new(self, said: Attempt, now: datetime) -> Alarm:
        number = len(self.store.alarms) + 1
        return replace(
            BLANK, alarm_id=f"a-{number}", alarm_no=f"A20260720-{number:04d}", device_id=said.device_id,
            boot=said.boot, seq=said.seq, household_id=household_of(said.device_id), raised_at=now, device_at=said.at,
        )  # fmt: skip

    def _open_incident(self, household: str) -> Alarm | None:
        done = {AlarmState.RESOLVED, AlarmState.CLOSED}
        for alarm in reversed(self.store.alarms.values()):
            is_taken_back = alarm.cancelled_by_user_at is not None
            if alarm.household_id == household and alarm.state not in done and not is_taken_back:
                return alarm
        return None

    def _put_press(self, said: Attempt, alarm: Alarm, kind: str, now: datetime) -> None:
        self.store.presses[said.key] = alarm.alarm_id
        row = LedgerPress(*said.key, said.event_id, alarm.alarm_id, kind, "mqtt", said.at, now)
        self.store.press_rows.append(row)

    def _answer(self, key: Key, state: str, alarm: Alarm) -> Told:
        told = Told(key, state, alarm.alarm_no)
        self.store.outbox[key, state] = told
        return told

    def _refuse_stale(self, alarm: Alarm, action: Action, version: int) -> None:
        if version == alarm.version or (action is Action.ACKNOWLEDGE and alarm.acknowledged_by is None):
            return
        stepped = [one.version for one in self.store.events if one.alarm_id == alarm.alarm_id and one.to_state]
        if not stepped[-1] <= version <= alarm.version:
            raise Conflict("somebody was faster")

    def _move(
        self, alarm: Alarm, action: Action, kind: str, by: Person, *, now: datetime, changed: Mapping[str, Any]
    ) -> Alarm:
        state = states.step(alarm.state, action)
        after = replace(alarm, **changed, state=state, version=alarm.version + 1)
        self._write(after, kind, by, now, from_state=alarm.state.value, to_state=state.value)
        return after

    def _write(
        self,
        alarm: Alarm,
        kind: str,
        by: Person,
        now: datetime,
        *,
        from_state: str | None = None,
        to_state: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        events, facts = self.store.events, details or {}
        self.store.alarms[alarm.alarm_id] = alarm
        before, place = (events[-1].hash if events else bytes(32)), len(events) + 1
        said = [AREA, place, alarm.alarm_id, alarm.version, kind, 0, by.person_id, by.display_name]
        text = json.dumps([*said, from_state, to_state, facts])
        own = hashlib.sha256(before + text.encode()).digest()
        events.append(
            LedgerEvent(
                place, alarm.alarm_id, alarm.version, kind, now, by.person_id, by.display_name, from_state, to_state,
                facts, AREA, place, before, own, text,
            )
        )  # fmt: skip

    def _begin_chain(self, alarm: Alarm, now: datetime, round_number: int = 1) -> None:
        timers = [
            Timer(0, alarm.alarm_id, round_number, step.kind, step.level, "", "", due_at, None, None)
            for step, due_at in zip(CHAIN, escalation.due_times(CHAIN, now), strict=True)
        ]
        (self.memory if self._sabotage.keeps_timers_in_memory else self.store.timers).extend(timers)

    def _void(self, alarm_id: str, now: datetime) -> None:
        for place, timer in enumerate(self.store.timers):
            if timer.alarm_id == alarm_id and timer.done_at is None:
                self.store.timers[place] = replace(timer, done_at=now, outcome="void")
        self.memory = [timer for timer in self.memory if timer.alarm_id != alarm_id]

    def _arm_progress(self, alarm_id: str, now: datetime) -> None:
        rounds = [timer.round for timer in self.store.timers if timer.alarm_id == alarm_id]
        due_at = now + timedelta(seconds=FAST.progress_s)
        number = max(rounds, default=1)
        self.store.timers.append(Timer(0, alarm_id, number, escalation.PROGRESS, 0, "", "", due_at, None, None))


def household_of(device_id: str) -> str:
    """Two buttons of one home share their letters before the dash."""
    return device_id.partition("-")[0]


def rows_of(alarms: Sequence[Alarm]) -> tuple[LedgerAlarm, ...]:
    """Return the alarms as rows of the ledger."""
    return tuple(
        LedgerAlarm({**{name: getattr(alarm, name) for name in ROW}, "state": alarm.state.value}) for alarm in alarms
    )


BLANK: Final = Alarm(
    "", "", "", 0, 0, "", "", AREA, "sos", 1, AlarmState.RAISED, 1, "mqtt", BEGINNING, BEGINNING,
    None, None, None, None, None, None, None, None, None, None, None, None, None, None, 1, {}, chain=CHAIN_DOCUMENT,
)  # fmt: skip
