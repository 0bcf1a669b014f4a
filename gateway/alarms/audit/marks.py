"""What checkpoints remember of each chain: compact, because a year has half a million of them. Pure."""

from array import array
from collections.abc import Iterator
from typing import Final, NamedTuple

_HASH_BYTES: Final = 32


class Mark(NamedTuple):
    """Checkpoint `number` saw the row `seq` with this hash as the last one."""

    seq: int
    hash: bytes
    number: int


class StreamMarks:
    """The marks of one stream, by rising place, 48 bytes each."""

    def __init__(self) -> None:
        self._seqs = array("q")
        self._numbers = array("q")
        self._hashes = bytearray()

    def add(self, mark: Mark) -> None:
        """Add one; a checkpoint that repeats the last one adds nothing."""
        if self._seqs and self._seqs[-1] == mark.seq and self._hashes[-_HASH_BYTES:] == mark.hash:
            return
        self._seqs.append(mark.seq)
        self._numbers.append(mark.number)
        self._hashes += mark.hash

    def __iter__(self) -> Iterator[Mark]:
        """Yield every mark by rising `seq`, also where a later checkpoint saw a shorter chain."""
        for place in sorted(range(len(self._seqs)), key=self._seqs.__getitem__):
            at = place * _HASH_BYTES
            yield Mark(self._seqs[place], bytes(self._hashes[at : at + _HASH_BYTES]), self._numbers[place])


class Marks:
    """The marks of all streams."""

    def __init__(self) -> None:
        self._by_stream: dict[str, StreamMarks] = {}

    def add(self, stream: str, mark: Mark) -> None:
        """Note what a checkpoint saw."""
        self._by_stream.setdefault(stream, StreamMarks()).add(mark)

    def of(self, stream: str) -> StreamMarks:
        """Return the marks of a stream; none where no checkpoint knows it."""
        return self._by_stream.get(stream, StreamMarks())

    @property
    def streams(self) -> set[str]:
        return set(self._by_stream)
