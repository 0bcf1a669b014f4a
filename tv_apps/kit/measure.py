"""How wide text is without a browser, and where it breaks into lines: careful estimates, never too small.

A CJK character is one em. Latin letters differ between fonts; the estimate is a little above Noto Sans CJK and
WenQuanYi, so that what fits here fits on the box.
"""

import re
from collections.abc import Iterator
from typing import Final

_NARROW: Final = frozenset(" .,:;'|!ilj")
_WIDE: Final = frozenset("mwMW@%&")
_ROUND: Final = frozenset("bdghnopqu")
_FULL: Final = frozenset("“”‘’…—·●℃°")
#: A line may not begin with these …
_NO_START: Final = frozenset("，。、；：？！）》」』】〕”’…—%）℃")
#: … nor end with these.
_NO_END: Final = frozenset("（《「『【〔“‘")
_WORD: Final = re.compile(r"[0-9A-Za-z.,:%+\-/]+|\s|.", re.DOTALL)


def em(character: str) -> float:
    """Return the width of one character in ems."""
    if ord(character) > 0x2E7F or 0x2190 <= ord(character) < 0x2C00 or character in _FULL:
        return 1.0
    if character in _NARROW:
        return 0.31
    if character in _WIDE:
        return 0.95
    if character in _ROUND:
        return 0.63
    return 0.69 if character.isupper() else 0.575


def width(text: str, size: int) -> int:
    """Return how many pixels `text` needs at most in one line."""
    return round(sum(map(em, text)) * size) + 2


def wrap(text: str, size: int, room: int) -> list[str]:
    """Break `text` into lines of at most `room` pixels, by the Chinese rules for line starts and ends.

    Latin words and numbers stay whole unless they alone are wider than the room.
    """
    ems = room / size
    lines, line, used = [], "", 0.0
    for piece in _pieces(text, ems):
        needed = sum(map(em, piece))
        if used + needed > ems and line:
            keep, line = _broken(line, piece)
            lines.append(keep)
            used = sum(map(em, line))
            piece = "" if not line and piece.isspace() else piece  # noqa: PLW2901  a space at a break is not drawn
            needed = sum(map(em, piece))
        line += piece
        used += needed
    return [*lines, line] if line or not lines else lines


def _pieces(text: str, ems: float) -> Iterator[str]:
    for match in _WORD.finditer(text):
        word = match[0]
        if sum(map(em, word)) > ems:
            yield from word
        else:
            yield word


def _broken(line: str, following: str) -> tuple[str, str]:
    """Return what stays on the line and what moves down before `following`."""
    cut = len(line)
    if following[0] in _NO_START:
        cut -= 1
    while cut > 1 and (line[cut - 1] in _NO_END or (cut < len(line) and line[cut] in _NO_START)):
        cut -= 1
    cut = cut if cut > 0 else len(line)
    return line[:cut].rstrip(" "), line[cut:]


def cut(text: str, size: int, room: int) -> str:
    """Return `text`, shortened with … where one line of `room` pixels cannot hold it."""
    if width(text, size) <= room:
        return text
    while text and width(text + "…", size) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def fold(text: str, size: int, room: int, lines: int) -> list[str]:
    """Return `text` in at most `lines` lines, the last shortened with … where there is more."""
    broken = wrap(text, size, room)
    if len(broken) <= lines:
        return broken
    return [*broken[: lines - 1], cut("".join(broken[lines - 1 :]), size, room)]
