"""A plain device for tests: paho with automatic acknowledgement, publishing with a wait, and an inbox."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

PATIENCE_S = 10.0


@dataclass(slots=True)
class Peer:
    """One connected MQTT client; `inbox` holds (topic, payload) in the order they came."""

    client: paho.Client
    loop: asyncio.AbstractEventLoop
    inbox: "asyncio.Queue[tuple[str, bytes]]" = field(default_factory=asyncio.Queue)
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    refusal: str = ""

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Publish and return when the broker has acknowledged."""
        sent = self.client.publish(topic, payload, qos, retain)
        await asyncio.to_thread(sent.wait_for_publish, PATIENCE_S)
        assert sent.is_published(), f"{topic} was not acknowledged"

    async def next_message(self) -> tuple[str, bytes]:
        """Return the next message; TimeoutError when none comes."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.inbox.get()


@contextlib.asynccontextmanager
async def peer(
    host: str,
    port: int,
    name: str,
    password: str,
    *subscriptions: str,
    client_id: str = "",
) -> AsyncIterator[Peer]:
    """Connect (MQTT 3.1.1, which every broker here speaks); leaves at the end."""
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id or f"{name}-test",
        clean_session=True,
        protocol=paho.MQTTv311,
    )
    client.username_pw_set(name, password)
    one = Peer(client, asyncio.get_running_loop())

    def on_connect(_client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        one.refusal = str(reason) if reason.is_failure else ""
        for topic in subscriptions:
            client.subscribe(topic, 1)
        if not subscriptions or reason.is_failure:
            one.loop.call_soon_threadsafe(one.connected.set)

    def on_subscribe(*_told: Any) -> None:
        one.loop.call_soon_threadsafe(one.connected.set)

    def on_message(_client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        one.loop.call_soon_threadsafe(one.inbox.put_nowait, (message.topic, bytes(message.payload)))

    client.on_connect = on_connect
    client.on_subscribe = on_subscribe
    client.on_message = on_message
    await asyncio.to_thread(client.connect, host, port)
    client.loop_start()
    try:
        async with asyncio.timeout(PATIENCE_S):
            await one.connected.wait()
        yield one
    finally:
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)
