"""Rehearsals: the examples of a rule file played through the real engine in virtual time, one rule at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from iot_rules.engine.facts import Fact, Happened, PresenceSaid, Sampled
from iot_rules.engine.machine import Engine
from iot_rules.engine.registry import Registry
from iot_rules.rulefile.deeds import word_of
from iot_rules.rulefile.examples import Example, Expected, Given
from iot_rules.rulefile.reader import RuleFile
from iot_rules.rules import Device, Rule, Source

_AREA = "000000000000"
_HOME = "example-home"


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How one example went; `did` is what the rule wished for, at which local time."""

    rule_id: str
    example: Example
    did: tuple[Expected, ...]

    @property
    def passed(self) -> bool:
        if len(self.did) != len(self.example.then):
            return False
        pairs = zip(self.did, self.example.then, strict=True)
        return all(did.deed == then.deed and then.at in {None, did.at} for did, then in pairs)


def rehearse(file: RuleFile) -> Iterator[Rehearsal]:
    """Play every example of every rule."""
    for rule in file.rules:
        for example in file.examples.get(rule.rule_id, ()):
            yield Rehearsal(rule.rule_id, example, tuple(_play(rule, example, file)))


def _play(rule: Rule, example: Example, file: RuleFile) -> Iterator[Expected]:
    registry = Registry(_device(rule, one.name) for one in rule.inputs)
    engine = Engine([rule], registry)
    for number, given in enumerate(example.given):
        now = given.at.replace(tzinfo=file.zone)
        yield from _did(engine, now)
        if given.is_restart:
            engine = Engine([rule], registry, engine.export())
            continue
        for wish in engine.feed(_fact(rule, given, number, now), now):
            yield Expected(word_of(wish.deed), _local(now))
    yield from _did(engine, example.until.replace(tzinfo=file.zone))


def _did(engine: Engine, until: datetime) -> Iterator[Expected]:
    """Let time pass, stopping at every deadline, so that nothing happens later than it would in life."""
    while (at := engine.next_due_at()) is not None and at <= until:
        for wish in engine.due(at):
            yield Expected(word_of(wish.deed), _local(at.astimezone(until.tzinfo)))


def _local(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)


def _device(rule: Rule, name: str) -> Device:
    one = rule.input(name)
    return Device(one.device or f"example-{name}", _AREA, _HOME, one.kind or "sensor", name)


def _fact(rule: Rule, given: Given, number: int, now: datetime) -> Fact:
    one = rule.input(given.input)
    device_id = _device(rule, given.input).device_id
    if given.presence:
        return PresenceSaid(device_id, 1, now, given.presence)
    if one.source is Source.EVENT:
        return Happened(device_id, f"example-{number}", 1, number, now, one.key)
    return Sampled(device_id, 1, number, now, {one.key: given.value if given.value is not None else False})
