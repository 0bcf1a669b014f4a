"""The second road carries the same event."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.contract.alarm_post import AlarmAnswer, AlarmPost
from gateway.contract.examples import ANSWER_EXAMPLE, EXAMPLES, POST_EXAMPLE
from gateway.contract.messages import Event
from gateway.contract.topics import TopicKind
from gateway.model.errors import BadInput


def test_both_roads_say_the_same_identity() -> None:
    """An event that is posted is the event that was published: id, boot, seq, time, kind, details."""
    (event,) = EXAMPLES[TopicKind.UP_EVT]
    assert isinstance(event, Event)
    posted = AlarmPost.decode(AlarmPost.of("stb-0501", event).encode())
    assert posted.event() == event
    assert posted.device_id == "stb-0501"


def test_the_answer_is_read_with_whatever_a_server_adds() -> None:
    """A server may add keys; a box reads number and state."""
    payload = ANSWER_EXAMPLE.encode().replace(b'"no":', b'"colour":"red","no":')
    assert AlarmAnswer.decode(payload) == ANSWER_EXAMPLE


@pytest.mark.parametrize("device", ["", "a/b", "#", "x" * 65])
def test_a_device_id_that_is_none_is_refused(device: str) -> None:
    """The body's device id has the form of a device id."""
    with pytest.raises(BadInput):
        AlarmPost.decode(POST_EXAMPLE.encode().replace(b'"stb-0501"', f'"{device}"'.encode()))


@given(st.binary(max_size=200))
def test_a_random_body_is_bad_input(payload: bytes) -> None:
    """Nothing but BadInput comes out of a body."""
    with pytest.raises(BadInput):
        AlarmPost.decode(payload)
