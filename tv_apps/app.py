"""Composition root of the television's program: a list of services, two HTTP servers."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway.accounts.sessions import Accounts
from gateway.alarms import intake
from gateway.alarms.ledger import AlarmLedger
from gateway.alarms.shelter.reception import Reception, urgent_database
from gateway.alarms.shelter.seen import SeenReader
from gateway.alarms.shelter.spool import Spool, spool_path
from gateway.runtime.clock import Clock
from gateway.runtime.service import Service
from gateway.runtime.settings import Settings
from gateway.store.content import ContentStore
from gateway.store.pool import Database
from gateway.store.timekeeper import Timekeeper
from gateway.store.tv import TvStore
from gateway.web.server import HttpServer
from tv_apps.api import TvApi
from tv_apps.developer.app import developer_server, mini_apps
from tv_apps.miniapps.rendering import STORE
from tv_apps.miniapps.routes import HostRoutes
from tv_apps.portal import Portal
from tv_apps.readers import Readers
from tv_apps.settings import DeveloperSettings, TvSettings
from tv_apps.television import Televisions


@dataclass(frozen=True, slots=True)
class Television:
    """The program: its services in the order of their start, and the two servers."""

    services: Sequence[Service]
    tv: HttpServer
    developer: HttpServer


def build(settings: Settings, clock: Clock) -> Television:
    """Put the program together; nothing runs yet."""
    tv = settings.of(TvSettings)
    zone = ZoneInfo(settings.node.time_zone)
    database = Database(settings.database.dsn, program="tv")
    store, content = TvStore(database), ContentStore(database)
    ledger = AlarmLedger(database, clock, time_zone=settings.node.time_zone, delays=settings.delays)
    readers = Readers(store, content, clock, zone)
    televisions = Televisions(store, readers, clock, tv, settings.node.language)
    urgent = urgent_database(settings.database.dsn, "tv")
    urgent_ledger = AlarmLedger(urgent, clock, time_zone=settings.node.time_zone, delays=settings.delays)
    data_dir = settings.node.data_dir
    reception = Reception(urgent, urgent_ledger, Spool(spool_path(data_dir, "tv")), clock, seen=SeenReader(data_dir))
    portal = Portal(televisions, readers, ledger, clock, idle_s=tv.idle_to_live_s, store_href=STORE)
    api = TvApi(televisions, store, readers, clock)
    accounts = Accounts(database, clock)
    apps = mini_apps(database, accounts, clock, settings.node.secrets_dir)
    store_routes = HostRoutes(apps.host, televisions, portal.shown).routes()
    routes = (*portal.routes(), *api.routes(), *store_routes, *intake.routes(urgent_ledger, reception, clock))
    server = HttpServer("tv", tv.host, tv.port, routes)
    console = settings.of(DeveloperSettings)
    developer = developer_server(apps, accounts, clock, zone, host=console.host, port=console.port)
    return Television((database, Timekeeper(database, clock), urgent, reception, server, developer), server, developer)
