"""Judges the rows of the ledger by themselves: transitions, versions, owners, and the hash chain, recomputed."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from gateway.alarms.states import TRANSITIONS
from gateway.model.alarms import Action, AlarmState
from tests.chaos.history import History, LedgerAlarm, LedgerEvent

#: Words of the history that change the state, and what was done then.
ACTION_OF: Mapping[str, Action] = MappingProxyType(
    {
        "rendered": Action.RENDER,
        "expired": Action.EXPIRE,
        "acknowledged": Action.ACKNOWLEDGE,
        "verified": Action.VERIFY,
        "dispatched": Action.DISPATCH,
        "on_scene": Action.ARRIVE,
        "resolved": Action.RESOLVE,
        "closed": Action.CLOSE,
    }
)
#: Words that stand beside the one that made the version.
SHARED_VERSION = frozenset({"nobody_on_duty"})
NOBODY_BEFORE = bytes(32)


def illegal_records(history: History) -> Iterator[str]:
    """Yield a sentence for everything in the ledger's rows that must not be."""
    by_alarm: dict[str, list[LedgerEvent]] = defaultdict(list)
    for event in sorted(history.events, key=lambda one: one.event_id):
        by_alarm[event.alarm_id].append(event)
    presses = Counter(press.alarm_id for press in history.presses if press.kind != "cancelled")
    for alarm in history.alarms:
        events = by_alarm.pop(alarm.alarm_id, [])
        for sentence in (*_versions(alarm, events), *_states(alarm, events), *_owners(alarm, events)):
            yield f"{alarm.alarm_no}: {sentence}"
        if (found := presses[alarm.alarm_id]) != alarm.row["press_count"]:
            yield f"{alarm.alarm_no}: it counts {alarm.row['press_count']} presses and has {found}"
    yield from (f"{alarm_id}: a history without its alarm" for alarm_id in by_alarm)
    yield from _chains(history.events)


def _versions(alarm: LedgerAlarm, events: Sequence[LedgerEvent]) -> Iterator[str]:
    found = [event.version for event in events if event.kind not in SHARED_VERSION]
    if found != list(range(1, len(found) + 1)):
        yield f"versions are not gapless: {found}"
    if found and found[-1] != alarm.row["version"]:
        yield f"the row has version {alarm.row['version']}, its history ends with {found[-1]}"


def _states(alarm: LedgerAlarm, events: Sequence[LedgerEvent]) -> Iterator[str]:
    if not events or (events[0].kind, events[0].from_state, events[0].to_state) != ("raised", None, "raised"):
        yield "its history does not begin with raised"
        return
    state = "raised"
    for event in events[1:]:
        if event.from_state is None and event.to_state is None and event.kind not in ACTION_OF:
            continue
        if event.from_state != state:
            yield f"{event.kind} (version {event.version}) begins in {event.from_state}, but it was {state}"
        if _after(event) != event.to_state:
            yield f"{event.kind} (version {event.version}) from {event.from_state} to {event.to_state} is not allowed"
        state = event.to_state or state
    if alarm.row["state"] != state:
        yield f"the row says {alarm.row['state']}, its history {state}"


def _after(event: LedgerEvent) -> str | None:
    action = ACTION_OF.get(event.kind)
    if action is None or event.from_state not in set(AlarmState):
        return "nothing"
    after = TRANSITIONS.get((AlarmState(event.from_state), action))
    return after.value if after else "nothing"


def _owners(alarm: LedgerAlarm, events: Sequence[LedgerEvent]) -> Iterator[str]:
    owner, resolved_by = "", ""
    for event in events:
        if event.kind == "acknowledged":
            if owner:
                yield f"{event.by_id} took it (version {event.version}) while {owner} had it"
            owner = event.by_id
        elif event.kind == "expired":
            owner = ""
        elif event.kind == "resolved":
            resolved_by = event.by_id
        elif (
            event.kind == "closed"
            and alarm.row["level"] == 1
            and not alarm.row["is_drill"]
            and event.by_id == resolved_by
        ):
            yield f"{event.by_id} resolved and closed it alone"
    if owner != (alarm.row["acknowledged_by"] or ""):
        yield f"the row is owned by {alarm.row['acknowledged_by'] or 'nobody'}, its history by {owner or 'nobody'}"


def _chains(events: Sequence[LedgerEvent]) -> Iterator[str]:
    """Recompute each stream's chain: `hash = SHA-256(prev_hash, text)`, and the text says what the row says."""
    streams: dict[str, list[LedgerEvent]] = defaultdict(list)
    for event in events:
        streams[event.stream].append(event)
    for stream, chained in streams.items():
        before = NOBODY_BEFORE
        for place, event in enumerate(sorted(chained, key=lambda one: one.stream_seq), 1):
            where = f"chain {stream}, row {event.stream_seq}"
            if event.stream_seq != place:
                yield f"{where}: row {place} is missing"
                break
            if event.prev_hash != before:
                yield f"{where}: it does not follow the row before"
            if hashlib.sha256(event.prev_hash + event.text.encode()).digest() != event.hash:
                yield f"{where}: its hash is not that of its text"
            if _said(event) != _written(event):
                yield f"{where}: its text is not what the row says"
            before = event.hash


def _said(event: LedgerEvent) -> list[object]:
    text = json.loads(event.text)
    return [*text[:5], *text[8:11]]


def _written(event: LedgerEvent) -> list[object]:
    identity = [event.stream, event.stream_seq, event.alarm_id, event.version, event.kind]
    return [*identity, event.from_state, event.to_state, dict(event.details)]
