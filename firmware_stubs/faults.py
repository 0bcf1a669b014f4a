"""A device that misbehaves on purpose: each fault is a few messages that a gateway must refuse, count and survive."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from firmware_stubs.device import Device
from gateway.contract import topics
from gateway.contract.codec import encode
from gateway.contract.limits import MAX_PAYLOAD_BYTES
from gateway.contract.messages import Event, Status, Telemetry
from gateway.contract.times import to_ms
from gateway.model.ids import new_ulid

_OTHER_AREA: Final = "110105001002"
_FLOOD: Final = 2000


@dataclass(frozen=True, slots=True)
class Nonsense:
    """One message: any topic, any bytes."""

    topic: str
    payload: bytes
    retain: bool = False


Fault = Callable[[Device], Iterator[Nonsense]]


def _tele(device: Device) -> str:
    return topics.up_tele(device.identity.area_id, device.identity.device_id)


def _good(device: Device, seq: int = 1, at: datetime | None = None) -> bytes:
    return Telemetry.live(device.boot, seq, at or device.clock.now(), {"temp": 21.0}).encode()


def _raw(device: Device, text: str) -> Iterator[Nonsense]:
    facts = f'"ts":{to_ms(device.clock.now())},"boot":{device.boot},"seq":1'
    yield Nonsense(_tele(device), text.replace("FACTS", facts).encode())


def wrong_topic(device: Device) -> Iterator[Nonsense]:
    """A topic that no table knows."""
    yield Nonsense(_tele(device).replace("up/tele", "up/telemetry"), _good(device))


def other_area(device: Device) -> Iterator[Nonsense]:
    """The right device under the area of another community."""
    yield Nonsense(topics.up_tele(_OTHER_AREA, device.identity.device_id), _good(device))


def other_device(device: Device) -> Iterator[Nonsense]:
    """Somebody else's device: the broker's access rules must stop it."""
    yield Nonsense(topics.up_evt(device.identity.area_id, "stb-9999"), _event(device))


def broken_json(device: Device) -> Iterator[Nonsense]:
    """JSON that ends too early."""
    yield from _raw(device, '{FACTS,"p":{"temp":21.')


def not_utf8(device: Device) -> Iterator[Nonsense]:
    """Bytes that are no text."""
    yield Nonsense(_tele(device), b'{"ts":\xff\xfe}')


def too_deep(device: Device) -> Iterator[Nonsense]:
    """Objects in objects in objects."""
    yield Nonsense(_tele(device), b'{"p":' * 2000 + b"1" + b"}" * 2000)


def too_long(device: Device) -> Iterator[Nonsense]:
    """A little more than the limit."""
    yield Nonsense(_tele(device), b'{"note":"' + b"x" * MAX_PAYLOAD_BYTES + b'"}')


def not_a_number(device: Device) -> Iterator[Nonsense]:
    """NaN, as some printers of floats write it."""
    yield from _raw(device, '{FACTS,"p":{"temp":NaN}}')


def wrong_types(device: Device) -> Iterator[Nonsense]:
    """Texts for numbers, a list for an object, a truth value for a count."""
    yield Nonsense(_tele(device), encode({"ts": "now", "boot": True, "seq": 1.5, "p": []}))


def future(device: Device) -> Iterator[Nonsense]:
    """A clock that is a year ahead."""
    yield Nonsense(_tele(device), _good(device, at=device.clock.now() + timedelta(days=365)))


def ancient(device: Device) -> Iterator[Nonsense]:
    """A clock that never was set."""
    yield Nonsense(_tele(device), _good(device, at=datetime(2000, 1, 1, 0, 0, 7, tzinfo=UTC)))


def nineteen_seventy(device: Device) -> Iterator[Nonsense]:
    """Zero as a time."""
    yield Nonsense(_tele(device), encode({"ts": 0, "boot": device.boot, "seq": 1, "p": {"temp": 21.0}}))


def duplicate(device: Device) -> Iterator[Nonsense]:
    """The same message five times."""
    payload = _good(device)
    for _ in range(5):
        yield Nonsense(_tele(device), payload)


def out_of_order(device: Device) -> Iterator[Nonsense]:
    """Sequence numbers that go backwards."""
    for seq in (9, 3, 7, 1):
        yield Nonsense(_tele(device), _good(device, seq, device.clock.now() - timedelta(seconds=10 - seq)))


def stale_will(device: Device) -> Iterator[Nonsense]:
    """An offline of a boot that is long over."""
    topic = topics.status(device.identity.area_id, device.identity.device_id)
    yield Nonsense(topic, Status("offline", max(0, device.boot - 1), device.clock.now()).encode(), retain=True)


def flood(device: Device) -> Iterator[Nonsense]:
    """Thousands of good messages at once."""
    now = device.clock.now()
    for seq in range(_FLOOD):
        yield Nonsense(_tele(device), _good(device, seq, now + timedelta(milliseconds=seq)))


FAULTS: Final[Mapping[str, Fault]] = {
    fault.__name__: fault
    for fault in (
        wrong_topic,
        other_area,
        other_device,
        broken_json,
        not_utf8,
        too_deep,
        too_long,
        not_a_number,
        wrong_types,
        future,
        ancient,
        nineteen_seventy,
        duplicate,
        out_of_order,
        stale_will,
        flood,
    )
}


async def commit(device: Device, name: str) -> int:
    """Let a connected device do what the fault `name` says; returns how many messages it sent."""
    count = 0
    for nonsense in FAULTS[name](device):
        await device.publish_raw(nonsense.topic, nonsense.payload, retain=nonsense.retain)
        count += 1
    return count


def _event(device: Device) -> bytes:
    now = device.clock.now()
    return Event(new_ulid(now), device.boot, 1, now, "sos_pressed").encode()
