"""HttpServer: routes, the middleware list, health, metrics and static files as one service."""

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.accounts.sessions import Accounts
from gateway.model.errors import ConfigurationError
from gateway.runtime import logs, metrics
from gateway.runtime.service import Statistics
from gateway.web import errors, security, sessions, sockets
from gateway.web import middlewares as around
from gateway.web.routes import Route
from gateway.web.static import StaticFiles

log = logs.get(__name__)

Health = Callable[[], Awaitable[Mapping[str, object]]]
_STOP_PATIENCE_S: Final = 1.0
_ICON: Final = Path(__file__).parent / "login" / "static" / "lamp.svg"

__all__ = ["Health", "HttpServer", "Route"]


class HttpServer:
    """One listening socket with its pages.

    `port` 0 takes a free one; `url` tells it after `start`. `health` may add facts to `GET /healthz`; a fact `ok`
    that is false makes the answer 503. `accounts` makes sessions work; `login_path` is where a person without a
    session is sent.
    """

    def __init__(
        self,
        name: str,
        host: str = "127.0.0.1",
        port: int = 0,
        routes: Sequence[Route] = (),
        *,
        middlewares: Sequence[Middleware] = (),
        static: StaticFiles | None = None,
        accounts: Accounts | None = None,
        login_path: str = "",
        health: Health | None = None,
        error_page: errors.ErrorPage = errors.plain_page,
    ) -> None:
        self.name = name
        self.host = host
        self.port = port
        self._routes = tuple(routes)
        self._middlewares = tuple(middlewares)
        self._static = static
        self._accounts = accounts
        self._login_path = login_path
        self._health = health
        self._error_page = error_page
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The server's address, `http://host:port/`."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104  compared, not bound
        return f"http://{host}:{self.port}/"

    async def start(self) -> None:
        """Listen; raises ConfigurationError where the port is taken."""
        if self._static:
            self._static.load()
        self._runner = web.AppRunner(
            self.app(), access_log=None, handle_signals=False, shutdown_timeout=_STOP_PATIENCE_S
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port)
        try:
            await site.start()
        except OSError as error:
            await self.stop()
            raise ConfigurationError(
                f"port {self.port} cannot be opened: {error.strerror}",
                place=f"[{self.name}] port",
                cure="End the program that uses it or choose another port.",
            ) from error
        self.port = self._runner.addresses[0][1]
        log.info("http_listening", server=self.name, url=self.url)

    async def stop(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def statistics(self) -> Statistics:
        return {"port": self.port, "is_listening": int(self._runner is not None)}

    def app(self) -> web.Application:
        """Return the application without a socket (tests hand it to aiohttp's own client)."""
        routes = (*self._own_routes(), *(self._static.routes() if self._static else ()), *self._routes)
        app = web.Application(
            middlewares=(*around.MIDDLEWARES, *self._middlewares),
            client_max_size=max(route.max_body for route in routes) + 1,
        )
        known = {_add(app, route): route for route in routes}
        app[around.SHELL] = around.Shell(self.name, known, self._login_path, self._error_page)
        app[sockets.OPEN_SOCKETS] = weakref.WeakSet()
        if self._accounts is not None:
            app[sessions.ACCOUNTS] = self._accounts
        app.on_response_prepare.append(security.add_headers)
        app.on_shutdown.append(sockets.close_all)
        return app

    def _own_routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/healthz", self._answer_health),
            Route("GET", "/metrics", _answer_metrics),
            Route("GET", "/favicon.ico", _answer_icon),
        )

    async def _answer_health(self, _request: web.Request) -> web.Response:
        facts = dict(await self._health()) if self._health else {}
        is_well = bool(facts.get("ok", True))
        body = {"ok": is_well, "server": self.name, **facts}
        return web.json_response(body, status=200 if is_well else 503, dumps=errors.as_json)


async def _answer_icon(_request: web.Request) -> web.Response:
    """Answer what browsers ask for unbidden, so that no page has an error in its log."""
    headers = {"Cache-Control": "public, max-age=86400"}
    return web.Response(body=_icon(), content_type="image/svg+xml", headers=headers)


@cache
def _icon() -> bytes:
    return _ICON.read_bytes()


async def _answer_metrics(_request: web.Request) -> web.Response:
    body = await asyncio.to_thread(metrics.render)
    return web.Response(body=body, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


def _add(app: web.Application, route: Route) -> tuple[str, str]:
    """Add `route` and return the key by which a matched request finds it again: method and canonical path."""
    resource = app.router.add_route(route.method, route.path, route.handler).resource
    return route.method, resource.canonical if resource else route.path
