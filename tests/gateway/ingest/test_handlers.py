from datetime import timedelta

import pytest

from gateway.contract.messages import Sample, Telemetry
from gateway.ingest.handlers import readings_of
from gateway.ingest.settings import GatewaySettings
from gateway.model.errors import BadInput
from tests.kit.clock import BEGINNING
from tests.kit.community import DEVICES

METER = next(device for device in DEVICES if device.kind == "meter")
SETTINGS = GatewaySettings()


def telemetry(age: timedelta, *, history: bool = False) -> Telemetry:
    sample = Sample(BEGINNING - age, {"power": 5, "on": False, "mode": "eco"})
    return Telemetry(3, 9, history=history, samples=(sample,))


def test_each_value_of_a_sample_is_one_reading() -> None:
    """Numbers and switches become values, words stay words; identity and time go along."""
    readings = readings_of(METER, telemetry(timedelta()), BEGINNING, SETTINGS)
    assert {(r.metric, r.value, r.text_value) for r in readings} == {
        ("power", 5.0, None),
        ("on", 0.0, None),
        ("mode", None, "eco"),
    }
    assert {(r.device_id, r.boot, r.seq, r.at) for r in readings} == {("meter-0301", 3, 9, BEGINNING)}


@pytest.mark.parametrize(
    ("age", "history", "reason"),
    [
        (timedelta(seconds=-601), False, "future_timestamp"),
        (timedelta(seconds=-601), True, "future_timestamp"),
        (timedelta(days=7, seconds=1), False, "ancient_timestamp"),
        (timedelta(days=800, seconds=1), True, "ancient_timestamp"),
    ],
)
def test_a_time_that_cannot_be_is_refused_with_its_cure(age: timedelta, history: bool, reason: str) -> None:
    """Beyond the limits a message is refused under its own reason and told what to do."""
    with pytest.raises(BadInput) as refused:
        readings_of(METER, telemetry(age, history=history), BEGINNING, SETTINGS)
    assert refused.value.reason == reason
    assert refused.value.cure


@pytest.mark.parametrize(("age", "history"), [(timedelta(seconds=-599), False), (timedelta(days=799), True)])
def test_a_time_inside_the_limits_is_taken(age: timedelta, history: bool) -> None:
    """A clock that is a little fast and a batch from two years ago are both fine."""
    assert readings_of(METER, telemetry(age, history=history), BEGINNING, SETTINGS)
