"""The bits of the test pattern."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.contract import testcard


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**48 - 1))
def test_number_and_clock_come_back(frame_no: int, captured_ms: int) -> None:
    """What is drawn is read."""
    assert testcard.decode(testcard.encode(frame_no, captured_ms)) == (frame_no, captured_ms)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**48 - 1), st.sets(st.integers(0, 95), min_size=1, max_size=3))
def test_up_to_three_wrong_cells_are_noticed(frame_no: int, captured_ms: int, wrong: set[int]) -> None:
    """The checksum finds every card with one, two or three misread cells."""
    bits = [bit != (index in wrong) for index, bit in enumerate(testcard.encode(frame_no, captured_ms))]
    assert testcard.decode(bits) is None


@given(st.integers(0, 2**31), st.integers(1, 3))
def test_a_torn_picture_is_noticed(frame_no: int, rows: int) -> None:
    """Upper rows of one frame and lower rows of the next are no card, unless both say the same there."""
    one = testcard.encode(frame_no, 1_795_140_858_000)
    two = testcard.encode(frame_no + 1, 1_795_140_858_100)
    torn = one[: rows * testcard.COLUMNS] + two[rows * testcard.COLUMNS :]
    assert testcard.decode(torn) in {None, testcard.decode(one), testcard.decode(two)}


def test_a_black_a_white_and_a_short_strip_are_no_cards() -> None:
    """A covered lens reads as nothing."""
    count = testcard.COLUMNS * testcard.ROWS
    assert testcard.decode([False] * count) is None
    assert testcard.decode([True] * count) is None
    assert testcard.decode([True] * (count - 1)) is None


def test_the_cells_tile_the_strip() -> None:
    """Every bit has one cell, cells do not overlap, and guards stand all around."""
    cells = testcard.cells()
    assert [cell.bit for cell in cells if cell.bit >= 0] == list(range(testcard.COLUMNS * testcard.ROWS))
    guards = [cell for cell in cells if cell.bit < 0]
    assert len(guards) == 2 * (testcard.COLUMNS + 2) + 2 * testcard.ROWS
    left, top, right, bottom = testcard.STRIP
    area = sum((cell.right - cell.left) * (cell.bottom - cell.top) for cell in cells)
    assert abs(area - (right - left) * (bottom - top)) < 1e-9
    assert all(left - 1e-9 <= cell.left and cell.right <= right + 1e-9 for cell in cells)
    assert len({cell.center for cell in cells}) == len(cells)
