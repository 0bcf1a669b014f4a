"""What an audit of the ledger can find, each fault with its row and a plain sentence; a bounded list of them. Pure."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

#: Faults that are kept with their sentence; what comes after is only counted.
MOST_KEPT: Final = 1000


class FaultKind(StrEnum):
    """How the ledger is not what was written."""

    #: A row's content does not give its hash, or its hash columns were changed.
    FLIPPED = "flipped"
    #: Rows are missing in the middle or at the beginning, also when the later ones were renumbered.
    REMOVED = "removed"
    #: A row stands at another row's place, or two have exchanged their contents.
    REORDERED = "reordered"
    #: Rows are missing at the end.
    TRUNCATED = "truncated"
    #: A row that no neighbour knows.
    FORGED = "forged"
    #: Rows were replaced by others whose hashes are in order; a neighbour or a checkpoint remembers the true ones.
    REWRITTEN = "rewritten"
    #: Nothing is left of an area's chain.
    STREAM_REMOVED = "stream_removed"
    #: The head of a chain is missing, set back, or knows another last row.
    HEAD = "head"
    #: The table of alarms says something else than the history.
    ALARM = "alarm"
    #: The file of checkpoints was changed, cut or forged.
    CHECKPOINT = "checkpoint"
    #: A trigger that guards the tables is switched off or gone.
    GUARD = "guard"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; what does not apply to its kind is empty."""

    kind: FaultKind
    sentence: str
    stream: str = ""
    seq: int = 0
    event_id: int = 0
    alarm_id: str = ""

    def document(self) -> dict[str, object]:
        """The fault as JSON."""
        facts = {name: getattr(self, name) for name in ("stream", "seq", "event_id", "alarm_id")}
        return {"kind": self.kind.value, "sentence": self.sentence, **{k: v for k, v in facts.items() if v}}


@dataclass(slots=True)
class Faults:
    """Collects faults; a ledger of a million broken rows needs no memory for a million sentences."""

    kept: list[Fault] = field(default_factory=list)
    by_kind: Counter[FaultKind] = field(default_factory=Counter)

    def add(self, fault: Fault) -> None:
        """Note one."""
        self.by_kind[fault.kind] += 1
        if len(self.kept) < MOST_KEPT:
            self.kept.append(fault)

    @property
    def total(self) -> int:
        return self.by_kind.total()
