"""The one script of every page: three files in order, without comments and spaces, under its own digest.

What the box runs is what stands in `static/`, token by token: no names are shortened and nothing is rewritten.
"""

import hashlib
from functools import cache
from importlib.resources import files
from typing import Final

import esprima

PARTS: Final = ("keys.js", "focus.js", "alarm.js")


@cache
def source() -> str:
    """Return the script as it is sent."""
    return "".join(_spaced(tokens(written()))) + "\n"


def written() -> str:
    """Return the script as people read it."""
    folder = files("tv_apps.kit") / "static"
    return "\n".join((folder / part).read_text(encoding="utf-8") for part in PARTS)


def tokens(text: str) -> list[str]:
    """Return the words and signs of a script, without comments and spaces."""
    return [str(token.value) for token in esprima.tokenize(text)]


def _spaced(found: list[str]) -> list[str]:
    """Put a space where two tokens would become one: between words, and between equal signs."""
    pairs = zip(["", *found], found, strict=False)
    return [f" {this}" if _would_join(before, this) else this for before, this in pairs]


def _would_join(before: str, this: str) -> bool:
    if not before:
        return False
    one, other = before[-1], this[0]
    return (_is_word(one) and _is_word(other)) or (one == other and one in "+-")


def _is_word(sign: str) -> bool:
    return sign.isalnum() or sign in "_$"


@cache
def address() -> str:
    """Return the address of the script; it changes with every change of its text."""
    return f"/tv/tv.{hashlib.sha256(source().encode()).hexdigest()[:12]}.js"
