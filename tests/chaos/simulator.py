"""Thousands of small disasters without sockets and clocks: devices, network, broker, gateway, desk as steps of a seed.

`python -m tests.chaos.simulator --seed N` replays one schedule, `--count N` runs many and says how many a second.
Every step may be the last one of its process; every message may be lost, doubled or overtaken while faults go on. After
HEALED_S nothing is disturbed any more. What is left is judged by the same checker as the runs on real processes.
"""

import argparse
import heapq
import json
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from gateway.alarms.states import legal_actions
from gateway.model.alarms import Alarm, AlarmState
from gateway.model.errors import LinliError
from tests.chaos.checker import Limits, Verdict, check
from tests.chaos.history import Attempt, Fault, History, Key, Pubacked, Receipted, RunSettings, Silenced
from tests.chaos.model import FAST, Ledger, Sabotage, Store, Told, rows_of
from tests.kit.clock import BEGINNING
from tests.kit.community import OPERATOR, SECOND

HEALED_S: Final = 8.0
ENDED_S: Final = 19.5
LIMITS: Final = Limits(slack_s=4.0, recovery_s=0.5)
#: Who escalates, and how many seconds after the others.
ENGINES: Final = {"gateway": 0.0, "desk": 3.0}
FOR_EVER: Final = float("inf")
LOOK_S: Final = 0.5
PAUSES_S: Final = (0.5, 1.0, 1.5, 2.0)
SECOND_ROAD_S: Final = 1.5
DEVICES: Final = ("a-1", "a-2", "b-1")
PROCESSES: Final = (*DEVICES, "broker", "gateway", "desk", "tv", "postgres")
#: How a dead process is written down, in the words of the runs on real processes.
KIND_OF: Final = {name: "kill_devices" if name in DEVICES else f"kill_{name}" for name in PROCESSES}

Act = Callable[..., None]


@dataclass(slots=True)
class Device:
    """A button; `journal` and `settled` are on its disk, `tries` goes with its power."""

    device_id: str
    boot: int = 1
    seq: int = 0
    journal: dict[Key, Attempt] = field(default_factory=dict)
    tries: dict[Key, int] = field(default_factory=dict)
    is_burnt: bool = False


class Simulation:
    """One schedule; everything random comes from its seed."""

    def __init__(self, seed: int, sabotage: Sabotage | None = None, crash_at: int = 0) -> None:
        """`crash_at` kills the process of that step instead of letting chance decide."""
        self.seed = seed
        self.sabotage = sabotage or Sabotage()
        self._rng = random.Random(seed)
        self._crash_at = crash_at
        self._crash_share = 0.0 if crash_at else self._rng.choice((0.0, 0.01, 0.03, 0.08))
        self._loss_share = self._rng.choice((0.0, 0.1, 0.3))
        self._now_s = 0.0
        self._queue: list[tuple[float, int, str, int, Act, tuple[Any, ...]]] = []
        self.steps = 0
        self._planned = 0
        self._epochs = dict.fromkeys(PROCESSES, 0)
        self._down_until = dict.fromkeys(PROCESSES, -1.0)
        self._look_at_s = dict.fromkeys(ENGINES, FOR_EVER)
        self.ledger = Ledger(Store(), self.sabotage)
        self._disk = self.ledger.store.copy()
        self._devices = {name: Device(name) for name in DEVICES}
        self._broker: dict[int, Attempt] = {}
        self._inbox: list[tuple[int, Attempt]] = []
        self._attempts: list[Attempt] = []
        self._receipts: list[Receipted] = []
        self._pubacks: list[Pubacked] = []
        self._silenced: list[Silenced] = []
        self._faults: list[Fault] = []

    def run(self) -> History:
        """Play the schedule to its end and return what it left."""
        for device in self._devices.values():
            for _ in range(self._rng.choice((0, 1, 1, 2))):
                self._at(self._rng.uniform(0.0, HEALED_S * 0.75), device.device_id, self._press, device)
        self._at(0.3, "desk", self._look)
        while self._queue and self._queue[0][0] <= ENDED_S:
            self._now_s, _, process, epoch, act, given = heapq.heappop(self._queue)
            if epoch != self._epochs[process]:
                continue
            self.steps += 1
            victim = self._victim(process)
            if victim:
                self._crash(victim)
            if victim != process:
                act(*given)
        return self._history()

    # --- time, faults, network ------------------------------------------------------------------------------------

    @property
    def _now(self) -> datetime:
        return BEGINNING + timedelta(seconds=self._now_s)

    @property
    def _is_disturbed(self) -> bool:
        return self._now_s < HEALED_S

    def _at(self, delay_s: float, process: str, act: Act, *given: Any) -> None:
        """Let a process do something later, if it lives until then."""
        self._planned += 1
        moment = (self._now_s + delay_s, self._planned, process, self._epochs[process], act, given)
        heapq.heappush(self._queue, moment)

    def _victim(self, process: str) -> str:
        """Return who dies now, if anybody: the one whose step it is, or the broker or the database beside it."""
        if self.steps == self._crash_at or (self._is_disturbed and self._rng.random() < self._crash_share):
            return self._rng.choice((process, process, process, "broker", "postgres"))
        return ""

    def _crash(self, victim: str) -> None:
        until_s = self._now_s + self._rng.uniform(0.1, 2.0)
        self._epochs[victim] += 1
        self._look_at_s[victim] = FOR_EVER
        self._down_until[victim] = until_s
        self._faults.append(Fault(KIND_OF[victim], self._now, BEGINNING + timedelta(seconds=until_s)))
        if victim == "broker" and self._rng.random() < 0.5:
            self._broker.clear()
        if victim == "postgres":
            self._forget()
        if victim == "gateway":
            self._inbox.clear()
            self.ledger.memory.clear()
        self._at(until_s - self._now_s, victim, self._restart, victim)

    def _forget(self) -> None:
        """A database keeps what it has committed; one that forgets is as it was at its last flush."""
        if self.sabotage.forgets_commits:
            self.ledger.store = self._disk.copy()

    def _restart(self, process: str) -> None:
        if process in self._devices:
            device = self._devices[process]
            device.boot += 1
            device.seq = 0
            device.tries.clear()
            for key in device.journal:
                self._at(self._rng.uniform(0.0, 0.3), process, self._send, device, key)
        elif process in {"broker", "gateway"}:
            self._deliver_again()
            self._at(0.05, "gateway", self._drain)
            self._plan_look("gateway", self._now_s + 0.1)
        elif process == "desk":
            self._at(0.1, "desk", self._look)
            self._plan_look("desk", self._now_s + 0.2)

    def _is_up(self, process: str) -> bool:
        return self._down_until[process] <= self._now_s

    def _carry(self, process: str, act: Act, *given: Any) -> None:
        """Bring a message to a process: late, twice or never, as long as the network is disturbed."""
        copies = 1
        if self._is_disturbed:
            copies = 0 if self._rng.random() < self._loss_share else self._rng.choice((1, 1, 1, 2))
        for _ in range(copies):
            self._at(self._rng.expovariate(1 / 0.05), process, act, *given)

    # --- device ---------------------------------------------------------------------------------------------------

    def _press(self, device: Device, kind: str = "sos_pressed") -> None:
        if device.is_burnt:
            return
        device.seq += 1
        said = Attempt(device.device_id, device.boot, device.seq, kind, self._now)
        device.journal[said.key] = said
        self._attempts.append(said)
        self._send(device, said.key)
        if kind == "sos_pressed" and self._rng.random() < 0.15:
            self._at(self._rng.uniform(0.1, 2.0), device.device_id, self._press, device, "cancelled")

    def _send(self, device: Device, key: Key) -> None:
        """Say it again on MQTT, from the third time on also on the second road, until it is settled."""
        said = device.journal.get(key)
        if said is None or device.is_burnt:
            return
        tries = device.tries[key] = device.tries.get(key, 0) + 1
        if self._is_up("broker"):
            self._carry("broker", self._publish, said)
        if tries > 2 and self._is_up("tv"):
            self._carry("tv", self._ask, "tv", said, -1)
        pause_s = PAUSES_S[min(tries, len(PAUSES_S)) - 1] * self._rng.uniform(0.9, 1.1)
        self._at(pause_s, device.device_id, self._send, device, key)

    def _hear_puback(self, device: Device, key: Key) -> None:
        self._pubacks.append(Pubacked(*key, self._now))
        if self.sabotage.trusts_puback:
            device.journal.pop(key, None)
        if self._is_disturbed and self._rng.random() < 0.03:
            device.is_burnt = True
            self._silenced.append(Silenced(device.device_id, self._now))

    def _hear(self, device: Device, told: Told) -> None:
        if not device.is_burnt:
            self._receipts.append(Receipted(*told.key, told.alarm_no, told.state, self._now))
            device.journal.pop(told.key, None)

    # --- broker ---------------------------------------------------------------------------------------------------

    def _publish(self, said: Attempt) -> None:
        self._planned += 1
        mid = self._planned
        self._broker[mid] = said
        device = self._devices[said.device_id]
        self._carry(device.device_id, self._hear_puback, device, said.key)
        if self._is_up("gateway"):
            self._at(0.01, "gateway", self._arrive, mid, said)

    def _deliver_again(self) -> None:
        for mid, said in self._broker.items():
            if self._is_up("gateway") and self._is_up("broker"):
                self._at(0.02, "gateway", self._arrive, mid, said)

    # --- gateway and TV: the two roads in ---------------------------------------------------------------------------

    def _arrive(self, mid: int, said: Attempt) -> None:
        if all(mid != waiting for waiting, _ in self._inbox):
            self._inbox.append((mid, said))
            if len(self._inbox) == 1:
                self._at(0.005, "gateway", self._ask, "gateway", said, mid)

    def _ask(self, process: str, said: Attempt, mid: int) -> None:
        """Look whether it is there already; the insertion is another step, so that two roads may meet."""
        if not self._is_up("postgres"):
            self._try_again(process, said, mid)
            return
        told = self.ledger.repeated(said.key, said.kind)
        if told is not None:
            self._at(0.002, process, self._committed, process, said, mid, told)
            return
        if self.sabotage.receipts_before_commit:
            self._carry(said.device_id, self._hear, self._devices[said.device_id], Told(said.key, "recorded", "A-1"))
        self._at(self._rng.uniform(0.002, 0.05), process, self._commit, process, said, mid)

    def _try_again(self, process: str, said: Attempt, mid: int) -> None:
        if mid >= 0:
            self._at(0.3, process, self._ask, process, said, mid)

    def _commit(self, process: str, said: Attempt, mid: int) -> None:
        if not self._is_up("postgres"):
            self._try_again(process, said, mid)
            return
        try:
            told = self.ledger.record(said, self._now)
        except LinliError:
            self._try_again(process, said, mid)
            return
        self._plan_engines()
        is_unknown = self._is_disturbed and self._rng.random() < 0.05
        if is_unknown:  # the answer to COMMIT is lost: the same is said again
            self._try_again(process, said, mid)
            return
        self._at(0.002, process, self._committed, process, said, mid, told)

    def _committed(self, process: str, said: Attempt, mid: int, told: Told) -> None:
        """Answer on the second road, or acknowledge to the broker and take the next message."""
        if process == "tv":
            if told.alarm_no:
                self._carry(said.device_id, self._hear, self._devices[said.device_id], told)
            return
        self._broker.pop(mid, None)
        self._inbox.pop(0)
        self._at(0.001, "gateway", self._drain)
        if self._inbox:
            waiting, next_said = self._inbox[0]
            self._at(0.001, "gateway", self._ask, "gateway", next_said, waiting)

    def _drain(self) -> None:
        """Send what waits in the outbox; a row goes only in a step after that."""
        if not (self._is_up("postgres") and self._is_up("broker")):
            self._at(LOOK_S, "gateway", self._drain)
            return
        for name, told in self.ledger.store.outbox.items():
            device = self._devices[told.key[0]]
            self._carry(device.device_id, self._hear, device, told)
            self._at(0.001, "gateway", self._sent, name)

    def _sent(self, name: tuple[Key, str]) -> None:
        if self._is_up("postgres"):
            self.ledger.store.outbox.pop(name, None)

    # --- escalation and people --------------------------------------------------------------------------------------

    def _plan_engines(self) -> None:
        """Both engines look when the next timer is due; a database flushes now and then."""
        timers = [timer.due_at for timer in (*self.ledger.store.timers, *self.ledger.memory) if timer.done_at is None]
        if timers:
            due_s = (min(timers) - BEGINNING).total_seconds()
            for process, lag_s in ENGINES.items():
                self._plan_look(process, max(self._now_s + 0.02, due_s + lag_s + self._rng.uniform(0.0, LOOK_S)))
        if self._rng.random() < 0.3:
            self._disk = self.ledger.store.copy()

    def _plan_look(self, process: str, at_s: float) -> None:
        if at_s < self._look_at_s[process] and self._is_up(process):
            self._look_at_s[process] = at_s
            self._at(at_s - self._now_s, process, self._fire, process)

    def _fire(self, process: str) -> None:
        self._look_at_s[process] = FOR_EVER
        if not self._is_up("postgres"):
            self._plan_look(process, self._now_s + LOOK_S)
            return
        if process == "gateway" and self.ledger.memory:
            self.ledger.remember_due(self._now)
        self.ledger.fire_due(self._now - timedelta(seconds=ENGINES[process]), self._now)
        self._plan_engines()

    def _look(self) -> None:
        """An operator sees the open alarms, thinks, and acts on what was there then; a second one may do the same."""
        if not self._is_disturbed:
            return
        seen = [alarm for alarm in self.ledger.store.alarms.values() if alarm.is_open and self._rng.random() < 0.5]
        for alarm in seen if self._is_up("postgres") else ():
            for person in self._rng.choice(((OPERATOR,), (SECOND,), (OPERATOR, SECOND))):
                self._at(self._rng.uniform(0.05, 1.5), "desk", self._act, alarm, person)
        self._at(self._rng.uniform(0.5, 2.0), "desk", self._look)

    def _act(self, seen: Alarm, person: Any) -> None:
        if not self._is_up("postgres"):
            return
        try:
            if seen.state is AlarmState.RAISED and self._rng.random() < 0.7:
                self.ledger.render(seen.alarm_id, person, self._now)
            else:
                action = self._rng.choice(legal_actions(seen.state))
                self.ledger.step(seen.alarm_id, action, person, seen.version, self._now)
        except (LinliError, KeyError):
            return  # somebody was faster, or one person may not do both; a database that forgets has no such alarm
        self._plan_engines()

    def _history(self) -> History:
        store = self.ledger.store
        ended, healed = BEGINNING + timedelta(seconds=ENDED_S), BEGINNING + timedelta(seconds=HEALED_S)
        return History(
            tuple(self._attempts), tuple(self._receipts), rows_of(list(store.alarms.values())),
            tuple(store.press_rows), tuple(store.events), tuple(store.timers), tuple(self._faults),
            RunSettings(FAST, healed, healed, ended), frozenset(store.asides), tuple(self._pubacks),
            tuple(self._silenced), ("gateway", "desk"),
        )  # fmt: skip


def judged(seed: int, sabotage: Sabotage | None = None, crash_at: int = 0) -> Verdict:
    """Play one schedule and return the checker's verdict."""
    return check(Simulation(seed, sabotage, crash_at).run(), LIMITS)


def first_red(seeds: range, sabotage: Sabotage | None = None) -> tuple[int, Verdict] | None:
    """Return the first seed whose schedule is not green, with its verdict, or None."""
    for seed in seeds:
        verdict = judged(seed, sabotage)
        if not verdict.is_green:
            return seed, verdict
    return None


def main() -> int:
    """Replay a seed, or run many and say how fast; the exit code tells whether all were green."""
    parser = argparse.ArgumentParser(description="Schedules of faults without processes.")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=5000)
    given = parser.parse_args()
    seeds = range(given.first, given.first + given.count)
    if given.seed is not None:
        seeds = range(given.seed, given.seed + 1)
    begun_s = time.monotonic()
    found = first_red(seeds)
    seconds = time.monotonic() - begun_s
    if found is not None:
        seed, verdict = found
        print("\n".join((f"seed {seed} is red: python -m tests.chaos.simulator --seed {seed}", *verdict.findings())))
        return 1
    figures = {"bench": "simulator", "schedules": len(seeds), "red": 0, "per_s": round(len(seeds) / seconds)}
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
