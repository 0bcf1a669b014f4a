"""Template plus data gives words: every `{path}` replaced, every row laid out, nothing computed.

Binding never fails. A path that leads nowhere becomes a dash and a complaint with the place in the page's
JSON where it was written: the check shows complaints as findings, the television counts them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tv_apps.miniapps.positions import Path
from tv_apps.miniapps.template import MAX_ROWS, Fact, Link, ListPart, PageModel, TablePart, TextPart

NOTHING = "—"
_GAP = re.compile(r"\{\{|\}\}|\{([A-Za-z][A-Za-z0-9_.-]*)\}|[{}]")


@dataclass(frozen=True, slots=True)
class Words:
    """A finished piece of text and where in the page's JSON it came from."""

    text: str
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Complaint:
    """What binding or drawing could not do; `path` is a place in the page's JSON."""

    path: Path
    key: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a list or table; `target` is the page and row number that OK opens."""

    cells: tuple[Words, ...]
    target: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """What stands in the middle: rows with or without a header, or paragraphs."""

    rows: tuple[Row, ...] = ()
    header: tuple[Words, ...] = ()
    aligns: tuple[str, ...] = ()
    paragraphs: tuple[Words, ...] = ()
    empty: Words = Words("")


@dataclass(frozen=True, slots=True)
class Bound:
    """One page with all its words, not yet cut into screens."""

    title: Words
    body: Body
    sentence: Words | None = None
    picture: tuple[Words, Words] | None = None
    facts: tuple[tuple[Words, Words], ...] = ()
    links: tuple[tuple[str, Words], ...] = ()
    ok: Words | None = None
    complaints: tuple[Complaint, ...] = ()


def bind(page: PageModel, data: Mapping[str, object], item: object = None) -> Bound:
    """Put `data` (and, for a page with `each`, its row `item`) into `page`."""
    binder = _Binder({**data, "item": item} if page.each else dict(data))
    bound = Bound(
        title=binder.words(page.title, ("title",)),
        body=binder.body(page),
        sentence=binder.maybe(page.sentence, ("sentence",)),
        picture=binder.picture(page),
        facts=binder.facts(page.facts),
        links=binder.links(page.links),
        ok=binder.maybe(page.ok, ("ok",)),
    )
    return replace(bound, complaints=_unique(binder.complaints))


def rows_of(of: str, data: Mapping[str, object]) -> Sequence[object]:
    """Return the list at the dotted path `of`, or nothing when there is none."""
    found = _walk(data, of)
    return found if isinstance(found, list) else ()


def paths_in(template: str) -> list[str]:
    """Return the dotted paths that a template names."""
    return [gap[1] for gap in _GAP.finditer(template) if gap[1]]


@dataclass(slots=True)
class _Binder:
    data: Mapping[str, object]
    complaints: list[Complaint] = field(default_factory=list)

    def words(self, template: str, path: Path, row: object = None) -> Words:
        scope = self.data if row is None else {**self.data, "row": row}
        return Words(_GAP.sub(lambda gap: self._fill(gap, scope, path), template).replace("{{", "{ {").strip(), path)

    def maybe(self, template: str | None, path: Path, row: object = None) -> Words | None:
        return None if template is None else self.words(template, path, row)

    def picture(self, page: PageModel) -> tuple[Words, Words] | None:
        if page.picture is None:
            return None
        source = self.words(page.picture.src, ("picture", "src"))
        return source, self.words(page.picture.alt, ("picture", "alt"))

    def links(self, links: Sequence[Link]) -> tuple[tuple[str, Words], ...]:
        return tuple((link.page, self.words(link.name, ("links", n, "name"))) for n, link in enumerate(links))

    def facts(self, facts: Sequence[Fact]) -> tuple[tuple[Words, Words], ...]:
        return tuple(
            (self.words(fact.name, ("facts", n, "name")), self.words(fact.value, ("facts", n, "value")))
            for n, fact in enumerate(facts)
        )

    def body(self, page: PageModel) -> Body:
        if page.rows is not None:
            return self._list(page.rows)
        if page.table is not None:
            return self._table(page.table)
        return Body(paragraphs=self._paragraphs(page.text) if page.text else ())

    def _list(self, part: ListPart) -> Body:
        slots = [("title", part.title), ("note", part.note), ("mark", part.mark)]
        rows = tuple(
            Row(
                tuple(self.words(text or "", ("list", name), row) for name, text in slots),
                (part.link, number) if part.link else None,
            )
            for number, row in enumerate(self._rows(part.of, ("list", "of")))
        )
        return Body(rows=rows, empty=self.words(part.empty, ("list", "empty")))

    def _table(self, part: TablePart) -> Body:
        places: list[Path] = [("table", "columns", number) for number in range(len(part.columns))]
        cells = [(column.value, (*place, "value")) for column, place in zip(part.columns, places, strict=True)]
        names = [(column.name, (*place, "name")) for column, place in zip(part.columns, places, strict=True)]
        return Body(
            rows=tuple(
                Row(tuple(self.words(text, path, row) for text, path in cells))
                for row in self._rows(part.of, ("table", "of"))
            ),
            header=tuple(self.words(text, path) for text, path in names),
            aligns=tuple(column.align for column in part.columns),
            empty=self.words(part.empty, ("table", "empty")),
        )

    def _paragraphs(self, part: TextPart) -> tuple[Words, ...]:
        if part.of is None:
            return tuple(self.words(text, ("text", "paragraphs", n)) for n, text in enumerate(part.paragraphs))
        found, path = _walk(self.data, part.of), ("text", "of")
        texts = found if isinstance(found, list) else [found]
        if not all(isinstance(text, str) for text in texts):
            self._complain_kind(part.of, found, path, wanted="text")
            return (Words(NOTHING, path),)
        return tuple(Words(str(text), path) for text in texts)

    def _rows(self, of: str, path: Path) -> Sequence[object]:
        found = _walk(self.data, of)
        if not isinstance(found, list):
            self._complain_kind(of, found, path, wanted="list")
            return ()
        if len(found) > MAX_ROWS:
            facts = {"of": of, "count": str(len(found)), "limit": str(MAX_ROWS)}
            self.complaints.append(Complaint(path, "list_too_long", facts))
        return found[:MAX_ROWS]

    def _fill(self, gap: re.Match[str], scope: Mapping[str, object], path: Path) -> str:
        if gap[0] in {"{{", "}}"}:
            return gap[0][0]
        if not gap[1]:
            self.complaints.append(Complaint(path, "brace_open"))
            return ""
        found = _walk(scope, gap[1])
        text = as_text(found)
        if text is None:
            self._complain_kind(gap[1], found, path, wanted="value")
            return NOTHING
        return text

    def _complain_kind(self, dotted: str, found: object, path: Path, *, wanted: str) -> None:
        if found is _ABSENT:
            hint, hint_en = _hint(self.data, dotted)
            self.complaints.append(Complaint(path, "path_missing", {"path": dotted, "hint": hint, "hint_en": hint_en}))
            return
        kind, kind_en = _kind(found)
        wanted_zh, wanted_en = _WANTED[wanted]
        facts = {"path": dotted, "kind": kind, "kind_en": kind_en, "wanted": wanted_zh, "wanted_en": wanted_en}
        self.complaints.append(Complaint(path, "path_kind", facts))


_ABSENT = object()
_WANTED = {"list": ("一个列表", "a list"), "text": ("文字", "text"), "value": ("一个值", "one value")}


def as_text(value: object) -> str | None:
    """Return how a value of the data is written on the television; None when it is not one value."""
    match value:
        case bool():
            return "是" if value else "否"
        case None:
            return NOTHING
        case str():
            return value
        case int():
            return str(value)
        case float():
            return f"{value:.10g}"
        case _:
            return None


def _walk(data: Mapping[str, object], dotted: str) -> object:
    here: object = data
    for step in dotted.split("."):
        here = _step(here, step)
    return here


def _step(here: object, step: str) -> object:
    if isinstance(here, Mapping):
        return here.get(step, _ABSENT)
    if isinstance(here, list) and step.isdecimal() and len(step) < 6 and int(step) < len(here):
        return here[int(step)]
    return _ABSENT


def _kind(found: object) -> tuple[str, str]:
    if isinstance(found, list):
        return "一个列表", "a list"
    return ("一组名字和值", "an object") if isinstance(found, Mapping) else ("一个值", "one value")


def _hint(data: Mapping[str, object], dotted: str) -> tuple[str, str]:
    """Name what there is at the last step that could be followed."""
    here, walked = data, ""
    for step in dotted.split("."):
        following = _step(here, step)
        if following is _ABSENT or not isinstance(following, Mapping):
            break
        here, walked = following, f"{walked}{step}."
    names = "、".join(sorted(f"{walked}{name}" for name in here))[:120]
    return (f"有这些：{names}", f"there are: {names}") if names else ("检查 data 文件夹", "look into the data folder")


def _unique(complaints: Sequence[Complaint]) -> tuple[Complaint, ...]:
    """Keep one complaint per place and path: a hundred rows repeat the same mistake."""
    first = {(complaint.path, complaint.key, complaint.facts.get("path", "")): complaint for complaint in complaints}
    return tuple(first.values())
