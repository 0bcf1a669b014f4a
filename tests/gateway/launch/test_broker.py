"""The embedded broker: who may enter, who may say and hear what; asked by a real client over TCP."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from gateway.launch.broker import EmbeddedBroker, Secrets, may_publish, may_subscribe
from gateway.model.errors import ConfigurationError
from gateway.runtime.settings import MqttSettings

AREA = "110105001001"
OWN = f"linli/1/{AREA}/sos-0301"
OTHER = f"linli/1/{AREA}/sos-0302"
PASSWORDS = {"sos-0301": "one", "sos-0302": "two"}


@pytest.mark.parametrize(
    ("topic", "is_allowed"),
    [
        (f"{OWN}/up/evt", True),
        (f"{OWN}/status", True),
        (f"{OWN}/meta", True),
        (f"{OTHER}/up/evt", False),
        (f"{OWN}/down/cmd", False),
        (f"linli/1/{AREA}/_all/cast", False),
        (f"linli/2/{AREA}/sos-0301/up/evt", False),
        (f"evil/linli/1/{AREA}/sos-0301/up/evt", False),
        ("linli/1/sos-0301", False),
        ("", False),
    ],
)
def test_device_publishes_below_its_own_name_only(topic: str, *, is_allowed: bool) -> None:
    """A device may publish its status, meta and up/* in whatever area, and nothing else."""
    assert may_publish("sos-0301", topic) is is_allowed


@pytest.mark.parametrize(
    ("topic_filter", "is_allowed"),
    [
        (f"{OWN}/down/#", True),
        ("linli/1/+/sos-0301/down/receipt", True),
        (f"linli/1/{AREA}/_all/cast", True),
        (f"{OTHER}/down/#", False),
        (f"linli/1/{AREA}/+/down/#", False),
        ("linli/1/#", False),
        ("#", False),
        (f"{OWN}/up/#", False),
        (f"linli/1/{AREA}/_all/#", False),
        (f"linli/1/{AREA}/_all/cast/more", False),
    ],
)
def test_device_subscribes_to_its_own_orders_and_broadcasts_only(topic_filter: str, *, is_allowed: bool) -> None:
    """A device may hear its own down/* and the broadcasts of a community; no wildcard opens more."""
    assert may_subscribe("sos-0301", topic_filter) is is_allowed


def test_new_devices_need_no_restart(tmp_path: Path) -> None:
    """Passwords are read again when their file changes; a missing file lets nobody in."""
    file = tmp_path / "devices.json"
    secrets = Secrets(file)
    assert secrets.password("sos-0301") == ""
    file.write_text(json.dumps({"sos-0301": "one"}))
    assert secrets.password("sos-0301") == "one"
    assert secrets.password("sos-0302") == ""


@pytest.fixture
async def broker(tmp_path: Path, free_port: int) -> AsyncIterator[EmbeddedBroker]:
    devices = tmp_path / "devices.json"
    devices.write_text(json.dumps(PASSWORDS))
    settings = MqttSettings(host="127.0.0.1", port=free_port, username="gateway", password="hub", protocol=4)
    broker = EmbeddedBroker(settings, devices)
    await broker.start()
    yield broker
    await broker.stop()
    await broker.stop()


@dataclass
class Client:
    """One connection over TCP, driven by the test's own loop in a thread."""

    broker: EmbeddedBroker
    username: str
    password: str
    client_id: str = ""
    heard: list[tuple[str, bytes]] = field(default_factory=list)
    granted: list[int] = field(default_factory=list)
    code: int = -1

    def __post_init__(self) -> None:
        name = self.client_id or f"{self.username}-1"
        self.paho = paho.Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)
        self.paho.username_pw_set(self.username, self.password)
        self.paho.on_connect = lambda _c, _u, _f, code, _p: setattr(self, "code", int(code.value))
        self.paho.on_message = lambda _c, _u, message: self.heard.append((message.topic, bytes(message.payload)))
        self.paho.on_subscribe = lambda _c, _u, _m, codes, _p: self.granted.extend(int(code.value) for code in codes)

    async def connect(self) -> "Client":
        port = int(self.broker.url.rsplit(":", 1)[1])
        await asyncio.to_thread(self.paho.connect, "127.0.0.1", port)
        self.paho.loop_start()
        await _until(lambda: self.code >= 0)
        return self

    async def subscribe(self, topic: str) -> int:
        before = len(self.granted)
        self.paho.subscribe(topic, 1)
        await _until(lambda: len(self.granted) > before)
        return self.granted[-1]

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish with QoS 1 and wait for the broker's word."""
        await asyncio.to_thread(self.paho.publish(topic, payload, 1, retain).wait_for_publish, 5)

    async def close(self) -> None:
        self.paho.disconnect()
        await asyncio.to_thread(self.paho.loop_stop)


async def _until(is_so: Callable[[], object], patience_s: float = 5.0) -> None:
    async with asyncio.timeout(patience_s):
        while not is_so():
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def connected(broker: EmbeddedBroker, username: str, client_id: str = "") -> AsyncIterator[Client]:
    password = {**PASSWORDS, "gateway": "hub"}[username]
    client = await Client(broker, username, password, client_id).connect()
    assert client.code == 0
    try:
        yield client
    finally:
        await client.close()


@pytest.mark.parametrize(
    ("username", "password", "client_id"),
    [
        ("sos-0301", "wrong", ""),
        ("sos-0301", "", ""),
        ("sos-0301", "two", ""),
        ("nobody", "one", ""),
        ("", "", "anonymous"),
        ("gateway", "one", ""),
        ("sos-0301", "one", "gateway-alarms"),
    ],
)
async def test_strangers_stay_outside(broker: EmbeddedBroker, username: str, password: str, client_id: str) -> None:
    """A wrong, empty or another's password, no name, or another's client id is refused."""
    client = await Client(broker, username, password, client_id).connect()
    assert client.code != 0
    await client.close()


async def test_messages_pass_as_the_rules_allow(broker: EmbeddedBroker) -> None:
    """The hub hears a device's events; a device hears its own receipts, not another's, and cannot speak for others."""
    async with (
        connected(broker, "gateway") as hub,
        connected(broker, "sos-0301") as device,
        connected(broker, "sos-0302") as neighbour,
    ):
        assert await hub.subscribe("linli/1/+/+/up/evt") == 1
        assert await device.subscribe(f"{OWN}/down/#") == 1
        assert await neighbour.subscribe(f"{OWN}/down/#") == 0x80
        await neighbour.publish(f"{OWN}/up/evt", b"forged")
        await device.publish(f"{OWN}/up/evt", b"pressed")
        await _until(lambda: hub.heard)
        await hub.publish(f"{OWN}/down/receipt", b"recorded")
        await _until(lambda: device.heard)
    assert hub.heard == [(f"{OWN}/up/evt", b"pressed")]
    assert device.heard == [(f"{OWN}/down/receipt", b"recorded")]
    assert neighbour.heard == []


async def test_session_keeps_messages_for_an_absent_hub(broker: EmbeddedBroker) -> None:
    """What is published while the hub is away is delivered when it comes back with the same client id."""
    async with connected(broker, "gateway", "hub-alarms") as hub:
        await hub.subscribe("linli/1/+/+/up/evt")
    async with connected(broker, "sos-0301") as device:
        for number in range(20):
            await device.publish(f"{OWN}/up/evt", b"%d" % number)
    async with connected(broker, "gateway", "hub-alarms") as hub:
        await _until(lambda: len(hub.heard) == 20)
    assert sorted(int(payload) for _, payload in hub.heard) == list(range(20))


async def test_no_message_is_lost_while_others_subscribe(broker: EmbeddedBroker) -> None:
    """Devices that subscribe and leave in the middle of a stream break neither a message nor a connection."""
    async with (
        connected(broker, "gateway", "rules") as rules,
        connected(broker, "gateway", "hub") as hub,
        connected(broker, "sos-0301") as device,
    ):
        await rules.subscribe("linli/1/+/+/up/+")
        await hub.subscribe("linli/1/+/+/up/evt")

        async def come_and_go(turn: int) -> None:
            async with connected(broker, "sos-0302", f"sos-0302-{turn}") as neighbour:
                await neighbour.subscribe(f"linli/1/+/sos-0302/down/cmd{turn}")

        coming = asyncio.gather(*(come_and_go(turn) for turn in range(40)))
        number = 0
        while not coming.done():
            device.paho.publish(f"{OWN}/up/evt", b"%d" % number, 1)
            number += 1
            await asyncio.sleep(0.001)
        await coming
        await _until(lambda: len(hub.heard) >= number)
    assert {int(payload) for _, payload in hub.heard} == set(range(number))


async def test_status_is_retained_for_who_comes_later(broker: EmbeddedBroker) -> None:
    """A retained status is told to a subscriber that comes after it."""
    async with connected(broker, "sos-0301") as device, connected(broker, "gateway") as hub:
        await device.publish(f"{OWN}/status", b"online", retain=True)
        await hub.subscribe("linli/1/+/+/status")
        await _until(lambda: hub.heard)
    assert hub.heard == [(f"{OWN}/status", b"online")]


async def test_taken_port_and_missing_password_are_told(broker: EmbeddedBroker, tmp_path: Path) -> None:
    """A second broker on the same port, or one without a password for programs, says what to do."""
    port = int(broker.url.rsplit(":", 1)[1])
    settings = MqttSettings(host="127.0.0.1", port=port, password="hub")
    second = EmbeddedBroker(settings, tmp_path / "none.json")
    with pytest.raises(ConfigurationError, match=f"port {port} cannot be opened"):
        await second.start()
    with pytest.raises(ConfigurationError, match="need a password"):
        await EmbeddedBroker(MqttSettings(port=port), tmp_path / "none.json").start()
