"""The examiner alone, on chains in memory: whatever is done to rows that were chained, something is found."""

import json
from collections.abc import Sequence
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from gateway.alarms.audit import chain
from gateway.alarms.audit.chain import StreamExaminer
from gateway.alarms.audit.faults import MOST_KEPT, FaultKind, Faults
from gateway.alarms.audit.links import GENESIS, Head, Row
from gateway.alarms.audit.marks import Mark, StreamMarks

STREAM = "110105001001"


def chained(count: int) -> list[Row]:
    rows: list[Row] = []
    for seq in range(1, count + 1):
        prev = rows[-1].hash if rows else GENESIS
        text = json.dumps([STREAM, seq, f"alarm-{seq}", 1, "raised"], separators=(", ", ": ")).encode()
        rows.append(Row(STREAM, seq, prev, sha256(prev + text).digest(), text, seq))
    return rows


def head_of(rows: Sequence[Row]) -> Head:
    return Head(rows[-1].seq, rows[-1].hash)


def found(rows: Sequence[Row], head: Head | None, *marks: Mark) -> Faults:
    faults, kept = Faults(), StreamMarks()
    for mark in marks:
        kept.add(mark)
    examiner = StreamExaminer(STREAM, head, kept, faults)
    for row in sorted(rows, key=lambda one: (one.seq, one.event_id)):
        examiner.take([row])
    examiner.finish()
    return faults


def renumbered(row: Row, seq: int) -> Row:
    """The row as the database shows it after its number was changed: its text says the new one."""
    return row._replace(seq=seq, text=row.text.replace(b", %d," % row.seq, b", %d," % seq, 1))


@given(st.integers(1, 40))
def test_an_untouched_chain_is_whole(count: int) -> None:
    """Nothing is found in a chain as it was written, with every row remembered by a checkpoint."""
    rows = chained(count)
    assert found(rows, head_of(rows), *(Mark(row.seq, row.hash, row.seq) for row in rows)).total == 0


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["flip", "hash", "prev", "delete", "swap", "move", "copy"]),
        st.integers(0, 19),
        st.integers(0, 25),
    ),
    min_size=1,
    max_size=5,
)


def changed(rows: list[Row], changes: Sequence[tuple[str, int, int]]) -> list[Row]:
    for what, drawn, other in changes:
        if not rows:
            break
        place = drawn % len(rows)
        row = rows[place]
        if what == "flip":
            rows[place] = row._replace(text=row.text.replace(b"raised", b"cancelled"))
        elif what == "hash":
            rows[place] = row._replace(hash=sha256(row.hash).digest())
        elif what == "prev":
            rows[place] = row._replace(prev=sha256(row.prev).digest())
        elif what == "delete":
            del rows[place]
        elif what == "swap":
            there = other % len(rows)
            rows[place], rows[there] = renumbered(rows[there], row.seq), renumbered(row, rows[there].seq)
        elif what == "move":
            rows[place] = renumbered(row, other + 1)
        else:
            rows.append(renumbered(row, other + 1)._replace(event_id=100 + len(rows)))
    return rows


def as_read(rows: Sequence[Row]) -> list[tuple[object, ...]]:
    return sorted((row.seq, row.prev, row.hash, row.text) for row in rows)


@given(CHANGES)
def test_whatever_is_done_to_rows_is_found(changes: Sequence[tuple[str, int, int]]) -> None:
    """Any mixture of changes, removals, exchanges and copies leaves a fault, as long as it leaves a difference."""
    rows = chained(20)
    after = changed(list(rows), changes)
    assert (found(after, head_of(rows)).total > 0) is (as_read(after) != as_read(rows))


@given(st.integers(2, 20), st.integers(1, 20))
def test_what_one_checkpoint_has_seen_cannot_be_cut_or_written_anew(seen: int, changed_at: int) -> None:
    """A chain that was hashed anew from any row before a checkpoint disagrees with it; one after it does not."""
    rows = chained(20)
    anew = rows[: changed_at - 1]
    for row in rows[changed_at - 1 :]:
        prev = anew[-1].hash if anew else GENESIS
        text = row.text.replace(b"raised", b"cancelled")
        anew.append(row._replace(prev=prev, text=text, hash=sha256(prev + text).digest()))
    mark = Mark(seen, rows[seen - 1].hash, 1)
    assert (found(anew, head_of(anew), mark).total > 0) is (changed_at <= seen)
    cut = rows[: changed_at - 1]
    if cut:
        assert (found(cut, head_of(cut), mark).total > 0) is (changed_at <= seen)


def test_a_checkpoint_that_saw_a_shorter_chain_later_is_judged_at_its_place() -> None:
    """Marks are compared by the place that they saw, in whatever order the file has them."""
    rows = chained(9)
    marks = [Mark(7, rows[6].hash, 1), Mark(3, rows[2].hash, 2), Mark(5, GENESIS, 3)]
    (fault,) = found(rows, head_of(rows), *marks).kept
    assert (fault.kind, fault.seq) == (FaultKind.REWRITTEN, 5)
    assert "after row 3" in fault.sentence


def test_a_chain_of_which_every_row_is_broken_costs_little() -> None:
    """Ten thousand broken rows are all counted, a thousand are told, and the searches end."""
    rows = [row._replace(text=row.text.replace(b"raised", b"x")) for row in chained(10_000)]
    faults = found(rows, head_of(chained(10_000)))
    assert faults.total == 10_000
    assert len(faults.kept) == MOST_KEPT


def test_an_endless_gap_is_told_at_once() -> None:
    """A head that was set to the end of numbers does not keep the audit counting."""
    rows = chained(5)
    (fault,) = found(rows, Head(2**62, rows[-1].hash)).kept
    assert (fault.kind, fault.seq) == (FaultKind.TRUNCATED, 6)


def test_many_removed_rows_are_recognised_behind_a_renumbering() -> None:
    """A renumbering that hides as many rows as we look for is recognised as one deed."""
    rows = chained(chain.FARTHEST_SHIFT + 20)
    kept = [*rows[:5], *(renumbered(row, row.seq - chain.FARTHEST_SHIFT) for row in rows[5 + chain.FARTHEST_SHIFT :])]
    (fault,) = found(kept, Head(kept[-1].seq, kept[-1].hash)).kept
    assert (fault.kind, fault.seq) == (FaultKind.REMOVED, 6)
