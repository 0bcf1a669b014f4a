"""The desk's words in two languages, one table for templates and scripts."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

WORDS_FILE = Path(__file__).parent / "words.toml"
LANGUAGES = ("zh", "en")


@cache
def words_of(language: str) -> Mapping[str, str]:
    """Return every word of `language` (zh, en) by its key."""
    place = LANGUAGES.index(language)
    table = tomllib.loads(WORDS_FILE.read_text(encoding="utf-8"))
    return MappingProxyType({key: str(pair[place]) for key, pair in table.items()})


def say(language: str, key: str, **values: object) -> str:
    """Return the sentence of `key` with its {names} filled; KeyError for an unknown key."""
    sentence = words_of(language)[key]
    for name, value in values.items():
        sentence = sentence.replace("{" + name + "}", str(value))
    return sentence
