"""What keeps a page from doing harm: response headers, origin of unsafe requests, CSRF tokens, nonces."""

import hmac
import secrets
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from gateway.model.errors import Forbidden
from gateway.web.routes import route_of

UNSAFE_METHODS: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
CSRF_HEADER: Final = "X-CSRF-Token"
CSRF_FIELD: Final = "_csrf"
_FORM_TYPES: Final = ("application/x-www-form-urlencoded", "multipart/form-data")

_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}
_NONCE: Final = web.RequestKey("style_nonce", str)


def style_nonce(request: web.Request) -> str:
    """Return this response's nonce for `<style nonce=…>`; asking for it puts it into the policy."""
    if _NONCE not in request:
        request[_NONCE] = secrets.token_urlsafe(16)
    return request[_NONCE]


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put the security headers on every response; a handler's own value of a header stays."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", _policy(request))


def _policy(request: web.Request) -> str:
    policy = route_of(request).csp
    if _NONCE in request:
        return policy.replace("style-src 'self'", f"style-src 'self' 'nonce-{request[_NONCE]}'")
    return policy


def check_origin(request: web.Request) -> None:
    """Raise Forbidden where a browser says that another site sent this request.

    Programs and old boxes send neither header; they carry no ambient right either: their token is in the request,
    and a person's session additionally needs the CSRF token.
    """
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin")
    if site not in {"same-origin", "none"} or (origin is not None and urlsplit(origin).netloc != request.host):
        raise Forbidden(
            "this request comes from another site",
            place=f"Origin: {origin or site}",
            cure="Open the page from this server's own address and try again.",
        )


async def check_csrf(request: web.Request, expected: str) -> None:
    """Raise Forbidden unless the request carries `expected` in its header or its form field."""
    given = request.headers.get(CSRF_HEADER, "") or await _form_token(request)
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise Forbidden(
            "the page's token is missing or old",
            place=f"header {CSRF_HEADER} or field {CSRF_FIELD}",
            cure="Reload the page and try again.",
        )


async def _form_token(request: web.Request) -> str:
    if not request.content_type.startswith(_FORM_TYPES):
        return ""
    given = (await request.post()).get(CSRF_FIELD, "")
    return given if isinstance(given, str) else ""
