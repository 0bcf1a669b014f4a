"""paho-mqtt on the asyncio loop: the only importer, one connection, manual acknowledgement, nothing decided here.

Every connection has a generation number; an acknowledgement for an older one is not sent, because the broker will
deliver that message again on its own.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway.model.errors import Unavailable
from gateway.runtime import logs
from gateway.runtime.settings import MqttSettings

log = logs.get(__name__)

KEEPALIVE_S = 15
CONNECT_PATIENCE_S = 5.0
PUBLISH_PATIENCE_S = 10.0
SESSION_EXPIRY_S = 7 * 24 * 3600
MQTT_5 = 5


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as it arrived; `mid` and `generation` are for its acknowledgement."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    mid: int
    generation: int


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says for us when we vanish."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = True


class PahoClient:
    """One MQTT connection; callbacks run on the loop. `connect` may be called again after a loss."""

    def __init__(
        self,
        settings: MqttSettings,
        client_id: str,
        on_delivery: Callable[[Delivery], None],
        *,
        receive_maximum: int = 100,
        will: Will | None = None,
    ) -> None:
        self._settings = settings
        self._receive_maximum = receive_maximum
        self._on_delivery = on_delivery
        self._client = self._make(client_id)
        if will is not None:
            self._client.will_set(will.topic, will.payload, will.qos, will.retain)
        self.generation = 0
        self.lost = asyncio.Event()
        self.lost.set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connected: asyncio.Future[bool] | None = None
        self._misc: asyncio.Task[None] | None = None
        self._published: dict[int, asyncio.Future[None]] = {}
        self._subscribed: dict[int, asyncio.Future[list[int]]] = {}

    def _make(self, client_id: str) -> paho.Client:
        is_five = self._settings.protocol == MQTT_5
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=None if is_five else False,
            protocol=paho.MQTTv5 if is_five else paho.MQTTv311,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        if self._settings.username:
            client.username_pw_set(self._settings.username, self._settings.password)
        client.max_inflight_messages_set(200)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_socket_open = self._on_socket_open
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_register_write
        client.on_socket_unregister_write = self._on_unregister_write
        return client

    @property
    def is_connected(self) -> bool:
        """Tell whether CONNACK came and the connection has not been lost since."""
        return not self.lost.is_set()

    async def connect(self) -> bool:
        """Connect and return SessionPresent; Unavailable where the broker is away or refuses."""
        self._loop = asyncio.get_running_loop()
        self._connected = self._loop.create_future()
        try:
            await self._loop.run_in_executor(None, self._connect_blocking)
            async with asyncio.timeout(CONNECT_PATIENCE_S):
                is_session_present = await self._connected
        except (OSError, ValueError, TimeoutError) as error:
            self._close()
            raise Unavailable(
                f"the broker is away ({type(error).__name__}: {error})",
                place=f"mqtt://{self._settings.host}:{self._settings.port}",
                cure="It is tried again.",
            ) from error
        except Unavailable:
            self._close()
            raise
        self._misc = self._loop.create_task(self._keep_alive(), name="mqtt-keepalive")
        return is_session_present

    def _connect_blocking(self) -> None:
        properties: dict[str, Any] = {}
        if self._settings.protocol == MQTT_5:
            wanted: Any = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            wanted.SessionExpiryInterval = SESSION_EXPIRY_S
            wanted.ReceiveMaximum = self._receive_maximum
            properties = {"clean_start": False, "properties": wanted}
        self._client.connect(self._settings.host, self._settings.port, KEEPALIVE_S, **properties)

    async def disconnect(self) -> None:
        """Say goodbye where there is a connection, and free everything."""
        if self.is_connected:
            self._client.disconnect()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self.lost.wait()
        self._close()

    def _close(self) -> None:
        if self._misc is not None:
            self._misc.cancel()
            self._misc = None
        with contextlib.suppress(Exception):
            self._client._sock_close()  # noqa: SLF001  paho offers no other way to drop a socket at once
        self._lose("closed")

    async def subscribe(self, subscriptions: Sequence[tuple[str, int]]) -> None:
        """Subscribe to (filter, qos) pairs; Unavailable where the broker refuses one."""
        wanted: Any = list(subscriptions)
        if self._settings.protocol == MQTT_5:
            wanted = [(topic, SubscribeOptions(qos=qos)) for topic, qos in subscriptions]
        _, mid = self._client.subscribe(wanted)
        codes = await self._answer(self._subscribed, mid)
        refused = [topic for (topic, _), code in zip(subscriptions, codes, strict=False) if code >= 0x80]
        if refused:
            raise Unavailable("the broker refuses a subscription", place=", ".join(refused), cure="See its ACL.")

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Publish and wait until the broker has acknowledged (QoS 1); Unavailable where it is away."""
        if not self.is_connected:
            raise Unavailable("not connected to the broker", place=topic, cure="It is tried again.")
        sent = self._client.publish(topic, payload, qos, retain)
        if qos:
            await self._answer(self._published, sent.mid)

    async def _answer(self, waiting: dict[int, asyncio.Future[Any]], mid: int | None) -> Any:
        if mid is None:
            raise Unavailable("not connected to the broker", place="mqtt", cure="It is tried again.")
        answer = waiting.setdefault(mid, asyncio.get_running_loop().create_future())
        try:
            async with asyncio.timeout(PUBLISH_PATIENCE_S):
                return await answer
        except TimeoutError as error:
            raise Unavailable("the broker did not answer", place="mqtt", cure="It is tried again.") from error
        finally:
            waiting.pop(mid, None)

    def acknowledge(self, delivery: Delivery) -> bool:
        """Send PUBACK where the connection is still the one that brought the message; tell whether it was sent."""
        if delivery.generation != self.generation or not self.is_connected:
            return False
        if delivery.qos:
            self._client.ack(delivery.mid, delivery.qos)
        return True

    # --- paho's callbacks; those of the socket may come from the connecting thread ---------------------------------

    def _on_connect(self, _client: Any, _data: Any, flags: Any, reason: Any, _properties: Any) -> None:
        waiting = self._connected
        if waiting is None or waiting.done():
            return
        if reason.is_failure:
            waiting.set_exception(
                Unavailable(
                    f"the broker refuses: {reason}",
                    place=f"mqtt://{self._settings.host}:{self._settings.port}",
                    cure="See [mqtt] username and password.",
                ),
            )
            return
        self.generation += 1
        self.lost.clear()
        waiting.set_result(bool(flags.session_present))

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._lose(str(reason))

    def _lose(self, reason: str) -> None:
        if not self.lost.is_set():
            log.info("mqtt_lost", reason=reason, generation=self.generation)
        self.lost.set()
        error = Unavailable(f"the broker went away ({reason})", place="mqtt", cure="It is tried again.")
        for waiting in [self._connected, *self._published.values(), *self._subscribed.values()]:
            if waiting is not None and not waiting.done():
                waiting.set_exception(error)
                waiting.exception()

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        delivery = Delivery(
            message.topic,
            bytes(message.payload),
            message.qos,
            message.retain,
            message.mid,
            self.generation,
        )
        self._on_delivery(delivery)

    def _on_publish(self, _client: Any, _data: Any, mid: int, *_more: Any) -> None:
        self._settle(self._published, mid, None)

    def _on_subscribe(self, _client: Any, _data: Any, mid: int, reasons: Any, *_more: Any) -> None:
        self._settle(self._subscribed, mid, [int(reason.value) for reason in reasons])

    def _settle(self, waiting: dict[int, asyncio.Future[Any]], mid: int, value: Any) -> None:
        assert self._loop is not None  # noqa: S101  callbacks come after connect
        answer = waiting.setdefault(mid, self._loop.create_future())
        if not answer.done():
            answer.set_result(value)

    def _on_socket_open(self, _client: Any, _data: Any, sock: Any) -> None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._on_loop(lambda: self._watch(sock))

    def _watch(self, sock: Any) -> None:
        if self._loop is not None and sock.fileno() >= 0:
            self._loop.add_reader(sock, self._read)

    def _read(self) -> None:
        self._client.loop_read()

    def _on_socket_close(self, _client: Any, _data: Any, sock: Any) -> None:
        if self._loop is not None and not self._loop.is_closed() and sock.fileno() >= 0:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)

    def _on_register_write(self, _client: Any, _data: Any, sock: Any) -> None:
        self._on_loop(lambda: self._watch_write(sock))

    def _watch_write(self, sock: Any) -> None:
        if self._loop is not None and sock.fileno() >= 0:
            self._loop.add_writer(sock, self._client.loop_write)

    def _on_unregister_write(self, _client: Any, _data: Any, sock: Any) -> None:
        if self._loop is not None and sock.fileno() >= 0:
            self._loop.remove_writer(sock)

    def _on_loop(self, act: Callable[[], None]) -> None:
        assert self._loop is not None  # noqa: S101  a socket exists only after connect
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            running = None
        if running is self._loop:
            act()
        else:
            self._loop.call_soon_threadsafe(act)

    async def _keep_alive(self) -> None:
        while self._client.loop_misc() == paho.MQTT_ERR_SUCCESS:  # noqa: ASYNC110  paho has to be asked
            await asyncio.sleep(1.0)
