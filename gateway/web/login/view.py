"""Sign in, sign out, who am I, change password: pages for people and the same as JSON for programs."""

from pathlib import Path
from typing import ClassVar, Final
from urllib.parse import urlsplit

import jinja2
from aiohttp import web
from pydantic import Field

from gateway.accounts.sessions import Accounts, Session
from gateway.model.errors import BadInput, LinliError, TooMany, Unauthenticated
from gateway.web import errors, sessions, templates
from gateway.web.params import Body, body_of
from gateway.web.routes import Route

#: Folder of login.css, login.js and icon; a server gives it to its StaticFiles.
STATIC: Final = Path(__file__).parent / "static"
LOGIN_PATH: Final = "/login"


class LoginBody(Body):
    """What the form sends; `next` is where to go then."""

    name: str = Field(min_length=1, max_length=60)
    password: str = Field(min_length=1, max_length=200)
    next: str = Field("/", max_length=500)


class PasswordBody(Body):
    """The old password once more, and the new one."""

    old_password: str = Field(min_length=1, max_length=200)
    new_password: str = Field(min_length=1, max_length=200)


class LoginPages:
    """Routes `/login`, `/logout`, `/api/v1/me`, `/api/v1/me/password` of one server.

    `title` and `subtitle` name the server on the page (Chinese; English by en.toml). A template `login.html` in the
    server's own folder replaces the page; a server that asks for more than name and password says so by `body`.
    """

    body: ClassVar[type[LoginBody]] = LoginBody

    def __init__(self, accounts: Accounts, made: jinja2.Environment, *, title: str, home: str = "/") -> None:
        self._accounts = accounts
        self._templates = made
        self._title = title
        self._home = home

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", LOGIN_PATH, self.show),
            Route("POST", LOGIN_PATH, self.sign_in, csrf=False),
            Route("POST", "/logout", self.sign_out),
            Route("GET", "/api/v1/me", self.me),
            Route("POST", "/api/v1/me/password", self.change_password),
        )

    async def show(self, request: web.Request) -> web.Response:
        """Show the form, or go on where somebody is signed in already."""
        target = _local(request.query.get("next", ""), self._home)
        if sessions.current(request):
            raise web.HTTPSeeOther(target)
        return self._page(request, target)

    async def sign_in(self, request: web.Request) -> web.Response:
        """Check name and password; a browser's form is sent on, a program gets JSON."""
        is_form = request.content_type != "application/json"
        try:
            body = await body_of(request, self.body)
            ticket = await self._accounts.login(
                body.name,
                body.password,
                address=request.remote or "",
                old_token=request.cookies.get(sessions.SESSION_COOKIE, ""),
            )
        except (BadInput, Unauthenticated, TooMany) as error:
            if not is_form:
                raise
            return await self._refused(request, error)
        target = _local(body.next, self._home)
        response = _see_other(target) if is_form else _json({"ok": True, **_facts(ticket.session), "next": target})
        max_age_s = self._accounts.policy.absolute.total_seconds()
        sessions.set_cookie(request, response, ticket.token, max_age_s)
        return response

    async def _refused(self, request: web.Request, error: LinliError) -> web.Response:
        form = await request.post()
        target = _local(str(form.get("next", "")), self._home)
        failure = errors.failure_of(error)
        response = self._page(request, target, failure=failure, name=str(form.get("name", ""))[:60])
        response.set_status(failure.status)
        return response

    def _page(
        self, request: web.Request, target: str, *, failure: errors.Failure | None = None, name: str = ""
    ) -> web.Response:
        made, title = self._templates, self._title
        return templates.render(made, request, "login.html", title=title, next=target, failure=failure, name=name)

    async def sign_out(self, request: web.Request) -> web.Response:
        """End the session and go back to the form."""
        await self._accounts.logout(request.cookies.get(sessions.SESSION_COOKIE, ""))
        is_program = request.content_type == "application/json"
        response = _json({"ok": True}) if is_program else _see_other(LOGIN_PATH)
        sessions.drop_cookie(response)
        return response

    @sessions.requires()
    async def me(self, request: web.Request) -> web.Response:
        """Tell who is signed in, until when, and the page's CSRF token."""
        found = sessions.signed_in(request)
        return _json({"ok": True, **_facts(found)})

    @sessions.requires()
    async def change_password(self, request: web.Request) -> web.Response:
        """Set a new password after the old one was given once more; other browsers are signed out."""
        body, person = await body_of(request, PasswordBody), sessions.person_of(request)
        ticket = await self._accounts.login(person.name, body.old_password, address=request.remote or "")
        await self._accounts.set_password(person.name, body.new_password, by=person, keep_token=ticket.token)
        response = _json({"ok": True, **_facts(ticket.session)})
        sessions.set_cookie(request, response, ticket.token, self._accounts.policy.absolute.total_seconds())
        return response


def _facts(found: Session) -> dict[str, object]:
    person = found.person
    return {
        "person": {
            "id": person.person_id,
            "name": person.name,
            "display_name": person.display_name,
            "roles": sorted(person.roles),
            "area_id": person.area_id,
        },
        "csrf": found.csrf,
        "expires_at": found.expires_at.isoformat(),
        "must_change_password": found.must_change_password,
    }


def _local(target: str, home: str) -> str:
    """Return `target` if it is a path of this server, else `home`: a login never sends people elsewhere."""
    parts = urlsplit(target)
    is_local = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.netloc
    return target if is_local and not set(target) & set("\r\n\\") else home


def _see_other(target: str) -> web.Response:
    return web.Response(status=303, headers={"Location": target})


def _json(body: dict[str, object]) -> web.Response:
    return web.json_response(body, dumps=errors.as_json)
