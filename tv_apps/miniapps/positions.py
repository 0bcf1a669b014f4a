"""JSON read with the line and column of every value, so that a refusal can point at it.

Python's own reader forgets where a value stood. This one keeps it, and is stricter: duplicate
keys, NaN, numbers that a double cannot hold, more than 24 levels and more than 256 KiB are refused.
"""

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from tv_apps.miniapps.findings import Refusal, refusal

MAX_BYTES = 256 * 1024
MAX_DEPTH = 24
_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_WORDS: Mapping[str, object] = {"true": True, "false": False, "null": None}
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}

Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a text file; both numbers start at 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Document:
    """One JSON file: its value and where each part of it stands."""

    file: str
    value: object
    places: Mapping[Path, Position]

    def place(self, path: Path) -> Position:
        """Where `path` stands; for a path that is absent, where its nearest parent stands."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Position(1, 1))


def read_json(file: str, content: bytes) -> Document:
    """Read one JSON file; raises Refusal (a BadInput) that names file, line, column and cure."""
    if len(content) > MAX_BYTES:
        raise refusal("json_oversized", file, 1, 1, size=len(content) // 1024, limit=MAX_BYTES // 1024)
    reader = _Reader(file, _decode(file, content))
    return Document(file, reader.read_all(), reader.places)


def _decode(file: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        column = error.start - (content.rfind(b"\n", 0, error.start) + 1) + 1
        raise refusal("json_not_utf8", file, line, column) from error


@dataclass(slots=True)
class _Reader:
    file: str
    text: str
    at: int = 0
    places: dict[Path, Position] = field(default_factory=dict)
    line_starts: list[int] = field(default_factory=list)

    def read_all(self) -> object:
        self.line_starts = [0, *(mark.end() for mark in re.finditer("\n", self.text))]
        self._skip()
        value = self._value(())
        self._skip()
        if self.at < len(self.text):
            raise self._refuse("json_trailing")
        return value

    def _value(self, path: Path) -> object:
        self.places.setdefault(path, self._position(self.at))
        if len(path) > MAX_DEPTH:
            raise self._refuse("json_deep", limit=MAX_DEPTH)
        match self.text[self.at : self.at + 1]:
            case "{":
                return self._object(path)
            case "[":
                return self._array(path)
            case '"':
                return self._string()
            case _:
                return self._word_or_number()

    def _object(self, path: Path) -> dict[str, object]:
        members: dict[str, object] = {}
        self.at += 1
        while not self._closed("}", has_items=bool(members)):
            key_at = self.at
            key = self._key(members)
            self.places[(*path, key)] = self._position(key_at)
            self._expect(":")
            self._skip()
            members[key] = self._value((*path, key))
        return members

    def _key(self, members: Mapping[str, object]) -> str:
        if self.text[self.at : self.at + 1] != '"':
            raise self._refuse("json_name")
        start = self.at
        key = self._string()
        if key in members:
            self.at = start
            raise self._refuse("json_duplicate", name=key[:40])
        return key

    def _array(self, path: Path) -> list[object]:
        items: list[object] = []
        self.at += 1
        while not self._closed("]", has_items=bool(items)):
            items.append(self._value((*path, len(items))))
        return items

    def _closed(self, bracket: str, *, has_items: bool) -> bool:
        """Step over white space and the comma between two items; true at the closing bracket."""
        self._skip()
        if self.text[self.at : self.at + 1] == bracket:
            self.at += 1
            return True
        if has_items:
            self._expect(",")
            self._skip()
            if self.text[self.at : self.at + 1] == bracket:
                raise self._refuse("json_comma")
        return False

    def _expect(self, mark: str) -> None:
        self._skip()
        if self.text[self.at : self.at + 1] != mark:
            raise self._refuse("json_mark", mark=mark)
        self.at += 1

    def _string(self) -> str:
        start, parts = self.at, []
        self.at += 1
        while True:
            plain = _PLAIN.match(self.text, self.at)
            parts.append(plain[0] if plain else "")
            self.at = plain.end() if plain else self.at
            match self.text[self.at : self.at + 1]:
                case '"':
                    self.at += 1
                    return self._whole("".join(parts), start)
                case "\\":
                    parts.append(self._escape())
                case _:
                    self.at = start
                    raise self._refuse("json_quote")

    def _whole(self, text: str, start: int) -> str:
        """Join surrogate pairs written as two escapes; half a pair is refused."""
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self.at = start
            raise self._refuse("json_half_character") from None

    def _escape(self) -> str:
        mark = self.text[self.at + 1 : self.at + 2]
        if mark in _ESCAPES:
            self.at += 2
            return _ESCAPES[mark]
        digits = _HEX.match(self.text, self.at + 2)
        if mark != "u" or not digits:
            raise self._refuse("json_escape")
        self.at += 6
        return chr(int(digits[0], 16))

    def _word_or_number(self) -> object:
        for word, value in _WORDS.items():
            if self.text.startswith(word, self.at):
                self.at += len(word)
                return value
        number = _NUMBER.match(self.text, self.at)
        if not number:
            raise self._unknown()
        value = self._number(number[0])
        self.at = number.end()
        return value

    def _number(self, digits: str) -> int | float:
        is_whole = digits.lstrip("-").isdigit()
        if is_whole and len(digits) <= 16:  # a double holds 15 digits and a sign exactly
            return int(digits)
        value = float(digits)
        if is_whole or abs(value) == float("inf"):
            raise self._refuse("json_number")
        return value

    def _unknown(self) -> Refusal:
        here = self.text[self.at : self.at + 9]
        if here[:1] == "'":
            return self._refuse("json_single_quote")
        if here[:2] in {"//", "/*"} or here[:1] == "#":
            return self._refuse("json_comment")
        if here.startswith(("NaN", "Infinity", "-Infinity")):
            return self._refuse("json_not_finite")
        return self._refuse("json_unclear" if here else "json_unfinished")

    def _skip(self) -> None:
        space = _SPACE.match(self.text, self.at)
        self.at = space.end() if space else self.at

    def _position(self, at: int) -> Position:
        line = bisect_right(self.line_starts, at)
        return Position(line, at - self.line_starts[line - 1] + 1)

    def _refuse(self, key: str, **facts: object) -> Refusal:
        where = self._position(self.at)
        return refusal(key, self.file, where.line, where.column, **facts)
