"""Who is asking: the session cookie, `signed_in`, `requires("operator")`."""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from aiohttp import web

from gateway.accounts.sessions import Accounts, Session
from gateway.model.errors import Forbidden, Unauthenticated, Unavailable
from gateway.model.people import Person

SESSION_COOKIE: Final = "linli_session"
ACCOUNTS: Final = web.AppKey("accounts", Accounts)
#: How long the database is waited for where an older answer is at hand.
PATIENCE_S: Final = 1.0
_SESSION: Final = web.RequestKey("session", Session)

R = TypeVar("R")


async def find(request: web.Request) -> Session | None:
    """Resolve the request's cookie once; None where nobody is signed in or the server knows no accounts.

    While the database is away, a page that is only read is given the session that was found a while ago: somebody
    has to see what cannot be recorded. Whatever changes something is Unavailable then.
    """
    token = request.cookies.get(SESSION_COOKIE)
    accounts = request.app.get(ACCOUNTS)
    if not token or accounts is None:
        return None
    found = await _resolve(accounts, token, may_remember=request.method in {"GET", "HEAD"})
    if found:
        request[_SESSION] = found
    return found


async def _resolve(accounts: Accounts, token: str, *, may_remember: bool) -> Session | None:
    question = asyncio.create_task(accounts.resolve(token))
    question.add_done_callback(_heard)
    patience_s = PATIENCE_S if may_remember and accounts.remembered(token) else None
    done, _ = await asyncio.wait({question}, timeout=patience_s)
    try:
        if not done:
            raise Unavailable("the database does not answer", place="session")
        return question.result()
    except Unavailable:
        if may_remember and (known := accounts.remembered(token)) is not None:
            return known
        raise


def _heard(question: asyncio.Task[Session | None]) -> None:
    if not question.cancelled():
        question.exception()  # whoever was patient enough has it


def current(request: web.Request) -> Session | None:
    """Return the session of `request`, if any."""
    found: Session | None = request.get(_SESSION)
    return found


def signed_in(request: web.Request) -> Session:
    """Return the session of `request`; raises Unauthenticated where there is none."""
    found = current(request)
    if found is None:
        raise Unauthenticated("nobody is signed in, or the session has ended", cure="Sign in again.")
    return found


def person_of(request: web.Request) -> Person:
    """Return the signed-in person; raises Unauthenticated."""
    return signed_in(request).person


def name_of(request: web.Request) -> str:
    """Return the signed-in person's login name for logs, empty where nobody is."""
    found = current(request)
    return found.person.name if found else ""


def csrf_of(request: web.Request) -> str:
    """Return the page's CSRF token, empty where nobody is signed in."""
    found = current(request)
    return found.csrf if found else ""


def requires(*roles: str) -> Callable[[Callable[..., Awaitable[R]]], Callable[..., Awaitable[R]]]:
    """Let a handler (function or method, the request last) run only for a person with one of `roles`.

    Without roles any signed-in person will do. Raises Unauthenticated or Forbidden.
    """

    def around(handler: Callable[..., Awaitable[R]]) -> Callable[..., Awaitable[R]]:
        @functools.wraps(handler)
        async def checked(*arguments: Any) -> R:
            check_role(arguments[-1], *roles)
            return await handler(*arguments)

        return checked

    return around


def check_role(request: web.Request, *roles: str) -> Person:
    """Return the signed-in person if they have one of `roles`; raises Unauthenticated or Forbidden."""
    person = person_of(request)
    if roles and not person.has_role(*roles):
        raise Forbidden(
            f"{person.display_name} has no role for this page",
            place=request.path,
            cure=f"It needs one of: {', '.join(roles)}. Ask an administrator.",
        )
    return person


def check_area(request: web.Request, area_id: str) -> Person:
    """Return the signed-in person if `area_id` is in their subtree; raises Unauthenticated or Forbidden."""
    person = person_of(request)
    if not person.may_see(area_id):
        raise Forbidden("this lies outside your area", place=area_id, cure="Ask the desk that serves that area.")
    return person


def set_cookie(request: web.Request, response: web.StreamResponse, token: str, max_age_s: float) -> None:
    """Hand the session's token to the browser: not readable by scripts, never sent from another site's page."""
    is_https = request.secure or request.headers.get("X-Forwarded-Proto") == "https"
    response.set_cookie(
        SESSION_COOKIE, token, max_age=int(max_age_s), path="/", httponly=True, samesite="Strict", secure=is_https
    )


def drop_cookie(response: web.StreamResponse) -> None:
    """Make the browser forget the session."""
    response.del_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="Strict")
