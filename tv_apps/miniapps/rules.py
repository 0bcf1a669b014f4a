"""Every rule that a mini-app is checked against, read from rules.toml: number, level, sentence and cure."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; a `{gap}` in its sentences is filled with a fact of the finding."""

    rule_id: str
    level: str
    zh: str
    cure_zh: str
    en: str
    cure_en: str

    def example(self, language: str) -> str:
        """Return the sentence as the documentation shows it, with dots in its gaps."""
        return (self.en if language == "en" else self.zh).format_map(_Dots())

    def example_cure(self, language: str) -> str:
        """Return the cure as the documentation shows it."""
        return (self.cure_en if language == "en" else self.cure_zh).format_map(_Dots())


class _Dots(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "…"


def _read() -> dict[str, Rule]:
    text = (files("tv_apps.miniapps") / "rules.toml").read_text(encoding="utf-8")
    return {key: Rule(rule_id=row.pop("rule"), **row) for key, row in tomllib.loads(text).items()}


RULES: Final[Mapping[str, Rule]] = _read()
