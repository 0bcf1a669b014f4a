"""Keys and tokens of a developer: register, list, revoke; a new token is shown once."""

import secrets

import jinja2
from aiohttp import web
from pydantic import Field

from gateway.accounts.sessions import Accounts
from gateway.model.errors import BadInput, Conflict, NotFound
from gateway.runtime.clock import Clock
from gateway.store.miniapps import DeveloperKey, MiniAppStore
from gateway.web import sessions, templates
from gateway.web.params import Body, body_of
from gateway.web.routes import Route
from tv_apps.developer.api import hash_of
from tv_apps.miniapps.sign import decode_public_key, key_id_of

_TOKEN_PREFIX = "lld_"  # noqa: S105 - what tokens begin with, so that scanners find a leaked one


class KeyBody(Body):
    """A public key as `linli app keys new` prints it."""

    public_key: str = Field(min_length=1, max_length=200)
    label: str = Field("", max_length=40)


class LabelBody(Body):
    """What a token is for."""

    label: str = Field("", max_length=40)


class NothingBody(Body):
    """A form without fields."""


class KeysPages:
    """Routes under /keys and /tokens."""

    def __init__(self, store: MiniAppStore, accounts: Accounts, clock: Clock, made: jinja2.Environment) -> None:
        self._store = store
        self._accounts = accounts
        self._clock = clock
        self._made = made

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/keys", self.show),
            Route("POST", "/keys", self.add_key),
            Route("POST", "/keys/{key_id}/revoke", self.revoke_key),
            Route("POST", "/tokens", self.add_token),
            Route("POST", "/tokens/{token_id}/revoke", self.revoke_token),
        )

    @sessions.requires("developer")
    async def show(self, request: web.Request) -> web.Response:
        """Show one's keys and tokens."""
        return await self._page(request)

    async def _page(
        self, request: web.Request, *, token: str = "", refused: BadInput | Conflict | None = None
    ) -> web.Response:
        person = sessions.person_of(request)
        keys, tokens = await self._store.keys(person.person_id), await self._store.tokens(person.person_id)
        status = 422 if refused else 200
        facts = {"keys": keys, "tokens": tokens, "token": token, "refused": refused}
        return templates.render(self._made, request, "keys.html", tab="keys", status=status, **facts)

    @sessions.requires("developer")
    async def add_key(self, request: web.Request) -> web.Response:
        """Register a public key."""
        body, person = await body_of(request, KeyBody), sessions.person_of(request)
        try:
            public_key = decode_public_key(body.public_key)
            label = body.label.strip() or "我的密钥"
            key = DeveloperKey(key_id_of(public_key), person.person_id, public_key, label, self._clock.now())
            await self._store.add_key(key)
        except (BadInput, Conflict) as error:
            return await self._page(request, refused=error)
        await self._accounts.record(person, "developer_key_registered", key.key_id)
        return _to_keys()

    @sessions.requires("developer")
    async def revoke_key(self, request: web.Request) -> web.Response:
        """Revoke a key: televisions refuse from now on what it signed."""
        await body_of(request, NothingBody)
        person, key_id = sessions.person_of(request), request.match_info["key_id"]
        if not await self._store.revoke_key(key_id, person.person_id, self._clock.now()):
            raise NotFound("no such key of yours", place=key_id)
        await self._accounts.record(person, "developer_key_revoked", key_id)
        return _to_keys()

    @sessions.requires("developer")
    async def add_token(self, request: web.Request) -> web.Response:
        """Make a token and show it this once."""
        body, person = await body_of(request, LabelBody), sessions.person_of(request)
        token = _TOKEN_PREFIX + secrets.token_urlsafe(30)
        label = body.label.strip() or "我的电脑"
        await self._store.add_token(hash_of(token), person.person_id, label, self._clock.now())
        await self._accounts.record(person, "developer_token_made", label)
        return await self._page(request, token=token)

    @sessions.requires("developer")
    async def revoke_token(self, request: web.Request) -> web.Response:
        """Revoke a token."""
        await body_of(request, NothingBody)
        person, token_id = sessions.person_of(request), request.match_info["token_id"]
        if not await self._store.revoke_token(token_id, person.person_id, self._clock.now()):
            raise NotFound("no such token of yours", place=token_id)
        await self._accounts.record(person, "developer_token_revoked", token_id[:12])
        return _to_keys()


def _to_keys() -> web.Response:
    return web.Response(status=303, headers={"Location": "/keys"})
