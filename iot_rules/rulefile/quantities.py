"""Durations and measures as people write them: a number, a space, a unit; a bare number is refused."""

import re
from datetime import time, timedelta

from iot_rules.conditions.schedule import Edge

_UNITS_S = {
    "s": 1, "sec": 1, "second": 1, "seconds": 1, "秒": 1,
    "min": 60, "minute": 60, "minutes": 60, "分": 60, "分钟": 60,
    "h": 3600, "hour": 3600, "hours": 3600, "小时": 3600,
    "d": 86400, "day": 86400, "days": 86400, "天": 86400,
}  # fmt: skip
_QUANTITY = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*(\S*)\s*")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_SUN = re.compile(r"(sunrise|sunset)(?:\s*([+-])\s*(.+))?")

LONGEST = timedelta(days=31)


class NotAQuantity(ValueError):
    """The text cannot be understood; `cure` shows how it is written."""

    def __init__(self, message: str, cure: str) -> None:
        super().__init__(message)
        self.cure = cure


def read_duration(written: object) -> timedelta:
    """Return "10 min", "30 s", "1 h 30 min"; NotAQuantity for a bare number, an unknown unit, more than 31 days."""
    if not isinstance(written, str):
        raise NotAQuantity(f"{written!r} has no unit", f'Write "{written} min" or "{written} s".')
    total = timedelta()
    for number, unit in _parts(written):
        if not unit:
            raise NotAQuantity(f'"{written}" has no unit', f'Write "{number:g} min" or "{number:g} s".')
        if unit not in _UNITS_S:
            raise NotAQuantity(f'"{unit}" is no unit of time', f'Write "{number:g} min"; s, min, h and d are known.')
        total += timedelta(seconds=number * _UNITS_S[unit])
    if not timedelta() <= total <= LONGEST:
        raise NotAQuantity(f'"{written}" is not between 0 s and 31 d', "Write a shorter time.")
    return total


def _parts(written: str) -> list[tuple[float, str]]:
    parts, at = [], 0
    while at < len(written):
        found = _QUANTITY.match(written, at)
        if not found:
            raise NotAQuantity(f'"{written}" is no duration', 'Write a number and a unit: "10 min".')
        unit = re.match(r"[^\d\s]*", found[2])
        name = unit[0] if unit else ""
        parts.append((float(found[1]), name))
        at = found.start(2) + len(name)
        at = at + 1 if written[at : at + 1] == " " else at
    if not parts:
        raise NotAQuantity("the duration is empty", 'Write a number and a unit: "10 min".')
    return parts


def read_measure(written: object, unit: str, name: str) -> float:
    """Return a number that is written with the unit of its property; NotAQuantity where the unit is another."""
    example = f'Write "{_number_in(written)} {unit}", the unit in which {name} is reported.'
    if not unit:
        example = f"Write {_number_in(written)}: {name} is reported without a unit."
    if isinstance(written, bool) or not isinstance(written, (int, float, str)):
        raise NotAQuantity(f"{written!r} is no number", example)
    if not isinstance(written, str):
        if unit:
            raise NotAQuantity(f"{written} has no unit", example)
        return float(written)
    found = _QUANTITY.fullmatch(written)
    if not found:
        raise NotAQuantity(f'"{written}" is no number with a unit', example)
    if found[2] != unit:
        said = f'the unit "{found[2]}" is not that of {name}' if found[2] else f'"{written}" has no unit'
        raise NotAQuantity(said, example)
    return float(found[1])


def _number_in(written: object) -> str:
    found = re.search(r"[+-]?\d+(?:\.\d+)?", str(written))
    return found[0] if found else "35"


def read_edge(written: object) -> Edge:
    """Return "22:00", "sunset" or "sunrise - 30 min"; NotAQuantity."""
    text = str(written)
    if clock := _CLOCK.fullmatch(text):
        return Edge(at=time(int(clock[1]), int(clock[2])))
    if found := _SUN.fullmatch(text):
        offset = read_duration(found[3]) if found[3] else timedelta()
        return Edge(sun=found[1], offset=-offset if found[2] == "-" else offset)
    raise NotAQuantity(f'"{text}" is no time of the day', 'Write "22:00", "sunset" or "sunrise - 30 min".')
