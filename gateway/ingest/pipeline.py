"""From three MQTT sessions to rows: decode, recognise, store, and only then acknowledge."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from gateway.alarms.shelter.reception import Reception
from gateway.contract import messages, topics
from gateway.contract.topics import TopicKind
from gateway.ingest import handlers
from gateway.ingest.handlers import Tools
from gateway.ingest.quarantine import Quarantine
from gateway.ingest.roster import Roster
from gateway.ingest.settings import GatewaySettings
from gateway.model.errors import BadInput, Conflict, LinliError, NotFound, Unavailable
from gateway.model.registry import Device
from gateway.mqtt.session import Delivery, Session, Will
from gateway.runtime import logs, metrics
from gateway.runtime.clock import Clock, to_ms
from gateway.runtime.service import KeptRunning, Statistics, keep_running
from gateway.runtime.settings import MqttSettings
from gateway.store import registry
from gateway.store.pool import Database
from gateway.store.series import Reading, SeriesWriter

log = logs.get(__name__)

#: Alarms and events of different devices that are dealt with together.
EVENTS_AT_ONCE = 16

_READINGS = metrics.counter(
    "linli_readings_stored", "Readings taken: new, or repeated and so already there.", ("kind",)
)

_HANDLERS = {
    TopicKind.UP_EVT: handlers.take_event,
    TopicKind.STATUS: handlers.take_status,
    TopicKind.META: handlers.take_meta,
    TopicKind.UP_LOG: handlers.take_log,
    TopicKind.UP_ACK: handlers.take_ack,
}


@dataclass(frozen=True, slots=True)
class _Understood:
    delivery: Delivery
    device: Device
    message: messages.Message


@dataclass(frozen=True, slots=True)
class _Measured:
    delivery: Delivery
    device_id: str
    readings: Sequence[Reading]


class Pipeline:
    """The three sessions of the gateway; a service.

    Alarms have a connection of their own, so that no flood of measurements stands before them, and a reception that
    takes them also while the database is away. What may stand in an alarm's way (a stranger, a message that is
    refused) asks the reception's database, which never hangs for long.
    """

    def __init__(
        self, database: Database, clock: Clock, mqtt: MqttSettings, settings: GatewaySettings, reception: Reception
    ) -> None:
        self._clock = clock
        self._database = database
        self._settings = settings
        self._boot = to_ms(clock.now())
        self._tools = Tools(database, clock, reception, settings)
        self.roster = Roster(reception.database, clock)
        self._quarantine = Quarantine(reception.database, clock)
        self._writer = SeriesWriter()
        self.alarms = self._session(mqtt, "alarms", on_batch=self._take_events, batch_max=EVENTS_AT_ONCE)
        self.control = self._session(mqtt, "control", on_message=self._take, will=self._will())
        self.telemetry = self._session(
            mqtt,
            "telemetry",
            on_batch=self._take_telemetry,
            batch_max=settings.batch_max,
            receive_maximum=settings.receive_maximum,
        )
        self._following: KeptRunning = keep_running("roster", self.roster.follow)

    def _session(
        self,
        mqtt: MqttSettings,
        name: str,
        *,
        on_message: Callable[[Delivery], Awaitable[None]] | None = None,
        on_batch: Callable[[Sequence[Delivery]], Awaitable[None]] | None = None,
        batch_max: int = 1,
        receive_maximum: int = 100,
        will: Will | None = None,
    ) -> Session:
        return Session(
            mqtt,
            f"linli-{self._settings.shard}-{name}",
            topics.SUBSCRIPTIONS[name],
            on_message,
            on_batch=on_batch,
            batch_max=batch_max,
            receive_maximum=receive_maximum,
            will=will,
            on_connected=self._say_online if will else None,
        )

    def _will(self) -> Will:
        said = messages.Status("offline", self._boot, self._clock.now())
        return Will(topics.gateway_status(self._settings.shard), said.encode())

    async def _say_online(self, _is_session_present: bool) -> None:  # noqa: FBT001  the session's own word
        await self._say("online")

    async def _say(self, state: str) -> None:
        """Say whether this gateway is there; retained, so that a device that comes later reads it too."""
        topic = topics.gateway_status(self._settings.shard)
        said = messages.Status(state, self._boot, self._clock.now())
        await self.control.publish(topic, said.encode(), retain=True)

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The three sessions, alarms first."""
        return (self.alarms, self.telemetry, self.control)

    async def start(self) -> None:
        await self.roster.load()
        await self._following.start()
        for session in self.sessions:
            await session.start()

    async def stop(self) -> None:
        with contextlib.suppress(LinliError):
            await self._say("offline")
        for session in reversed(self.sessions):
            await session.stop()
        await self._following.stop()

    def statistics(self) -> Statistics:
        refused = {f"refused_{reason}": count for reason, count in self._quarantine.refused.items()}
        per_session = {
            f"{name}_{key}": value
            for name, session in zip(("alarms", "telemetry", "control"), self.sessions, strict=True)
            for key, value in session.statistics().items()
        }
        return {"devices": len(self.roster), **refused, **per_session}

    async def _understand(self, delivery: Delivery) -> _Understood | None:
        """Decode and recognise; what cannot be taken goes to quarantine and gives None."""
        device_id = ""
        try:
            topic = topics.parse(delivery.topic)
            if topic.kind is TopicKind.GATEWAY_STATUS:
                return None
            device_id = topic.device_id
            message = messages.decode(topic.kind, delivery.payload)
            device = await self.roster.recognise(topic, is_urgent=topic.kind is TopicKind.UP_EVT)
            _refuse_revoked(device, topic.kind)
        except BadInput as error:
            await self._quarantine.take(delivery, error, device_id)
            return None
        return _Understood(delivery, device, message)

    async def _take_events(self, batch: Sequence[Delivery]) -> None:
        """Take what has arrived together, each device's events one after the other: no home waits for another.

        All are dealt with before an error is raised: Unavailable first, because the session then repeats the batch.
        """
        by_sender: dict[str, list[Delivery]] = {}
        for delivery in batch:
            by_sender.setdefault(delivery.topic, []).append(delivery)
        taking = (self._take_in_turn(deliveries) for deliveries in by_sender.values())
        errors = [done for done in await asyncio.gather(*taking, return_exceptions=True) if done is not None]
        if errors:
            raise next((error for error in errors if isinstance(error, Unavailable)), errors[0])

    async def _take_in_turn(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            await self._take(delivery)

    async def _take(self, delivery: Delivery) -> None:
        if delivery.retain and not delivery.payload:
            return
        understood = await self._understand(delivery)
        if understood is None:
            return
        handler: Callable[[Tools, Device, messages.Message], Awaitable[None]]
        handler = _HANDLERS[topics.parse(delivery.topic).kind]  # type: ignore[assignment]
        try:
            await handler(self._tools, understood.device, understood.message)
        except BadInput as error:
            await self._quarantine.take(delivery, error, understood.device.device_id)
        except (NotFound, Conflict) as error:
            refused = BadInput(error.message, reason=error.code, place=error.place, cure=error.cure)
            await self._quarantine.take(delivery, refused, understood.device.device_id)

    async def _take_telemetry(self, batch: Sequence[Delivery]) -> None:
        """Store a batch in one transaction; a message that the database refuses is found by storing them singly."""
        measured = [one for delivery in batch if (one := await self._measured(delivery)) is not None]
        try:
            await self._store(measured)
        except BadInput:
            for one in measured:
                await self._store_alone(one)

    async def _measured(self, delivery: Delivery) -> _Measured | None:
        understood = await self._understand(delivery)
        if understood is None:
            return None
        assert isinstance(understood.message, messages.Telemetry)  # noqa: S101  the session subscribes to nothing else
        try:
            readings = handlers.readings_of(
                understood.device,
                understood.message,
                self._clock.now(),
                self._settings,
            )
        except BadInput as error:
            await self._quarantine.take(delivery, error, understood.device.device_id)
            return None
        return _Measured(delivery, understood.device.device_id, readings)

    async def _store_alone(self, one: _Measured) -> None:
        try:
            await self._store([one])
        except BadInput as error:
            await self._quarantine.take(one.delivery, error, one.device_id)

    async def _store(self, measured: Sequence[_Measured]) -> None:
        readings = [reading for one in measured for reading in one.readings]
        if not measured:
            return
        now = self._clock.now()
        try:
            async with self._database.transaction() as connection:
                new = await self._writer.insert(connection, readings)
                await registry.touch_devices(connection, [(one.device_id, now) for one in measured])
        except Exception:
            self._writer.forget()
            raise
        _READINGS.labels("new").inc(new)
        _READINGS.labels("repeated").inc(len(readings) - new)


def _refuse_revoked(device: Device, kind: TopicKind) -> None:
    """A revoked device may still cry for help; the ledger marks it as suspicious."""
    if device.revoked_at is not None and kind is not TopicKind.UP_EVT:
        raise BadInput(
            "the device's identity was revoked",
            reason="revoked_device",
            place=device.device_id,
            cure="Claim the device again with a new code.",
        )


class SilenceWatch:
    """Marks devices that have said nothing for too long; a service."""

    def __init__(self, database: Database, clock: Clock, settings: GatewaySettings) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._looking: KeptRunning = keep_running("silence", self._look)

    async def start(self) -> None:
        await self._looking.start()

    async def stop(self) -> None:
        await self._looking.stop()

    def statistics(self) -> Statistics:
        return self._looking.statistics()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(self._settings.silence_check_s)
            for device_id in await registry.mark_silent(self._database, self._clock.now()):
                log.info("presence_changed", device=device_id, after="silent")
