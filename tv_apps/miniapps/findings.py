"""What a check found: level, rule, file, line, column, what is wrong and how to mend it.

Three levels. A PROBLEM keeps a package from going on; a WARNING is advice; INFORMATION is a fact worth
knowing. The sentences stand in rules.py, in both languages; a finding carries only the key and the facts,
so a stored finding can be shown in the reader's language.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

from gateway.model.errors import BadInput
from tv_apps.miniapps.rules import RULES

Language: TypeAlias = Literal["zh", "en"]


class Level(StrEnum):
    PROBLEM = "PROBLEM"
    WARNING = "WARNING"
    INFORMATION = "INFORMATION"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found; `facts` fill the gaps in the rule's sentences. Lines and columns start at 1."""

    key: str
    file: str
    line: int = 0
    column: int = 0
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def rule_id(self) -> str:
        return RULES[self.key].rule_id

    @property
    def level(self) -> Level:
        return Level(RULES[self.key].level)

    @property
    def place(self) -> str:
        """`file`, `file:line` or `file:line:column`, as editors understand it."""
        return ":".join([self.file, *(str(number) for number in (self.line, self.column) if number)])

    def message(self, language: Language = "zh") -> str:
        rule = RULES[self.key]
        return (rule.zh if language == "zh" else rule.en).format_map(self.facts)

    def cure(self, language: Language = "zh") -> str:
        rule = RULES[self.key]
        return (rule.cure_zh if language == "zh" else rule.cure_en).format_map(self.facts)

    def to_json(self, language: Language = "zh") -> dict[str, object]:
        """Return the machine-readable form that `check --json` prints and that the database keeps."""
        return {
            "level": self.level.value,
            "rule": self.rule_id,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "message": self.message(language),
            "cure": self.cure(language),
            "key": self.key,
            "facts": dict(self.facts),
        }


class Refusal(BadInput):
    """A package that cannot be read any further; `finding` says where and why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message(), reason=finding.key, place=finding.place, cure=finding.cure())
        self.finding = finding


def refusal(key: str, file: str, line: int = 0, column: int = 0, **facts: object) -> Refusal:
    """Return the error to raise for rule `key` at this place."""
    return Refusal(Finding(key, file, line, column, {name: str(value) for name, value in facts.items()}))


def from_json(row: Mapping[str, object]) -> Finding | None:
    """Read a stored finding back; None for a rule that this release no longer knows."""
    key, facts = str(row.get("key", "")), row.get("facts")
    if key not in RULES:
        return None
    numbers = [value if isinstance(value, int) else 0 for value in (row.get("line"), row.get("column"))]
    known = {str(name): str(value) for name, value in facts.items()} if isinstance(facts, Mapping) else {}
    return Finding(key, str(row.get("file", "")), numbers[0], numbers[1], known)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Order as a person reads them: problems first, then by file and line."""
    levels = list(Level)
    return tuple(sorted(findings, key=lambda found: (levels.index(found.level), found.file, found.line, found.column)))


def has_problem(findings: Iterable[Finding]) -> bool:
    return any(found.level is Level.PROBLEM for found in findings)
