"""Names of things: areas, households, devices, cameras, alarms, people, and ULIDs.

An area id is the 12-digit division code (GB/T 2260 province, city, county; then street and community), so that a
prefix of it is a street, a district or a city. A ULID is 48 bits of milliseconds and 80 random bits in Crockford's
base 32: sortable by time, 26 characters.
"""

import re
import secrets
from datetime import UTC, datetime
from functools import lru_cache
from typing import NewType

AreaId = NewType("AreaId", str)
HouseholdId = NewType("HouseholdId", str)
DeviceId = NewType("DeviceId", str)
CameraId = NewType("CameraId", str)
AlarmId = NewType("AlarmId", str)
PersonId = NewType("PersonId", str)

#: Where each level of a 12-digit area code ends: province, city, county, street, community.
AREA_LEVEL_ENDS = (2, 4, 6, 9, 12)
AREA_DIGITS = 12

_ULID_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ULID_PATTERN = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_DEVICE_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_AREA_PATTERN = re.compile(r"[0-9]{12}")


def is_area_id(text: str) -> bool:
    """Tell whether `text` is twelve ASCII digits."""
    return _AREA_PATTERN.fullmatch(text) is not None


def is_device_id(text: str) -> bool:
    """Tell whether `text` can be a device id: one whole topic level of 1 to 64 letters, digits, `.`, `_`, `-`."""
    return _DEVICE_PATTERN.fullmatch(text) is not None


@lru_cache(maxsize=4096)
def area_prefix(area_id: str) -> str:
    """Return the digits that every area inside `area_id` starts with; a community is its own prefix.

    `110105000000` (a district) gives `110105`; `110105001001` gives itself; all zeros give the empty string.
    """
    significant = len(area_id.rstrip("0"))
    return area_id[: next((end for end in AREA_LEVEL_ENDS if end >= significant), AREA_DIGITS)] if significant else ""


def outer_area(area_id: str, digits: int) -> str:
    """Return the area whose code has the first `digits` digits of `area_id` and zeros after them."""
    return area_id[:digits].ljust(AREA_DIGITS, "0")


def outer_areas(area_id: str) -> list[str]:
    """Return the ids of this area and of every area around it, the whole country last."""
    around = [outer_area(area_id, end) for end in (*reversed(AREA_LEVEL_ENDS), 0)]
    return list(dict.fromkeys(around))


def is_within(area_id: str, outer_area_id: str) -> bool:
    """Tell whether `area_id` is `outer_area_id` or lies inside it."""
    return area_id.startswith(area_prefix(outer_area_id))


def new_ulid(now: datetime) -> str:
    """Return a fresh ULID whose time part is `now` (aware), to the millisecond."""
    milliseconds = int((now - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)
    number = (milliseconds << 80) | secrets.randbits(80)
    return "".join(_ULID_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))


def is_ulid(text: str) -> bool:
    """Tell whether `text` is a ULID in its canonical upper-case form."""
    return _ULID_PATTERN.fullmatch(text) is not None
