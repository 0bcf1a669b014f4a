"""Schedules of faults over the pure core: thousands are green, every crash point is tried, and sabotage is found."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.model.alarms import Action
from gateway.model.errors import LinliError
from gateway.model.people import Person
from tests.chaos.checker import check
from tests.chaos.history import Attempt, History, RunSettings
from tests.chaos.model import FAST, Ledger, Sabotage, Store, rows_of
from tests.chaos.simulator import LIMITS, Simulation, first_red, judged
from tests.kit.clock import FakeClock
from tests.kit.community import OPERATOR, SECOND

SCHEDULES = 2000
#: Within so many schedules every sabotage must be found.
ENOUGH = 400


def test_thousands_of_schedules_are_green() -> None:
    """Whatever dies and whatever is lost, after healing every promise was kept; a red seed says how to replay it."""
    found = first_red(range(SCHEDULES))
    assert found is None, f"python -m tests.chaos.simulator --seed {found[0]}: {list(found[1].findings())}"


@pytest.mark.parametrize("seed", [1, 12, 31])
def test_a_crash_at_every_step_of_a_schedule_is_survived(seed: int) -> None:
    """One schedule again and again, each time with one crash, one step later than before."""
    undisturbed = Simulation(seed, crash_at=-1)
    undisturbed.run()
    assert undisturbed.steps > 20
    found = {step: list(judged(seed, crash_at=step).findings()) for step in range(1, undisturbed.steps + 1)}
    assert {step: findings for step, findings in found.items() if findings} == {}


def test_the_same_seed_is_the_same_schedule() -> None:
    """A seed that is printed can be replayed, to the last byte of the history."""
    assert Simulation(42).run() == Simulation(42).run()
    assert Simulation(42).run() != Simulation(43).run()


@pytest.mark.parametrize(
    ("sabotage", "rule"),
    [
        (Sabotage(has_no_unique_key=True), "duplicates"),
        (Sabotage(receipts_before_commit=True), "lost"),
        (Sabotage(keeps_timers_in_memory=True), "late_escalations"),
        (Sabotage(forgets_commits=True), "lost"),
        (Sabotage(trusts_puback=True), "lost"),
    ],
    ids=lambda one: one if isinstance(one, str) else next(name for name in one.__slots__ if getattr(one, name)),
)
def test_control_every_sabotage_is_found(sabotage: Sabotage, rule: str) -> None:
    """A ledger, an engine or a device with one promise taken away turns some schedule red by the rule that watches."""
    assert any(rule in judged(seed, sabotage).red for seed in range(ENOUGH))


PRESSERS = ("a-1", "a-2", "b-1")
PEOPLE = st.sampled_from((OPERATOR, SECOND))


class TwoOperators(RuleBasedStateMachine):
    """Presses, repetitions, engines and two operators who act on what they saw some time ago, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.begun = self.clock.now()
        self.ledger = Ledger(Store(), Sabotage())
        self.attempts: list[Attempt] = []
        self.seen: list[tuple[str, int]] = []

    @rule(device_id=st.sampled_from(PRESSERS), kind=st.sampled_from(("sos_pressed", "sos_pressed", "cancelled")))
    def press(self, device_id: str, kind: str) -> None:
        said = Attempt(device_id, 1, len(self.attempts) + 1, kind, self.clock.now())
        self.attempts.append(said)
        self.ledger.record(said, self.clock.now())

    @precondition(lambda self: self.attempts)
    @rule(data=st.data())
    def say_again(self, data: st.DataObject) -> None:
        said = data.draw(st.sampled_from(self.attempts))
        if said.key in self.ledger.store.presses:
            told = self.ledger.repeated(said.key, said.kind)
            assert told is not None
            assert told.alarm_no == self.ledger.store.alarms[self.ledger.store.presses[said.key]].alarm_no
            with pytest.raises(LinliError):
                self.ledger.record(said, self.clock.now())

    @rule()
    def look(self) -> None:
        self.seen = [(alarm.alarm_id, alarm.version) for alarm in self.ledger.store.alarms.values()]

    @precondition(lambda self: self.seen)
    @rule(data=st.data(), action=st.sampled_from(Action), by=PEOPLE)
    def act(self, data: st.DataObject, action: Action, by: Person) -> None:
        alarm_id, version = data.draw(st.sampled_from(self.seen))
        before = self.ledger.store.alarms[alarm_id]
        try:
            if action is Action.RENDER:
                self.ledger.render(alarm_id, by, self.clock.now())
            elif action is not Action.EXPIRE:
                self.ledger.step(alarm_id, action, by, version, self.clock.now())
        except LinliError:
            assert self.ledger.store.alarms[alarm_id] == before, "a refusal changes nothing"

    @rule(seconds=st.sampled_from((0.2, 1.0, 3.0, 6.0)))
    def wait(self, seconds: float) -> None:
        """Time passes in small steps, and the engine looks after each."""
        for _ in range(round(seconds / 0.2)):
            self.clock.advance(0.2)
            self.ledger.fire_due(self.clock.now(), self.clock.now())

    @invariant()
    def nothing_is_wrong(self) -> None:
        now, store = self.clock.now(), self.ledger.store
        recorded = tuple(said for said in self.attempts if said.key not in store.asides)
        history = History(
            recorded, (), rows_of(list(store.alarms.values())), tuple(store.press_rows), tuple(store.events),
            tuple(store.timers), (), RunSettings(FAST, self.begun, self.begun, now), frozenset(store.asides),
        )  # fmt: skip
        verdict = check(history, LIMITS)
        assert set(verdict.red) <= {"untold"}, list(verdict.findings())


TwoOperators.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestTwoOperators = TwoOperators.TestCase
