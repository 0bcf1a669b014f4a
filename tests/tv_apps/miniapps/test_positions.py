"""JSON with positions: what is read is what Python reads, what is refused says where."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.errors import BadInput
from tv_apps.miniapps.findings import Refusal
from tv_apps.miniapps.positions import MAX_BYTES, Position, read_json

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**14), 10**14)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.sampled_from([None, 1, 3]), st.booleans())
def test_every_json_text_is_read_as_python_reads_it(value: object, indent: int | None, ascii_only: bool) -> None:
    """Whatever Python writes as JSON comes back the same."""
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        encoded = json.dumps(value, indent=indent).encode()
    if "\\ud8" not in text.lower() and all(len(digits) <= 15 for digits in re.findall(r"\d+", text)):
        assert read_json("a.json", encoded).value == value


@given(st.binary(max_size=200) | st.text(alphabet='{}[]",:\\/ntu0123456789.eE+- \n', max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused_with_a_place(content: bytes) -> None:
    """Nothing but BadInput comes out, and it names file, line and column."""
    place = "a.json:1:1"
    try:
        read_json("a.json", content)
    except BadInput as error:
        place = error.place
    assert re.fullmatch(r"a\.json:[1-9]\d*:[1-9]\d*", place)


@pytest.mark.parametrize(
    ("text", "key", "place"),
    [
        ('{"a": 1,}', "json_comma", (1, 9)),
        ('{\n "a": 1\n "b": 2}', "json_mark", (3, 2)),
        ("{'a': 1}", "json_name", (1, 2)),
        ("[\"a\", 'b']", "json_single_quote", (1, 7)),
        ('{"a": "x', "json_quote", (1, 7)),
        ('{"a": 1} {', "json_trailing", (1, 10)),
        ('{"a": // no\n1}', "json_comment", (1, 7)),
        ('{"a": NaN}', "json_not_finite", (1, 7)),
        ('{"a": 1e999}', "json_number", (1, 7)),
        ('{"a": 1,\n\n "a": 2}', "json_duplicate", (3, 2)),
        ("[" * 30, "json_deep", (1, 26)),
        ('{"a": "\\x"}', "json_escape", (1, 8)),
        ('{"a": ', "json_unfinished", (1, 7)),
        ("[1, tru]", "json_unclear", (1, 5)),
    ],
)
def test_each_mistake_has_its_own_sentence_and_its_exact_place(text: str, key: str, place: tuple[int, int]) -> None:
    """The usual mistakes are told apart, where they are."""
    with pytest.raises(Refusal) as refused:
        read_json("pages/home.json", text.encode())
    found = refused.value.finding
    assert (found.key, (found.line, found.column)) == (key, place)
    assert found.cure("zh") and found.cure("en")


def test_every_value_remembers_where_it_stands() -> None:
    """Members are found by their names, missing ones by their nearest parent."""
    document = read_json("a.json", '{\n  "list": [\n    {"name": "书"}\n  ]\n}'.encode())
    assert document.place(("list", 0, "name")) == Position(3, 6)
    assert document.place(("list", 0, "absent")) == Position(3, 5)
    assert document.place(("nothing",)) == Position(1, 1)


def test_a_text_that_is_too_large_or_not_utf8_is_refused() -> None:
    """Size and encoding come before anything else."""
    for content, key in ((b" " * (MAX_BYTES + 1), "json_oversized"), (b'{"a":\n "\xff"}', "json_not_utf8")):
        with pytest.raises(Refusal) as refused:
            read_json("a.json", content)
        assert refused.value.finding.key == key
