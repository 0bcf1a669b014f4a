"""The bits of the test pattern: a frame number and a clock that a program reads back from the picture's pixels.

The card is a grid of `COLUMNS` x `ROWS` square-ish cells in a strip of the picture; a white cell is 1, a black one 0.
The bits are, most significant first: 32 of frame number, 48 of milliseconds since the epoch, 16 of CRC-16/CCITT over
those ten bytes. The strip is framed by guard cells that alternate black and white, so that a reader notices a shifted
or covered picture; a torn picture fails the checksum.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

FRAME_BITS: Final = 32
CLOCK_BITS: Final = 48
CHECK_BITS: Final = 16
COLUMNS: Final = 24
ROWS: Final = 4

#: The strip in fractions of the picture's width and height: left, top, right, bottom, guard cells included.
STRIP: Final = (0.05, 0.06, 0.95, 0.30)

_FRAME_MASK = (1 << FRAME_BITS) - 1
_CLOCK_MASK = (1 << CLOCK_BITS) - 1
_POLYNOMIAL = 0x1021
_SEED = 0xFFFF


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the card in fractions of the picture; `bit` is its index in `encode()`, or -1 for a guard cell."""

    left: float
    top: float
    right: float
    bottom: float
    bit: int
    is_white_guard: bool = False

    @property
    def center(self) -> tuple[float, float]:
        """Where to sample: the middle, as fractions of width and height."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


def encode(frame_no: int, captured_ms: int) -> tuple[bool, ...]:
    """Return `COLUMNS * ROWS` bits, row by row; numbers are taken modulo their width."""
    body = _body(frame_no, captured_ms)
    number = int.from_bytes(body + _checksum(body).to_bytes(2))
    return tuple(bool(number >> shift & 1) for shift in range(COLUMNS * ROWS - 1, -1, -1))


def decode(bits: Sequence[bool]) -> tuple[int, int] | None:
    """Return (frame number, milliseconds), or None when the bits are not an intact card."""
    if len(bits) != COLUMNS * ROWS:
        return None
    number = 0
    for bit in bits:
        number = number << 1 | bool(bit)
    data = number.to_bytes(COLUMNS * ROWS // 8)
    body, check = data[:10], int.from_bytes(data[10:])
    if _checksum(body) != check:
        return None
    return int.from_bytes(body[:4]), int.from_bytes(body[4:])


def cells() -> tuple[Cell, ...]:
    """Return every cell to draw: the data cells in the order of `encode()`, then the guard frame around them."""
    grid = [(row, column) for row in range(ROWS) for column in range(COLUMNS)]
    data = [_cell(row + 1, column + 1, bit=index) for index, (row, column) in enumerate(grid)]
    frame = [
        _cell(row, column, bit=-1)
        for row in range(ROWS + 2)
        for column in range(COLUMNS + 2)
        if row in (0, ROWS + 1) or column in (0, COLUMNS + 1)
    ]
    return (*data, *frame)


def _cell(row: int, column: int, *, bit: int) -> Cell:
    left, top, right, bottom = STRIP
    width, height = (right - left) / (COLUMNS + 2), (bottom - top) / (ROWS + 2)
    return Cell(
        left + column * width,
        top + row * height,
        left + (column + 1) * width,
        top + (row + 1) * height,
        bit,
        is_white_guard=bit < 0 and (row + column) % 2 == 0,
    )


def _body(frame_no: int, captured_ms: int) -> bytes:
    return (frame_no & _FRAME_MASK).to_bytes(4) + (captured_ms & _CLOCK_MASK).to_bytes(6)


def _checksum(data: bytes) -> int:
    check = _SEED
    for byte in data:
        check ^= byte << 8
        for _ in range(8):
            check = (check << 1 ^ _POLYNOMIAL if check & 0x8000 else check << 1) & 0xFFFF
    return check
