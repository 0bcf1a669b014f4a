"""The one visible list of what happens around every handler, outermost first."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler as Next
from aiohttp.typedefs import Middleware

from gateway.model.errors import Forbidden, LinliError, Unauthenticated
from gateway.runtime import logs, metrics
from gateway.runtime.clock import SystemClock
from gateway.web import errors, security, sessions
from gateway.web.routes import NO_ROUTE, ROUTE, Route, route_of

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Shell:
    """What the middlewares know about their server; `routes` by method and canonical path."""

    server: str
    routes: Mapping[tuple[str, str], Route]
    login_path: str
    error_page: errors.ErrorPage


SHELL: Final = web.AppKey("shell", Shell)
REQUEST_ID: Final = web.RequestKey("request_id", str)

_REQUESTS: Final = metrics.counter(
    "linli_http_requests",
    "HTTP requests answered, by server, path pattern and status.",
    ("server", "path", "status"),
)
_DURATION: Final = metrics.histogram(
    "linli_http_request_duration_seconds",
    "Time from a request's head to its answer, by server and path pattern.",
    ("server", "path"),
)
_CLOCK: Final = SystemClock()


def pattern_of(request: web.Request) -> str:
    """Return the path pattern that matched: safe to log and to count by, tokens in paths stay out."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "unmatched"


@web.middleware
async def request_record(request: web.Request, handler: Next) -> web.StreamResponse:
    """Give the request its number, and write one line and two figures about it when it is answered."""
    request_id = request[REQUEST_ID] = secrets.token_hex(6)
    request[ROUTE] = _find_route(request)
    began_s = _CLOCK.monotonic_s()
    response = await handler(request)
    if not response.prepared:
        response.headers["X-Request-Id"] = request_id
    _write_record(request, response.status, _CLOCK.monotonic_s() - began_s)
    return response


def _find_route(request: web.Request) -> Route:
    routes, pattern = request.app[SHELL].routes, pattern_of(request)
    method = "GET" if request.method == "HEAD" else request.method
    return routes.get((method, pattern)) or routes.get(("*", pattern)) or NO_ROUTE


def _write_record(request: web.Request, status: int, duration_s: float) -> None:
    server, pattern = request.app[SHELL].server, pattern_of(request)
    _REQUESTS.labels(server, pattern, status).inc()
    _DURATION.labels(server, pattern).observe(duration_s)
    write = log.debug if status < 400 and request.method in {"GET", "HEAD"} else log.info
    write(
        "http_request",
        method=request.method,
        path=pattern,
        status=status,
        duration_ms=round(duration_s * 1000, 1),
        request_id=request[REQUEST_ID],
        person=sessions.name_of(request),
    )


@web.middleware
async def error_shape(request: web.Request, handler: Next) -> web.StreamResponse:
    """Turn every error into the one shape; count and log what nobody expected."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _told(request, error)
    except Unauthenticated as error:
        return _to_login(request) or _told(request, error)
    except LinliError as error:
        return _told(request, error)
    except Exception as error:  # the border of the process: the next request must be served
        log.exception("request_failed", path=pattern_of(request), request_id=request[REQUEST_ID])
        return _told(request, error)


def _told(request: web.Request, error: Exception) -> web.Response:
    failure = errors.failure_of(error, request[REQUEST_ID])
    metrics.dropped(request.app[SHELL].server, failure.reason or failure.code)
    return errors.response_of(request, failure, request.app[SHELL].error_page)


def _to_login(request: web.Request) -> web.Response | None:
    login_path = request.app[SHELL].login_path
    # The front door is a page for whoever knocks, also for a client that does not say what it reads.
    is_page = request.method == "GET" and (request.path == "/" or "text/html" in request.headers.get("Accept", ""))
    if not login_path or not is_page or request.path.startswith("/api/"):
        return None
    target = f"{login_path}?next={quote(request.path_qs, safe='')}"
    return web.Response(status=303, headers={"Location": target})


@web.middleware
async def body_limit(request: web.Request, handler: Next) -> web.StreamResponse:
    """Refuse a body that does not tell its length or is above the route's limit, before a byte of it is read."""
    limit, length = route_of(request).max_body, request.content_length
    if length is None and request.can_read_body:
        raise web.HTTPLengthRequired(reason="send Content-Length")
    if (length or 0) > limit:
        raise web.HTTPRequestEntityTooLarge(limit, length or 0, reason=f"at most {limit} bytes are taken here")
    return await handler(request)


@web.middleware
async def origin_check(request: web.Request, handler: Next) -> web.StreamResponse:
    """Refuse unsafe requests that another site's page sent."""
    if request.method in security.UNSAFE_METHODS:
        security.check_origin(request)
    return await handler(request)


@web.middleware
async def session(request: web.Request, handler: Next) -> web.StreamResponse:
    """Find out who is asking; an unsafe request of a signed-in person needs the page's token."""
    found = await sessions.find(request)
    if found and request.method in security.UNSAFE_METHODS and route_of(request).csrf:
        try:
            await security.check_csrf(request, found.csrf)
        except ValueError as error:
            raise Forbidden("the form cannot be read", cure="Reload the page and try again.") from error
    return await handler(request)


#: Outermost first. Security headers are put on by a signal, so that also streams and WebSockets have them.
MIDDLEWARES: Final[tuple[Middleware, ...]] = (
    request_record,
    error_shape,
    body_limit,
    origin_check,
    session,
)
