"""Every fault on purpose is one: the contract refuses it, or the message is good and its content is the trap."""

import pytest

from firmware_stubs.device import Device, Identity
from firmware_stubs.faults import FAULTS
from firmware_stubs.settings import Broker
from gateway.contract import messages, topics
from gateway.model.errors import BadInput
from tests.firmware_stubs.conftest import AREA, DEVICE, META
from tests.kit.clock import FakeClock

REASON_OF = {
    "wrong_topic": "unknown_topic",
    "broken_json": "broken_json",
    "not_utf8": "broken_utf8",
    "too_deep": "too_deep",
    "too_long": "oversized",
    "not_a_number": "not_finite",
    "wrong_types": "wrong_type",
    "nineteen_seventy": "time_out_of_range",
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_has_its_reason(name: str, clock: FakeClock) -> None:
    """What the contract can refuse it refuses with this reason; the rest is for the gateway to notice."""
    device = Device(Broker(), Identity(AREA, DEVICE, ""), META, 5, clock)
    reasons = {_reason(nonsense.topic, nonsense.payload) for nonsense in FAULTS[name](device)}
    assert reasons == {REASON_OF.get(name, "")}


def _reason(topic: str, payload: bytes) -> str:
    try:
        messages.decode(topics.parse(topic).kind, payload)
    except BadInput as error:
        return error.reason
    return ""
