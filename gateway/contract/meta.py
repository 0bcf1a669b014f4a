"""How a device describes itself: parts with properties, events and actions; datatypes and units as in Homie 5."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.contract.fields import ID_PATTERN, NAME_PATTERN, Choice, Flag, Table, Text
from gateway.contract.limits import MAX_ID_CHARS, MAX_NAME_CHARS, MAX_PARTS, MAX_PROPERTIES
from gateway.contract.records import Nested, wire

#: Homie 5 datatypes of a property.
DATATYPES = ("integer", "float", "boolean", "string", "enum", "color", "datetime", "duration", "json")
#: What a device can be.
DEVICE_KINDS = ("button", "stb", "camera", "sensor", "meter", "speaker", "gateway")
#: Units that programs know how to draw and compare; another unit is shown as it is written.
UNITS: Mapping[str, str] = {
    "°C": "degree Celsius",
    "%": "percent",
    "µg/m³": "microgram per cubic metre",
    "hPa": "hectopascal",
    "m/s": "metre per second",
    "mm": "millimetre",
    "W": "watt",
    "Wh": "watt hour",
    "kWh": "kilowatt hour",
    "V": "volt",
    "A": "ampere",
    "m³": "cubic metre",
    "lx": "lux",
    "ppm": "parts per million",
    "dBm": "signal strength",
    "s": "second",
    "km": "kilometre",
    "mmHg": "millimetre of mercury",
}


@dataclass(frozen=True, slots=True)
class Property:
    """Something that a part measures or can be set to."""

    datatype: str = field(metadata=wire("datatype", Choice(DATATYPES), "The Homie 5 datatype."))
    name: str = field(default="", metadata=wire("name", Text(MAX_NAME_CHARS), "Its name for people."))
    unit: str = field(default="", metadata=wire("unit", Text(16), "The unit, as people write it."))
    format: str = field(
        default="",
        metadata=wire("format", Text(MAX_NAME_CHARS), "Allowed values: `min:max[:step]`, `a,b,c`, as in Homie 5."),
    )
    settable: bool = field(default=False, metadata=wire("settable", Flag(), "It can be set by `set`."))
    retained: bool = field(default=True, metadata=wire("retained", Flag(), "It keeps its value between reports."))


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value that comes with an event or is given to an action."""

    datatype: str = field(metadata=wire("datatype", Choice(DATATYPES), "The Homie 5 datatype."))
    name: str = field(default="", metadata=wire("name", Text(MAX_NAME_CHARS), "Its name for people."))
    unit: str = field(default="", metadata=wire("unit", Text(16), "The unit."))
    format: str = field(default="", metadata=wire("format", Text(MAX_NAME_CHARS), "Allowed values."))


_PARAMETERS = Table(Nested(Parameter), MAX_PARTS)


@dataclass(frozen=True, slots=True)
class EventKind:
    """Something that can happen at a part."""

    name: str = field(default="", metadata=wire("name", Text(MAX_NAME_CHARS), "Its name for people."))
    level: str = field(
        default="info",
        metadata=wire("level", Choice(("info", "alert", "fault")), "How much it matters."),
    )
    parameters: Mapping[str, Parameter] = field(
        default_factory=dict, metadata=wire("params", _PARAMETERS, "What comes with it.")
    )


@dataclass(frozen=True, slots=True)
class ActionKind:
    """Something that a part can be told to do."""

    name: str = field(default="", metadata=wire("name", Text(MAX_NAME_CHARS), "Its name for people."))
    parameters: Mapping[str, Parameter] = field(
        default_factory=dict, metadata=wire("params", _PARAMETERS, "What it needs.")
    )


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a device: a key, a probe, a channel."""

    name: str = field(default="", metadata=wire("name", Text(MAX_NAME_CHARS), "Its name for people."))
    properties: Mapping[str, Property] = field(
        default_factory=dict,
        metadata=wire("props", Table(Nested(Property), MAX_PROPERTIES), "Properties by name."),
    )
    events: Mapping[str, EventKind] = field(
        default_factory=dict, metadata=wire("events", Table(Nested(EventKind), MAX_PARTS), "Events by name.")
    )
    actions: Mapping[str, ActionKind] = field(
        default_factory=dict, metadata=wire("actions", Table(Nested(ActionKind), MAX_PARTS), "Actions by name.")
    )


#: Where a description keeps its parts.
PARTS = Table(Nested(Part), MAX_PARTS, key_pattern=NAME_PATTERN)
#: A device id inside a description.
DEVICE_REFERENCE = Text(MAX_ID_CHARS, ID_PATTERN)
