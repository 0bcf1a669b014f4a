"""Bytes in, JSON objects out, and nothing but BadInput when they are not."""

import re
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.contract import codec
from gateway.contract.limits import MAX_DEPTH, MAX_PAYLOAD_BYTES
from gateway.model.errors import BadInput

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('abcé"\\{[', max_size=6), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def _refusal(payload: bytes) -> BadInput | None:
    try:
        codec.decode(payload)
    except BadInput as error:
        return error
    return None


def _nested(depth: int) -> bytes:
    return b'{"p":' * depth + b"1" + b"}" * depth


@given(st.binary(max_size=300))
def test_random_bytes_never_raise_anything_but_bad_input(payload: bytes) -> None:
    """Whatever the bytes are, the answer is an object or BadInput with a reason and a place."""
    error = _refusal(payload)
    assert error is None or (error.reason and error.place)


@given(st.text(alphabet='{}[]",:\\u01e.-ntf ', max_size=200))
def test_almost_json_never_raises_anything_but_bad_input(text: str) -> None:
    """Bytes that look like JSON are no harder than bytes that do not."""
    error = _refusal(text.encode())
    known = {"empty", "broken_json", "too_deep", "wrong_type", "not_finite", "nul_character"}
    assert error is None or error.reason in known


def _counted(payload: bytes) -> int:
    """The depth, counted byte by byte as one would by hand."""
    depth = deepest = 0
    is_text = is_escaped = False
    for byte in payload.decode("latin-1"):
        if is_text:
            is_text = is_escaped or byte != '"'
            is_escaped = byte == "\\" and not is_escaped
        elif byte == '"':
            is_text = True
        elif byte in "{}[]":
            depth += 1 if byte in "{[" else -1
            deepest = max(deepest, depth)
    return deepest


@given(st.lists(st.sampled_from(['"', '""', "{", "}", "[", "]", "a", ":", ",", '\\\\"', '\\"', "é"])).map("".join))
def test_the_depth_is_that_of_a_count_by_hand(text: str) -> None:
    """Quotes, escapes and brackets in any order: the quick count and the slow one agree."""
    payload = text.encode()
    assume("\\" not in text.replace("\\\\", "").replace('\\"', "") and not _has_escape_outside_a_text(text))
    assert codec._depth(payload) == _counted(payload)


def _has_escape_outside_a_text(text: str) -> bool:
    """JSON has no backslash outside texts; where there is one the parser refuses, whatever the depth."""
    rest = re.sub(r'"(?:[^"\\]|\\.)*"?', "", text)
    return "\\" in rest


@given(st.dictionaries(st.text("abc", max_size=3), JSON, max_size=5))
def test_what_is_encoded_is_decoded_again(document: dict[str, object]) -> None:
    """A document inside the limits survives the journey."""
    assume(_refusal(codec.encode(document)) is None)  # deeper than the limit
    assert codec.decode(codec.encode_message(document)) == document


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b"   ", "broken_json"),
        (b"{", "broken_json"),
        (b'{"a":1}{"b":2}', "broken_json"),
        (b"[1]", "wrong_type"),
        (b"null", "wrong_type"),
        (b'"text"', "wrong_type"),
        (b'{"a":NaN}', "not_finite"),
        (b'{"a":-Infinity}', "not_finite"),
        (b'{"a":1e999}', "not_finite"),
        (b'{"a":' + b"9" * 500 + b"}", "not_finite"),
        (b'{"a":"NaN"', "broken_json"),
        (b'{"a":"\xff"}', "broken_utf8"),
        (b'\xef\xbb\xbf{"a":1}', "broken_json"),
        (b'{"a":"\\ud800"}', "broken_json"),
        (b'{"a":"x\\u0000y"}', "nul_character"),
        (b'{"a\\u0000":1}', "nul_character"),
        (b'{"a":["b",{"c":"\\u0000"}]}', "nul_character"),
        (_nested(MAX_DEPTH + 1), "too_deep"),
        (_nested(8000), "too_deep"),
        (b"[" * 60000, "too_deep"),
        (b'{"a":"' + b"x" * MAX_PAYLOAD_BYTES + b'"}', "oversized"),
    ],
)
def test_each_kind_of_nonsense_has_its_reason(payload: bytes, reason: str) -> None:
    """The reason is the counter's label, so every kind of nonsense has its own."""
    with pytest.raises(BadInput) as caught:
        codec.decode(payload)
    assert caught.value.reason == reason


def test_the_deepest_and_the_longest_that_are_allowed_pass() -> None:
    """The limits themselves are allowed; one more is not."""
    assert codec.decode(_nested(MAX_DEPTH))
    longest = b'{"a":"' + b"x" * (MAX_PAYLOAD_BYTES - 8) + b'"}'
    assert len(longest) == MAX_PAYLOAD_BYTES
    assert codec.decode(longest)


def test_brackets_inside_texts_are_no_depth() -> None:
    """A text full of brackets, escaped quotes and backslashes is one level."""
    text = "{[" * 50 + '\\"' * 20 + "{" * 50 + "\\"
    assert codec.decode(codec.encode_message({"a": text, "b": ["}" * 40]})) == {"a": text, "b": ["}" * 40]}


def test_many_small_objects_are_not_deep() -> None:
    """Breadth is not depth: a batch of thousands of samples is three levels."""
    document = {"batch": [{"p": {"t": 1}} for _ in range(3000)]}
    assert codec.decode(codec.encode_message(document)) == document


def test_the_last_of_two_equal_keys_counts() -> None:
    """A key that stands twice has its last value."""
    assert codec.decode(b'{"a":1,"a":2}') == {"a": 2}


def test_an_escaped_backslash_before_u0000_is_harmless() -> None:
    r"""The six characters \u0000 as a text are not the character NUL."""
    assert codec.decode(rb'{"a":"\\u0000"}') == {"a": r"\u0000"}


@pytest.mark.parametrize("piece", [b'"\\', b'"', b'\\"', b'{"', b'"a\\"'])
def test_the_depth_is_counted_in_linear_time(piece: bytes) -> None:
    """Unfinished strings do not make the scan start over: the longest payload takes no noticeable time."""
    payload = b"{[{[{[{[{[" + (piece * MAX_PAYLOAD_BYTES)[: MAX_PAYLOAD_BYTES - 10]
    begun = time.monotonic()
    with pytest.raises(BadInput):
        codec.decode(payload)
    assert time.monotonic() - begun < 5  # quadratic would be minutes


def test_a_value_that_is_not_json_is_refused_on_the_way_out() -> None:
    """A lone surrogate cannot be sent."""
    with pytest.raises(BadInput):
        codec.encode_message({"a": "\ud800"})
