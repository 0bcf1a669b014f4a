"""The gateway's composition root: which services run, in which order."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway import ops, registration
from gateway.alarms import intake
from gateway.alarms.audit.notary import AuditSettings, Notary
from gateway.alarms.escalator import Escalator
from gateway.alarms.ledger import AlarmLedger
from gateway.alarms.outside import HookQueue
from gateway.alarms.shelter.reception import Reception, urgent_database
from gateway.alarms.shelter.seen import SeenReader
from gateway.alarms.shelter.spool import Spool, spool_path
from gateway.ingest.pipeline import Pipeline, SilenceWatch
from gateway.ingest.settings import ApiSettings, GatewaySettings
from gateway.mqtt.session import wait_all_connected
from gateway.outbound.hooks import Hooks, promise_of, targets_of
from gateway.outbound.outbox import Outbox
from gateway.outbound.seen_receipts import SeenReceipts
from gateway.outbound.settings import HookSettings
from gateway.runtime.clock import Clock
from gateway.runtime.service import Service, Statistics
from gateway.runtime.settings import Settings
from gateway.store.migrate import migrate
from gateway.store.pool import Database
from gateway.store.timekeeper import Timekeeper
from gateway.web.server import HttpServer

BROKER_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Gateway:
    """The services in the order they start, and the HTTP server among them."""

    services: list[Service]
    server: HttpServer


class Durability:
    """Refuses to run on a database that may forget, and brings its schema up to date; a service."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def start(self) -> None:
        await self._database.assert_durable()
        await migrate(self._database)

    async def stop(self) -> None:
        pass

    def statistics(self) -> Statistics:
        return {}


class DeviceKeys:
    """Gives devices whose passwords lie on this machine the keys of their alarms, also after a change; a service."""

    def __init__(self, database: Database, passwords: Mapping[str, str]) -> None:
        self._database = database
        self._passwords = passwords

    async def start(self) -> None:
        async with self._database.transaction() as connection:
            await registration.give_keys(connection, self._passwords)

    async def stop(self) -> None:
        pass

    def statistics(self) -> Statistics:
        return {}


class BrokerWait:
    """Holds readiness back until the broker is there, but not for ever; a service."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    async def start(self) -> None:
        await wait_all_connected(self._pipeline.sessions, BROKER_PATIENCE_S)

    async def stop(self) -> None:
        pass

    def statistics(self) -> Statistics:
        return {}


def build(settings: Settings, clock: Clock, passwords: Mapping[str, str] | None = None) -> Gateway:
    """Return the gateway's services; nothing runs yet. `passwords` are those of devices that are known here, by id."""
    api, own, node = settings.of(ApiSettings), settings.of(GatewaySettings), settings.node
    database = Database(settings.database.dsn, max_size=8, program="linli-gateway")
    ledger = AlarmLedger(database, clock, time_zone=node.time_zone, delays=settings.delays)
    urgent = urgent_database(settings.database.dsn, "linli-gateway")
    urgent_ledger = AlarmLedger(urgent, clock, time_zone=node.time_zone, delays=settings.delays)
    spool, seen = Spool(spool_path(node.data_dir, "gateway")), SeenReader(node.data_dir)
    reception = Reception(urgent, urgent_ledger, spool, clock, seen=seen)
    pipeline = Pipeline(database, clock, settings.mqtt, own, reception)
    outbox = Outbox(database, pipeline.control, clock, batch=own.outbox_batch)
    reception.on_seen = SeenReceipts(pipeline.control, clock, pipeline.roster.key_of).tell
    outside = settings.of(HookSettings)
    hooks = Hooks(database, clock, targets_of(outside, node, clock), promise_of(outside))
    escalator = Escalator(ledger, clock, outside=HookQueue(outside.targets))
    notary = Notary(database, clock, settings.of(AuditSettings), node)
    silence = SilenceWatch(database, clock, own)
    watched: dict[str, Service] = {
        "pipeline": pipeline,
        "reception": reception,
        "escalator": escalator,
        "outbox": outbox,
        "hooks": hooks,
        "audit": notary,
        "database": database,
    }
    health = ops.Health(database, watched, clock, node.area_id)
    routes = [*intake.routes(urgent_ledger, reception, clock), *ops.routes(health)]
    server = HttpServer("gateway", api.host, api.port, routes=routes)
    services: list[Service] = [
        database,
        Durability(database),
        DeviceKeys(database, passwords or {}),
        Timekeeper(database, clock),
        urgent,
        # Stopped after everything that writes alarms: its last word is about all of them.
        notary,
        reception,
        escalator,
        pipeline,
        outbox,
        hooks,
        silence,
        server,
        # Last: while the broker is away, the other road stands already.
        BrokerWait(pipeline),
    ]
    return Gateway(services, server)
