"""Judges the escalation of every alarm by its own chain and history, not by the engine's timers."""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.chaos.history import Fault, History, LedgerAlarm, LedgerEvent

WAITING = frozenset({"raised", "notified"})
#: Faults of these victims stop every engine at once.
COMMON_VICTIMS = frozenset({"database", "postgres", "postmaster", "clock", "disk", "machine"})
BETWEEN_WORDS = re.compile(r"[^a-z]+")
FOR_EVER = float("inf")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much time the honest system may take; seconds."""

    #: From a step's time to its doing while an engine and the database stand (the standby waits three of them).
    slack_s: float = 5.0
    #: From the end of a fault until its victim is itself again.
    recovery_s: float = 10.0


@dataclass(frozen=True, slots=True)
class _Round:
    """One time that an alarm rang: from `begun` until somebody took it, with the events of that time."""

    number: int
    begun: float
    seen_at: float
    taken_at: float
    events: Sequence[LedgerEvent]


def late_escalations(history: History, limits: Limits) -> Iterator[str]:
    """Yield a sentence for each step of a chain that was left out, came late without excuse or hid that it was late."""
    excuses = _Excuses(history, limits)
    by_alarm: dict[str, list[LedgerEvent]] = defaultdict(list)
    for event in sorted(history.events, key=lambda one: one.event_id):
        by_alarm[event.alarm_id].append(event)
    for alarm in history.alarms:
        events = by_alarm[alarm.alarm_id]
        for sentence in (*_chain(alarm, events, excuses), *_progress(events, excuses)):
            yield f"{alarm.alarm_no}: {sentence}"


class _Excuses:
    """Until when a step may still come that was due at some time."""

    def __init__(self, history: History, limits: Limits) -> None:
        self.limits = limits
        self.progress_s = history.settings.escalation.progress_s
        self.read_at = history.settings.read_at.timestamp()
        self._outages = _merged(sorted(_outages(history.faults, history.engines)))
        self._ends = [ended for _, ended in self._outages]

    def latest(self, due_at: float) -> float:
        """Return the last moment at which what is due then is in time."""
        latest = due_at + self.limits.slack_s
        for begun, ended in self._outages[bisect_left(self._ends, due_at - self.limits.recovery_s) :]:
            if begun > latest:
                break
            latest = max(latest, ended + self.limits.recovery_s + self.limits.slack_s)
        return latest


def _merged(outages: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return outages, which are sorted, without overlaps."""
    merged: list[tuple[float, float]] = []
    for begun, ended in outages:
        if merged and begun <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(ended, merged[-1][1]))
        else:
            merged.append((begun, ended))
    return merged


def victims(fault: Fault) -> frozenset[str]:
    """Return the words of a fault: its kind, and whom its details name beside that."""
    said = " ".join((fault.kind, *(str(fault.details.get(name, "")) for name in ("victim", "wire"))))
    return frozenset(BETWEEN_WORDS.split(said.lower()))


def _outages(faults: Sequence[Fault], engines: Sequence[str]) -> Iterator[tuple[float, float]]:
    """Yield the times at which the database, or all engines at once, were out of order."""
    times = [(fault.begun.timestamp(), fault.ended.timestamp(), victims(fault)) for fault in faults]
    yield from ((begun, ended) for begun, ended, hit in times if hit & COMMON_VICTIMS)
    by_engine = [[(begun, ended) for begun, ended, hit in times if engine in hit] for engine in engines]
    together = by_engine[0] if by_engine else []
    for own in by_engine[1:]:
        together = [
            (max(one[0], other[0]), min(one[1], other[1]))
            for one in together
            for other in own
            if max(one[0], other[0]) <= min(one[1], other[1])
        ]
    yield from together


def _rounds(alarm: LedgerAlarm, events: Sequence[LedgerEvent]) -> Iterator[_Round]:
    begins = [0, *(place for place, event in enumerate(events) if event.kind == "expired")]
    for number, (begin, end) in enumerate(zip(begins, [*begins[1:], len(events)], strict=True), 1):
        own = events[begin:end]
        moves = [event for event in own[1:] if event.to_state is not None]
        taken_at = next((event.at.timestamp() for event in moves if event.to_state not in WAITING), FOR_EVER)
        begun = (alarm.row["raised_at"] if number == 1 else own[0].at).timestamp()
        # A later round begins where desks have shown the alarm already.
        seen_at = next((event.at.timestamp() for event in moves), FOR_EVER) if number == 1 else begun
        yield _Round(number, begun, seen_at, taken_at, own)


def _chain(alarm: LedgerAlarm, events: Sequence[LedgerEvent], excuses: _Excuses) -> Iterator[str]:
    if not events:
        return
    for one in _rounds(alarm, events):
        for step in alarm.row["chain"]:
            kind = str(step["kind"])
            due_at = one.begun + float(str(step["after_s"]))
            until = one.seen_at if kind == "unseen" else one.taken_at
            done = [event for event in one.events if event.details.get("step") == kind]
            if sentence := _judged(f"step {kind} of round {one.number}", due_at, until, done, excuses):
                yield sentence


def _judged(what: str, due_at: float, until: float, done: Sequence[LedgerEvent], excuses: _Excuses) -> str:
    """Return what is wrong with one step that was due at `due_at` unless it was over before (`until`)."""
    latest = excuses.latest(due_at)
    if len(done) > 1:
        return f"{what} was taken {len(done)} times"
    if not done:
        is_missing = until > latest and excuses.read_at > latest
        return f"{what} was due and never taken" if is_missing else ""
    late_s = done[0].at.timestamp() - due_at
    if due_at + late_s > latest:
        return f"{what} came {late_s:.1f} s late without excuse"
    if late_s > excuses.limits.slack_s and "late_by_s" not in done[0].details:
        return f"{what} came {late_s:.1f} s late and does not say so"
    if late_s < -1.0:
        return f"{what} came {-late_s:.1f} s too early"
    return ""


def _progress(events: Sequence[LedgerEvent], excuses: _Excuses) -> Iterator[str]:
    """An acknowledgement that nothing followed must have expired; a note of its owner is progress."""
    owner, due_at = "", FOR_EVER
    for event in events:
        if event.at.timestamp() > excuses.latest(due_at):
            yield f"the acknowledgement of {owner} did not expire in time"
            due_at = FOR_EVER
        if event.kind == "acknowledged" or (event.kind == "note" and event.by_id == owner):
            owner, due_at = event.by_id, event.at.timestamp() + excuses.progress_s
        elif event.to_state is not None:
            owner, due_at = "", FOR_EVER
    if excuses.read_at > excuses.latest(due_at):
        yield f"the acknowledgement of {owner} did not expire"
