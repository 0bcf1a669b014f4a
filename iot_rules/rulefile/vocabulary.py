"""What rules may speak about: properties with type and unit, events, device kinds, and the devices there are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from gateway.contract.messages import Meta
from gateway.contract.meta import DEVICE_KINDS
from iot_rules.conditions.expression import ValueType
from iot_rules.rules import Device


@dataclass(frozen=True, slots=True)
class Property:
    """How a property is reported; an empty unit is a bare number, a flag or a text."""

    type: ValueType
    unit: str = ""


_NUMBER, _FLAG, _TEXT = ValueType.NUMBER, ValueType.FLAG, ValueType.TEXT

#: Properties and events that any device may report without describing itself, as in firmware_stubs' villages.
KNOWN_PROPERTIES: Mapping[str, Property] = {
    "open": Property(_FLAG),
    "smoke": Property(_FLAG),
    "smoke_level": Property(_NUMBER, "%"),
    "leak": Property(_FLAG),
    "motion": Property(_FLAG),
    "pm2_5": Property(_NUMBER, "µg/m³"),
    "pm10": Property(_NUMBER, "µg/m³"),
    "so2": Property(_NUMBER, "µg/m³"),
    "no2": Property(_NUMBER, "µg/m³"),
    "co": Property(_NUMBER, "µg/m³"),
    "o3": Property(_NUMBER, "µg/m³"),
    "temp": Property(_NUMBER, "°C"),
    "humidity": Property(_NUMBER, "%"),
    "battery": Property(_NUMBER, "%"),
    "wind_speed": Property(_NUMBER, "m/s"),
    "rain": Property(_NUMBER, "mm"),
    "power_w": Property(_NUMBER, "W"),
    "energy_wh": Property(_NUMBER, "Wh"),
    "lights_wh": Property(_NUMBER, "Wh"),
    "volume": Property(_NUMBER, "%"),
    "dew_point": Property(_NUMBER, "°C"),
    "pressure": Property(_NUMBER, "hPa"),
    "wind_direction": Property(_TEXT),
}
KNOWN_EVENTS = frozenset({
    "sos_pressed", "cancelled", "smoke", "smoke_cleared", "water_leak", "water_dry", "door_opened", "door_closed",
    "tamper", "sos_silent",
})  # fmt: skip

_TYPE_OF_DATATYPE = {
    "integer": ValueType.NUMBER,
    "float": ValueType.NUMBER,
    "duration": ValueType.NUMBER,
    "boolean": ValueType.FLAG,
    "string": ValueType.TEXT,
    "enum": ValueType.TEXT,
    "color": ValueType.TEXT,
    "datetime": ValueType.TEXT,
}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words that a rule file is checked against; without `devices` device ids are taken on trust."""

    properties: Mapping[str, Property] = field(default_factory=lambda: dict(KNOWN_PROPERTIES))
    events: frozenset[str] = KNOWN_EVENTS
    kinds: frozenset[str] = frozenset(DEVICE_KINDS)
    devices: Mapping[str, Device] | None = None

    def with_registry(self, devices: Iterable[Device], descriptions: Iterable[Meta]) -> "Vocabulary":
        """Return these words and those of the registry: its devices, and what they say that they report."""
        properties, events = dict(self.properties), set(self.events)
        for meta in descriptions:
            for part in meta.parts.values():
                events.update(part.events)
                for name, one in part.properties.items():
                    properties[name] = Property(_TYPE_OF_DATATYPE.get(one.datatype, ValueType.ANY), one.unit)
        known = {device.device_id: device for device in devices}
        kinds = self.kinds | {device.kind for device in known.values()}
        return replace(self, properties=properties, events=frozenset(events), kinds=kinds, devices=known)
