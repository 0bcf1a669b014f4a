"""Sensors by profile: what each describes itself as, and what it measures at a moment, the same for the same seed."""

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from firmware_stubs import button, meter, set_top_box
from gateway.contract.fields import Scalar
from gateway.contract.meta import EventKind, Part, Property
from gateway.contract.times import to_ms

Values = Mapping[str, Scalar]
Measure = Callable[[str, datetime], Values]

_BATTERY = Part("电池", {"battery": Property("float", "电量", "%", "0:100")})
_LOCAL = timedelta(hours=8)
_MICROGRAM = "µg/m³"

AIR_PROPERTIES: Final[Mapping[str, Property]] = {
    "pm2_5": Property("float", "PM2.5", _MICROGRAM, "0:"),
    "pm10": Property("float", "PM10", _MICROGRAM, "0:"),
    "so2": Property("float", "二氧化硫", _MICROGRAM, "0:"),
    "no2": Property("float", "二氧化氮", _MICROGRAM, "0:"),
    "co": Property("float", "一氧化碳", _MICROGRAM, "0:"),
    "o3": Property("float", "臭氧", _MICROGRAM, "0:"),
    "temp": Property("float", "气温", "°C"),
    "dew_point": Property("float", "露点", "°C"),
    "pressure": Property("float", "气压", "hPa"),
    "rain": Property("float", "降雨", "mm", "0:"),
    "wind_speed": Property("float", "风速", "m/s", "0:"),
    "wind_direction": Property("string", "风向"),
}


@dataclass(frozen=True, slots=True)
class Profile:
    """What a device of this profile is, and what it measures; `hourly` ones have a history by the hour."""

    parts: Mapping[str, Part]
    measure: Measure
    has_history: bool = False


def air(seed: str, at: datetime) -> Values:
    """Return the air over the community: slow weather, a rush hour, ozone in the afternoon."""
    hour = _local_hour(at)
    days = to_ms(at) / 86_400_000
    weather = 0.5 + 0.5 * math.sin(days / 2.7) + 0.15 * math.sin(days * 1.9)
    noise = _noise(seed, at)
    pm = max(4.0, 18 + 52 * weather + 9 * _bump(hour, 8) + 12 * _bump(hour, 20) + 4 * noise)
    temp = 12 + 6 * math.sin((hour - 9) / 24 * 2 * math.pi) + 4 * math.sin(days / 3.1) + 0.4 * noise
    return {
        "pm2_5": round(pm, 1),
        "pm10": round(pm * 1.5 + 9, 1),
        "so2": round(5 + 3 * weather, 1),
        "no2": round(20 + 24 * weather + 10 * _bump(hour, 19), 1),
        "co": round(400 + 500 * weather, 0),
        "o3": round(max(8.0, 40 + 65 * _bump(hour, 15) - 18 * weather), 1),
        "temp": round(temp, 1),
        "dew_point": round(temp - 9 + 3 * weather, 1),
        "pressure": round(1015 - 6 * weather, 1),
        "rain": 0.0,
        "wind_speed": round(1.2 + 1.8 * (1 - weather) + 0.3 * abs(noise), 1),
        "wind_direction": "NNW" if weather < 0.5 else "SSE",
    }


def climate(seed: str, at: datetime) -> Values:
    """Return a bedroom's temperature and humidity."""
    warm = math.sin((_local_hour(at) - 10) / 24 * 2 * math.pi)
    return {
        "temp": round(20.5 + 1.6 * warm + 0.2 * _noise(seed, at), 1),
        "humidity": round(46 - 5 * warm + _noise(seed, at), 1),
        "battery": _battery(seed),
    }


def smoke(seed: str, at: datetime) -> Values:
    """Return clean air with a little cooking in it."""
    return {"smoke": False, "smoke_level": round(2 + abs(_noise(seed, at)), 1), "battery": _battery(seed)}


def door(seed: str, _at: datetime) -> Values:
    """Return a closed door."""
    return {"open": False, "battery": _battery(seed)}


def water(seed: str, _at: datetime) -> Values:
    """Return a dry floor."""
    return {"leak": False, "battery": _battery(seed)}


def key(seed: str, _at: datetime) -> Values:
    """Return the battery of a button."""
    return {"battery": _battery(seed)}


def box(seed: str, _at: datetime) -> Values:
    """Return the volume of a box."""
    return {"volume": float(20 + _whole(seed, 5) * 5)}


def power(seed: str, at: datetime) -> Values:
    """Return the meter's power; its energy is history by the hour."""
    return {"power_w": meter.power_w(seed, at)}


def _smoke_parts() -> Mapping[str, Part]:
    levels = {"smoke": Property("boolean", "有烟"), "smoke_level": Property("float", "烟雾", "%", "0:100")}
    events = {"smoke": EventKind("烟雾", "alert"), "smoke_cleared": EventKind("烟雾消散"), "tamper": EventKind("防拆")}
    return {"chamber": Part("探测室", levels, events), "power": _BATTERY}


def _door_parts() -> Mapping[str, Part]:
    events = {"door_opened": EventKind("门开了"), "door_closed": EventKind("门关了")}
    return {"contact": Part("门", {"open": Property("boolean", "开着")}, events), "power": _BATTERY}


def _water_parts() -> Mapping[str, Part]:
    events = {"water_leak": EventKind("漏水", "alert"), "water_dry": EventKind("干了")}
    return {"probe": Part("探头", {"leak": Property("boolean", "有水")}, events), "power": _BATTERY}


def _climate_parts() -> Mapping[str, Part]:
    properties = {"temp": Property("float", "温度", "°C"), "humidity": Property("float", "湿度", "%", "0:100")}
    return {"room": Part("房间", properties), "power": _BATTERY}


PROFILES: Final[Mapping[str, Profile]] = {
    "button": Profile(button.PARTS, key),
    "set_top_box": Profile(set_top_box.PARTS, box),
    "smoke": Profile(_smoke_parts(), smoke),
    "door": Profile(_door_parts(), door),
    "water": Profile(_water_parts(), water),
    "temperature": Profile(_climate_parts(), climate),
    "meter": Profile(meter.PARTS, power, has_history=True),
    "air_station": Profile({"air": Part("空气", AIR_PROPERTIES)}, air, has_history=True),
}

#: The event that a change of a property makes: (property, new value) to the event's name.
EVENT_OF_CHANGE: Final[Mapping[tuple[str, Scalar], str]] = {
    ("smoke", True): "smoke",
    ("smoke", False): "smoke_cleared",
    ("open", True): "door_opened",
    ("open", False): "door_closed",
    ("leak", True): "water_leak",
    ("leak", False): "water_dry",
}


def _local_hour(at: datetime) -> float:
    local = at.astimezone(UTC) + _LOCAL
    return local.hour + local.minute / 60


def _bump(hour: float, center: float) -> float:
    """A rise of about three hours around `center`, over midnight too."""
    distance = min(abs(hour - center), 24 - abs(hour - center))
    return math.exp(-((distance / 2.5) ** 2))


def _noise(seed: str, at: datetime) -> float:
    return random.Random(f"{seed}/{to_ms(at) // 1000}").gauss(0, 1)


def _whole(seed: str, below: int) -> int:
    return random.Random(seed).randrange(below)


def _battery(seed: str) -> float:
    return float(70 + _whole(seed, 30))
