"""From a delivery to a fact, or to a counter with the reason."""

from datetime import UTC, datetime

import pytest

from gateway.contract import topics
from gateway.contract.messages import Event, Status, Telemetry
from gateway.contract.topics import TopicKind
from gateway.model.ids import new_ulid
from gateway.mqtt.session import Delivery
from gateway.runtime import metrics
from iot_rules.engine.facts import Happened, PresenceSaid, Sampled
from iot_rules.runner.hearing import SUBSCRIPTIONS, fact_of
from tests.kit.community import OTHER_AREA
from tests.kit.rules import AREA, DOOR_ID, REGISTRY

NOW = datetime(2026, 7, 19, 20, 0, tzinfo=UTC)
GOOD = Telemetry.live(1, 7, NOW, {"open": True}).encode()


def delivery(payload: bytes, kind: TopicKind = TopicKind.UP_TELE, *, topic: str = "", retain: bool = False) -> Delivery:
    return Delivery(topic or topics.build(AREA, DOOR_ID, kind), payload, 1, retain, 1, 1)


def test_each_kind_of_message_is_a_fact() -> None:
    """A report, an event and a status arrive with their identity; what is retained is marked so."""
    assert fact_of(delivery(GOOD), REGISTRY) == Sampled(DOOR_ID, 1, 7, NOW, {"open": True})
    event = Event(new_ulid(NOW), 2, 9, NOW, "tamper")
    heard = fact_of(delivery(event.encode(), TopicKind.UP_EVT), REGISTRY)
    assert heard == Happened(DOOR_ID, event.event_id, 2, 9, NOW, "tamper")
    said = fact_of(delivery(Status("offline", 3, NOW).encode(), TopicKind.STATUS, retain=True), REGISTRY)
    assert said == PresenceSaid(DOOR_ID, 3, NOW, "offline", is_retained=True)


def test_history_is_marked() -> None:
    """A batch from the past is told apart from a live report."""
    past = Telemetry(1, 8, history=True, samples=Telemetry.live(1, 8, NOW, {"open": True}).samples)
    fact = fact_of(delivery(past.encode()), REGISTRY)
    assert isinstance(fact, Sampled) and fact.is_history


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (delivery(b"{"), "broken_json"),
        (delivery(b'{"ts":1784491200000,"boot":1,"seq":1,"p":{"open":NaN}}'), "not_finite"),
        (delivery(b'{"boot":1,"seq":1,"p":{"open":true}}'), "missing_field"),
        (delivery(b"x" * 70_000), "oversized"),
        (delivery(GOOD, topic=f"linli/1/{OTHER_AREA}/{DOOR_ID}/up/tele"), "area_mismatch"),
        (delivery(GOOD, topic=f"linli/1/{AREA}/nobody/up/tele"), "unknown_device"),
        (delivery(GOOD, topic="linli/2/somewhere/else"), "unknown_topic"),
        (delivery(GOOD, topic=f"linli/1/{AREA}/{DOOR_ID}/down/cmd"), None),
    ],
)
def test_what_cannot_be_heard_is_counted_by_its_reason(bad: Delivery, reason: str | None) -> None:
    """Nothing is raised, nothing is passed on, and the counter of the reason rises by one."""
    before = metrics.dropped_count("rules", reason) if reason else 0
    assert fact_of(bad, REGISTRY) is None
    if reason:
        assert metrics.dropped_count("rules", reason) == before + 1


def test_it_listens_to_what_devices_say_and_to_nothing_else() -> None:
    """Events, measurements and presence of every device, at least once."""
    assert {one.filter for one in SUBSCRIPTIONS} == {f"linli/1/+/+/{what}" for what in ("up/evt", "up/tele", "status")}
    assert {one.qos for one in SUBSCRIPTIONS} == {1}
