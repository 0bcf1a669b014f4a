"""Brings together what hangs on nothing and what is missing: was a row changed, moved, put in, or taken away? Pure."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from gateway.alarms.audit.faults import FaultKind
from gateway.alarms.audit.links import Gap, Row, Stray, StreamFaults, digest, plural

#: Numbers of a gap at which a stray is tried.
_MOST_PLACES: Final = 500


def settle(said: StreamFaults, strays: Sequence[Stray], unfit: Sequence[Row], gaps: Sequence[Gap], end: int) -> None:
    """Name every stray, every row in place whose content does not fit, and every gap that is left.

    `end` is the number of the chain's head: what stands behind it was never written by the platform.
    """
    for row in unfit:
        _name_unfit(said, row, unfit)
    explained: set[int] = set()
    places = [*_places(gaps), *(stray.row.seq for stray in strays)]
    for stray in strays:
        explained |= _name_stray(said, stray, places, gaps, end)
    for gap in gaps:
        _name_gap(said, gap, explained)


def _name_unfit(said: StreamFaults, row: Row, unfit: Sequence[Row]) -> None:
    for other in unfit:
        if other is not row and digest(other.prev, row, other.seq) == other.hash:
            said.at(FaultKind.REORDERED, row, f"holds what was written as row {other.seq}")
            return
    said.at(FaultKind.FLIPPED, row, "was changed: its content does not give its hash")


def _name_stray(said: StreamFaults, stray: Stray, places: Iterable[int], gaps: Sequence[Gap], end: int) -> set[int]:
    """Name one stray and return the numbers that it explains."""
    row = stray.row
    if digest(stray.hash_before, row, stray.position) == stray.hash_after:
        said.at(FaultKind.FLIPPED, row, "was changed: its hash columns do not fit its content and its neighbours")
        return {stray.position}
    home = next((place for place in places if place != row.seq and row.fits(place)), None)
    if home is not None:
        said.at(FaultKind.REORDERED, row, f"was written as row {home} and stands at another place")
        return {home, stray.position}
    is_missed = any(stray.position in gap.rows for gap in gaps) and stray.position <= end
    if is_missed and row.prev == stray.hash_before:
        said.at(FaultKind.FLIPPED, row, "was changed: its content does not give its hash")
    else:
        where = "stands where another row was" if is_missed else "was put in"
        said.at(FaultKind.FORGED, row, f"{where}: its hash fits neither its content nor a neighbour")
    return {stray.position}


def _places(gaps: Sequence[Gap]) -> Iterator[int]:
    for gap in gaps:
        yield from islice(gap.rows, _MOST_PLACES)


def _name_gap(said: StreamFaults, gap: Gap, explained: set[int]) -> None:
    for rows in _without(gap.rows, explained):
        what = f"{plural(rows)} {'is' if len(rows) == 1 else 'are'} missing"
        if gap.is_tail:
            said.of(FaultKind.TRUNCATED, rows.start, f"{what} at the end: {gap.why}")
        else:
            said.of(FaultKind.REMOVED, rows.start, f"{what}: {gap.why}" if gap.why else what)


def _without(rows: range, taken: set[int]) -> Iterator[range]:
    """Yield what is left of `rows`, without walking through a gap that somebody made endless."""
    start = rows.start
    for number in sorted(number for number in taken if number in rows):
        if number > start:
            yield range(start, number)
        start = number + 1
    if start < rows.stop:
        yield range(start, rows.stop)
