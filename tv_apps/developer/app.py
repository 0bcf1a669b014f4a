"""The developer server: sign-in, console pages, upload and status, schemas."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from gateway.accounts.sessions import Accounts
from gateway.runtime.clock import Clock
from gateway.store.miniapps import MiniAppStore
from gateway.store.pool import Database
from gateway.web import templates
from gateway.web.login.view import LOGIN_PATH, STATIC, LoginPages
from gateway.web.server import HttpServer
from gateway.web.static import StaticFiles
from tv_apps.developer.api import Api
from tv_apps.developer.keys_pages import KeysPages
from tv_apps.developer.pages import Pages
from tv_apps.developer.screens import Screens
from tv_apps.miniapps.catalog import Catalog, PlatformKey
from tv_apps.miniapps.host import Host
from tv_apps.miniapps.review import ReviewDesk

_HERE: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class MiniApps:
    """Everything about mini-apps in one process: the desk for people, the catalog and the host for televisions."""

    desk: ReviewDesk
    catalog: Catalog
    host: Host


def mini_apps(database: Database, accounts: Accounts, clock: Clock, secrets_dir: Path) -> MiniApps:
    """Put the parts together; the platform's key is made when it is first needed."""
    store, key = MiniAppStore(database), PlatformKey(secrets_dir)
    catalog = Catalog(store, clock, key)
    return MiniApps(ReviewDesk(store, accounts, clock, key), catalog, Host(catalog))


def developer_server(
    apps: MiniApps, accounts: Accounts, clock: Clock, zone: ZoneInfo, *, host: str, port: int
) -> HttpServer:
    """Return the developer server, not yet started; its pages tell times in `zone`."""
    static = StaticFiles(STATIC, _HERE / "static")
    made = templates.environment(_HERE / "templates", static=static)
    made.filters["local"] = lambda at, pattern="%m-%d %H:%M": at.astimezone(zone).strftime(pattern)
    login = LoginPages(accounts, made, title="开发者与审核")
    routes = (
        *login.routes(),
        *Pages(apps.desk, made).routes(),
        *KeysPages(apps.desk.store, accounts, clock, made).routes(),
        *Screens(apps.desk).routes(),
        *Api(apps.desk, clock).routes(),
    )
    return HttpServer("developer", host, port, routes, static=static, accounts=accounts, login_path=LOGIN_PATH)
