"""Three-valued logic."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from iot_rules.conditions.truth import Truth

TRUTHS = st.sampled_from(list(Truth))


def test_unknown_is_neither_true_nor_false() -> None:
    """What is not known stays so unless the other side decides alone."""
    assert Truth.UNKNOWN & Truth.FALSE is Truth.FALSE
    assert Truth.UNKNOWN & Truth.TRUE is Truth.UNKNOWN
    assert Truth.UNKNOWN | Truth.TRUE is Truth.TRUE
    assert Truth.UNKNOWN | Truth.FALSE is Truth.UNKNOWN
    assert ~Truth.UNKNOWN is Truth.UNKNOWN


def test_known_truths_behave_as_flags() -> None:
    """Without unknown it is the usual logic."""
    for left, right in product([True, False], repeat=2):
        assert Truth.of(left) & Truth.of(right) is Truth.of(left and right)
        assert Truth.of(left) | Truth.of(right) is Truth.of(left or right)


@given(TRUTHS, TRUTHS)
def test_negation_swaps_and_and_or(left: Truth, right: Truth) -> None:
    """De Morgan's laws hold with unknown as well."""
    assert ~(left & right) is (~left | ~right)
    assert ~(left | right) is (~left & ~right)
