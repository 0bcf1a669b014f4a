"""Reads the hash chain of one area row by row and says what was done to it. Pure; its memory does not grow with it.

A row is in order when it carries the next number, names the hash of the row before, and its content gives its hash.
One that is not is held until the next row tells what it knows of it. What hangs together is the trunk; a row that
hangs on nothing is a stray, and numbers that the trunk skips are a gap; strays.py brings both together at the end.
A row's position is the number that it was written with. Where somebody has renumbered rows, `seq` differs by a shift.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from gateway.alarms.audit.faults import FaultKind, Faults
from gateway.alarms.audit.links import GENESIS, Gap, Head, Row, Stray, StreamFaults, plural
from gateway.alarms.audit.marks import Mark, StreamMarks
from gateway.alarms.audit.strays import settle

#: How many removed or inserted rows a renumbering may hide and still be recognised as one.
FARTHEST_SHIFT: Final = 1000
#: Bounds for what somebody who breaks every row may cost us.
MOST_SEARCHES: Final = 64
MOST_SUSPECTS: Final = 200


class StreamExaminer:
    """Takes the rows of one stream by rising number, then `finish`; what it finds goes into `faults`."""

    def __init__(self, stream: str, head: Head | None, marks: StreamMarks, faults: Faults) -> None:
        self._head = head
        self._said = StreamFaults(stream, faults)
        self._watch = MarkWatch(marks, self._said)
        self._trunk = Row(stream, 0, b"", GENESIS, b"", 0)
        self._before = GENESIS
        #: Whether the last row of the trunk may be believed where the next one does not name it.
        self._is_sound = True
        self._shift = 0
        self._held: Row | None = None
        self._strays: list[Stray] = []
        self._unfit: list[Row] = []
        self._gaps: list[Gap] = []
        self._searches = 0

    def take(self, rows: Iterable[Row]) -> None:
        """Take further rows."""
        for row in rows:
            trunk = self._trunk
            if (  # in order, as almost all are; tuples by place, because this is the hot loop of an audit
                row[1] == trunk[1] + 1
                and row[2] == trunk[3]
                and row[1] < self._watch.next_seq
                and self._held is None
                and not self._shift
                and sha256(row[2] + row[4]).digest() == row[3]
            ):
                self._before, self._trunk, self._is_sound = trunk[3], row, True
            else:
                self._examine(row)

    def finish(self) -> None:
        """Say what the end tells: the head, the checkpoints, and what strays and gaps have to do with each other."""
        held, self._held = self._held, None
        if held is not None:
            self._judge(held, self._head.hash if self._head else b"", None)
        end = self._head.seq if self._head else 0
        last = self._watch.finish()
        if not self._trunk.seq and not self._strays:
            self._say_gone(end, last)
            return
        self._compare_head()
        settle(self._said, self._strays, self._unfit, self._gaps, end)
        if last is not None and last.seq > max(end, self._position):
            rows = range(max(end, self._position) + 1, last.seq + 1)
            why = f"checkpoint {last.number} has seen row {last.seq}"
            self._said.of(FaultKind.TRUNCATED, rows.start, f"{plural(rows)} missing at the end: {why}")

    @property
    def _position(self) -> int:
        return self._trunk.seq + self._shift

    def _examine(self, row: Row) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._judge(held, row.prev, row)
        position = row.seq + self._shift
        if position == self._position + 1 and row.prev == self._trunk.hash and row.fits(position):
            self._accept(row, is_sound=True)
        else:
            self._held = row

    def _accept(self, row: Row, *, is_sound: bool) -> None:
        self._before = self._trunk.hash
        self._trunk, self._is_sound = row, is_sound
        self._watch.pass_by(self._position, row, is_sound=is_sound)

    def _judge(self, row: Row, hash_after: bytes, after: Row | None) -> None:
        """Decide about a row that is not simply in order, knowing what the next one (or the head) says of it."""
        position = row.seq + self._shift
        fits, is_followed = row.fits(position), hash_after == row.hash
        change = self._find_change(row) if is_followed and not fits else 0
        if change and self._is_shift(row, change, after):
            self._begin_shift(row, change)
        elif not fits and (change or not is_followed):
            if len(self._strays) < MOST_SUSPECTS:
                self._strays.append(Stray(row, position, self._trunk.hash, hash_after))
            else:
                self._said.at(FaultKind.FLIPPED, row, "was changed or put in: neither content nor neighbours fit")
        elif position <= self._position:
            self._judge_double(row, is_better=fits and row.prev == self._before and is_followed)
        else:
            self._take_in_place(row, position, fits=fits, is_followed=is_followed)

    def _take_in_place(self, row: Row, position: int, *, fits: bool, is_followed: bool) -> None:
        is_linked, is_next = row.prev == self._trunk.hash, position == self._position + 1
        if not is_next:
            self._gaps.append(Gap(range(self._position + 1, position)))
        if not fits and is_next and not is_linked and row.fits(position, self._trunk.hash):
            self._said.at(FaultKind.FLIPPED, row, "was changed: its prev_hash is not the hash of the row before")
        elif not fits:
            self._note_unfit(row)
        elif is_next and not is_linked and is_followed and self._is_sound:
            replaced = self._trunk if self._trunk.seq else row
            how = "was replaced, it or more rows before it: the next row was chained to another"
            self._said.at(FaultKind.REWRITTEN, replaced, how)
        elif is_next and not is_linked and not is_followed:
            self._said.at(FaultKind.FORGED, row, "was put in: no neighbour knows its hash")
        self._accept(row, is_sound=fits and (is_linked or is_followed or not is_next))

    def _note_unfit(self, row: Row) -> None:
        if len(self._unfit) < MOST_SUSPECTS:
            self._unfit.append(row)
        else:
            self._said.at(FaultKind.FLIPPED, row, "was changed: its content does not give its hash")

    def _judge_double(self, row: Row, *, is_better: bool) -> None:
        """Two rows claim one number: the one that both neighbours know is the true one."""
        self._said.at(FaultKind.FORGED, self._trunk if is_better else row, "was put beside the true row of its number")
        if is_better:
            self._trunk, self._is_sound = row, True

    def _find_change(self, row: Row) -> int:
        """Return by how much the row is numbered wrong; 0 where that is not what is wrong."""
        if self._searches >= MOST_SEARCHES:
            return 0
        self._searches += 1
        for distance in range(1, FARTHEST_SHIFT + 1):
            for change in (distance, -distance):
                if row.fits(row.seq + self._shift + change):
                    return change
        return 0

    def _is_shift(self, row: Row, change: int, after: Row | None) -> bool:
        """Tell whether all rows from here on are numbered wrong by `change`, or this one was only moved."""
        if after is not None:
            return after.fits(after.seq + self._shift + change)
        strays = {stray.row.seq for stray in self._strays}
        return all(seq in strays or seq <= self._trunk.seq for seq in range(row.seq + min(change, 0), row.seq))

    def _begin_shift(self, row: Row, change: int) -> None:
        position = row.seq + self._shift + change
        if change < 0:
            inserted = range(row.seq + change, row.seq)
            self._strays = [stray for stray in self._strays if stray.row.seq not in inserted]
            how = f"{plural(inserted)} put in: the rows from {row.seq} on were renumbered to make room"
            self._said.of(FaultKind.FORGED, inserted.start, how)
        if position > self._position + 1:
            why = f"the rows from {row.seq} on were renumbered to hide it"
            self._gaps.append(Gap(range(self._position + 1, position), why))
        self._shift += change
        self._accept(row, is_sound=True)

    def _compare_head(self) -> None:
        """Compare the end of the trunk with what the chain's head says."""
        head, seq = self._head, self._trunk.seq
        if head is None:
            self._said.of(FaultKind.HEAD, seq, "the head of the chain is missing from alarm_chains")
        elif head.seq > self._position and not (self._shift and head.seq == seq):
            rows = range(self._position + 1, head.seq + 1)
            self._gaps.append(Gap(rows, f"the head of the chain stands at {head.seq}", is_tail=True))
        elif head.seq < seq and self._watch.seen_seq > head.seq:
            self._said.of(
                FaultKind.HEAD, head.seq, f"the head was set back to {head.seq}; a checkpoint knows later rows"
            )
        elif head.seq < seq and head.seq != self._position:
            rows = range(head.seq + 1, seq + 1)
            self._said.at(
                FaultKind.FORGED, self._trunk, f"or more was put in ({plural(rows)}): the head is at {head.seq}"
            )
        elif head.seq == self._position and head.hash != self._trunk.hash and self._is_sound:
            self._said.of(FaultKind.HEAD, head.seq, f"the head of the chain has another hash than row {seq}")

    def _say_gone(self, end: int, last: Mark | None) -> None:
        if not end and last is None:
            return
        knows = f"checkpoint {last.number} has seen row {last.seq}" if last else f"the head stands at {end}"
        self._said.of(FaultKind.STREAM_REMOVED, 1, f"the whole chain is gone: {knows}")


class MarkWatch:
    """Walks beside the rows of a stream and compares them with what checkpoints have seen."""

    def __init__(self, marks: StreamMarks, said: StreamFaults) -> None:
        self._said = said
        self._marks = iter(marks)
        self._next: Mark | None = next(self._marks, None)
        self._last: Mark | None = None
        self._first_wrong: tuple[Row, Mark, int] | None = None
        self._wrong = 0
        #: The farthest row that is what a checkpoint has seen.
        self.seen_seq = 0
        self.next_seq: float = self._next.seq if self._next else float("inf")

    def pass_by(self, position: int, row: Row, *, is_sound: bool) -> None:
        """Compare the row at `position` with the marks up to it; one that is known to be broken is not judged twice."""
        while self._next is not None and self._next.seq <= position:
            mark = self._next
            if mark.seq == position and mark.hash == row.hash:
                self.seen_seq = position
            elif mark.seq == position and is_sound:
                self._first_wrong = self._first_wrong or (row, mark, self.seen_seq)
                self._wrong += 1
            self._advance()

    def finish(self) -> Mark | None:
        """Say what did not agree and return the mark that lies farthest."""
        while self._next is not None:
            self._advance()
        if self._first_wrong:
            row, mark, seen = self._first_wrong
            since = f"after row {seen}, the last that is as it was seen" if seen else "from the beginning"
            more = f"; {self._wrong - 1} more checkpoints disagree" if self._wrong > 1 else ""
            how = f"is not the one that checkpoint {mark.number} has seen: the chain was rewritten {since}{more}"
            self._said.at(FaultKind.REWRITTEN, row, how)
        return self._last

    def _advance(self) -> None:
        self._last, self._next = self._next, next(self._marks, None)
        self.next_seq = self._next.seq if self._next else float("inf")
