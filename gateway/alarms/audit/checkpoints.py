"""Checkpoints as signed lines: what one says, how it is chained to the one before, whether a file of them is whole.

A line is one JSON object: `number`, `at`, `heads` (stream to [seq, hash], those that changed since the line before;
after a start all of them), `previous` (SHA-256 of the bytes of the line before), `key`, `signature`.
The hash of a line is its anchor: with number and hash of one line, written down elsewhere, nobody can cut it off.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from gateway.alarms.audit.faults import Fault, FaultKind, Faults
from gateway.alarms.audit.marks import Mark, Marks
from gateway.alarms.audit.seal import PublicSeal, Seal
from gateway.contract import codec
from gateway.model.errors import BadInput

Heads = Mapping[str, tuple[int, bytes]]

NO_LINE: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One line, read."""

    number: int
    at: str
    heads: Heads
    previous: bytes
    key_id: str
    signature: str
    #: What was signed, and the hash of the whole line.
    content: bytes
    anchor: bytes

    @property
    def name(self) -> str:
        """Number and hash, as an operator writes them down."""
        return f"{self.number}:{self.anchor.hex()}"


def write(number: int, at: str, heads: Heads, previous: bytes, seal: Seal) -> bytes:
    """Return a signed line, without its end."""
    document: dict[str, object] = {
        "number": number,
        "at": at,
        "heads": {stream: [seq, digest.hex()] for stream, (seq, digest) in sorted(heads.items())},
        "previous": previous.hex(),
        "key": seal.key_id,
    }
    return codec.encode({**document, "signature": seal.sign(codec.encode(document))})


def read(line: bytes) -> Checkpoint:
    """Return what a line says, its signature unchecked. Raises BadInput."""
    try:
        document: Any = codec.parse(line)
        signature = document.pop("signature")
        content = codec.encode(document)
        heads = {str(stream): (int(seq), _digest(said)) for stream, (seq, said) in document["heads"].items()}
        found = Checkpoint(
            int(document["number"]),
            str(document["at"]),
            heads,
            _digest(document["previous"]),
            str(document["key"]),
            str(signature),
            content,
            sha256(line).digest(),
        )
    except (BadInput, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadInput("this is no checkpoint", reason="broken_checkpoint") from error
    if codec.encode({**document, "signature": signature}) != line:
        raise BadInput("this checkpoint is not written as one", reason="broken_checkpoint")
    return found


def _digest(text: str) -> bytes:
    digest = bytes.fromhex(text)
    if len(digest) != len(NO_LINE):
        raise ValueError("not a SHA-256")
    return digest


@dataclass(slots=True)
class Log:
    """A file of checkpoints, read and judged."""

    count: int = 0
    #: How many carry a signature of a key that was given.
    signed: int = 0
    newest: Checkpoint | None = None
    marks: Marks = field(default_factory=Marks)
    faults: Faults = field(default_factory=Faults)


def examine(lines: Iterable[bytes], keys: Mapping[str, PublicSeal], expected: Mapping[int, str]) -> Log:
    """Read lines in their order and judge each; `expected` are anchors that somebody wrote down, by number.

    What is not signed by one of `keys` says nothing about the ledger.
    """
    log, previous, missed = Log(), NO_LINE, dict(expected)
    number = 0
    for line in lines:
        log.count += 1
        before = log.newest
        for said in _judge(line, keys, log, previous, number + 1):
            log.faults.add(Fault(FaultKind.CHECKPOINT, f"checkpoints: line {log.count}: {said}"))
        previous = sha256(line).digest()
        number = log.newest.number if log.newest and log.newest is not before else number + 1
        if (anchor := missed.get(number)) is not None and previous.hex() == anchor:
            del missed[number]
    for wanted, anchor in missed.items():
        log.faults.add(Fault(FaultKind.CHECKPOINT, _missed(wanted, anchor, number)))
    return log


def _judge(line: bytes, keys: Mapping[str, PublicSeal], log: Log, previous: bytes, number: int) -> Iterator[str]:
    try:
        found = read(line)
    except BadInput as error:
        yield error.message
        return
    log.newest = found
    if found.number != number:
        yield f"it is checkpoint {found.number} where {number} should be: lines are missing or were exchanged"
    elif found.previous != previous:
        yield f"checkpoint {found.number} follows another line than the one before it: that one was changed"
    seal = keys.get(found.key_id)
    if seal is None:
        yield f"checkpoint {found.number} is signed by key {found.key_id}, which was not given"
    elif not seal.is_signature(found.signature, found.content):
        yield f"the signature of checkpoint {found.number} is forged, or its content was changed"
    else:
        log.signed += 1
        for stream, (seq, digest) in found.heads.items():
            log.marks.add(stream, Mark(seq, digest, found.number))


def _missed(number: int, anchor: str, last: int) -> str:
    if number > last:
        return f"checkpoints: the file ends with checkpoint {last}, but {number} was expected: it was cut off"
    return f"checkpoints: checkpoint {number} is not the one with hash {anchor} that was expected"
