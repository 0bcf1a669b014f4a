"""The rows of a hash chain, and the one question to them: does this content, at this number, give this hash? Pure."""

import json
from hashlib import sha256
from typing import Final, NamedTuple

from gateway.alarms.audit.faults import Fault, FaultKind, Faults

GENESIS: Final = bytes(32)


class Row(NamedTuple):
    """One event as the chain sees it; `text` is the canonical text that the database makes of its columns."""

    stream: str
    seq: int
    prev: bytes
    hash: bytes
    text: bytes
    event_id: int

    def fits(self, seq: int, prev: bytes | None = None) -> bool:
        """Tell whether the content, written as number `seq` after `prev` (its own), gives the row's hash."""
        return digest(self.prev if prev is None else prev, self, seq) == self.hash


class Head(NamedTuple):
    """What `alarm_chains` keeps: the last row of a stream."""

    seq: int
    hash: bytes


class Stray(NamedTuple):
    """A row that hangs on nothing, what stood before it, and what the one after it names as its predecessor."""

    row: Row
    position: int
    hash_before: bytes
    hash_after: bytes


class Gap(NamedTuple):
    """Numbers that were written and are not there; `why` tells how we know."""

    rows: range
    why: str = ""
    is_tail: bool = False


def digest(prev: bytes, row: Row, seq: int) -> bytes:
    """Return the hash of the row's content at number `seq` after `prev`."""
    return sha256(prev + _text_at(row, seq)).digest()


def _text_at(row: Row, seq: int) -> bytes:
    if seq == row.seq:
        return row.text
    opening = f"[{json.dumps(row.stream, ensure_ascii=False)}, ".encode()
    said = opening + str(row.seq).encode()
    return opening + str(seq).encode() + row.text[len(said) :] if row.text.startswith(said + b",") else row.text


def alarm_of(row: Row) -> str:
    """Return the alarm that a row speaks of; empty where the text is not what it should be."""
    try:
        named = json.loads(row.text)[2]
    except (ValueError, LookupError, TypeError):
        return ""
    return named if isinstance(named, str) else ""


def plural(rows: range) -> str:
    """Return `row 7` or `rows 7 to 9`."""
    return f"row {rows.start}" if len(rows) == 1 else f"rows {rows.start} to {rows[-1]}"


class StreamFaults:
    """Says what is wrong with one stream, in one way: the place first, then how."""

    def __init__(self, stream: str, faults: Faults) -> None:
        self.stream = stream
        self._faults = faults

    def at(self, kind: FaultKind, row: Row, said: str) -> None:
        """Note what is wrong with one row that is there."""
        alarm_id = alarm_of(row)
        of_alarm = f", alarm {alarm_id}" if alarm_id else ""
        sentence = f"{self.stream}: row {row.seq} (event {row.event_id}{of_alarm}) {said}"
        self._faults.add(Fault(kind, sentence, self.stream, row.seq, row.event_id, alarm_id))

    def of(self, kind: FaultKind, seq: int, said: str) -> None:
        """Note what is wrong with a place where no row can be named."""
        self._faults.add(Fault(kind, f"{self.stream}: {said}", self.stream, seq))
