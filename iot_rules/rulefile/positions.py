"""Where each key and value of a TOML text stands; the standard reader forgets it, so a second, lenient walk notes it.

The walk trusts that `tomllib` has accepted the text. A path is the keys and list positions that lead to a value:
`("rule", 0, "when", "above")`.
"""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r"\"(?P<basic>(?:[^\"\\]|\\.)*)\"|'(?P<literal>[^']*)'|(?P<bare>[A-Za-z0-9_-]+)")
_TEXT = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}(?!")|\'\'\'.*?\'{3,5}(?!\')|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'',
    re.DOTALL,
)
_OTHER = re.compile(r"[^,\]}#\n]*")


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a text; both numbers start at 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Positions:
    """The places of one text."""

    keys: Mapping[Path, Position]
    values: Mapping[Path, Position]

    def of(self, path: Path) -> Position:
        """Return where the key of `path` stands, or the nearest table around it."""
        while path and path not in self.keys:
            path = path[:-1]
        return self.keys.get(path, Position(1, 1))

    def of_value(self, path: Path) -> Position:
        """Return where the value of `path` begins: the character after an opening quotation mark."""
        return self.values.get(path) or self.of(path)


def find_positions(text: str) -> Positions:
    """Return the places of everything in a valid TOML text."""
    walk = _Walk(text)
    walk.document()
    return Positions(walk.keys, walk.values)


@dataclass(slots=True)
class _Walk:
    text: str
    at: int = 0
    keys: dict[Path, Position] = field(default_factory=dict)
    values: dict[Path, Position] = field(default_factory=dict)
    line_starts: list[int] = field(default_factory=list)
    #: How often each list of tables has been opened so far.
    opened: dict[Path, int] = field(default_factory=dict)

    def document(self) -> None:
        self.line_starts = [0, *(mark.end() for mark in re.finditer("\n", self.text))]
        table: Path = ()
        while self._skip(_BLANK) < len(self.text):
            if self.text.startswith("[", self.at):
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Path:
        start, is_list = self.at, self.text.startswith("[[", self.at)
        self.at += 2 if is_list else 1
        names = self._dotted_key()
        self.at += 2 if is_list else 1
        path: Path = (*self._inside_lists(names[:-1]), names[-1])
        if is_list:
            self.opened[path] = self.opened.get(path, -1) + 1
        if path in self.opened:
            path = (*path, self.opened[path])
        self.keys[path] = self._position(start)
        return path

    def _inside_lists(self, names: Sequence[str]) -> Path:
        path: Path = ()
        for name in names:
            path = (*path, name)
            if path in self.opened:
                path = (*path, self.opened[path])
        return path

    def _pair(self, table: Path) -> None:
        start = self.at
        path = (*table, *self._dotted_key())
        for length in range(len(table) + 1, len(path) + 1):
            self.keys.setdefault(path[:length], self._position(start))
        self.at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(path)

    def _dotted_key(self) -> list[str]:
        names: list[str] = []
        while True:
            self._skip(_SPACE)
            if (name := _KEY.match(self.text, self.at)) is None:
                raise ValueError(f"no key at {self._position(self.at)}")
            names.append(next(part for part in name.groups() if part is not None))
            self.at = name.end()
            self._skip(_SPACE)
            if not self.text.startswith(".", self.at):
                return names
            self.at += 1

    def _value(self, path: Path) -> None:
        if quoted := _TEXT.match(self.text, self.at):
            marks = 3 if quoted[0][:3] in {'"""', "'''"} else 1
            self.values[path] = self._position(self.at + marks)
            self.at = quoted.end()
            return
        self.values[path] = self._position(self.at)
        match self.text[self.at : self.at + 1]:
            case "{":
                self._inline_table(path)
            case "[":
                self._list(path)
            case _:
                self._skip(_OTHER)

    def _inline_table(self, path: Path) -> None:
        self.at += 1
        while not self._closed("}"):
            self._pair(path)

    def _list(self, path: Path) -> None:
        self.at += 1
        number = 0
        while not self._closed("]"):
            self.keys[*path, number] = self._position(self.at)
            self._value((*path, number))
            number += 1

    def _closed(self, bracket: str) -> bool:
        self._skip(_BLANK)
        if self.text.startswith(",", self.at):
            self.at += 1
            self._skip(_BLANK)
        if not self.text.startswith(bracket, self.at):
            return False
        self.at += 1
        return True

    def _skip(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.at

    def _position(self, at: int) -> Position:
        line = bisect_right(self.line_starts, at)
        return Position(line, at - self.line_starts[line - 1] + 1)
