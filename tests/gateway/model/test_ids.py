from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import ids
from gateway.model.people import Person


@pytest.mark.parametrize(
    ("area", "prefix"),
    [
        ("110105001001", "110105001001"),
        ("110105001000", "110105001"),
        ("110105000000", "110105"),
        ("110100000000", "1101"),
        ("110000000000", "11"),
        ("000000000000", ""),
        ("110105010000", "110105010"),
    ],
)
def test_an_area_is_the_prefix_of_what_lies_in_it(area: str, prefix: str) -> None:
    """Trailing zeros of whole levels are a wildcard."""
    assert ids.area_prefix(area) == prefix


def test_a_person_sees_the_own_subtree_only() -> None:
    """Street staff see its communities, not those of the next street."""
    person = Person("p", "p", "P", frozenset({"supervisor"}), "110105001000")
    assert person.may_see("110105001001")
    assert not person.may_see("110105002001")


def test_ulids_sort_by_time() -> None:
    """A later ULID is greater, and all are canonical."""
    start = datetime(2026, 7, 19, tzinfo=UTC)
    made = [ids.new_ulid(start + timedelta(milliseconds=n)) for n in range(100)]
    assert made == sorted(made)
    assert all(ids.is_ulid(one) for one in made)


@given(st.text(max_size=20))
def test_a_device_id_is_one_topic_level(text: str) -> None:
    """What passes as a device id holds nothing that MQTT reads as structure."""
    if ids.is_device_id(text):
        assert not set(text) & set("/+# \0")
        assert text.isascii()


def test_outer_areas_are_named_once_from_inside_out() -> None:
    """Community, street, district, city, province, country; an outer area repeats nothing."""
    assert ids.outer_areas("110105001001") == [
        "110105001001",
        "110105001000",
        "110105000000",
        "110100000000",
        "110000000000",
        "000000000000",
    ]
    assert ids.outer_areas("110105000000") == ["110105000000", "110100000000", "110000000000", "000000000000"]
