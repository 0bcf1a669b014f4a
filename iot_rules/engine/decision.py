"""Deciding: a step in the making, from what a device said to the wishes of the rules that name it."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from iot_rules.conditions.schedule import DEFAULT_ZONE, is_workday, minutes_of
from iot_rules.conditions.triggers import Occurrence, Silence
from iot_rules.conditions.truth import Truth, Value
from iot_rules.engine import episode as turns
from iot_rules.engine.episode import Turn
from iot_rules.engine.facts import Step, Trace
from iot_rules.engine.registry import Registry
from iot_rules.engine.timers import Episode, Memory, Phase
from iot_rules.engine.wording import worded
from iot_rules.rules import MAX_CHAIN, Cause, Deed, Device, Input, RaiseAlarm, Rule, SendCommand, Source, Wish

#: What a commanded device says within this time counts as caused by the command.
COMMAND_ECHO = timedelta(seconds=30)

#: Names that every condition knows beside the inputs of its rule.
CALENDAR_NAMES = ("workday",)


class Known(Protocol):
    """What a draft reads of the engine that it is made beside."""

    @property
    def registry(self) -> Registry: ...

    def episodes_of(self, device_id: str) -> Mapping[str, Episode]: ...

    def memory_of(self, device_id: str) -> Memory: ...


class Draft:
    """A step in the making: reads fall through to the engine, writes stay here."""

    def __init__(self, known: Known, now: datetime, step: Step | None = None) -> None:
        self.known = known
        self.now = now
        self.step = step or Step(now)

    def episode(self, rule: Rule, device_id: str) -> Episode:
        drafted = self.step.episodes.get((rule.rule_id, device_id))
        held = drafted or self.known.episodes_of(device_id).get(rule.rule_id)
        return held or Episode(rule.fingerprint)

    def memory(self, device_id: str) -> Memory:
        return self.step.memories.get(device_id) or self.known.memory_of(device_id)

    def rules_of(self, device_id: str) -> tuple[str, ...]:
        """Return the rules that have an episode for a device, drafted ones included."""
        drafted = [rule_id for rule_id, device in self.step.episodes if device == device_id]
        return tuple(dict.fromkeys((*self.known.episodes_of(device_id), *drafted)))

    def put(self, rule: Rule, device_id: str, one: Episode) -> None:
        if one != self.episode(rule, device_id):
            self.step.episodes[rule.rule_id, device_id] = one

    def turn(self, rule: Rule, device: Device, turned: tuple[Episode, Turn], at: datetime) -> None:
        """Store an episode and carry out what its step calls for."""
        one, turn = turned
        match turn:
            case Turn.FIRE:
                one = self._fire(rule, device, one, max(one.due_at or at, one.cooled_at or at), at)
            case Turn.END:
                self._wish(rule, device, one, rule.otherwise, due_at=at, at=at)
                self._trace(rule, device, "ended", at, wishes=len(rule.otherwise))
        self.put(rule, device.device_id, one)

    def advance(self, rule: Rule, device: Device, until: datetime) -> None:
        """Let time pass for one episode up to `until`, moment by moment in their order."""
        while True:
            one = self.episode(rule, device.device_id)
            moment = turns.next_moment(rule, one)
            if moment is None or moment > until:
                return
            self.turn(rule, device, turns.pass_moment(rule, one, moment), moment)

    def occur(self, rule: Rule, device: Device, cause: Cause, chain: tuple[str, ...], at: datetime) -> None:
        """Take an event: an edge by itself, unless the window, the mode or the cooldown says no."""
        one = self.episode(rule, device.device_id)
        refusal = _refusal_of_event(rule, one, at)
        if refusal:
            self._trace(rule, device, refusal, at, cause=cause)
            if refusal == "prolonged":
                self.put(rule, device.device_id, replace(one, due_at=at + rule.lasts))
            return
        one = replace(one, cause=cause, chain=chain)
        self.put(rule, device.device_id, self._fire(rule, device, one, at, at))

    def _fire(self, rule: Rule, device: Device, one: Episode, due_at: datetime, at: datetime) -> Episode:
        late = self.now - due_at
        outcome, detail = self._judge(rule, device, one, at, late)
        if outcome != "fired":
            self._trace(rule, device, outcome, at, late=late, detail=detail, cause=one.cause)
            return replace(one, phase=Phase.MUTED if rule.is_lasting else Phase.IDLE, due_at=None)
        deeds, recent = _affordable(rule, one, at)
        one = replace(
            one,
            phase=Phase.ACTIVE if rule.is_lasting or rule.lasts or isinstance(rule.trigger, Silence) else Phase.IDLE,
            started_at=at,
            due_at=at + rule.lasts if rule.lasts else None,
            cooled_at=at + rule.cooldown if rule.cooldown else None,
            fired_at=(*recent, at),
        )
        self._wish(rule, device, one, deeds, due_at=due_at, at=at)
        said = "fired" if len(deeds) == len(rule.then) else "throttled"
        self._trace(rule, device, said, at, late=late, wishes=len(deeds), detail=detail, cause=one.cause)
        return one

    def _judge(
        self, rule: Rule, device: Device, one: Episode, at: datetime, late: timedelta
    ) -> tuple[str, dict[str, object]]:
        if rule.catch_up is not None and late > rule.catch_up:
            return "missed", {}
        if isinstance(rule.trigger, Silence) and rule.window is not None and not rule.window.holds(at):
            return "outside_window", {}
        if len(one.chain) >= MAX_CHAIN:
            return "loop", {"chain": list(one.chain)}
        if rule.condition is None:
            return "fired", {}
        values = self._values(rule, device, rule.condition.names, at)
        verdict = rule.condition.judge(values)
        detail: dict[str, object] = {"if": rule.condition.text, "values": values, "verdict": verdict.value}
        return ("fired" if verdict is Truth.TRUE else f"condition_{verdict.value}"), detail

    def _values(self, rule: Rule, device: Device, names: Sequence[str], at: datetime) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for name in names:
            if name in CALENDAR_NAMES:
                zone = rule.window.zone if rule.window else DEFAULT_ZONE
                values[name] = is_workday(at.astimezone(zone).date())
            elif (value := self._value_near(rule.input(name), device)) is not None:
                values[name] = value
        return values

    def _value_near(self, one: Input, device: Device) -> Value | None:
        """Return an input's value at the trigger's device, else at the first of its household that has one."""
        for near in self._candidates(one, device):
            memory = self.memory(near.device_id)
            if one.source is Source.DEVICE and memory.presence:
                return memory.presence
            if memory.presence != "offline" and (value := memory.value(one.key)) is not None:
                return value
        return None

    def _candidates(self, one: Input, device: Device) -> list[Device]:
        if one.device:
            named = self.known.registry.find(one.device)
            return [named] if named else []
        near = [other for other in self.known.registry.at_home_with(device) if one.matches(other)]
        return sorted(near, key=lambda other: other.device_id != device.device_id)

    def _wish(
        self, rule: Rule, device: Device, one: Episode, deeds: Sequence[Deed], *, due_at: datetime, at: datetime
    ) -> None:
        cause = one.cause or Cause(device.device_id, 0, 0, "", at)
        started_at = one.started_at or at
        branch = "then" if deeds is not rule.otherwise else "else"
        names = self._names(rule, device, at)
        for number, deed in enumerate(deeds):
            wish = Wish(
                wish_id=_wish_id(rule, cause, started_at, f"{branch}{number}"),
                rule_id=rule.rule_id,
                rule_version=rule.version,
                device_id=device.device_id,
                household_id=device.household_id,
                area_id=device.area_id,
                scope=rule.scope,
                deed=worded(deed, names),
                cause=cause,
                chain=(*one.chain, rule.rule_id),
                started_at=started_at,
                due_at=due_at,
                late_s=(self.now - due_at).total_seconds(),
            )
            self.step.wishes.append(wish)
            self._mark_echo(rule, device, wish)

    def _names(self, rule: Rule, device: Device, at: datetime) -> dict[str, str]:
        """Return what the texts of the deeds may fill in."""
        trigger = rule.trigger
        value = self.memory(device.device_id).value(rule.trigger_input.key)
        zone = rule.window.zone if rule.window else DEFAULT_ZONE
        return {
            "minutes": str(minutes_of(trigger.after if isinstance(trigger, Silence) else rule.hold)),
            "device": (device.name or device.device_id)[:12],
            "value": f"{value:g}" if isinstance(value, float) else "" if value is None else str(value),
            "time": f"{at.astimezone(zone):%H:%M}",
        }

    def _mark_echo(self, rule: Rule, device: Device, wish: Wish) -> None:
        if not isinstance(wish.deed, SendCommand):
            return
        for target in self._candidates(rule.input(wish.deed.input), device)[:1]:
            memory = self.memory(target.device_id)
            self.step.memories[target.device_id] = replace(
                memory, chain=wish.chain, chain_until=self.now + COMMAND_ECHO
            )

    def _trace(
        self,
        rule: Rule,
        device: Device,
        outcome: str,
        at: datetime,
        *,
        late: timedelta = timedelta(),
        wishes: int = 0,
        detail: Mapping[str, object] | None = None,
        cause: Cause | None = None,
    ) -> None:
        said = dict(detail or {})
        if cause is not None:
            said["cause"] = f"{cause.device_id}/{cause.boot}/{cause.seq}"
        trace = Trace(
            at, rule.rule_id, rule.version, device.device_id, outcome, late.total_seconds(), wishes, detail=said
        )
        self.step.traces.append(trace)


def reading_of(rule: Rule, one: Episode, value: Value | None) -> Truth:
    """Return what a lasting trigger says about a value; UNKNOWN for the others."""
    trigger = rule.trigger
    return Truth.UNKNOWN if isinstance(trigger, (Occurrence, Silence)) else trigger.judge(value, one.reading)


def _refusal_of_event(rule: Rule, one: Episode, at: datetime) -> str:
    if rule.window is not None and not rule.window.holds(at):
        return "outside_window"
    if one.phase is Phase.ACTIVE and rule.mode.value != "parallel":
        return "mode_dropped" if rule.mode.value == "single" else "prolonged"
    return "cooling" if one.cooled_at is not None and at < one.cooled_at else ""


def _affordable(rule: Rule, one: Episode, at: datetime) -> tuple[tuple[Deed, ...], tuple[datetime, ...]]:
    """Return the deeds that the budget allows and the firings that still count; an alarm is always allowed."""
    recent = tuple(fired for fired in one.fired_at if fired > at - rule.budget.per)
    if len(recent) < rule.budget.fires:
        return rule.then, recent
    return tuple(deed for deed in rule.then if isinstance(deed, RaiseAlarm)), recent[1:]


def _wish_id(rule: Rule, cause: Cause, started_at: datetime, part: str) -> str:
    """Return 26 characters that the same decision always gets, shaped as a ULID; an event stands for its moment."""
    moment = f"{cause.boot}/{cause.seq}" if isinstance(rule.trigger, Occurrence) else started_at.isoformat()
    decided = f"{rule.rule_id}\n{rule.version}\n{cause.device_id}\n{moment}\n{part}"
    digest = hashlib.sha256(decided.encode()).digest()[:16]
    return "0" + base64.b32hexencode(digest).decode()[:25].translate(_CROCKFORD)


_CROCKFORD = str.maketrans("0123456789ABCDEFGHIJKLMNOPQRSTUV", "0123456789ABCDEFGHJKMNPQRSTVWXYZ")
