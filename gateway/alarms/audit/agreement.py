"""Does the table of alarms say what its history says? One alarm at a time, pure."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from gateway.alarms.audit.faults import Fault, FaultKind

#: What the first line of a history says; those from before that was so say nothing of it.
_TOLD_AT_FIRST: Final = frozenset({"alarm_no", "kind", "level", "household_id"})


class AlarmFacts(NamedTuple):
    """One row of `alarms` beside what its events and presses add up to."""

    alarm_id: str
    alarm_no: str
    area_id: str
    state: str
    version: int
    press_count: int
    #: Columns that steps write, and what the last step that named each of them has said.
    columns: Mapping[str, object]
    told: Mapping[str, object]
    events: int
    is_raised: bool
    last_version: int
    last_state: str
    #: Events that stand in another area's chain.
    misplaced: int
    is_in_order: bool
    #: Presses by the history, and those that are kept one by one.
    told_presses: int
    presses: int


def disagreements(facts: AlarmFacts) -> Iterator[Fault]:
    """Yield a fault for everything in which the row of an alarm and its history differ."""
    for said in _sentences(facts):
        sentence = f"{facts.area_id}: alarm {facts.alarm_no} {said}"
        yield Fault(FaultKind.ALARM, sentence, facts.area_id, alarm_id=facts.alarm_id)


def _sentences(facts: AlarmFacts) -> Iterator[str]:
    if not facts.events:
        yield "has no history at all"
        return
    if not facts.is_raised:
        yield "has a history without its beginning: nothing says that it was raised"
    if facts.state != facts.last_state:
        yield f"is {facts.state} in the table and {facts.last_state or 'nothing'} by its history"
    if facts.version != facts.last_version:
        yield f"has version {facts.version}, its history ends with {facts.last_version}"
    if not facts.press_count == facts.presses == facts.told_presses:
        yield f"counts {facts.press_count} presses, {facts.presses} are kept, its history tells {facts.told_presses}"
    if facts.misplaced:
        yield f"has {facts.misplaced} events in the chain of another area"
    if not facts.is_in_order:
        yield "has events whose event_id does not rise in the order of the chain"
    yield from _columns_told_otherwise(facts)


def _columns_told_otherwise(facts: AlarmFacts) -> Iterator[str]:
    for name, column in facts.columns.items():
        told = facts.told.get(name)
        if name in _TOLD_AT_FIRST and name not in facts.told:
            continue
        if (column or None) != (told or None):
            yield f"says {name} = {column!r}, its history says {told!r}"


def orphan(alarm_id: str, stream: str, events: int, event_id: int) -> Fault:
    """Return the fault of a history whose alarm is gone."""
    sentence = f"{stream}: alarm {alarm_id} is gone from the table; {events} events from {event_id} on speak of it"
    return Fault(FaultKind.ALARM, sentence, stream, event_id=event_id, alarm_id=alarm_id)


def idle_guard(table: str, trigger: str) -> Fault:
    """Return the fault of a trigger that does not guard its table."""
    return Fault(FaultKind.GUARD, f"{table}: the trigger {trigger} is switched off or gone; rows can be changed")
