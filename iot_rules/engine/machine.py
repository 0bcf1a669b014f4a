"""The engine: facts and time go in, wishes come out; no clock, no I/O, and nothing changes until it is accepted.

`plan` works out a Step beside the engine's state; `accept` makes it true. Between the two the runner writes the step
to the database, so that memory never knows more than the disk. The cost of a fact depends on the rules that name it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

from iot_rules.conditions.triggers import Presence, Silence
from iot_rules.conditions.truth import Truth
from iot_rules.engine import episode as turns
from iot_rules.engine.decision import Draft, reading_of
from iot_rules.engine.facts import EngineState, Fact, Happened, PresenceSaid, Sampled, Step
from iot_rules.engine.registry import Registry
from iot_rules.engine.timers import REMEMBERED_EVENTS, Episode, Key, Memory, TimerBook
from iot_rules.rules import Cause, Device, Input, Rule, Source, Wish

#: A message may have been under way for this long when the last tick passed.
TRANSIT = timedelta(seconds=10)


class Engine:
    """Decides for a set of rules over a registry. Not thread-safe; plan and accept in turn."""

    def __init__(self, rules: Sequence[Rule], registry: Registry, state: EngineState | None = None) -> None:
        self.rules = {rule.rule_id: rule for rule in rules}
        self.registry = registry
        self._index: dict[tuple[str, Source, str], list[Rule]] = defaultdict(list)
        self._kept_keys = {one.key for rule in rules for one in rule.inputs if one.source is Source.PROPERTY}
        for rule in rules:
            one = rule.trigger_input
            self._index[_who(one), one.source, one.key].append(rule)
        self._episodes: dict[str, dict[str, Episode]] = defaultdict(dict)
        self._memories: dict[str, Memory] = {}
        self._timers = TimerBook()
        self._ticked_at: datetime | None = None
        #: Episodes of the given state that no rule of this engine continues.
        self.forgotten: tuple[Key, ...] = ()
        self._adopt(state or EngineState())

    def export(self) -> EngineState:
        """Return everything remembered; an engine made with it behaves as this one would."""
        episodes = {(rule, device): one for device, held in self._episodes.items() for rule, one in held.items()}
        return EngineState(episodes, dict(self._memories), self._ticked_at)

    def feed(self, fact: Fact, now: datetime) -> tuple[Wish, ...]:
        """Plan and accept in one go, where nothing has to be written between."""
        return self.accept(self.plan(fact, now))

    def due(self, now: datetime) -> tuple[Wish, ...]:
        """Let time pass up to `now`, however much is due."""
        wishes: list[Wish] = []
        while not (step := self.plan_due(now)).is_empty:
            wishes += self.accept(step)
        self.tick(now)
        return tuple(wishes)

    @property
    def event_kinds(self) -> tuple[str, ...]:
        """The kinds of events that some rule waits for."""
        return tuple(sorted({key for _, source, key in self._index if source is Source.EVENT}))

    @property
    def ticked_at(self) -> datetime | None:
        """The moment until which time has been let pass."""
        return self._ticked_at

    def tick(self, now: datetime) -> None:
        """Note that all that was due at `now` is done; later facts cannot lie before it."""
        self._ticked_at = max(now, self._ticked_at or now)

    def next_due_at(self) -> datetime | None:
        """Return the next moment at which `plan_due` has work."""
        return self._timers.next_at()

    def accept(self, step: Step) -> tuple[Wish, ...]:
        """Make a planned step true and return its wishes."""
        self._memories.update(step.memories)
        for key, one in step.episodes.items():
            rule_id, device_id = key
            self._episodes[device_id][rule_id] = one
            self._timers.set(key, turns.next_moment(self.rules[rule_id], one))
        return tuple(step.wishes)

    def plan(self, fact: Fact, now: datetime, step: Step | None = None) -> Step:
        """Work out what a fact changes, on top of `step` where one is given: then both are one.

        `fact.at` counts only between the last tick and `now`: a later one is now, and one that is long before the
        tick comes from a clock that cannot be trusted, or from a journal, and is now as well. Time never runs back
        for a device.
        """
        draft = Draft(self, now, step)
        device = self.registry.find(fact.device_id)
        if device is None:
            draft.step.ignored = "unknown_device"
            return draft.step
        memory = draft.memory(device.device_id)
        draft.step.ignored = "" if self._concerns(draft, device, fact) else "no_rule"
        draft.step.ignored = draft.step.ignored or _refusal(fact, memory)
        if draft.step.ignored:
            return draft.step
        at = self._moment_of(fact, now)
        at = min(now, max(at, memory.heard_at or at))
        match fact:
            case Sampled():
                _take_sample(self, draft, device, fact, at)
            case Happened():
                _take_event(self, draft, device, fact, at)
            case PresenceSaid():
                _take_presence(self, draft, device, fact, at)
        return draft.step

    def plan_due(self, now: datetime, limit: int = 200) -> Step:
        """Work out what time alone changes, for at most `limit` timers."""
        draft = Draft(self, now)
        for number, key in enumerate(self._timers.due(now)):
            if number >= limit:
                break
            device = self.registry.find(key[1])
            if device is not None:
                draft.advance(self.rules[key[0]], device, now)
        return draft.step

    def plan_blind(self, since: datetime, until: datetime) -> Step:
        """Work out that nobody could have heard anything between two moments: silences get that time back.

        Those that began later were begun by what was said meanwhile and is heard only now.
        """
        draft = Draft(self, until)
        silences = [rule for rule in self.rules.values() if isinstance(rule.trigger, Silence)]
        for rule, (device_id, held) in product(silences, self._episodes.items()):
            one = held.get(rule.rule_id)
            if one is not None and one.since is not None and one.since <= since:
                draft.put(rule, device_id, turns.prolong(one, until - since))
        return draft.step

    def _concerns(self, draft: Draft, device: Device, fact: Fact) -> bool:
        """Tell whether any rule wants to know; what concerns none is not even remembered."""
        if draft.rules_of(device.device_id) or any(self.triggered_by(device, Source.DEVICE, "")):
            return True
        match fact:
            case Sampled():
                return any(key in self._kept_keys for key in fact.values)
            case Happened():
                return any(self.triggered_by(device, Source.EVENT, fact.kind))
            case PresenceSaid():
                return bool(self._kept_keys) and draft.memory(device.device_id) != Memory()

    def _moment_of(self, fact: Fact, now: datetime) -> datetime:
        floor = self._ticked_at
        if floor is None or fact.at >= now or fact.at < floor - TRANSIT:
            return now
        return max(fact.at, floor)

    def triggered_by(self, device: Device, source: Source, key: str) -> Iterable[Rule]:
        """Yield the rules whose trigger names this of that device."""
        for who in (f"device:{device.device_id}", f"kind:{device.kind}", "*"):
            yield from self._index.get((who, source, key), ())

    def episodes_of(self, device_id: str) -> Mapping[str, Episode]:
        return self._episodes.get(device_id, {})

    def memory_of(self, device_id: str) -> Memory:
        return self._memories.get(device_id) or Memory()

    def keeps(self, key: str) -> bool:
        return key in self._kept_keys

    def _adopt(self, state: EngineState) -> None:
        self._ticked_at = state.ticked_at
        self._memories.update(state.memories)
        forgotten = []
        for key, one in state.episodes.items():
            rule = self.rules.get(key[0])
            if rule is None or rule.fingerprint != one.fingerprint:
                forgotten.append(key)
                continue
            self._episodes[key[1]][key[0]] = one
            is_known = self.registry.find(key[1]) is not None
            self._timers.set(key, turns.next_moment(rule, one) if is_known else None)
        self.forgotten = tuple(forgotten)


def _who(one: Input) -> str:
    return f"device:{one.device}" if one.device else f"kind:{one.kind}" if one.kind else "*"


def _refusal(fact: Fact, memory: Memory) -> str:
    """Return why a fact is passed over: history, a repetition, an older one than what is known; else nothing."""
    match fact:
        case Sampled(is_history=True):
            return "history"
        case Sampled():
            return "" if (fact.boot, fact.seq) > (memory.boot, memory.seq) else "duplicate_or_old"
        case Happened():
            return "duplicate" if (fact.boot, fact.seq) in memory.events else ""
        case PresenceSaid():
            return _refusal_of_presence(fact, memory)


def _refusal_of_presence(fact: PresenceSaid, memory: Memory) -> str:
    if fact.boot < max(memory.presence_boot, memory.boot):
        return "stale_presence"
    is_known = (fact.presence, fact.boot) == (memory.presence, memory.presence_boot)
    return "retained_repeat" if fact.is_retained and is_known else ""


def _chain_of(fact: Sampled | Happened, memory: Memory, at: datetime) -> tuple[str, ...]:
    if fact.chain or memory.chain_until is None or at > memory.chain_until:
        return fact.chain
    return memory.chain


def _take_sample(engine: Engine, draft: Draft, device: Device, fact: Sampled, at: datetime) -> None:
    memory = draft.memory(device.device_id)
    cause = Cause(device.device_id, fact.boot, fact.seq, "", fact.at)
    chain = _chain_of(fact, memory, at)
    touched = [
        (rule, fact.values[key])
        for key in fact.values
        if engine.keeps(key)
        for rule in engine.triggered_by(device, Source.PROPERTY, key)
    ]
    for rule, _ in touched:
        draft.advance(rule, device, at)
    kept = {key: value for key, value in fact.values.items() if engine.keeps(key)}
    values = tuple({**dict(memory.values), **kept}.items())
    draft.step.memories[device.device_id] = replace(
        memory, boot=fact.boot, seq=fact.seq, values=values, heard_at=at, presence="online"
    )
    for rule, value in touched:
        one = draft.episode(rule, device.device_id)
        reading = reading_of(rule, one, value)
        if reading is Truth.TRUE:
            one = turns.because(one, cause, chain)
        draft.turn(rule, device, turns.observe(rule, one, reading, at), at)
        draft.advance(rule, device, at)
    _hear(engine, draft, device, cause, at)


def _take_event(engine: Engine, draft: Draft, device: Device, fact: Happened, at: datetime) -> None:
    memory = draft.memory(device.device_id)
    cause = Cause(device.device_id, fact.boot, fact.seq, fact.event_id, fact.at)
    events = (*memory.events, (fact.boot, fact.seq))[-REMEMBERED_EVENTS:]
    draft.step.memories[device.device_id] = replace(memory, events=events, heard_at=at, presence="online")
    _hear(engine, draft, device, cause, at)
    for rule in engine.triggered_by(device, Source.EVENT, fact.kind):
        draft.advance(rule, device, at)
        draft.occur(rule, device, cause, _chain_of(fact, memory, at), at)


def _take_presence(engine: Engine, draft: Draft, device: Device, fact: PresenceSaid, at: datetime) -> None:
    memory = draft.memory(device.device_id)
    heard_at = at if fact.presence != "offline" else memory.heard_at
    draft.step.memories[device.device_id] = replace(
        memory, presence=fact.presence, presence_boot=fact.boot, heard_at=heard_at
    )
    cause = Cause(device.device_id, fact.boot, 0, "", at)
    if fact.presence == "offline":
        _lose(engine, draft, device, at)
    else:
        _hear(engine, draft, device, cause, at)
    for rule in engine.triggered_by(device, Source.DEVICE, ""):
        if isinstance(rule.trigger, Presence):
            draft.advance(rule, device, at)
            one = draft.episode(rule, device.device_id)
            reading = rule.trigger.judge(fact.presence, one.reading)
            draft.turn(rule, device, turns.observe(rule, turns.because(one, cause, ()), reading, at), at)
            draft.advance(rule, device, at)


def _hear(engine: Engine, draft: Draft, device: Device, cause: Cause, at: datetime) -> None:
    """Note a sign of life: silences begin again, absences end."""
    for rule in engine.triggered_by(device, Source.DEVICE, ""):
        if isinstance(rule.trigger, Silence):
            draft.advance(rule, device, at)
            one = draft.episode(rule, device.device_id)
            draft.turn(rule, device, turns.hear(rule, replace(one, cause=cause), at), at)
    for rule_id in draft.rules_of(device.device_id):
        rule = engine.rules[rule_id]
        one = draft.episode(rule, device.device_id)
        if one.absent_at is not None:
            draft.advance(rule, device, at)
            draft.put(rule, device.device_id, turns.come_back(draft.episode(rule, device.device_id), at))


def _lose(engine: Engine, draft: Draft, device: Device, at: datetime) -> None:
    """Note an absence for every rule that looks at a value of the device."""
    for rule_id in draft.rules_of(device.device_id):
        rule = engine.rules[rule_id]
        if rule.trigger_input.source is Source.PROPERTY:
            draft.advance(rule, device, at)
            draft.put(rule, device.device_id, turns.go_absent(draft.episode(rule, device.device_id), at))
