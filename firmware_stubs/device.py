"""One simulated device on MQTT: identity, presence with its will, reconnection with jitter; the stubs' only paho."""

import asyncio
import contextlib
import random
import socket
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from firmware_stubs import log
from firmware_stubs.clock import Clock, DeviceClock
from firmware_stubs.settings import Broker
from gateway.contract import messages, topics
from gateway.contract.messages import Message, Meta, Status, Sync
from gateway.contract.topics import Subscription, TopicKind
from gateway.model.errors import BadInput, Unavailable

KEEPALIVE_S = 30
SESSION_EXPIRY_S = 24 * 3600
#: How long CONNACK may take, by protocol; a broker without MQTT 5 may simply say nothing to it.
CONNECT_PATIENCE_S = {5: 2.5, 4: 5.0}
PUBACK_PATIENCE_S = 10.0
FIRST_PAUSE_S = 0.3
LONGEST_PAUSE_S = 20.0
_MQTT_5 = 5
_MQTT_3 = 4
_BAD_VERSION = "Unsupported protocol version"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a device is: its community, its id (also the MQTT username and client id) and its password.

    With an `alarm_key` it signs its events, and believes no receipt that is not signed.
    """

    area_id: str
    device_id: str
    password: str
    household_id: str = ""
    alarm_key: bytes | None = field(default=None, repr=False)


class Line:
    """One MQTT connection, used once: `open`, then publish and receive, until `lost` is set or `close`."""

    def __init__(
        self,
        broker: Broker,
        identity: Identity,
        will: bytes,
        on_message: Callable[[str, bytes], None],
    ) -> None:
        self._broker = broker
        self._on_message = on_message
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._connack: asyncio.Future[bool] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._socket: socket.socket | None = None
        self._misc: asyncio.Task[None] | None = None
        self.was_open = False
        self.was_answered = False
        self.lost = asyncio.Event()
        self._client = self._make(identity)
        self._client.will_set(topics.status(identity.area_id, identity.device_id), will, 1, retain=True)

    def _make(self, identity: Identity) -> paho.Client:
        is_five = self._broker.protocol == _MQTT_5
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=identity.device_id,
            clean_session=None if is_five else False,
            protocol=paho.MQTTv5 if is_five else paho.MQTTv311,
            reconnect_on_failure=False,
        )
        client.username_pw_set(identity.device_id, identity.password)
        client.max_inflight_messages_set(100)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_message = lambda _client, _data, message: self._on_message(message.topic, bytes(message.payload))
        client.on_publish = lambda _client, _data, mid, *_more: self._settle(mid)
        client.on_subscribe = lambda _client, _data, mid, *_more: self._settle(mid)
        return client

    async def open(self) -> bool:
        """Connect and return whether the broker still had this device's session.

        Raises:
            Unavailable: nobody answers, or the broker refuses; the message says why.
        """
        self._loop = asyncio.get_running_loop()
        self._connack = self._loop.create_future()
        try:
            await self._loop.run_in_executor(None, self._dial)
            self.was_open = True
            self._watch()
            async with asyncio.timeout(CONNECT_PATIENCE_S[self._broker.protocol]):
                has_session = await self._connack
        except (OSError, TimeoutError, ValueError) as error:
            self.close()
            where = f"mqtt://{self._broker.host}:{self._broker.port}"
            raise Unavailable(f"no broker ({type(error).__name__}: {error})", place=where) from error
        except BaseException:
            self.close()
            raise
        self._misc = self._loop.create_task(self._keep_alive(), name="stub-keepalive")
        return has_session

    def _dial(self) -> None:
        options: dict[str, Any] = {}
        if self._broker.protocol == _MQTT_5:
            wanted: Any = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            wanted.SessionExpiryInterval = SESSION_EXPIRY_S
            options = {"clean_start": False, "properties": wanted}
        self._client.connect(self._broker.host, self._broker.port, KEEPALIVE_S, **options)

    def _watch(self) -> None:
        sock: Any = self._client.socket()
        if sock is None or self._loop is None:
            raise Unavailable("the broker hung up", place=f"mqtt://{self._broker.host}:{self._broker.port}")
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = sock
        self._client.on_socket_close = lambda *_: self._unwatch()
        self._loop.add_reader(sock, self._client.loop_read)
        self._flush()

    def _unwatch(self) -> None:
        sock, self._socket = self._socket, None
        if sock is not None and self._loop is not None and sock.fileno() >= 0:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)

    def _flush(self) -> None:
        """Let the loop write what paho could not write at once."""
        if self._socket is None or self._loop is None:
            return
        if self._client.want_write():
            self._loop.add_writer(self._socket, self._write)
        else:
            self._loop.remove_writer(self._socket)

    def _write(self) -> None:
        self._client.loop_write()
        self._flush()

    async def subscribe(self, subscriptions: tuple[Subscription, ...]) -> None:
        """Subscribe, and return when the broker has answered; Unavailable where the line breaks before."""
        _, mid = self._client.subscribe([(wanted.filter, wanted.qos) for wanted in subscriptions])
        await self._answer(mid)

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Publish and, with QoS 1, return when the broker has acknowledged; Unavailable where it does not."""
        if self.lost.is_set():
            raise Unavailable("not connected", place=topic)
        sent = self._client.publish(topic, payload, qos, retain)
        self._flush()
        if qos:
            await self._answer(sent.mid)

    async def _answer(self, mid: int | None) -> None:
        if mid is None or self._loop is None:
            raise Unavailable("not connected")
        answer = self._waiting.setdefault(mid, self._loop.create_future())
        try:
            async with asyncio.timeout(PUBACK_PATIENCE_S):
                await answer
        except TimeoutError as error:
            raise Unavailable("the broker does not answer") from error
        finally:
            self._waiting.pop(mid, None)

    def _settle(self, mid: int) -> None:
        if self._loop is not None:
            answer = self._waiting.setdefault(mid, self._loop.create_future())
            if not answer.done():
                answer.set_result(None)

    def _connected(self, _client: Any, _data: Any, flags: Any, reason: Any, _properties: Any) -> None:
        self.was_answered = reason != _BAD_VERSION
        if self._connack is None or self._connack.done():
            return
        if reason.is_failure:
            self._connack.set_exception(Unavailable(f"the broker refuses: {reason}"))
        else:
            self._connack.set_result(bool(flags.session_present))

    def _disconnected(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._lose(f"the line broke ({reason})")

    def _lose(self, why: str) -> None:
        self.lost.set()
        for answer in (self._connack, *self._waiting.values()):
            if answer is not None and not answer.done():
                answer.set_exception(Unavailable(why))
                answer.exception()

    async def _keep_alive(self) -> None:
        while not self.lost.is_set() and self._client.loop_misc() == paho.MQTT_ERR_SUCCESS:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self.lost.wait()
        self._lose("the broker is silent")

    async def goodbye(self) -> None:
        """Disconnect in good order, so that the broker does not send the will."""
        if not self.lost.is_set():
            self._client.disconnect()
            self._flush()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await self.lost.wait()
        self.close()

    def drop(self) -> None:
        """Cut the line without a word, as a power cut does: the broker sends the will."""
        self.close()

    def close(self) -> None:
        """Free everything; also before `open`, also twice."""
        if self._misc is not None:
            self._misc.cancel()
            self._misc = None
        self._unwatch()
        with contextlib.suppress(OSError, ValueError):
            self._client._sock_close()  # noqa: SLF001 - paho has no public way to drop a socket at once
        self._lose("closed")


class Device:
    """A device that stays connected: says who it is, answers `sync`, comes back after every loss.

    `on_message` gets every message sent down to it. `connected` is set while the line stands and the device is
    subscribed. `publish` waits for the broker's PUBACK, which proves nothing about storage.
    """

    def __init__(self, broker: Broker, identity: Identity, meta: Meta, boot: int, clock: Clock) -> None:
        self.identity = identity
        self.boot = boot
        self.clock = DeviceClock(clock)
        self.connected = asyncio.Event()
        self.on_message: Callable[[Message], None] = lambda _message: None
        self.is_sleeping = False
        self._protocol_is_known = False
        self._meta = meta
        self._broker = broker
        self._line: Line | None = None
        self._task: asyncio.Task[None] | None = None
        self._errands: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to connect; `connected` tells when it has succeeded."""
        self._task = asyncio.create_task(self._stay_connected(), name=f"stub-{self.identity.device_id}")

    async def stop(self) -> None:
        """Say offline, disconnect and free everything; also before `start`, also twice."""
        task, self._task = self._task, None
        line = self._line
        if line is not None and self.connected.is_set():
            with contextlib.suppress(Unavailable, TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._say("offline", line)
            await line.goodbye()
        for running in (task, *self._errands):
            if running is not None:
                running.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await running
        self.cut()

    def cut(self) -> None:
        """Lose the line at once and without a word; a running device comes back by itself."""
        if self._line is not None:
            self._line.drop()

    async def publish(self, kind: TopicKind, message: Message) -> None:
        """Publish one of this device's messages; Unavailable while it is not connected."""
        route = topics.ROUTE_OF[kind]
        topic = topics.build(self.identity.area_id, self.identity.device_id, kind)
        await self.publish_raw(topic, message.encode(), qos=route.qos, retain=route.retain)

    async def publish_raw(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Publish any bytes anywhere: what a broken device does."""
        if self._line is None or not self.connected.is_set():
            raise Unavailable("not connected", place=topic)
        await self._line.publish(topic, payload, qos=qos, retain=retain)

    def run_errand(self, errand: Coroutine[Any, Any, None]) -> None:
        """Run something small beside; it ends with the device and may meet a broken line."""
        task = asyncio.get_running_loop().create_task(self._quietly(errand))
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _quietly(self, errand: Coroutine[Any, Any, None]) -> None:
        try:
            await errand
        except Unavailable as error:
            log.dropped("answer_not_sent", device=self.identity.device_id, why=str(error))

    async def _stay_connected(self) -> None:
        pause_s = 0.0
        while True:
            try:
                await self._one_connection()
                pause_s = 0.0
            except Unavailable as error:
                log.warning("not_connected", device=self.identity.device_id, why=str(error))
                self._try_other_protocol()
            finally:
                self.connected.clear()
            pause_s = next_pause_s(pause_s)
            await asyncio.sleep(pause_s)

    def _try_other_protocol(self) -> None:
        """A broker without MQTT 5 hangs up on it or says nothing at all, so the next attempt is made with the other.

        Once a line has stood, the protocol is known and stays.
        """
        line = self._line
        if line is None or self._protocol_is_known or not line.was_open or line.was_answered:
            return
        other = _MQTT_3 if self._broker.protocol == _MQTT_5 else _MQTT_5
        self._broker = replace(self._broker, protocol=other)
        log.info("trying_protocol", device=self.identity.device_id, protocol=other)

    async def _one_connection(self) -> None:
        will = Status("offline", self.boot, self.clock.now()).encode()
        self._line = line = Line(self._broker, self.identity, will, self._receive)
        try:
            has_session = await line.open()
            self._protocol_is_known = True
            await line.subscribe(topics.device_subscriptions(self.identity.area_id, self.identity.device_id))
            await self._introduce(line)
            self.connected.set()
            log.info("connected", device=self.identity.device_id, boot=self.boot, session=has_session)
            await line.lost.wait()
        finally:
            line.close()

    async def _introduce(self, line: Line) -> None:
        topic = topics.meta(self.identity.area_id, self.identity.device_id)
        await line.publish(topic, self._meta.encode(), retain=True)
        await self._say("sleeping" if self.is_sleeping else "online", line)

    async def _say(self, state: str, line: Line) -> None:
        topic = topics.status(self.identity.area_id, self.identity.device_id)
        await line.publish(topic, Status(state, self.boot, self.clock.now()).encode(), retain=True)

    def _receive(self, topic: str, payload: bytes) -> None:
        try:
            message = messages.decode(topics.parse(topic).kind, payload)
        except BadInput as error:
            log.dropped(error.reason, device=self.identity.device_id, topic=topic, why=str(error))
            return
        if isinstance(message, Sync) and self._line is not None:
            self.run_errand(self._introduce(self._line))
        self.on_message(message)


def next_pause_s(previous_s: float) -> float:
    """Return how long to wait before the next attempt: decorrelated jitter, so that a village does not come at once."""
    return min(LONGEST_PAUSE_S, random.uniform(FIRST_PAUSE_S, max(FIRST_PAUSE_S, previous_s * 3)))
