"""Every MQTT topic, built and parsed from one table; subscriptions and broker rules come from it too.

Rules. A topic is `linli/1/<area>/<device>/<what>`. The area is the 12-digit division code of the community, the
device id is a whole level and equals the MQTT username, so that four `pattern … %u` lines are the access rules of
every device. Two levels start with an underscore and are no device: `_all` (everybody in the area) and, in the
place of the area, `_gw` (a gateway's own presence). Whoever adds a topic adds one row to `ROUTES`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from gateway.model.errors import BadInput
from gateway.model.ids import is_area_id, is_device_id

ROOT: Final = "linli"
MAJOR: Final = "1"
EVERYBODY: Final = "_all"
GATEWAYS: Final = "_gw"


class TopicKind(StrEnum):
    """What a topic carries; the value is what stands behind the device in the topic."""

    STATUS = "status"
    META = "meta"
    UP_TELE = "up/tele"
    UP_EVT = "up/evt"
    UP_ACK = "up/ack"
    UP_LOG = "up/log"
    DOWN_CMD = "down/cmd"
    DOWN_WANT = "down/want"
    DOWN_RECEIPT = "down/receipt"
    DOWN_SYNC = "down/sync"
    DOWN_OTA = "down/ota"
    CAST = "cast"
    GATEWAY_STATUS = "gateway/status"


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the table: who writes the topic, how it is delivered, which gateway connection reads it."""

    kind: TopicKind
    is_from_device: bool
    qos: int
    retain: bool
    connection: str
    about: str

    @property
    def pattern(self) -> str:
        """The topic with `<area>`, `<device>` and `<shard>` for people to read."""
        if self.kind is TopicKind.GATEWAY_STATUS:
            return f"{ROOT}/{MAJOR}/{GATEWAYS}/<shard>/status"
        device = EVERYBODY if self.kind is TopicKind.CAST else "<device>"
        return f"{ROOT}/{MAJOR}/<area>/{device}/{self.kind}"


@dataclass(frozen=True, slots=True)
class Topic:
    """A parsed topic. `device_id` is empty for CAST; for GATEWAY_STATUS it is the shard and `area_id` is empty."""

    area_id: str
    device_id: str
    kind: TopicKind


class Subscription(NamedTuple):
    """One filter with its QoS, in the shape that SUBSCRIBE wants."""

    filter: str
    qos: int


ROUTES: Final[tuple[Route, ...]] = (
    Route(
        TopicKind.STATUS,
        is_from_device=True,
        qos=1,
        retain=True,
        connection="control",
        about="The device is there, asleep or gone; the will says offline with the boot it belongs to.",
    ),
    Route(
        TopicKind.META,
        is_from_device=True,
        qos=1,
        retain=True,
        connection="control",
        about="The device describes itself: model, firmware, parts, properties, events, actions.",
    ),
    Route(
        TopicKind.UP_TELE,
        is_from_device=True,
        qos=1,
        retain=False,
        connection="telemetry",
        about="Measurements: one live sample, or a batch of history, which never triggers a rule.",
    ),
    Route(
        TopicKind.UP_EVT,
        is_from_device=True,
        qos=1,
        retain=False,
        connection="alarms",
        about="Something happened once; repeated with the same identity until its receipt arrives.",
    ),
    Route(
        TopicKind.UP_ACK,
        is_from_device=True,
        qos=1,
        retain=False,
        connection="control",
        about="The device's answer to a command, a warning or a desired state.",
    ),
    Route(
        TopicKind.UP_LOG,
        is_from_device=True,
        qos=0,
        retain=False,
        connection="control",
        about="A line of the device's own log.",
    ),
    Route(
        TopicKind.DOWN_CMD,
        is_from_device=False,
        qos=1,
        retain=False,
        connection="",
        about="Do something before a deadline; repeated with the same id until the device acknowledges.",
    ),
    Route(
        TopicKind.DOWN_WANT,
        is_from_device=False,
        qos=1,
        retain=True,
        connection="",
        about="The desired state with its version.",
    ),
    Route(
        TopicKind.DOWN_RECEIPT,
        is_from_device=False,
        qos=1,
        retain=False,
        connection="",
        about="What became of an event; `recorded` is only said after the database commit.",
    ),
    Route(
        TopicKind.DOWN_SYNC,
        is_from_device=False,
        qos=1,
        retain=False,
        connection="",
        about="Please send status and meta again.",
    ),
    Route(
        TopicKind.DOWN_OTA,
        is_from_device=False,
        qos=1,
        retain=True,
        connection="",
        about="A firmware to install, with its digest and signature.",
    ),
    Route(
        TopicKind.CAST,
        is_from_device=False,
        qos=1,
        retain=False,
        connection="",
        about="An emergency or public warning for every device of the area.",
    ),
    Route(
        TopicKind.GATEWAY_STATUS,
        is_from_device=False,
        qos=1,
        retain=True,
        connection="",
        about="The gateway itself is there or gone.",
    ),
)

ROUTE_OF: Final[Mapping[TopicKind, Route]] = {route.kind: route for route in ROUTES}

#: What each of the gateway's three connections subscribes to.
SUBSCRIPTIONS: Final[Mapping[str, tuple[Subscription, ...]]] = {
    connection: tuple(
        Subscription(f"{ROOT}/{MAJOR}/+/+/{route.kind}", route.qos)
        for route in ROUTES
        if route.connection == connection
    )
    for connection in ("alarms", "telemetry", "control")
}

_DEVICE_KINDS: Final[Mapping[tuple[str, ...], TopicKind]] = {
    tuple(kind.split("/")): kind for kind in TopicKind if kind not in (TopicKind.CAST, TopicKind.GATEWAY_STATUS)
}


def parse(topic: str) -> Topic:
    """Return what `topic` says.

    Raises:
        BadInput: reason `unknown_topic`, `unknown_version` (another major), `bad_area` or `bad_device`.
    """
    levels = topic.split("/")
    if len(levels) < 5 or levels[0] != ROOT:
        raise _unknown(topic)
    if levels[1] != MAJOR:
        raise BadInput(
            f"major version {levels[1][:8]!r} is not known here",
            reason="unknown_version",
            place=_shown(topic),
            cure=f"Publish under {ROOT}/{MAJOR}/.",
        )
    area_id, device_id, tail = levels[2], levels[3], tuple(levels[4:])
    if area_id == GATEWAYS and tail == ("status",) and is_device_id(device_id):
        return Topic("", device_id, TopicKind.GATEWAY_STATUS)
    _check_area(area_id, topic)
    if device_id == EVERYBODY and tail == (TopicKind.CAST.value,):
        return Topic(area_id, "", TopicKind.CAST)
    kind = _DEVICE_KINDS.get(tail)
    if kind is None:
        raise _unknown(topic)
    _check_device(device_id, topic)
    return Topic(area_id, device_id, kind)


def build(area_id: str, device_id: str, kind: TopicKind) -> str:
    """Return the topic; the inverse of `parse`.

    Raises:
        BadInput: reason `bad_area` or `bad_device`.
    """
    if kind is TopicKind.GATEWAY_STATUS:
        _check_device(device_id, device_id)
        return f"{ROOT}/{MAJOR}/{GATEWAYS}/{device_id}/status"
    _check_area(area_id, area_id)
    if kind is TopicKind.CAST:
        return f"{ROOT}/{MAJOR}/{area_id}/{EVERYBODY}/{kind}"
    _check_device(device_id, device_id)
    return f"{ROOT}/{MAJOR}/{area_id}/{device_id}/{kind}"


def status(area_id: str, device_id: str) -> str:
    return build(area_id, device_id, TopicKind.STATUS)


def meta(area_id: str, device_id: str) -> str:
    return build(area_id, device_id, TopicKind.META)


def up_tele(area_id: str, device_id: str) -> str:
    return build(area_id, device_id, TopicKind.UP_TELE)


def up_evt(area_id: str, device_id: str) -> str:
    return build(area_id, device_id, TopicKind.UP_EVT)


def up_ack(area_id: str, device_id: str) -> str:
    return build(area_id, device_id, TopicKind.UP_ACK)


def up_log(area_id: str, device_id: str) -> str:
    return build(area_id, device_id, TopicKind.UP_LOG)


def down_cmd(area_id: str, device_id: str) -> str:
    return build(area_id, device_id, TopicKind.DOWN_CMD)


def down_want(area_id: str, device_id: str) -> str:
    return build(area_id, device_id, TopicKind.DOWN_WANT)


def down_receipt(area_id: str, device_id: str) -> str:
    return build(area_id, device_id, TopicKind.DOWN_RECEIPT)


def down_sync(area_id: str, device_id: str) -> str:
    return build(area_id, device_id, TopicKind.DOWN_SYNC)


def down_ota(area_id: str, device_id: str) -> str:
    return build(area_id, device_id, TopicKind.DOWN_OTA)


def cast(area_id: str) -> str:
    return build(area_id, "", TopicKind.CAST)


def gateway_status(shard: str) -> str:
    return build("", shard, TopicKind.GATEWAY_STATUS)


def device_subscriptions(area_id: str, device_id: str) -> tuple[Subscription, ...]:
    """What a device listens to: everything sent down to it, and warnings for its area."""
    _check_area(area_id, area_id)
    _check_device(device_id, device_id)
    return (
        Subscription(f"{ROOT}/{MAJOR}/{area_id}/{device_id}/down/#", 1),
        Subscription(cast(area_id), 1),
    )


def acl_patterns() -> tuple[str, ...]:
    """The access rules of every device, as lines of a Mosquitto ACL file (`%u` is the username)."""
    up = [
        f"pattern write {ROOT}/{MAJOR}/+/%u/{route.kind}"
        for route in ROUTES
        if route.is_from_device and not route.kind.startswith("up/")
    ]
    return (
        *up,
        f"pattern write {ROOT}/{MAJOR}/+/%u/up/#",
        f"pattern read {ROOT}/{MAJOR}/+/%u/down/#",
        f"pattern read {ROOT}/{MAJOR}/+/{EVERYBODY}/{TopicKind.CAST}",
    )


def _check_area(area_id: str, topic: str) -> None:
    if not is_area_id(area_id):
        raise BadInput(
            "the area is not a 12-digit division code",
            reason="bad_area",
            place=_shown(topic),
            cure="Use the community's code, such as 110105001001.",
        )


def _check_device(device_id: str, topic: str) -> None:
    if not is_device_id(device_id):
        raise BadInput(
            "the device id is not 1 to 64 letters, digits, '.', '_' or '-'",
            reason="bad_device",
            place=_shown(topic),
            cure="Use the id that the device is registered with.",
        )


def _unknown(topic: str) -> BadInput:
    return BadInput(
        "no such topic",
        reason="unknown_topic",
        place=_shown(topic),
        cure=f"Topics look like {ROOT}/{MAJOR}/<area>/<device>/up/tele; see docs/contract.md.",
    )


def _shown(topic: str) -> str:
    """At most 120 characters of a topic, with control characters made visible, for errors and logs."""
    text = topic if len(topic) <= 120 else topic[:119] + "…"
    return text if text.isprintable() else repr(text)
