"""The `then` and `else` of a rule: each table names what to `do` and has the keys of that deed alone."""

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta

from gateway.model.alarms import LEVEL_OF_KIND
from iot_rules.conditions.truth import Value
from iot_rules.engine.wording import NAMES, unknown_names
from iot_rules.rulefile.problems import nearest
from iot_rules.rulefile.table import Table
from iot_rules.rules import ClearTv, Deed, NoticeToDesk, RaiseAlarm, SendCommand, ShowOnTv

DEFAULT_TV_TIME = timedelta(hours=2)
MAX_TITLE = 20
MAX_BODY = 120


def read_deeds(table: Table, key: str, inputs: Collection[str]) -> tuple[Deed, ...]:
    """Return the deeds under `key`; those that cannot be read are left out and noted."""
    deeds: list[Deed] = []
    for one in table.tables(key):
        word = one.text("do")
        if word not in _READERS:
            one.wrong("do", f'do = "{word}" is no deed', nearest(word, _READERS))
            continue
        deeds.append(_READERS[word](one, inputs))
    return tuple(deeds)


def _alarm(table: Table, _inputs: Collection[str]) -> Deed:
    table.expect_keys(("do", "kind", "level", "text"), ("kind",))
    kind = table.word("kind", LEVEL_OF_KIND, "smoke")
    return RaiseAlarm(kind, table.whole("level", LEVEL_OF_KIND[kind], 1, 4), _sentence(table, "text", MAX_BODY))


def _show_on_tv(table: Table, _inputs: Collection[str]) -> Deed:
    table.expect_keys(("do", "title", "text", "lasts", "level"), ("title",))
    return ShowOnTv(
        title=_sentence(table, "title", MAX_TITLE),
        body=_sentence(table, "text", MAX_BODY),
        lasts=table.duration("lasts", DEFAULT_TV_TIME),
        level=table.whole("level", 4, 1, 4),
    )


def _clear_tv(table: Table, _inputs: Collection[str]) -> Deed:
    table.expect_keys(("do",))
    return ClearTv()


def _command(table: Table, inputs: Collection[str]) -> Deed:
    table.expect_keys(("do", "input", "action", "values"), ("input", "action"))
    if table.has("input") and table.text("input") not in inputs:
        table.wrong("input", f'no input is named "{table.text("input")}"', nearest(table.text("input"), inputs))
    values: Mapping[str, Value] = table.table("values").values
    return SendCommand(table.text("input"), table.text("action"), dict(values))


def _tell_desk(table: Table, _inputs: Collection[str]) -> Deed:
    table.expect_keys(("do", "text"), ("text",))
    return NoticeToDesk(_sentence(table, "text", MAX_BODY))


def _sentence(table: Table, key: str, longest: int) -> str:
    text = table.text(key)
    if len(text) > longest:
        table.wrong(key, f"{key} has {len(text)} characters", f"A screen shows at most {longest}.")
    for name in unknown_names(text):
        table.wrong(key, f"{key}: {{{name}}} stands for nothing", f"Use {', '.join(f'{{{one}}}' for one in NAMES)}.")
    return text


_READERS: Mapping[str, Callable[[Table, Collection[str]], Deed]] = {
    "alarm": _alarm,
    "show_on_tv": _show_on_tv,
    "clear_tv": _clear_tv,
    "command": _command,
    "tell_desk": _tell_desk,
}
#: The words of `do`, which examples use as well.
DEED_WORDS = tuple(_READERS)


def word_of(deed: Deed) -> str:
    """Return the word of `do` for a deed."""
    words = {RaiseAlarm: "alarm", ShowOnTv: "show_on_tv", ClearTv: "clear_tv", SendCommand: "command"}
    return words.get(type(deed), "tell_desk")
