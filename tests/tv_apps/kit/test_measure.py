from hypothesis import given
from hypothesis import strategies as st

from tv_apps.kit.measure import cut, fold, width, wrap

WORDS = st.text(st.sampled_from("居民停水检修，。（）“”7月21日 abc 2.5%"), max_size=120)


def test_line_does_not_begin_with_a_comma_nor_end_with_an_opening_bracket() -> None:
    """Chinese rules for line breaks hold."""
    for line in wrap("停水检修停水检修停水检修，请提前存水（3号楼）停水检修停水检修停水检修", 32, 384):
        assert line[0] not in "，）。" and line[-1] not in "（“"


def test_numbers_stay_whole() -> None:
    """A date or a number is not torn apart at the end of a line."""
    lines = wrap("检修时间是2026年7月21日上午", 32, 200)
    assert any("2026" in line for line in lines)


@given(WORDS, st.integers(100, 900))
def test_every_line_fits_and_nothing_is_lost(words: str, room: int) -> None:
    """Each line fits its room (but for one pushed-in mark) and the lines together say everything but spaces."""
    lines = wrap(words, 32, room)
    assert "".join(lines).replace(" ", "") == words.replace(" ", "")
    assert all(width(line, 32) <= room + 2 * 32 for line in lines)


def test_cut_says_that_there_is_more() -> None:
    """What does not fit ends in an ellipsis and fits; what fits is untouched."""
    assert cut("停水", 32, 200) == "停水"
    assert cut("停水检修停水检修", 32, 200).endswith("…")
    assert width(cut("停水检修停水检修", 32, 200), 32) <= 200
    assert len(fold("停水检修" * 20, 32, 200, 2)) == 2
