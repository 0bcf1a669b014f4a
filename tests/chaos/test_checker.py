"""The checker itself: a clean history is green, and each rule turns red for the smallest lie."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.alarms import Delays
from tests.chaos.checker import Limits, Verdict, check
from tests.chaos.history import (
    Attempt,
    Fault,
    History,
    LedgerAlarm,
    LedgerEvent,
    LedgerPress,
    Pubacked,
    Receipted,
    RunSettings,
    Silenced,
)

BEGINNING = datetime(2026, 7, 19, 20, 0, tzinfo=UTC)
DEVICE = "sos-0301"
AUDITOR = "_auditor-110105001001"
CHAIN = [
    {"kind": "unseen", "level": 1, "after_s": 5.0, "area": "110105001000", "name": "street"},
    {"kind": "street", "level": 1, "after_s": 30.0, "area": "110105001000", "name": "street"},
    {"kind": "district", "level": 2, "after_s": 60.0, "area": "110105000000", "name": "district"},
]
LIMITS = Limits(slack_s=5.0, recovery_s=10.0)

Line = tuple[float, str, str, str | None, str | None, dict[str, Any]]
#: One alarm in full: rendered in time, taken after the street was asked, expired, taken again, and closed by another.
LINES: tuple[Line, ...] = (
    (0.0, "raised", "platform", None, "raised", {}),
    (2.0, "pressed_again", "platform", None, None, {}),
    (3.0, "rendered", "p-zhou", "raised", "notified", {}),
    (30.4, "escalated", "platform", None, None, {"step": "street", "level": 1}),
    (40.0, "acknowledged", "p-zhou", "notified", "acknowledged", {}),
    (140.2, "expired", "platform", "acknowledged", "notified", {}),
    (170.3, "escalated", "platform", None, None, {"step": "street", "level": 1}),
    (180.0, "acknowledged", "p-li", "notified", "acknowledged", {}),
    (181.0, "note", "p-li", None, None, {"note": "on the phone"}),
    (190.0, "verified", "p-li", "acknowledged", "verified", {}),
    (200.0, "resolved", "p-li", "verified", "resolved", {}),
    (210.0, "closed", "p-chen", "resolved", "closed", {}),
)
#: As LINES, but the street is asked when everything works again.
TAKEN_LATE: tuple[Line, ...] = (
    *LINES[:3],
    (50.0, "escalated", "platform", None, None, {"step": "street", "level": 1, "late_by_s": 20.0}),
    (51.0, *LINES[4][1:]),
    (151.0, *LINES[5][1:]),
    (181.0, *LINES[6][1:]),
    (182.0, *LINES[7][1:]),
    (183.0, *LINES[8][1:]),
    *LINES[9:],
)
#: As LINES, but somebody takes it three seconds after the street was to be asked, and nobody has been asked yet.
TAKEN_IN_TIME: tuple[Line, ...] = (
    *LINES[:3],
    (33.0, *LINES[4][1:]),
    (133.2, *LINES[5][1:]),
    (163.3, *LINES[6][1:]),
    *LINES[7:],
)


def at(second: float) -> datetime:
    return BEGINNING + timedelta(seconds=second)


def chained(events: Sequence[LedgerEvent]) -> tuple[LedgerEvent, ...]:
    """Return the events with their hash chain, as the database would make it."""
    done, before = list[LedgerEvent](), bytes(32)
    for place, event in enumerate(events, 1):
        said = ["110105001001", place, event.alarm_id, event.version, event.kind, 0, event.by_id, event.by_name]
        text = json.dumps([*said, event.from_state, event.to_state, event.details])
        own = hashlib.sha256(before + text.encode()).digest()
        done.append(replace(event, stream_seq=place, prev_hash=before, hash=own, text=text))
        before = own
    return tuple(done)


def events_of(lines: Sequence[Line]) -> tuple[LedgerEvent, ...]:
    plain = [
        LedgerEvent(
            n, "a-1", n, kind, at(second), by, by, before, after, details, "110105001001", n, b"", b"", ""
        )
        for n, (second, kind, by, before, after, details) in enumerate(lines, 1)
    ]  # fmt: skip
    return chained(plain)


def alarm(alarm_id: str = "a-1", number: str = "A20260720-0001", seq: int = 1, **row: Any) -> LedgerAlarm:
    usual: dict[str, Any] = {
        "alarm_id": alarm_id, "alarm_no": number, "device_id": DEVICE, "boot": 7, "seq": seq, "kind": "sos",
        "level": 1, "state": "closed", "version": len(LINES), "raised_at": at(0.0), "press_count": 2,
        "chain": CHAIN, "acknowledged_by": "p-li", "is_drill": False,
    }  # fmt: skip
    return LedgerAlarm({**usual, **row})


def press(seq: int, alarm_id: str = "a-1", device_id: str = DEVICE) -> LedgerPress:
    return LedgerPress(device_id, 7, seq, f"e-{seq}", alarm_id, "sos", "mqtt", at(0.0), at(0.1))


def clean() -> History:
    """A history in which everything that was promised was kept."""
    return History(
        attempts=(Attempt(DEVICE, 7, 1, "sos_pressed", at(-0.5)), Attempt(DEVICE, 7, 2, "sos_pressed", at(1.5))),
        receipts=tuple(
            Receipted(DEVICE, 7, seq, "A20260720-0001", state, at(2.0 + seq))
            for seq, state in ((1, "recorded"), (2, "recorded"), (1, "seen"))
        ),
        alarms=(alarm(),),
        presses=(press(1), press(2)),
        events=events_of(LINES),
        timers=(),
        faults=(Fault("gateway.kill", at(1.0), at(1.9)),),
        settings=RunSettings(Delays(progress_s=100.0), at(220.0), at(220.0), at(300.0)),
    )


def without_line(kind: str, *, last: bool = False) -> tuple[LedgerEvent, ...]:
    lines = [line for line in LINES if line[1] == kind]
    gone = lines[-1 if last else 0]
    return events_of([line for line in LINES if line is not gone])


def with_line(kind: str, **changes: Any) -> tuple[LedgerEvent, ...]:
    """Return the history in which the first line of a kind says something else; the chain is made to fit."""
    events, is_done = list[LedgerEvent](), False
    for event in events_of(LINES):
        is_it = event.kind == kind and not is_done
        events.append(replace(event, **changes) if is_it else event)
        is_done = is_done or is_it
    return chained(events)


def versions(history: History, events: tuple[LedgerEvent, ...]) -> History:
    """Return the history with other events and the row's version as theirs."""
    return replace(history, events=events, alarms=(alarm(version=max(event.version for event in events)),))


def plus(history: History, **more: tuple[Any, ...]) -> History:
    return replace(history, **{name: getattr(history, name) + values for name, values in more.items()})


def tampered(history: History, place: int, **changes: Any) -> History:
    events = list(history.events)
    events[place] = replace(events[place], **changes)
    return replace(history, events=tuple(events))


THIRD = Attempt(DEVICE, 7, 3, "sos_pressed", at(215.0))
GONE = Attempt("sos-0302", 7, 1, "sos_pressed", at(10.0))
UNPLUGGED: dict[str, tuple[Any, ...]] = {"attempts": (GONE,), "silenced": (Silenced("sos-0302", at(11.0)),)}
HEARD = Pubacked("sos-0302", 7, 1, at(10.5))
ASIDE = Attempt(DEVICE, 7, 3, "cancelled", at(215.0))
AUDITED = alarm("a-2", "A20260720-0002", 0, device_id=AUDITOR, chain=[], version=1, state="raised", press_count=1)


def audited(history: History, raised_at: float) -> History:
    """Return the history with an alarm that the auditor raised, complete with press and event."""
    own = LedgerAlarm({**AUDITED.row, "raised_at": at(raised_at), "acknowledged_by": None})
    event = LedgerEvent(
        99, "a-2", 1, "raised", at(raised_at), "platform", "", None, "raised", {}, "x", 1, b"", b"", ""
    )  # fmt: skip
    mine = replace(history, events=chained(history.events))
    extra = [replace(one, stream="x") for one in chained([event])]
    said = json.loads(extra[0].text)
    text = json.dumps(["x", *said[1:]])
    own_event = replace(extra[0], text=text, hash=hashlib.sha256(bytes(32) + text.encode()).digest())
    return plus(mine, alarms=(own,), events=(own_event,), presses=(press(0, "a-2", AUDITOR),))


GREEN: dict[str, Callable[[History], History]] = {
    "as it is": lambda history: history,
    "a cancellation with nothing to take back": lambda history: replace(
        plus(history, attempts=(ASIDE,), receipts=(Receipted(DEVICE, 7, 3, "", "recorded", at(216.0)),)),
        asides=frozenset({ASIDE.key}),
    ),
    "unplugged before anybody heard": lambda history: plus(history, **UNPLUGGED),
    "unplugged, heard, and the broker died": lambda history: plus(
        history, **UNPLUGGED, pubacks=(HEARD,), faults=(Fault("broker.kill", at(12.0), at(13.0)),)
    ),
    "the auditor speaks up after a fault": lambda history: audited(history, 5.0),
    "a step late while the database was away, and it says so": lambda history: versions(
        plus(history, faults=(Fault("database.stop", at(29.0), at(36.0)),)),
        with_line("escalated", at=at(38.0), details={"step": "street", "level": 1, "late_by_s": 8.0}),
    ),
    "a step late while both engines were dead, one outage after the other": lambda history: versions(
        replace(
            plus(
                history,
                faults=(
                    Fault("kill_gateway", at(29.0), at(34.0)),
                    Fault("kill_desk", at(28.0), at(33.5)),
                    Fault("pause_gateway", at(38.0), at(40.0), {"seconds": 2.0}),
                    Fault("wire_cut", at(36.0), at(41.0), {"wire": "gateway_postgresql"}),
                    Fault("failpoint", at(35.0), at(47.0), {"victim": "gateway desk"}),
                ),
            ),
            engines=("gateway", "desk"),
        ),
        events_of(TAKEN_LATE),
    ),
    "taken before the step that was due was taken": lambda history: versions(history, events_of(TAKEN_IN_TIME)),
}

RED: dict[str, tuple[str, Callable[[History], History]]] = {
    "receipted, not in the ledger": (
        "lost",
        lambda history: replace(
            history, presses=history.presses[:1], alarms=(alarm(press_count=1),), attempts=history.attempts[:1]
        ),
    ),
    "attempted, not in the ledger": ("lost", lambda history: plus(history, attempts=(THIRD,))),
    "a press put aside as if it were a cancellation": (
        "lost",
        lambda history: replace(plus(history, attempts=(THIRD,)), asides=frozenset({THIRD.key})),
    ),
    "acknowledged by a whole broker": ("unkept", lambda history: plus(history, **UNPLUGGED, pubacks=(HEARD,))),
    "the broker died before, not after": (
        "unkept",
        lambda history: plus(
            history, **UNPLUGGED, pubacks=(HEARD,), faults=(Fault("broker.kill", at(8.0), at(9.0)),)
        ),
    ),
    "never told": ("untold", lambda history: replace(history, receipts=history.receipts[:1])),
    "only told that it was seen": ("untold", lambda history: replace(history, receipts=history.receipts[1:])),
    "one press twice": ("duplicates", lambda history: plus(history, presses=(press(2),))),
    "two alarms of one press": ("duplicates", lambda history: plus(history, alarms=(alarm("a-2", "A-2"),))),
    "one number twice": ("duplicates", lambda history: plus(history, alarms=(alarm("a-2", seq=9),))),
    "another number on the receipt": (
        "duplicates",
        lambda history: plus(history, receipts=(Receipted(DEVICE, 7, 2, "A20260720-0009", "recorded", at(9.0)),)),
    ),
    "a press that nobody made": ("phantoms", lambda history: plus(history, presses=(press(8),))),
    "an alarm without a press": ("phantoms", lambda history: plus(history, alarms=(alarm("a-2", "A-2", 8),))),
    "the auditor cries for nothing": ("phantoms", lambda history: audited(history, 200.0)),
    "a step that the table forbids": ("illegal", lambda history: versions(history, without_line("resolved"))),
    "a state out of nowhere": (
        "illegal",
        lambda history: versions(history, with_line("verified", from_state="notified")),
    ),
    "a version left out": ("illegal", lambda history: versions(history, with_line("note", version=99))),
    "the row ahead of its history": ("illegal", lambda history: replace(history, alarms=(alarm(version=99),))),
    "the row in another state": ("illegal", lambda history: replace(history, alarms=(alarm(state="resolved"),))),
    "two owners at once": ("illegal", lambda history: versions(history, without_line("expired"))),
    "another owner in the row": ("illegal", lambda history: replace(history, alarms=(alarm(acknowledged_by="x"),))),
    "closed by the one who resolved": ("illegal", lambda history: versions(history, with_line("closed", by_id="p-li"))),
    "no beginning": ("illegal", lambda history: replace(history, events=())),
    "a press that does not count": ("illegal", lambda history: replace(history, alarms=(alarm(press_count=3),))),
    "a flipped row": ("illegal", lambda history: tampered(history, 3, details={"step": "street", "level": 2})),
    "a flipped text": ("illegal", lambda history: tampered(history, 3, text=history.events[3].text + " ")),
    "a flipped hash": ("illegal", lambda history: tampered(history, 11, hash=bytes(32))),
    "a removed row": ("illegal", lambda history: replace(history, events=history.events[:4] + history.events[5:])),
    "a row of another chain": ("illegal", lambda history: tampered(history, 5, prev_hash=bytes(32))),
    "never escalated": ("late_escalations", lambda history: versions(history, without_line("escalated"))),
    "never escalated in the second round": (
        "late_escalations",
        lambda history: versions(history, without_line("escalated", last=True)),
    ),
    "escalated twice": (
        "late_escalations",
        lambda history: versions(history, events_of([*LINES[:4], LINES[3], *LINES[4:]])),
    ),
    "escalated too late": ("late_escalations", lambda history: versions(history, with_line("escalated", at=at(36.0)))),
    "escalated late with an excuse, and silent about it": (
        "late_escalations",
        lambda history: versions(
            plus(history, faults=(Fault("database.stop", at(29.0), at(36.0)),)), with_line("escalated", at=at(38.0))
        ),
    ),
    "late because one of two engines was dead": (
        "late_escalations",
        lambda history: versions(
            replace(plus(history, faults=(Fault("gateway.kill", at(29.0), at(36.0)),)), engines=("gateway", "desk")),
            with_line("escalated", at=at(38.0), details={"step": "street", "late_by_s": 8.0}),
        ),
    ),
    "late because the broker was dead": (
        "late_escalations",
        lambda history: versions(
            plus(history, faults=(Fault("broker.kill", at(29.0), at(36.0)),)),
            with_line("escalated", at=at(38.0), details={"step": "street", "late_by_s": 8.0}),
        ),
    ),
    "escalated before its time": (
        "late_escalations",
        lambda history: versions(history, with_line("escalated", at=at(20.0))),
    ),
    "nobody has shown it, nobody was asked": (
        "late_escalations",
        lambda history: versions(history, with_line("rendered", at=at(20.0))),
    ),
    "an acknowledgement that never expired": (
        "late_escalations",
        lambda history: versions(history, with_line("verified", at=at(298.0))),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", GREEN)
def test_a_kept_promise_is_green(case: str) -> None:
    """Nothing is found where nothing is wrong, or where it is excused."""
    verdict = check(GREEN[case](clean()), LIMITS)
    assert list(verdict.findings()) == []
    assert verdict.is_green


@pytest.mark.parametrize("case", RED)
def test_the_smallest_lie_is_red(case: str) -> None:
    """Each rule finds the one thing that was changed."""
    rule, lie = RED[case]
    assert rule in check(lie(clean()), LIMITS).red


@given(st.data())
def test_any_row_that_is_taken_away_or_said_twice_is_found(data: st.DataObject) -> None:
    """No single row of the ledger can be removed or doubled without a finding."""
    history = clean()
    table = data.draw(st.sampled_from(["alarms", "presses", "events"]))
    rows = getattr(history, table)
    place = data.draw(st.integers(0, len(rows) - 1))
    change = data.draw(st.sampled_from([(), (rows[place], rows[place])]))
    changed: dict[str, Any] = {table: (*rows[:place], *change, *rows[place + 1 :])}
    assert not check(replace(history, **changed), LIMITS).is_green


@given(st.integers(0, len(LINES) - 1), st.data())
def test_any_flipped_byte_of_the_chain_is_found(place: int, data: st.DataObject) -> None:
    """One changed byte of a hash, of a text or of the hash before is found in every row."""
    history = clean()
    event = history.events[place]
    name = data.draw(st.sampled_from(["hash", "prev_hash"]))
    raw = bytearray(getattr(event, name))
    raw[data.draw(st.integers(0, 31))] ^= data.draw(st.integers(1, 255))
    assert "illegal" in check(tampered(history, place, **{name: bytes(raw)}), LIMITS).red


def test_the_figures_say_what_met_which_fault() -> None:
    """A press counts under every fault that was there while it was under way; the bound is three by the faults."""
    verdict = check(clean(), LIMITS)
    figures = verdict.by_fault["gateway.kill"]
    assert (figures.faults, figures.presses, figures.recovered, figures.lost) == (1, 2, 2, 0)
    assert (figures.p50_s, figures.max_s) == (3.5, 3.5)
    assert verdict.bound_95 == 1.0
    many = tuple(Fault("broker.kill", at(250.0 + n / 10), at(250.0 + n / 10)) for n in range(29))
    assert check(plus(clean(), faults=many), LIMITS).bound_95 == pytest.approx(0.1)


def test_nothing_is_claimed_where_something_was_lost() -> None:
    """A run that lost an alarm has no bound, and its document says what was broken."""
    verdict = check(plus(clean(), attempts=(THIRD,)), LIMITS)
    assert verdict.bound_95 is None
    assert verdict.document()["lost"] == 1
    assert Verdict().bound_95 is None
