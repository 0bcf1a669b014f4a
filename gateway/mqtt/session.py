"""A durable session: reconnects with jitter, subscribes again, and acknowledges only what has been dealt with.

Messages are handled in the order they came, in batches of whatever has arrived; PUBACKs follow in the same order
after the handler has returned. A handler that raises Unavailable is called again with the same batch, because the
broker will not deliver a message twice on a living connection; anything else that it raises is a fault of ours: it
is counted, logged and the message kept unacknowledged until the next connection.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

from gateway.model.errors import LinliError, Unavailable
from gateway.mqtt.client import Delivery, PahoClient, Will
from gateway.runtime import logs, metrics
from gateway.runtime.service import KeptRunning, Statistics, keep_running, next_delay_s
from gateway.runtime.settings import MqttSettings

log = logs.get(__name__)

_CONNECTS = metrics.counter("linli_mqtt_connects", "Connections made to the broker.", ("client", "session"))
_HANDLED = metrics.counter("linli_mqtt_messages", "Messages handled and acknowledged.", ("client",))

__all__ = ["Delivery", "Session", "Will"]

BatchHandler = Callable[[Sequence[Delivery]], Awaitable[None]]
Handler = Callable[[Delivery], Awaitable[None]]


class Session:
    """One client id at the broker, kept for ever; a service."""

    def __init__(
        self,
        settings: MqttSettings,
        client_id: str,
        subscriptions: Sequence[tuple[str, int]],
        on_message: Handler | None = None,
        *,
        on_batch: BatchHandler | None = None,
        batch_max: int = 1,
        receive_maximum: int = 100,
        will: Will | None = None,
        on_connected: Callable[[bool], Awaitable[None]] | None = None,
        before_acknowledge: Callable[[], None] | None = None,
    ) -> None:
        """`on_connected` is awaited after every connect with SessionPresent, subscriptions already made."""
        self.client_id = client_id
        self._subscriptions = list(subscriptions)
        self._handle: BatchHandler = on_batch or _one_by_one(on_message)
        self._batch_max = batch_max
        self._on_connected = on_connected
        self._before_acknowledge = before_acknowledge
        self._arrived: asyncio.Queue[Delivery] = asyncio.Queue()
        self._client = PahoClient(
            settings, client_id, self._arrived.put_nowait, receive_maximum=receive_maximum, will=will
        )
        self._first_connect = asyncio.Event()
        self._connection: KeptRunning = keep_running(f"mqtt-{client_id}", self._stay_connected)
        self._worker: KeptRunning = keep_running(f"mqtt-{client_id}-worker", self._work)
        self._counts = {"connects": 0, "handled": 0, "retried": 0, "faults": 0}

    async def start(self) -> None:
        """Begin connecting; does not wait for the broker (see `wait_connected`)."""
        await self._worker.start()
        await self._connection.start()

    async def stop(self) -> None:
        """Stop handling, then say goodbye; what is not acknowledged comes again with the next session."""
        await self._worker.stop()
        await self._connection.stop()
        await self._client.disconnect()

    def statistics(self) -> Statistics:
        return {**self._counts, "waiting": self._arrived.qsize(), "connected": int(self.is_connected)}

    @property
    def is_connected(self) -> bool:
        """Tell whether the broker is there now."""
        return self._client.is_connected

    async def wait_connected(self, timeout_s: float = 10.0) -> None:
        """Return when the first connection stands and is subscribed; Unavailable after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._first_connect.wait()
        except TimeoutError as error:
            raise Unavailable("the broker did not come", place=self.client_id, cure="See [mqtt].") from error

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Publish and wait for the broker's acknowledgement; Unavailable where it is away."""
        await self._client.publish(topic, payload, qos=qos, retain=retain)

    async def _stay_connected(self) -> None:
        delay_s = 0.0
        while True:
            try:
                await self._connect()
                delay_s = 0.0
                await self._client.lost.wait()
            except Unavailable as error:
                if not delay_s:
                    log.warning("mqtt_away", client=self.client_id, error=str(error))
            delay_s = next_delay_s(delay_s)
            await asyncio.sleep(delay_s)

    async def _connect(self) -> None:
        is_session_present = await self._client.connect()
        if self._subscriptions:
            await self._client.subscribe(self._subscriptions)
        self._counts["connects"] += 1
        _CONNECTS.labels(self.client_id, "kept" if is_session_present else "new").inc()
        log.info("mqtt_connected", client=self.client_id, session_present=is_session_present)
        if self._on_connected is not None:
            await self._on_connected(is_session_present)
        self._first_connect.set()

    async def _work(self) -> None:
        while True:
            batch = [await self._arrived.get()]
            while len(batch) < self._batch_max and not self._arrived.empty():
                batch.append(self._arrived.get_nowait())
            if await self._handle_until_done(batch):
                self._acknowledge(batch)

    async def _handle_until_done(self, batch: Sequence[Delivery]) -> bool:
        delay_s = 0.0
        while True:
            try:
                await self._handle(batch)
            except Unavailable as error:
                if not delay_s:
                    log.warning("mqtt_handler_waits", client=self.client_id, error=str(error))
                self._counts["retried"] += 1
                delay_s = next_delay_s(delay_s, longest_s=2.0)
                await asyncio.sleep(delay_s)
            except LinliError as error:
                self._fault(batch, error)
                return False
            except Exception as error:  # noqa: BLE001  one message must never stop the next
                self._fault(batch, error)
                return False
            else:
                return True

    def _fault(self, batch: Sequence[Delivery], error: Exception) -> None:
        self._counts["faults"] += 1
        metrics.dropped(self.client_id, "handler_fault")
        log.exception("mqtt_handler_fault", client=self.client_id, topic=batch[0].topic, error=str(error))

    def _acknowledge(self, batch: Sequence[Delivery]) -> None:
        if self._before_acknowledge is not None:
            self._before_acknowledge()
        for delivery in batch:
            self._client.acknowledge(delivery)
        self._counts["handled"] += len(batch)
        _HANDLED.labels(self.client_id).inc(len(batch))


def _one_by_one(handler: Handler | None) -> BatchHandler:
    async def handle(batch: Sequence[Delivery]) -> None:
        for delivery in batch:
            if handler is not None:
                await handler(delivery)

    return handle


async def wait_all_connected(sessions: Sequence[Session], timeout_s: float = 10.0) -> None:
    """Wait until each of `sessions` has been connected once; a broker that is away is only logged."""
    with contextlib.suppress(Unavailable):
        await asyncio.gather(*(session.wait_connected(timeout_s) for session in sessions))
