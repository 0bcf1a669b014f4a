"""Replay: a rule file over recorded days, what it would have decided against what was decided then.

Values come from the series, events and presence from their own tables, and time passes as it passed. What was heard
in another order than it happened is replayed in the order in which it happened.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from gateway.store.rules import Decided, LiveReading, Recording, RuleStore
from iot_rules.conditions.expression import ValueType
from iot_rules.conditions.triggers import Silence
from iot_rules.conditions.truth import Value
from iot_rules.engine.facts import Fact, Happened, PresenceSaid, Sampled
from iot_rules.engine.machine import Engine
from iot_rules.engine.registry import Registry
from iot_rules.rulefile.deeds import word_of
from iot_rules.rulefile.vocabulary import Vocabulary
from iot_rules.rules import Rule, Source

#: Decisions of then and now that are this close are the same one: then they waited for the wire.
SAME_WITHIN = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Decisions in the order of their time: in both, only now (the file would), only then (it did).

    `left_out` names rules about silence: only part of what devices say is recorded with its moment.
    """

    both: Sequence[Decided]
    only_now: Sequence[Decided]
    only_then: Sequence[Decided]
    left_out: Sequence[str]


async def replay(
    store: RuleStore, rules: Sequence[Rule], known: tuple[Registry, Vocabulary], since: datetime, until: datetime
) -> Comparison:
    """Play [since, until) through `rules`; nothing is written and nothing is done."""
    registry, vocabulary = known
    left_out = [rule.rule_id for rule in rules if isinstance(rule.trigger, Silence)]
    rules = [rule for rule in rules if rule.rule_id not in left_out]
    inputs = [one for rule in rules for one in rule.inputs]
    metrics = sorted({one.key for one in inputs if one.source is Source.PROPERTY})
    kinds = sorted({one.key for one in inputs if one.source is Source.EVENT})
    recording = await store.recording(since, until, metrics, kinds)
    facts = sorted(_facts(recording, vocabulary), key=lambda fact: fact.at)
    then = [one for one in recording.decided if one.rule_id not in left_out]
    return _compare(list(_play(Engine(rules, registry), facts, until)), then, left_out)


def _play(engine: Engine, facts: Sequence[Fact], until: datetime) -> Iterator[Decided]:
    for fact in facts:
        yield from _let_pass(engine, fact.at)
        for wish in engine.feed(fact, fact.at):
            yield Decided(wish.rule_id, wish.device_id, word_of(wish.deed), wish.due_at)
    yield from _let_pass(engine, until)


def _let_pass(engine: Engine, until: datetime) -> Iterator[Decided]:
    while (at := engine.next_due_at()) is not None and at <= until:
        for wish in engine.due(at):
            yield Decided(wish.rule_id, wish.device_id, word_of(wish.deed), wish.due_at)


def _facts(recording: Recording, vocabulary: Vocabulary) -> Iterator[Fact]:
    def message(reading: LiveReading) -> tuple[datetime, str, int, int]:
        return reading.at, reading.device_id, reading.boot, reading.seq

    for (at, device_id, boot, seq), readings in groupby(recording.readings, message):
        values = {one.metric: _value(one, vocabulary) for one in readings}
        yield Sampled(device_id, boot, seq, at, values)
    for event in recording.events:
        yield Happened(event.device_id, event.event_id, event.boot, event.seq, event.at, event.kind)
    for at, device_id, presence in recording.presences:
        yield PresenceSaid(device_id, 2**52, at, presence)


def _value(reading: LiveReading, vocabulary: Vocabulary) -> Value:
    if reading.value is None:
        return reading.text or ""
    known = vocabulary.properties.get(reading.metric)
    return bool(reading.value) if known and known.type is ValueType.FLAG else reading.value


def _compare(now: Sequence[Decided], then: Sequence[Decided], left_out: Sequence[str]) -> Comparison:
    left = list(then)
    both, only_now = [], []
    for one in now:
        same = next((other for other in left if _is_same(one, other)), None)
        if same is None:
            only_now.append(one)
        else:
            left.remove(same)
            both.append(one)
    return Comparison(both, only_now, left, left_out)


def _is_same(one: Decided, other: Decided) -> bool:
    is_alike = (one.rule_id, one.device_id, one.deed) == (other.rule_id, other.device_id, other.deed)
    return is_alike and abs(one.due_at - other.due_at) <= SAME_WITHIN
