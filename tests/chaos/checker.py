"""Judges a run under fire, in the manner of Jepsen's set and total-queue checkers: pure, from a history to a verdict.

| rule | what must hold |
|---|---|
| lost | what a device was told is recorded is in the ledger; after healing, so is everything that was attempted |
| unkept | what a living broker acknowledged is in the ledger, though its device fell silent for ever right after |
| untold | after healing, every device that still lives has been told what became of its presses |
| duplicates | one press has one row, one alarm and one number, whatever road brought it and how often |
| phantoms | nothing is in the ledger that nobody attempted |
| illegal | only transitions of the table, no gap in the versions, never two owners, the hash chain whole |
| late_escalations | who was to be asked was asked, in time while one engine and the database stood |
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from tests.chaos.escalations import Limits, late_escalations, victims
from tests.chaos.history import Fault, History, Key, LedgerPress, Receipted
from tests.chaos.records import illegal_records

CANCELLED = "cancelled"
#: Words of the faults in which the broker itself, or what it stores, is lost.
BROKER_VICTIMS = frozenset({"broker", "machine", "everything"})
#: Alarms of the platform about itself come from devices of this name, and need a reason.
AUDITOR = "_auditor"
RULES = ("lost", "unkept", "untold", "duplicates", "phantoms", "illegal", "late_escalations")
NO_FAULT = "none"

__all__ = ["RULES", "Figures", "Limits", "Verdict", "check"]


@dataclass(frozen=True, slots=True)
class Figures:
    """What became of the presses that met one kind of fault; seconds are from the key to the final receipt."""

    faults: int
    presses: int
    recovered: int
    lost: int
    duplicates: int
    p50_s: float
    p95_s: float
    p99_s: float
    max_s: float

    def document(self) -> dict[str, float]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True)
class Verdict:
    """What was found, a sentence for each finding, by rule; figures by kind of fault."""

    lost: Sequence[str] = ()
    unkept: Sequence[str] = ()
    untold: Sequence[str] = ()
    duplicates: Sequence[str] = ()
    phantoms: Sequence[str] = ()
    illegal: Sequence[str] = ()
    late_escalations: Sequence[str] = ()
    n_faults: int = 0
    n_attempts: int = 0
    n_alarms: int = 0
    by_fault: Mapping[str, Figures] = field(default_factory=dict)

    @property
    def red(self) -> tuple[str, ...]:
        """The rules that were broken."""
        return tuple(rule for rule in RULES if getattr(self, rule))

    @property
    def is_green(self) -> bool:
        return not self.red

    @property
    def bound_95(self) -> float | None:
        """The share of faults that may still lose an alarm, at 95 % (rule of three); None where one was lost."""
        if self.lost or not self.n_faults:
            return None
        return min(1.0, 3 / self.n_faults)

    def findings(self) -> Iterator[str]:
        """Yield `rule: sentence` of everything that was found."""
        for rule in RULES:
            yield from (f"{rule}: {sentence}" for sentence in getattr(self, rule))

    def document(self) -> dict[str, object]:
        """The verdict as JSON."""
        counts = {rule: len(getattr(self, rule)) for rule in RULES}
        facts = {"faults": self.n_faults, "attempts": self.n_attempts, "alarms": self.n_alarms}
        figures = {kind: one.document() for kind, one in self.by_fault.items()}
        return {**facts, **counts, "bound_95": self.bound_95, "by_fault": figures}


def check(history: History, limits: Limits | None = None) -> Verdict:
    """Return the verdict over a history that ended after healing; pure, the same for the same history."""
    limits = limits or Limits()
    known = _Known(history)
    lost, duplicates = dict(_lost(known)), dict(_duplicates(known))
    return Verdict(
        lost=tuple(lost.values()),
        unkept=tuple(_unkept(known)),
        untold=tuple(_untold(known)),
        duplicates=tuple(duplicates.values()),
        phantoms=tuple(_phantoms(known, limits)),
        illegal=tuple(illegal_records(history)),
        late_escalations=tuple(late_escalations(history, limits)),
        n_faults=len(history.faults),
        n_attempts=len(known.attempts),
        n_alarms=len(history.alarms),
        by_fault=_figures(known, set(lost), set(duplicates)),
    )


class _Known:
    """A history by its keys."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.attempts = {attempt.key: attempt for attempt in history.attempts}
        self.presses: dict[Key, list[LedgerPress]] = defaultdict(list)
        for press in history.presses:
            self.presses[press.key].append(press)
        self.receipts: dict[Key, list[Receipted]] = defaultdict(list)
        for receipt in history.receipts:
            self.receipts[receipt.key].append(receipt)
        self.silenced = {one.device_id: one.at for one in history.silenced}

    @cached_property
    def final_at(self) -> dict[Key, datetime]:
        """When the first final receipt of each press came."""
        return {
            key: min(times)
            for key, told in self.receipts.items()
            if (times := [one.at for one in told if one.is_final])
        }

    @cached_property
    def alarm_numbers(self) -> dict[str, str]:
        return {alarm.alarm_id: alarm.alarm_no for alarm in self.history.alarms}

    def promised(self, key: Key) -> list[Receipted]:
        """Return the receipts that say: this press is in the ledger."""
        if key in self.history.asides:
            return []
        return [one for one in self.receipts.get(key, ()) if one.state in {"recorded", CANCELLED}]


def _name(key: Key) -> str:
    return f"{key[0]} boot {key[1]} seq {key[2]}"


def _lost(known: _Known) -> Iterator[tuple[Key, str]]:
    for key in known.receipts:
        if known.promised(key) and key not in known.presses:
            yield key, f"{_name(key)} was receipted as recorded and is not in the ledger"
    for key, attempt in known.attempts.items():
        # A household may take back what there is not: that is kept beside the ledger. A press never is.
        is_aside = attempt.kind == CANCELLED and key in known.history.asides
        if not is_aside and key not in known.presses and key[0] not in known.silenced and not known.promised(key):
            yield key, f"{_name(key)} was attempted and is not in the ledger after healing"


def _unkept(known: _Known) -> Iterator[str]:
    """What a device heard PUBACK for before it fell silent; a broker that died itself is excused."""
    died_at = max((fault.ended for fault in known.history.faults if _broker_died(fault)), default=None)
    for one in known.history.pubacks:
        is_kept = one.key in known.presses or one.key in known.history.asides
        is_excused = died_at is not None and died_at >= one.at
        if one.device_id in known.silenced and not is_kept and not is_excused:
            yield f"{_name(one.key)} was acknowledged by a broker that has not died since, and is not in the ledger"


def _broker_died(fault: Fault) -> bool:
    """A pause or a bad wire takes nothing away from a broker."""
    is_harmless = fault.kind.startswith("pause") or "wire" in fault.details
    return not is_harmless and bool(victims(fault) & BROKER_VICTIMS)


def _untold(known: _Known) -> Iterator[str]:
    for key in known.attempts:
        if key not in known.final_at and key[0] not in known.silenced:
            yield f"{_name(key)} has had no final receipt"


def _duplicates(known: _Known) -> Iterator[tuple[Key, str]]:
    for key, presses in known.presses.items():
        if len(presses) > 1:
            yield key, f"{_name(key)} is in the ledger {len(presses)} times"
            continue
        number = known.alarm_numbers.get(presses[0].alarm_id, "")
        if others := {one.alarm_no for one in known.promised(key)} - {number}:
            yield key, f"{_name(key)} is a press of {number} and was receipted as {', '.join(sorted(others))}"
    for key, count in Counter(alarm.key for alarm in known.history.alarms).items():
        if count > 1:
            yield key, f"{_name(key)} raised {count} alarms"
    for number, count in Counter(known.alarm_numbers.values()).items():
        if count > 1:
            yield (number, 0, 0), f"{count} alarms have the number {number}"


def _phantoms(known: _Known, limits: Limits) -> Iterator[str]:
    for key in known.presses:
        if key not in known.attempts and not key[0].startswith(AUDITOR):
            yield f"{_name(key)} is in the ledger and was never attempted"
    for alarm in known.history.alarms:
        if alarm.key[0].startswith(AUDITOR):
            if not _is_explained(known.history.faults, alarm.row["raised_at"], limits):
                yield f"{alarm.alarm_no} is an alarm of the auditor without any fault before it"
        elif alarm.key not in known.presses:
            yield f"{alarm.alarm_no} has no press"


def _is_explained(faults: Sequence[Fault], at: datetime, limits: Limits) -> bool:
    patience = timedelta(seconds=limits.recovery_s)
    return any(fault.begun <= at <= fault.ended + patience for fault in faults)


def _figures(known: _Known, lost: set[Key], duplicates: set[Key]) -> dict[str, Figures]:
    """Return the figures for each kind of fault; a press met a fault that was there while it was under way."""
    met: dict[str, list[Key]] = defaultdict(list)
    faults = sorted(known.history.faults, key=lambda fault: fault.begun)
    begins = [fault.begun for fault in faults]
    longest = max((fault.ended - fault.begun for fault in faults), default=timedelta())
    for key, attempt in known.attempts.items():
        until = known.final_at.get(key, known.history.settings.read_at)
        near = faults[bisect_left(begins, attempt.at - longest) : bisect_right(begins, until)]
        kinds = {fault.kind for fault in near if fault.ended >= attempt.at}
        for kind in kinds or {NO_FAULT}:
            met[kind].append(key)
    counts = Counter(fault.kind for fault in known.history.faults)
    return {kind: _figure(known, counts[kind], met[kind], lost, duplicates) for kind in sorted({*counts, *met})}


def _figure(known: _Known, faults: int, keys: Sequence[Key], lost: set[Key], duplicates: set[Key]) -> Figures:
    told = [key for key in keys if key in known.final_at]
    waits = sorted((known.final_at[key] - known.attempts[key].at).total_seconds() for key in told)
    p50, p95, p99 = (_quantile(waits, share) for share in (0.5, 0.95, 0.99))
    return Figures(
        faults,
        len(keys),
        len(waits),
        len(lost & set(keys)),
        len(duplicates & set(keys)),
        p50,
        p95,
        p99,
        round(max(waits, default=0.0), 3),
    )


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Return the value below which `share` of `ordered` lie (nearest rank)."""
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3) if ordered else 0.0
