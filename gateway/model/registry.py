"""What the registry holds: areas, households, devices, cameras, and the plan that a desk draws."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Area:
    """A place in the administrative tree; `plan` is `{"size": [w, h], "shapes": […]}` in metres, or empty."""

    area_id: str
    name: str
    name_en: str = ""
    parent_id: str | None = None
    plan: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Household:
    """A home; `resident_note` (age, sex, tags, phone, contacts) is for the desk alone."""

    household_id: str
    area_id: str
    building: str
    unit: str
    room: str
    address: str
    resident_name: str
    resident_note: Mapping[str, object]
    map_x: float | None
    map_y: float | None
    tv_token: str
    #: Digits that raise a silent alarm on this household's television; empty: none. Never on any screen.
    silent_keys: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Device:
    """Something with an MQTT identity; `device_id` is its user name and its topic level."""

    device_id: str
    area_id: str
    household_id: str | None
    camera_id: str | None
    kind: str
    name: str = ""
    model: str = ""
    fw: str = ""
    presence: str = "unknown"
    presence_at: datetime | None = None
    boot: int | None = None
    last_seen_at: datetime | None = None
    silence_s: int = 900
    revoked_at: datetime | None = None
    #: The key of its alarms and receipts, see `gateway.contract.signing`; None where it signs nothing.
    alarm_key: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera and where it looks: degrees clockwise from north, metres on the plan."""

    camera_id: str
    area_id: str
    name: str
    position: str
    map_x: float | None
    map_y: float | None
    heading_deg: float
    view_deg: float
    range_m: float
    source: str
    enabled: bool = True
