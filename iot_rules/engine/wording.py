"""Sentences of deeds: the few names that a text may fill in, and the filling."""

from collections.abc import Mapping
from dataclasses import replace
from string import Formatter

from iot_rules.rules import Deed, NoticeToDesk, RaiseAlarm, ShowOnTv

#: What {…} may stand for in a text: the rule's duration in minutes, the device's name, its value, the local time.
NAMES = ("minutes", "device", "value", "time")


def unknown_names(text: str) -> list[str]:
    """Return what stands in braces and is no name; a lone brace is returned as it is."""
    try:
        fields = list(Formatter().parse(text))
    except ValueError:
        return ["{"]
    return [f"{name}{f':{spec}' if spec else ''}{f'!{how}' if how else ''}" for name, spec, how in _strange(fields)]


def _strange(fields: list[tuple[str, str | None, str | None, str | None]]) -> list[tuple[str, str, str]]:
    said = [(name, spec or "", how or "") for _, name, spec, how in fields if name is not None]
    return [one for one in said if one[0] not in NAMES or one[1] or one[2]]


def worded(deed: Deed, names: Mapping[str, str]) -> Deed:
    """Return the deed with its texts filled in."""
    match deed:
        case ShowOnTv():
            return replace(deed, title=deed.title.format_map(names), body=deed.body.format_map(names))
        case RaiseAlarm() | NoticeToDesk():
            return replace(deed, text=deed.text.format_map(names))
        case _:
            return deed
