"""Payloads as values: round trips, refusals with place and reason, and what is ignored."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.contract import messages
from gateway.contract.codec import encode
from gateway.contract.examples import EXAMPLES
from gateway.contract.limits import MAX_WHOLE
from gateway.contract.messages import Event, Message, Receipt, Sample, Telemetry
from gateway.contract.page import REASONS
from gateway.contract.times import END_MS, FIRST_MS, from_ms, to_ms
from gateway.contract.topics import TopicKind
from gateway.model.errors import BadInput
from gateway.model.ids import new_ulid

MOMENTS = st.integers(FIRST_MS, END_MS - 1).map(from_ms)
COUNTS = st.integers(0, MAX_WHOLE)
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
VALUES = st.dictionaries(NAMES, st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS, max_size=6)
SAMPLES = st.builds(Sample, MOMENTS, VALUES)
TELEMETRY = st.builds(
    Telemetry, COUNTS, COUNTS, st.just(value=True), st.lists(SAMPLES, min_size=1, max_size=5).map(tuple)
) | st.builds(Telemetry.live, COUNTS, COUNTS, MOMENTS, VALUES)
EVENTS = st.builds(
    Event, st.builds(new_ulid, MOMENTS), COUNTS, COUNTS, MOMENTS,
    st.sampled_from(["sos_pressed", "cancelled", "smoke"]),
    st.dictionaries(TEXTS, TEXTS | st.integers(-5, 5), max_size=3),
)  # fmt: skip
NOW = datetime(2026, 11, 20, 2, 14, 18, 204000, tzinfo=UTC)


def _refusal(kind: TopicKind, payload: bytes) -> BadInput | None:
    try:
        messages.decode(kind, payload)
    except BadInput as error:
        return error
    return None


@pytest.mark.parametrize(
    ("kind", "message"), [(kind, message) for kind, examples in EXAMPLES.items() for message in examples]
)
def test_every_example_survives_the_journey(kind: TopicKind, message: Message) -> None:
    """What is encoded is decoded to the same value."""
    assert messages.decode(kind, message.encode()) == message


@given(TELEMETRY)
def test_telemetry_survives_the_journey(telemetry: Telemetry) -> None:
    """Live and history, numbers, truth values and texts come back as they were sent."""
    assert messages.decode(TopicKind.UP_TELE, telemetry.encode()) == telemetry


@given(EVENTS)
def test_events_survive_the_journey(event: Event) -> None:
    """Identity, time and details come back as they were sent."""
    assert messages.decode(TopicKind.UP_EVT, event.encode()) == event


@given(st.sampled_from(TopicKind), st.binary(max_size=200))
def test_random_bytes_are_refused_with_a_documented_reason(kind: TopicKind, payload: bytes) -> None:
    """Nothing but BadInput comes out, and the documentation knows its reason."""
    error = _refusal(kind, payload)
    assert error is None or error.reason in REASONS


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "online", "a", "x" * 300, "\0", "01K8Z6Q8V0H4T6Y2N5R7W9X3AB"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["p", "ts", "x y", ""]), inner),
    max_leaves=6,
)  # fmt: skip


@given(st.data())
def test_a_good_message_with_one_strange_value_is_taken_or_refused(data: st.DataObject) -> None:
    """Any value at any key is read or refused with a documented reason; nothing else escapes."""
    kind = data.draw(st.sampled_from(TopicKind))
    document = orjson.loads(EXAMPLES[kind][0].encode())
    document[data.draw(st.sampled_from(sorted(document)))] = data.draw(ANYTHING)
    error = _refusal(kind, encode(document))
    assert error is None or (error.reason in REASONS and error.place.startswith("$"))


def _tele(**changes: object) -> bytes:
    good: dict[str, object] = {"ts": to_ms(NOW), "boot": 1, "seq": 2, "p": {"temp": 21.5}}
    return encode({key: value for key, value in {**good, **changes}.items() if value != "LEFT OUT"})


@pytest.mark.parametrize(
    ("payload", "reason", "place"),
    [
        (_tele(ts="LEFT OUT"), "missing_field", "$"),
        (_tele(boot=None), "missing_field", "$"),
        (_tele(boot=True), "wrong_type", "$.boot"),
        (_tele(boot="1"), "wrong_type", "$.boot"),
        (_tele(seq=1.0), "wrong_type", "$.seq"),
        (_tele(seq=-1), "out_of_range", "$.seq"),
        (_tele(seq=2**53), "out_of_range", "$.seq"),
        (_tele(ts=0), "time_out_of_range", "$.ts"),
        (_tele(ts=to_ms(NOW) // 1000), "time_out_of_range", "$.ts"),
        (_tele(ts=to_ms(NOW) * 1000), "time_out_of_range", "$.ts"),
        (_tele(ts=True), "wrong_type", "$.ts"),
        (_tele(p=[]), "wrong_type", "$.p"),
        (_tele(p={"temp": None}), "wrong_type", "$.p.temp"),
        (_tele(p={"temp": {"a": 1}}), "wrong_type", "$.p.temp"),
        (_tele(p={"temp": "x" * 257}), "out_of_range", "$.p.temp"),
        (_tele(p={"": 1}), "bad_name", "$.p"),
        (_tele(p={"te mp": 1}), "bad_name", "$.p"),
        (_tele(p={f"m{n}": 1 for n in range(129)}), "out_of_range", "$.p"),
        (_tele(batch=[{"ts": to_ms(NOW), "p": {}}]), "missing_field", "$"),
        (_tele(batch=[{"ts": to_ms(NOW), "p": {}}], hist=False), "contradiction", "$.hist"),
        (_tele(batch=[], hist=True), "out_of_range", "$.batch"),
        (_tele(batch=[{"ts": to_ms(NOW), "p": {"a": []}}], hist=True), "wrong_type", "$.batch[0].p.a"),
    ],
)
def test_a_refusal_names_the_place(payload: bytes, reason: str, place: str) -> None:
    """The JSON path says where the sender must look."""
    with pytest.raises(BadInput) as caught:
        messages.decode(TopicKind.UP_TELE, payload)
    assert (caught.value.reason, caught.value.place) == (reason, place)


def test_unknown_keys_are_ignored_and_not_kept() -> None:
    """A newer device may say more than we know."""
    read = messages.decode(TopicKind.UP_TELE, _tele(colour="red"))
    assert read == Telemetry.live(1, 2, NOW, {"temp": 21.5})
    assert b"colour" not in read.encode()


def test_whole_numbers_are_read_as_float_and_truth_values_stay() -> None:
    """A property's number is a float, and true is not 1.0."""
    read = messages.decode(TopicKind.UP_TELE, _tele(p={"n": 21, "b": True, "big": 2**63}))
    assert isinstance(read, Telemetry)
    assert read.samples[0].values == {"n": 21.0, "b": True, "big": float(2**63)}
    assert isinstance(read.samples[0].values["n"], float)
    assert read.samples[0].values["b"] is True


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_no_sender_can_say_a_number_that_is_none(value: float) -> None:
    """NaN is refused before it becomes a null on the wire, in properties and in details."""
    with pytest.raises(BadInput) as caught:
        Telemetry.live(1, 1, NOW, {"temp": value}).encode()
    assert caught.value.reason == "not_finite"
    with pytest.raises(BadInput):
        Event(new_ulid(NOW), 1, 1, NOW, "smoke", {"a": [{"b": value}]}).encode()


def test_an_optional_key_may_be_null() -> None:
    """A device that writes null for what it does not have is understood."""
    payload = encode({"id": new_ulid(NOW), "boot": 1, "seq": 1, "ts": to_ms(NOW), "e": "smoke", "d": None, "sig": None})
    read = messages.decode(TopicKind.UP_EVT, payload)
    assert isinstance(read, Event)
    assert (read.details, read.signature) == ({}, "")


def test_a_description_of_another_major_version_is_refused() -> None:
    """Version 2 may mean anything, so nothing else of it is read."""
    with pytest.raises(BadInput) as caught:
        messages.decode(TopicKind.META, b'{"v":2,"kind":"hologram"}')
    assert caught.value.reason == "unknown_version"


@pytest.mark.parametrize("bad", ["01k8z6q8v0h4t6y2n5r7w9x3ab", "81K8Z6Q8V0H4T6Y2N5R7W9X3AB", "", "x" * 26])
def test_an_event_id_is_a_ulid(bad: str) -> None:
    """The id is what makes repetitions recognisable, so its form is checked."""
    payload = encode({"id": bad, "boot": 1, "seq": 1, "ts": to_ms(NOW), "e": "smoke"})
    with pytest.raises(BadInput):
        messages.decode(TopicKind.UP_EVT, payload)


def test_time_is_exact_to_the_millisecond() -> None:
    """No floating point stands between the wire and a datetime."""
    receipt = Receipt(new_ulid(NOW), 1, 1, "recorded", from_ms(1795140858203), from_ms(1795140858999), "A20261120-0007")
    read = messages.decode(TopicKind.DOWN_RECEIPT, receipt.encode())
    assert isinstance(read, Receipt)
    assert to_ms(read.at) == 1795140858203
    assert read.now - read.at == timedelta(milliseconds=796)
