"""One line of a server's map: method, path, handler, and what this page may do beyond the default."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

DEFAULT_BODY_BYTES: Final = 64 * 1024

#: Nothing but the server's own files; no inline script, no inline style, no framing.
DEFAULT_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Route:
    """A handler under `method` and `path` (aiohttp's pattern).

    `csp` replaces the whole policy of this page; a page with inline `<style nonce=…>` only needs
    `security.style_nonce(request)`. `max_body` is the limit of the request's body in bytes. `csrf` says whether an
    unsafe request of a signed-in person must carry the CSRF token.
    """

    method: str
    path: str
    handler: Handler
    csp: str = DEFAULT_CSP
    max_body: int = DEFAULT_BODY_BYTES
    csrf: bool = True


#: What holds where no route was found (404, 405).
NO_ROUTE: Final = Route("*", "", lambda _request: _never())
ROUTE: Final = web.RequestKey("route", Route)


async def _never() -> web.StreamResponse:
    raise web.HTTPNotFound


def route_of(request: web.Request) -> Route:
    """Return the route that answers `request`."""
    found: Route | None = request.get(ROUTE)
    return found or NO_ROUTE
