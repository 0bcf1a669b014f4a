"""The `inputs` and the `when` of a rule: names for what devices say, and what the rule waits for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from gateway.contract.messages import PRESENCES
from iot_rules.conditions.expression import ValueType
from iot_rules.conditions.triggers import Occurrence, Presence, Silence, State, Threshold, Trigger
from iot_rules.conditions.truth import Value
from iot_rules.rulefile.problems import nearest
from iot_rules.rulefile.quantities import read_duration, read_measure
from iot_rules.rulefile.table import Table
from iot_rules.rulefile.vocabulary import Property, Vocabulary
from iot_rules.rules import Input, Source

#: Stands in for a trigger that could not be read; its rule is never built.
NO_TRIGGER = Occurrence("")

_EXAMPLE_OF = {ValueType.FLAG: "true", ValueType.NUMBER: '"35"', ValueType.TEXT: '"open"', ValueType.ANY: "true"}


def read_inputs(table: Table, vocabulary: Vocabulary) -> dict[str, Input]:
    """Return the inputs by name."""
    if not table.values:
        table.wrong("", "the rule has no inputs", 'Write inputs.door = { property = "open" }.')
    inputs = {}
    for name in table.values:
        if not name.isidentifier():
            table.wrong(name, f'"{name}" cannot be used in conditions', "Name it with letters, digits and _.")
        inputs[name] = _read_input(table.table(name), name, vocabulary)
    return inputs


def _read_input(table: Table, name: str, vocabulary: Vocabulary) -> Input:
    table.expect_keys(("device", "kind", "property", "event"))
    device, kind = table.text("device"), table.text("kind")
    if table.has("device") and vocabulary.devices is not None and device not in vocabulary.devices:
        table.wrong("device", f'no device "{device}" is registered', nearest(device, vocabulary.devices))
    if table.has("kind") and kind not in vocabulary.kinds:
        table.wrong("kind", f'no device is of the kind "{kind}"', nearest(kind, vocabulary.kinds))
    if table.has("event"):
        event = table.text("event")
        if event not in vocabulary.events:
            table.wrong("event", f'no device reports an event "{event}"', nearest(event, vocabulary.events))
        return Input(name, Source.EVENT, event, kind, device)
    if table.has("property"):
        key = table.text("property")
        if key not in vocabulary.properties:
            table.wrong("property", f'no device reports a property "{key}"', nearest(key, vocabulary.properties))
        return Input(name, Source.PROPERTY, key, kind, device)
    if not (device or kind):
        table.wrong(
            "", "the input names nothing", 'Write { property = "open" }, { event = "smoke" } or { kind = "stb" }.'
        )
    return Input(name, Source.DEVICE, "", kind, device)


@dataclass(frozen=True, slots=True)
class _Context:
    table: Table
    input: Input
    property: Property


def read_trigger(table: Table, inputs: Mapping[str, Input], vocabulary: Vocabulary) -> Trigger:
    """Return what the rule waits for; NO_TRIGGER after a problem."""
    name = table.text("input")
    if not table.has("input"):
        table.wrong("", '"input" is missing', f"Add input = … to it, one of: {', '.join(inputs)}.")
        return NO_TRIGGER
    if name not in inputs:
        table.wrong("input", f'no input is named "{name}"', nearest(name, inputs))
        return NO_TRIGGER
    one = inputs[name]
    context = _Context(table, one, vocabulary.properties.get(one.key, Property(ValueType.ANY)))
    match one.source:
        case Source.EVENT:
            table.expect_keys(("input",))
            return Occurrence(name)
        case Source.DEVICE:
            return _device_trigger(context)
        case _:
            return _property_trigger(context)


def _device_trigger(context: _Context) -> Trigger:
    table = context.table
    table.expect_keys(("input", "silent_for", "presence"))
    if table.has("presence"):
        return Presence(context.input.name, table.word("presence", PRESENCES, "offline"))
    if not table.has("silent_for"):
        table.wrong("", "it says nothing to wait for", 'Write silent_for = "15 min" or presence = "offline".')
    after = table.quantity("silent_for", read_duration, timedelta(minutes=15))
    return Silence(context.input.name, after)


def _property_trigger(context: _Context) -> Trigger:
    table, name = context.table, context.input.name
    table.expect_keys(("input", "is", "above", "below", "hysteresis"))
    said = [key for key in ("is", "above", "below") if table.has(key)]
    if len(said) != 1:
        table.wrong(
            "", "it must say exactly one of is, above, below", "Write is = true, or above = a number and a unit."
        )
        return NO_TRIGGER
    if said == ["is"]:
        return State(name, _state_value(context))
    if context.property.type not in {ValueType.NUMBER, ValueType.ANY}:
        cure = f"Write is = {_EXAMPLE_OF[context.property.type]} instead of {said[0]}."
        table.wrong(said[0], f"{context.input.key} is no number", cure)
        return NO_TRIGGER

    def read(written: object) -> float:
        return read_measure(written, context.property.unit, context.input.key)

    hysteresis = table.quantity("hysteresis", read, 0.0)
    if hysteresis < 0:
        table.wrong(
            "hysteresis", "hysteresis is negative", "Write how far the value must come back, as a positive number."
        )
    return Threshold(name, said == ["above"], table.quantity(said[0], read, 0.0), hysteresis)


def _state_value(context: _Context) -> Value:
    value, wanted = context.table.values["is"], context.property.type
    fits = {
        ValueType.FLAG: isinstance(value, bool),
        ValueType.TEXT: isinstance(value, str),
        ValueType.NUMBER: isinstance(value, (int, float)) and not isinstance(value, bool),
    }.get(wanted, isinstance(value, (bool, str, int, float)))
    if not fits:
        cure = f"Write is = {_EXAMPLE_OF[wanted]}."
        context.table.wrong("is", f"{context.input.key} is a {wanted.value}, and {value!r} is not", cure)
        return False
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
