"""The `then` and `else` of a rule: each table names what to `do` and has the keys of that deed alone."""

import unicodedata
from collections.abc import Callable, Mapping
from datetime import timedelta

from gateway.model.alarms import LEVEL_OF_KIND
from iot_rules.engine.wording import NAMES, unknown_names
from iot_rules.rulefile.problems import nearest
from iot_rules.rulefile.table import Table
from iot_rules.rules import ClearTv, Deed, NoticeToDesk, RaiseAlarm, SendCommand, ShowOnTv

DEFAULT_TV_TIME = timedelta(hours=2)
#: What one line of a television holds at its largest letters, in Chinese characters; a Latin letter is half of one.
TV_TITLE = 16
TV_LINE = 25
#: A line of the desk.
DESK_LINE = 60
_AS_LONG_AS = {"minutes": "10", "device": "厨房烟感器", "value": "160", "time": "22:10"}


def read_deeds(table: Table, key: str) -> tuple[Deed, ...]:
    """Return the deeds under `key`; those that cannot be read are left out and noted."""
    deeds: list[Deed] = []
    for one in table.tables(key):
        word = one.text("do")
        if word == "command":
            one.wrong("do", "commands cannot be sent yet", 'Tell the desk instead: do = "tell_desk".')
            continue
        if word not in _READERS:
            one.wrong("do", f'do = "{word}" is no deed', nearest(word, _READERS))
            continue
        deeds.append(_READERS[word](one))
    return tuple(deeds)


def _alarm(table: Table) -> Deed:
    table.expect_keys(("do", "kind", "level", "text"), ("kind",))
    kind = table.word("kind", LEVEL_OF_KIND, "smoke")
    return RaiseAlarm(kind, table.whole("level", LEVEL_OF_KIND[kind], 1, 4), _sentence(table, "text", DESK_LINE))


def _show_on_tv(table: Table) -> Deed:
    table.expect_keys(("do", "title", "text", "lasts", "level"), ("title",))
    return ShowOnTv(
        title=_sentence(table, "title", TV_TITLE),
        body=_sentence(table, "text", TV_LINE),
        lasts=table.duration("lasts", DEFAULT_TV_TIME),
        level=table.whole("level", 4, 1, 4),
    )


def _clear_tv(table: Table) -> Deed:
    table.expect_keys(("do",))
    return ClearTv()


def _tell_desk(table: Table) -> Deed:
    table.expect_keys(("do", "text"), ("text",))
    return NoticeToDesk(_sentence(table, "text", DESK_LINE))


def _sentence(table: Table, key: str, longest: int) -> str:
    text = table.text(key)
    unknown = unknown_names(text)
    if not unknown and (width := _width(text.format_map(_AS_LONG_AS))) > longest:
        table.wrong(key, f"{key} is {width:g} characters wide", f"Its line holds {longest} (Latin letters count half).")
    for name in unknown:
        table.wrong(key, f"{key}: {{{name}}} stands for nothing", f"Use {', '.join(f'{{{one}}}' for one in NAMES)}.")
    return text


def _width(text: str) -> float:
    return sum(1 if unicodedata.east_asian_width(one) in "WF" else 0.5 for one in text)


_READERS: Mapping[str, Callable[[Table], Deed]] = {
    "alarm": _alarm,
    "show_on_tv": _show_on_tv,
    "clear_tv": _clear_tv,
    "tell_desk": _tell_desk,
}
#: The words of `do`, which examples use as well.
DEED_WORDS = tuple(_READERS)


def word_of(deed: Deed) -> str:
    """Return the word of `do` for a deed."""
    words = {RaiseAlarm: "alarm", ShowOnTv: "show_on_tv", ClearTv: "clear_tv", SendCommand: "command"}
    return words.get(type(deed), "tell_desk")
