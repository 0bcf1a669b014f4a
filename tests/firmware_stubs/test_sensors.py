"""What devices measure is described, plausible, and the same for the same seed."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_stubs import history, meter
from firmware_stubs.sensors import EVENT_OF_CHANGE, PROFILES
from gateway.contract import messages
from gateway.contract.messages import Meta, Telemetry
from gateway.contract.topics import TopicKind

NOW = datetime(2026, 11, 20, 12, 34, 56, tzinfo=UTC)
MOMENTS = st.integers(0, 400 * 24 * 60).map(lambda minutes: NOW - timedelta(minutes=minutes))


@pytest.mark.parametrize("name", PROFILES)
@given(at=MOMENTS)
def test_every_measured_value_is_described_and_can_be_sent(name: str, at: datetime) -> None:
    """A profile measures only properties that its description names, with the datatype it names."""
    profile = PROFILES[name]
    described = {key: prop for part in profile.parts.values() for key, prop in part.properties.items()}
    values = profile.measure("seed", at)
    assert set(values) <= set(described)
    kinds = {"float": float, "integer": float, "boolean": bool, "string": str}
    assert all(type(value) is kinds[described[key].datatype] for key, value in values.items())
    assert messages.decode(TopicKind.UP_TELE, Telemetry.live(1, 1, at, values).encode())


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_describes_itself(name: str) -> None:
    """A description can be sent and read again."""
    meta = Meta("sensor", "Linli Stub", parts=PROFILES[name].parts)
    assert messages.decode(TopicKind.META, meta.encode()) == meta


def test_every_change_that_makes_an_event_is_of_a_described_property() -> None:
    """No event hangs on a property that nobody measures."""
    described = {key for profile in PROFILES.values() for part in profile.parts.values() for key in part.properties}
    assert {name for name, _ in EVENT_OF_CHANGE} <= described


@given(MOMENTS)
def test_a_household_uses_a_plausible_amount(at: datetime) -> None:
    """Ten minutes take 5 to 300 Wh, the same for the same seed and moment."""
    assert 5 <= meter.energy_wh("7/meter-0301", at) <= 300
    assert meter.energy_wh("7/meter-0301", at) == meter.energy_wh("7/meter-0301", at)


def test_a_day_of_a_household_is_a_day() -> None:
    """A day takes 2 to 20 kWh, and the evening more than the night."""
    midnight = datetime(2026, 11, 18, 16, tzinfo=UTC)  # local midnight
    day = [meter.energy_wh("7/meter-0301", midnight + meter.STEP * step) for step in range(1, 145)]
    assert 2000 < sum(day) < 20000
    assert sum(day[18 * 6 : 22 * 6]) > 1.5 * sum(day[0 : 4 * 6])


def test_history_has_every_step_once() -> None:
    """Two weeks of ten minutes: 2016 readings without gap or repetition, none in the future."""
    batches = list(history.days("meter", "7/meter-0301", NOW, 14))
    times = [sample.at for batch in batches for sample in batch.samples]
    assert len(times) == 14 * 144
    assert times == sorted(set(times))
    assert {later - earlier for earlier, later in itertools.pairwise(times)} == {meter.STEP}
    assert NOW - timedelta(hours=1) < times[-1] <= NOW
    assert all(batch.history for batch in batches)


def test_history_sent_later_repeats_identities_and_values() -> None:
    """An hour has one identity for ever, so sending the past again adds nothing."""
    for profile in ("meter", "air_station"):
        early = {(b.boot, b.seq): b for b in history.days(profile, "7/x", NOW, 14)}
        late = {(b.boot, b.seq): b for b in history.days(profile, "7/x", NOW + timedelta(hours=30), 14)}
        shared = set(early) & set(late)
        assert len(shared) == 14 * 24 - 30
        assert all(early[identity] == late[identity] for identity in shared)
