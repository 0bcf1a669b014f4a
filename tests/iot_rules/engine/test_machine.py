"""The engine as a whole: what it ignores, what it limits, and that its state is all of it."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iot_rules.conditions.expression import ValueType, compile_expression
from iot_rules.engine.facts import Fact, Happened, PresenceSaid, Sampled
from iot_rules.engine.machine import Engine
from iot_rules.engine.registry import Registry
from iot_rules.engine.timers import episode_from_row, memory_from_row, to_row
from iot_rules.rules import (
    MAX_CHAIN,
    Budget,
    Device,
    Input,
    Mode,
    NoticeToDesk,
    RaiseAlarm,
    Rule,
    SendCommand,
    ShowOnTv,
    Source,
)
from tests.kit.rules import (
    AREA,
    CLIMATE,
    DOOR,
    MINUTE,
    NOON,
    REGISTRY,
    SHOW,
    SMOKE,
    Home,
    a_rule,
    a_silence,
    a_smoke_rule,
    a_threshold,
)


def test_an_event_fires_every_time() -> None:
    """Each smoke event is a firing of its own, also right after another."""
    home = Home(a_smoke_rule())
    assert home.happen() == ["RaiseAlarm"]
    assert home.happen() == ["RaiseAlarm"]


def test_a_repeated_event_fires_once() -> None:
    """The same (boot, seq) again is the same event, however often it is delivered."""
    home = Home(a_smoke_rule())
    assert home.happen(seq=9) == ["RaiseAlarm"]
    assert home.happen(seq=9) == []


def test_an_event_out_of_order_still_fires() -> None:
    """A smoke event that comes after a later one is late, not lost."""
    home = Home(a_smoke_rule())
    assert home.happen(seq=9) == ["RaiseAlarm"]
    assert home.happen(seq=8) == ["RaiseAlarm"]


def test_an_alarm_carries_the_identity_and_the_clock_of_its_event() -> None:
    """The ledger gets the event's own boot, seq, id and time, also of an event that comes an hour late."""
    engine = Engine([a_smoke_rule()], REGISTRY)
    said_at = NOON - 60 * MINUTE
    (wish,) = engine.feed(Happened(SMOKE.device_id, "01J", 3, 17, said_at, "smoke"), NOON)
    assert (wish.cause.boot, wish.cause.seq, wish.cause.event_id, wish.cause.at) == (3, 17, "01J", said_at)


def test_the_same_decision_has_the_same_name() -> None:
    """Two engines that decide the same give their wishes the same ids, so that a wish is kept once."""
    fact = Happened(SMOKE.device_id, "01J", 3, 17, NOON, "smoke")
    wishes = [Engine([a_smoke_rule()], REGISTRY).feed(fact, NOON + delay) for delay in (timedelta(), 7 * MINUTE)]
    assert wishes[0][0].wish_id == wishes[1][0].wish_id
    assert len(wishes[0][0].wish_id) == 26


def test_history_never_triggers() -> None:
    """A batch from the past feeds no rule and is not even remembered."""
    home = Home(a_rule())
    assert home.say(is_history=True, open=True) == []
    assert home.wait(60) == [] and home.values() == {}


def test_an_old_report_is_passed_over() -> None:
    """A report with an earlier seq than the newest changes nothing."""
    home = Home(a_rule())
    home.say(open=True)
    step = home.engine.plan(Sampled(DOOR.device_id, 1, 1, home.now, {"open": False}), home.now)
    assert step.ignored == "duplicate_or_old"


def test_a_stranger_is_ignored() -> None:
    """A device that is not in the registry moves nothing."""
    step = Engine([a_rule()], REGISTRY).plan(Sampled("nobody", 1, 1, NOON, {"open": True}), NOON)
    assert step.ignored == "unknown_device" and step.is_empty


def test_what_no_rule_names_costs_nothing() -> None:
    """A report that concerns no rule is neither judged nor remembered."""
    step = Engine([a_rule()], REGISTRY).plan(Sampled(CLIMATE.device_id, 1, 1, NOON, {"temp": 20.0}), NOON)
    assert step.ignored == "no_rule" and step.is_empty


def test_a_fact_touches_only_the_rules_that_name_it() -> None:
    """Complaint 27: among a thousand rules, one report plans for the one that names its device."""
    rules = [
        a_rule(rule_id=f"rule-{number}", inputs=(Input("door", Source.PROPERTY, "open", device=f"door-{number}"),))
        for number in range(1000)
    ]
    registry = Registry(Device(f"door-{number}", AREA, "hh", "sensor") for number in range(1000))
    step = Engine(rules, registry).plan(Sampled("door-7", 1, 1, NOON, {"open": True}), NOON)
    assert list(step.episodes) == [("rule-7", "door-7")]


def test_planning_changes_nothing_until_it_is_accepted() -> None:
    """A step that could not be written is as if it had never been."""
    engine = Engine([a_rule()], REGISTRY)
    before = engine.export()
    engine.plan(Sampled(DOOR.device_id, 1, 1, NOON, {"open": True}), NOON)
    assert engine.export() == before and engine.next_due_at() is None


def test_a_condition_that_cannot_be_known_does_not_fire() -> None:
    """A condition over a device that was never heard is unknown, and unknown is not true."""
    condition = compile_expression("temp < 10.0", {"temp": ValueType.NUMBER})
    inputs = (Input("door", Source.PROPERTY, "open"), Input("temp", Source.PROPERTY, "temp"))
    home = Home(a_rule(inputs=inputs, condition=condition))
    home.say(open=True)
    assert home.wait(10) == []
    home.say(open=False)
    home.say(CLIMATE, temp=5.0)
    home.say(open=True)
    assert home.wait(10) == ["ShowOnTv"]


def test_the_value_of_an_absent_device_is_unknown() -> None:
    """What a thermometer said before it went away is no fact about now."""
    condition = compile_expression("temp < 10.0", {"temp": ValueType.NUMBER})
    inputs = (Input("door", Source.PROPERTY, "open"), Input("temp", Source.PROPERTY, "temp"))
    home = Home(a_rule(inputs=inputs, condition=condition))
    home.say(CLIMATE, temp=5.0)
    home.presence("offline", CLIMATE)
    home.say(open=True)
    assert home.wait(10) == []


def test_a_loop_of_commands_ends() -> None:
    """Complaint 19 (thingsboard#8176): a rule that its own command triggers stops at the depth limit and says why."""
    rule = a_rule(
        hold=timedelta(), then=(SendCommand("door", "close"),), otherwise=(), budget=Budget(1000, timedelta(hours=1))
    )
    home, outcomes = Home(rule), []
    home.say(open=False)
    for _ in range(2 * MAX_CHAIN):
        home.seq += 1
        step = home.engine.plan(Sampled(DOOR.device_id, 1, home.seq, home.now, {"open": True}), home.now)
        home.engine.accept(step)
        outcomes += [trace.outcome for trace in step.traces]
        home.say(open=False)
    assert outcomes[:MAX_CHAIN].count("fired") == MAX_CHAIN - 0 and "loop" in outcomes


def test_a_rule_over_its_budget_is_held_back_and_its_neighbour_goes_on() -> None:
    """Complaint 18: at most so many firings an hour; another rule over the same value is not touched."""
    tight = a_threshold(rule_id="tight", budget=Budget(2, timedelta(hours=1)), otherwise=())
    home = Home(tight, a_threshold(rule_id="wide", then=(NoticeToDesk("warm"),), otherwise=()))
    did: list[str] = []
    for _ in range(4):
        home.say(CLIMATE, temp=20.0)
        did += home.say(CLIMATE, temp=35.0)
    assert did.count("ShowOnTv") == 2 and did.count("NoticeToDesk") == 4


def test_no_budget_holds_an_alarm_back() -> None:
    """Over the budget the television stays quiet and the alarm is still raised."""
    rule = a_smoke_rule(then=(RaiseAlarm("smoke", 1), SHOW), budget=Budget(1, timedelta(hours=1)))
    home = Home(rule)
    assert home.happen() == ["RaiseAlarm", "ShowOnTv"]
    assert home.happen() == ["RaiseAlarm"]


@pytest.mark.parametrize(
    ("mode", "second", "ends_after"),
    [(Mode.SINGLE, [], 10), (Mode.RESTART, [], 15), (Mode.PARALLEL, ["ShowOnTv"], 15)],
)
def test_the_mode_says_what_a_second_event_does(mode: Mode, second: list[str], ends_after: float) -> None:
    """While an event's activity lasts, the next one is dropped, prolongs it, or fires anew."""
    clear = a_rule().otherwise
    home = Home(a_smoke_rule(then=(SHOW,), otherwise=clear, lasts=10 * MINUTE, mode=mode))
    home.happen()
    home.wait(5)
    assert home.happen() == second
    assert home.wait(ends_after - 5 - 0.01) == []
    assert home.wait(0.01) == ["ClearTv"]


def test_texts_are_filled_in_when_it_is_decided() -> None:
    """A sentence names the minutes of its rule and the device of its household."""
    show = ShowOnTv("门开着已经{minutes}分钟", "{device} {time} {value}", timedelta(hours=1))
    engine = Engine([a_rule(then=(show,))], REGISTRY)
    engine.feed(Sampled(DOOR.device_id, 1, 1, NOON, {"open": True}), NOON)
    (wish,) = engine.due(NOON + 10 * MINUTE)
    assert isinstance(wish.deed, ShowOnTv)
    assert (wish.deed.title, wish.deed.body) == ("门开着已经10分钟", "入户门磁 12:10 True")


# --- for every story ------------------------------------------------------------------------------------------------

ALL_RULES = (
    a_rule(),
    a_threshold(),
    a_threshold(rule_id="warm-long", hold=3 * MINUTE, cooldown=5 * MINUTE),
    a_smoke_rule(),
    a_smoke_rule(rule_id="smoke-tv", then=(SHOW,), otherwise=a_rule().otherwise, lasts=4 * MINUTE, mode=Mode.RESTART),
    a_silence(),
)
Story = list[tuple[float, str, float]]
STORIES: st.SearchStrategy[Story] = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.5, 1.0, 3.0, 9.0, 10.0, 16.0, 40.0]),
        st.sampled_from(["open", "shut", "temp", "smoke", "offline", "online", "box", "again"]),
        st.floats(0, 60),
    ),
    max_size=30,
)


class Player:
    """Plays a story into an engine, optionally exchanging the engine before some step."""

    def __init__(self, rules: tuple[Rule, ...], exchange_at: int = -1) -> None:
        self.engine, self.now, self.seq = Engine(rules, REGISTRY), NOON, 0
        self.rules, self.exchange_at = rules, exchange_at
        self.fired: list[tuple[str, str, str]] = []
        self.opened_at: dict[str, object] = {}
        self.engine.tick(NOON)

    def play(self, story: Story) -> list[tuple[str, str, str]]:
        for number, (minutes, what, value) in enumerate(story):
            self._pass(minutes)
            if number == self.exchange_at:
                self._exchange()
            self._note(self.engine.feed(self._fact(what, value), self.now))
        self._pass(60)
        return self.fired

    def _pass(self, minutes: float) -> None:
        until = self.now + timedelta(minutes=minutes)
        while (at := self.engine.next_due_at()) is not None and at <= until:
            self.now = max(at, self.now)
            self._note(self.engine.due(self.now))
        self.now = until
        self.engine.due(until)

    def _exchange(self) -> None:
        """Through JSON and back, as the database keeps it."""
        state = self.engine.export()
        episodes = {key: episode_from_row(to_row(one)) for key, one in state.episodes.items()}
        memories = {key: memory_from_row(to_row(one)) for key, one in state.memories.items()}
        assert (episodes, memories) == (dict(state.episodes), dict(state.memories))
        self.engine = Engine(self.rules, REGISTRY, type(state)(episodes, memories, state.ticked_at))

    def _fact(self, what: str, value: float) -> Fact:
        self.seq += what != "again"
        match what:
            case "temp":
                return Sampled(CLIMATE.device_id, 1, self.seq, self.now, {"temp": value})
            case "smoke" | "again":
                return Happened(SMOKE.device_id, f"e{self.seq}", 1, self.seq, self.now, "smoke")
            case "offline" | "online":
                return PresenceSaid(DOOR.device_id, 1, self.now, what)
            case "box":
                return PresenceSaid("stb-0301", 1, self.now, "online")
            case _:
                return Sampled(DOOR.device_id, 1, self.seq, self.now, {"open": what == "open"})

    def _note(self, wishes: object) -> None:
        assert isinstance(wishes, tuple)
        for wish in wishes:
            assert wish.late_s >= 0
            assert wish.due_at <= self.now
            self.fired.append((self.now.isoformat(), wish.rule_id, wish.wish_id))


@settings(max_examples=150, deadline=None)
@given(STORIES, st.integers(0, 29))
def test_an_exchanged_engine_decides_the_same(story: Story, exchange_at: int) -> None:
    """Exporting and importing the state through JSON at any point of any story changes no decision."""
    assert Player(ALL_RULES, exchange_at).play(story) == Player(ALL_RULES).play(story)


@settings(max_examples=150, deadline=None)
@given(STORIES)
def test_every_wish_has_a_cause_and_is_made_once(story: Story) -> None:
    """No wish without a message that led to it, and never the same wish twice."""
    player = Player(ALL_RULES)
    fired = player.play(story)
    assert len({wish_id for _, _, wish_id in fired}) == len(fired)
    if not story:
        assert fired == []


@settings(max_examples=150, deadline=None)
@given(STORIES)
def test_a_duration_never_fires_early(story: Story) -> None:
    """When the door rule fires, the newest word of the door was `open`, at least ten minutes ago."""
    player = Player((a_rule(otherwise=()),))
    opened_at = None
    for step in story:
        minutes, what, value = step
        before = len(player.fired)
        player._pass(minutes)
        if len(player.fired) > before:
            assert opened_at is not None and player.now - opened_at >= 10 * MINUTE
        player.engine.feed(player._fact(what, value), player.now)
        if what == "open" and opened_at is None:
            opened_at = player.now
        elif what == "shut":
            opened_at = None


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["open", "shut", "temp", "smoke", "offline", "online", "box"]), st.floats(0, 60))
    )
)
def test_facts_planned_together_decide_the_same(facts: list[tuple[str, float]]) -> None:
    """One step for many facts of one moment ends where many steps end, with the same wishes in the same order."""
    alone, together = Player(ALL_RULES), Player(ALL_RULES)
    wishes = [wish for what, value in facts for wish in alone.engine.feed(alone._fact(what, value), NOON)]
    step = None
    for what, value in facts:
        step = together.engine.plan(together._fact(what, value), NOON, step)
    assert (together.engine.accept(step) if step else ()) == tuple(wishes)
    assert together.engine.export() == alone.engine.export()
    assert together.engine.next_due_at() == alone.engine.next_due_at()
