"""Signatures: both ends agree, any change breaks them, and no two messages have the same bytes."""

import hashlib
import hmac
import json
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.contract import messages, signing
from gateway.contract.alarm_post import AlarmAnswer, AlarmPost
from gateway.contract.examples import ANSWER_EXAMPLE, DEVICE, EVENT, KEY, PASSWORD, POST_EXAMPLE, RECEIPT
from gateway.contract.messages import Event
from gateway.contract.signing import (
    alarm_key,
    canonical,
    check_event,
    check_receipt,
    receipt_of,
    sign_event,
    sign_receipt,
)
from gateway.contract.times import to_ms
from gateway.contract.topics import TopicKind
from gateway.model.errors import BadInput

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
DETAILS = st.dictionaries(TEXTS, JSON, max_size=4)


def test_the_vectors_of_the_page_hold() -> None:
    """What docs/contract.md prints is what a firmware in another language must get; made here without our code."""
    key = hmac.new(PASSWORD.encode(), b"linli/1 alarm key\0" + DEVICE.encode(), hashlib.sha256).digest()
    said = (
        b"l8:s13:linli/1 events8:stb-0501i12;i3;s26:01K8Z6Q8V0H4T6Y2N5R7W9X3AB"
        b"i1795140858204;s11:sos_pressedo1:s7:held_msi2100;"
    )
    signature = hmac.new(key, said, hashlib.sha256).hexdigest()
    page = (Path(__file__).parents[3] / "docs" / "contract.md").read_text()
    assert all(f"`{word}`" in page for word in (key.hex(), said.decode(), signature, RECEIPT.signature))
    assert (alarm_key(DEVICE, PASSWORD), EVENT.signature, POST_EXAMPLE.signature) == (key, signature, signature)


def test_what_is_signed_survives_the_journey_on_both_roads() -> None:
    """The signature holds after the wire, by MQTT and by HTTPS, for event, receipt and answer."""
    event = messages.decode(TopicKind.UP_EVT, EVENT.encode())
    assert isinstance(event, Event) and check_event(KEY, DEVICE, event)
    assert check_event(KEY, DEVICE, AlarmPost.decode(POST_EXAMPLE.encode()).event())
    answered = receipt_of(event, AlarmAnswer.decode(ANSWER_EXAMPLE.encode()))
    assert answered is not None and check_receipt(KEY, DEVICE, answered)


@given(DETAILS)
def test_details_of_any_kind_keep_their_signature(details: dict[str, object]) -> None:
    """Floats, whole numbers, nesting, keys in another order: the receiver of the JSON signs the same bytes."""
    event = replace(EVENT, details=details, signature="")
    signed = replace(event, signature=sign_event(KEY, DEVICE, event))
    try:
        payload = signed.encode()
    except BadInput:
        return  # deeper than the wire allows
    shuffled = json.dumps(dict(reversed(json.loads(payload).items()))).encode()
    for received in (messages.decode(TopicKind.UP_EVT, payload), messages.decode(TopicKind.UP_EVT, shuffled)):
        assert isinstance(received, Event) and check_event(KEY, DEVICE, received)


OTHER_EVENT: dict[str, Any] = {
    "event_id": "01K8Z6Q8V0H4T6Y2N5R7W9X3AC", "boot": 13, "seq": 4, "at": EVENT.at + timedelta(milliseconds=1),
    "kind": "cancelled", "details": {"held_ms": 2101}, "signature": "0" * 64,
}  # fmt: skip
OTHER_RECEIPT: dict[str, Any] = {
    "event_id": "01K8Z6Q8V0H4T6Y2N5R7W9X3AC", "boot": 13, "seq": 4, "state": "seen",
    "at": RECEIPT.at + timedelta(milliseconds=1), "now": RECEIPT.now + timedelta(milliseconds=1),
    "alarm_no": "A20261120-0008", "why": "x", "signature": "0" * 64,
}  # fmt: skip


@pytest.mark.parametrize("name", [field.name for field in fields(EVENT)])
def test_a_change_of_any_field_breaks_an_event(name: str) -> None:
    """Each field by itself; a field that somebody adds must be signed too, or this fails for want of a value."""
    assert check_event(KEY, DEVICE, EVENT)
    assert not check_event(KEY, DEVICE, replace(EVENT, **{name: OTHER_EVENT[name]}))


@pytest.mark.parametrize("name", [field.name for field in fields(RECEIPT)])
def test_a_change_of_any_field_breaks_a_receipt(name: str) -> None:
    """Each field by itself, the gateway's clock too: nobody can set a device's clock."""
    assert check_receipt(KEY, DEVICE, RECEIPT)
    assert not check_receipt(KEY, DEVICE, replace(RECEIPT, **{name: OTHER_RECEIPT[name]}))


@given(JSON, JSON)
def test_two_different_values_never_have_the_same_bytes(one: object, other: object) -> None:
    """The spelling is unambiguous: also 1, 1.0, true and "1" are four things, and -0.0 is not 0.0."""
    assume(json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True))
    assert canonical(one) != canonical(other)


@given(st.lists(TEXTS, min_size=2, max_size=4), st.data())
def test_moving_a_border_between_texts_changes_the_bytes(texts: list[str], data: st.DataObject) -> None:
    """("ab", "c") and ("a", "bc") differ: lengths are signed."""
    whole = "".join(texts)
    cut = data.draw(st.integers(0, len(whole)))
    assume([whole[:cut], whole[cut:]] != texts)
    assert canonical(texts) != canonical([whole[:cut], whole[cut:]])


def test_another_device_another_password_another_purpose() -> None:
    """A key is one device's; a receipt never passes as an event, nor a signature of another device."""
    keys = {alarm_key("a", "p"), alarm_key("b", "p"), alarm_key("a", "q"), hashlib.sha256(b"p").digest()}
    assert len(keys) == 4
    assert not check_event(KEY, "stb-0502", EVENT)
    assert not check_event(alarm_key("stb-0502", PASSWORD), DEVICE, EVENT)
    assert sign_event(KEY, DEVICE, EVENT) != sign_receipt(KEY, DEVICE, RECEIPT)


@pytest.mark.parametrize("claim", ["", "x", "é", "\ud800", "0" * 63, "A" * 5000, EVENT.signature.upper()])
def test_any_text_as_signature_is_simply_wrong(claim: str) -> None:
    """Nothing raises: an alarm with a broken signature is still an alarm."""
    assert not check_event(KEY, DEVICE, replace(EVENT, signature=claim))


@pytest.mark.parametrize("value", [{1: 2}, {"a": object()}, {"a": {b"b"}}])
def test_what_is_no_json_is_bad_input(value: object) -> None:
    """A sender's own mistake has a name."""
    with pytest.raises(BadInput):
        canonical(value)


@pytest.mark.parametrize("ts", [0, -1, 951, 2**63, 2**64 - 1, -(2**63), to_ms(EVENT.at)])
def test_a_wrong_clock_keeps_its_signature(ts: int) -> None:
    """An event from 1970, from 2200 or from beyond the calendar is read, and signed alike at both ends."""
    document = json.loads(EVENT.encode())
    event = messages.decode(TopicKind.UP_EVT, json.dumps({**document, "ts": ts}).encode())
    assert isinstance(event, Event)
    signed = replace(event, signature=sign_event(KEY, DEVICE, event))
    again = messages.decode(TopicKind.UP_EVT, signed.encode())
    assert isinstance(again, Event) and check_event(KEY, DEVICE, again)
    assert signing.event_bytes(DEVICE, again) == signing.event_bytes(DEVICE, event)
