"""Problems of a rule file: each with file, line, rule and cure; collected, so that one look shows all of them."""

import difflib
from collections.abc import Collection
from dataclasses import dataclass

from gateway.model.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong; `cure` is a sentence or the line as it should be written."""

    file: str
    line: int
    column: int
    rule_id: str
    message: str
    cure: str

    def __str__(self) -> str:
        rule = f'rule "{self.rule_id}": ' if self.rule_id else ""
        return f"{self.file}:{self.line}:{self.column}: {rule}{self.message}. {self.cure}"


class RuleFileRefused(ConfigurationError):
    """The file was not taken; `problems` has everything that is wrong with it, by line."""

    def __init__(self, problems: Collection[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda one: (one.line, one.column)))
        first = self.problems[0]
        more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
        super().__init__(first.message + more, place=f"{first.file}:{first.line}", cure=first.cure)


def nearest(word: str, known: Collection[str], *, several: int = 8) -> str:
    """Return a cure that names the nearest known word, or a few of the known ones."""
    near = difflib.get_close_matches(word, list(known), 1, cutoff=0.5)
    if near:
        return f'Did you mean "{near[0]}"?'
    shown = sorted(known)[:several]
    return (
        f"Known: {', '.join(shown)}{' …' if len(known) > several else ''}."
        if shown
        else "Nothing of the kind is known."
    )
