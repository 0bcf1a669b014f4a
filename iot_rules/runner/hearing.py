"""Hearing: an MQTT delivery becomes a fact for the engine, or is counted with the reason why not."""

from gateway.contract import messages, topics
from gateway.contract.topics import Subscription, TopicKind
from gateway.model.errors import BadInput
from gateway.mqtt.session import Delivery
from gateway.runtime import metrics
from iot_rules.engine.facts import Fact, Happened, PresenceSaid, Sampled
from iot_rules.engine.registry import Registry

HEARD = (TopicKind.UP_EVT, TopicKind.UP_TELE, TopicKind.STATUS)
SUBSCRIPTIONS = tuple(
    Subscription(f"{topics.ROOT}/{topics.MAJOR}/+/+/{kind}", topics.ROUTE_OF[kind].qos) for kind in HEARD
)


def fact_of(delivery: Delivery, registry: Registry) -> Fact | None:
    """Return the fact, or None after counting the reason; quarantine of what is wrong is the gateway's work."""
    try:
        return _read(delivery, registry)
    except BadInput as error:
        metrics.dropped("rules", error.reason)
        return None


def _read(delivery: Delivery, registry: Registry) -> Fact:
    topic = topics.parse(delivery.topic)
    device = registry.find(topic.device_id)
    if device is None:
        raise BadInput("the registry does not know this device", reason="unknown_device", place=topic.device_id)
    if device.area_id != topic.area_id:
        raise BadInput("the device belongs to another area", reason="area_mismatch", place=topic.device_id)
    said = messages.decode(topic.kind, delivery.payload)
    match said:
        case messages.Telemetry():
            sample = said.samples[-1]
            return Sampled(device.device_id, said.boot, said.seq, sample.at, sample.values, is_history=said.history)
        case messages.Event():
            return Happened(device.device_id, said.event_id, said.boot, said.seq, said.at, said.kind)
        case messages.Status():
            return PresenceSaid(device.device_id, said.boot, said.at, said.state, is_retained=delivery.retain)
        case _:
            raise BadInput("rules do not listen to this", reason="not_for_rules", place=delivery.topic)
