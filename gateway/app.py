"""The gateway's composition root: which services run, in which order."""

from dataclasses import dataclass

from gateway import ops
from gateway.alarms import intake
from gateway.ingest.pipeline import Pipeline, SilenceWatch
from gateway.ingest.settings import ApiSettings, GatewaySettings
from gateway.mqtt.session import wait_all_connected
from gateway.outbound.outbox import Outbox
from gateway.runtime.clock import Clock
from gateway.runtime.service import Service, Statistics
from gateway.runtime.settings import Settings
from gateway.store.migrate import migrate
from gateway.store.pool import Database
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


def build(settings: Settings, clock: Clock) -> Gateway:
    """Return the gateway's services; nothing runs yet."""
    api, own, node = settings.of(ApiSettings), settings.of(GatewaySettings), settings.node
    database = Database(settings.database.dsn, max_size=8, program="linli-gateway")
    pipeline = Pipeline(database, clock, settings.mqtt, own)
    outbox = Outbox(database, pipeline.control, clock, batch=own.outbox_batch)
    silence = SilenceWatch(database, clock, own)
    watched: dict[str, Service] = {"pipeline": pipeline, "outbox": outbox, "database": database}
    health = ops.Health(database, watched, clock, node.area_id)
    routes = [*intake.routes(database, pipeline.ledger, clock), *ops.routes(health)]
    server = HttpServer("gateway", api.host, api.port, routes=routes)
    services: list[Service] = [database, Durability(database), pipeline, BrokerWait(pipeline), outbox, silence, server]
    return Gateway(services, server)
