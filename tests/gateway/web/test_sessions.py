"""Sessions in the shell: sign in, sign out, CSRF, roles, WebSockets; with a real database."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
from aiohttp import web

from gateway.accounts.sessions import Accounts
from gateway.store.pool import Database
from gateway.web import sessions, sockets, templates
from gateway.web.login import view
from gateway.web.security import CSRF_HEADER
from gateway.web.server import HttpServer, Route
from gateway.web.static import StaticFiles
from tests.kit.clock import FakeClock

PASSWORD = "lantern-by-the-gate"
AREA = "110105001001"


@sessions.requires("operator")
async def _board(request: web.Request) -> web.Response:
    return web.json_response({"ok": True, "who": sessions.person_of(request).display_name})


@sessions.requires("supervisor")
async def _close(request: web.Request) -> web.Response:
    return web.json_response({"ok": True})


@sessions.requires()
async def _area(request: web.Request) -> web.Response:
    sessions.check_area(request, request.match_info["area"])
    return web.json_response({"ok": True})


async def _live(request: web.Request) -> web.StreamResponse:
    async with sockets.opened(request, "operator", check_s=0.05) as socket:
        async for message in socket:
            await socket.send_str(message.data)
    return socket


@dataclass
class Desk:
    """A server with accounts, and a browser with its cookies."""

    server: HttpServer
    accounts: Accounts
    client: aiohttp.ClientSession

    async def sign_in(self, password: str = PASSWORD) -> aiohttp.ClientResponse:
        form = {"name": "wang", "password": password, "next": "/board"}
        async with self.client.post("/login", data=form, allow_redirects=False) as answer:
            await answer.read()
            return answer

    async def csrf(self) -> str:
        async with self.client.get("/api/v1/me") as answer:
            return str((await answer.json())["csrf"])

    async def status(self, method: str, path: str, **options: object) -> int:
        async with self.client.request(method, path, **options) as answer:  # type: ignore[arg-type]
            return answer.status


@pytest.fixture
async def desk(database_dsn: str, clock: FakeClock) -> AsyncIterator[Desk]:
    database = Database(database_dsn, max_size=2)
    await database.start()
    accounts = Accounts(database, clock)
    await accounts.create_person("wang", PASSWORD, roles={"operator"}, area_id=AREA, display_name="王师傅")
    static = StaticFiles(view.STATIC)
    pages = view.LoginPages(accounts, templates.environment(static=static), title="值班台", home="/board")
    own = [
        Route("GET", "/board", _board),
        Route("POST", "/close", _close),
        Route("POST", "/ack", _board),
        Route("GET", "/area/{area}", _area),
        Route("GET", "/live", _live),
    ]
    server = HttpServer(
        "desk", routes=[*pages.routes(), *own], static=static, accounts=accounts, login_path=view.LOGIN_PATH
    )
    await server.start()
    async with aiohttp.ClientSession(server.url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        yield Desk(server, accounts, client)
    await server.stop()
    await database.stop()


async def test_signing_in_leads_to_the_page_that_was_asked(desk: Desk) -> None:
    """The form's answer sets a cookie that scripts cannot read and goes on to `next`."""
    answer = await desk.sign_in()
    assert (answer.status, answer.headers["Location"]) == (303, "/board")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    async with desk.client.get("/board") as page:
        assert (await page.json())["who"] == "王师傅"


async def test_nobody_is_sent_to_the_form(desk: Desk) -> None:
    """Without a session a person is led to the form and back, a program gets 401."""
    page = {"Accept": "text/html"}
    async with desk.client.get("/board?x=1", headers=page, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/login?next=%2Fboard%3Fx%3D1")
    assert await desk.status("GET", "/board") == 401


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "board", "/a\r\nX: y"]
)
async def test_login_leads_nowhere_else(desk: Desk, target: str) -> None:
    """A `next` that is no path of this server is replaced by the home page."""
    form = {"name": "wang", "password": PASSWORD, "next": target}
    async with desk.client.post("/login", data=form, allow_redirects=False) as answer:
        assert answer.headers["Location"] == "/board"


async def test_wrong_password_shows_the_form_again(desk: Desk) -> None:
    """A wrong password shows the form with a sentence and keeps the name, 401; no cookie is set."""
    form = {"name": "wang", "password": "wrong"}
    async with desk.client.post("/login", data=form) as answer:
        page = await answer.text()
        assert answer.status == 401
        assert "Set-Cookie" not in answer.headers
    assert "用户名或密码不对" in page
    assert 'value="wang"' in page


async def test_throttled_person_is_told_how_long(desk: Desk) -> None:
    """After too many wrong passwords the form says how many seconds to wait, 429."""
    for _ in range(5):
        await desk.sign_in("wrong")
    async with desk.client.post("/login", data={"name": "wang", "password": PASSWORD}) as answer:
        page = await answer.text()
        assert answer.status == 429
        assert answer.headers.get("Retry-After") or "秒后再试" in page


async def test_changes_need_the_pages_token(desk: Desk) -> None:
    """A signed-in POST without or with a wrong CSRF token is refused; with the page's token it works."""
    await desk.sign_in()
    assert await desk.status("POST", "/ack") == 403
    assert await desk.status("POST", "/ack", headers={CSRF_HEADER: "0" * 40}) == 403
    token = await desk.csrf()
    assert await desk.status("POST", "/ack", headers={CSRF_HEADER: token}) == 200
    assert await desk.status("POST", "/ack", data={"_csrf": token}) == 200


async def test_foreign_origin_cannot_use_the_session(desk: Desk) -> None:
    """Another site's page fails even with the right CSRF token, and cannot sign anybody in."""
    await desk.sign_in()
    headers = {CSRF_HEADER: await desk.csrf(), "Origin": "https://evil.example"}
    assert await desk.status("POST", "/ack", headers=headers) == 403
    form = {"name": "wang", "password": PASSWORD}
    assert await desk.status("POST", "/login", data=form, headers={"Origin": "https://evil.example"}) == 403


async def test_roles_and_areas_hold(desk: Desk) -> None:
    """An operator cannot do a supervisor's work nor look into another community."""
    await desk.sign_in()
    assert await desk.status("POST", "/close", headers={CSRF_HEADER: await desk.csrf()}) == 403
    assert await desk.status("GET", f"/area/{AREA}") == 200
    assert await desk.status("GET", "/area/110105001002") == 403


async def test_expired_session_is_nobody(desk: Desk, clock: FakeClock) -> None:
    """After the idle time the cookie is worth nothing."""
    await desk.sign_in()
    assert await desk.status("GET", "/board") == 200
    clock.advance(desk.accounts.policy.idle.total_seconds() + 1)
    assert await desk.status("GET", "/board") == 401


async def test_signing_out_ends_the_session_for_good(desk: Desk) -> None:
    """After signing out a kept copy of the cookie opens nothing."""
    await desk.sign_in()
    copies = {cookie.key: cookie.value for cookie in desk.client.cookie_jar}
    assert await desk.status("POST", "/logout", headers={CSRF_HEADER: await desk.csrf()}) == 200
    async with aiohttp.ClientSession(desk.server.url, cookies=copies) as thief, thief.get("/board") as answer:
        assert answer.status == 401


async def test_programs_sign_in_with_json(desk: Desk) -> None:
    """A program posts JSON and gets the person and the CSRF token; a wrong password is 401 in the one shape."""
    async with desk.client.post("/login", json={"name": "wang", "password": PASSWORD}) as answer:
        body = await answer.json()
    assert body["ok"]
    assert body["person"]["roles"] == ["operator"]
    assert body["csrf"] == await desk.csrf()
    async with desk.client.post("/login", json={"name": "wang", "password": "x"}) as answer:
        assert (answer.status, (await answer.json())["error"]["code"]) == (401, "unauthenticated")


async def test_password_is_changed_by_its_owner(desk: Desk) -> None:
    """A new password needs the old one once more, and works from then on."""
    await desk.sign_in()
    headers = {CSRF_HEADER: await desk.csrf()}
    wrong = {"old_password": "wrong", "new_password": "another-lantern"}
    assert await desk.status("POST", "/api/v1/me/password", json=wrong, headers=headers) == 401
    right = {"old_password": PASSWORD, "new_password": "another-lantern"}
    assert await desk.status("POST", "/api/v1/me/password", json=right, headers=headers) == 200
    assert (await desk.sign_in("another-lantern")).status == 303


async def test_socket_needs_session_role_and_own_origin(desk: Desk) -> None:
    """A WebSocket opens for a signed-in person from this server's page, for nobody else."""
    own = desk.server.url.rstrip("/")
    for origin, is_signed_in in (("https://evil.example", True), (None, True), (own, False)):
        if is_signed_in:
            await desk.sign_in()
        else:
            desk.client.cookie_jar.clear()
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await desk.client.ws_connect("/live", origin=origin)
        assert refused.value.status == (403 if is_signed_in else 401)
    await desk.sign_in()
    async with desk.client.ws_connect("/live", origin=own) as socket:
        await socket.send_str("在")
        assert (await socket.receive_str()) == "在"


async def test_socket_closes_when_its_session_ends(desk: Desk) -> None:
    """A signed-out session closes its open WebSocket with the code that means: sign in again."""
    await desk.sign_in()
    async with desk.client.ws_connect("/live", origin=desk.server.url.rstrip("/")) as socket:
        await desk.accounts.disable("wang")
        message = await socket.receive(timeout=5)
    assert message.type is aiohttp.WSMsgType.CLOSE
    assert socket.close_code == sockets.SESSION_ENDED


async def test_while_the_database_is_away_pages_are_read_and_nothing_is_changed(desk: Desk) -> None:
    """A page that was open stays open and may be loaded again; a step is refused as unavailable, a stranger as ever."""
    await desk.sign_in()
    assert (await desk.client.get("/board")).status == 200
    database = desk.accounts._store._database
    async with desk.client.ws_connect("/live", origin=desk.server.url.rstrip("/")) as socket:
        await database.stop()
        assert (await desk.client.get("/board")).status == 200
        async with desk.client.ws_connect("/live", origin=desk.server.url.rstrip("/")) as second:
            await second.send_str("在")
            assert (await second.receive_str(timeout=5)) == "在"
        assert (await desk.client.post("/ack")).status == 503
        await asyncio.sleep(0.3)  # several looks at the session
        await socket.send_str("在")
        assert (await socket.receive_str(timeout=5)) == "在"
    async with aiohttp.ClientSession(desk.server.url) as stranger:
        stranger.cookie_jar.update_cookies({sessions.SESSION_COOKIE: "made-up"})
        assert (await stranger.get("/board")).status == 503
    await database.start()


async def test_a_session_that_has_idled_out_is_not_remembered(desk: Desk, clock: FakeClock) -> None:
    """The database's absence makes no session live longer, and a closed account is forgotten at once."""
    await desk.sign_in()
    assert (await desk.client.get("/board")).status == 200
    database = desk.accounts._store._database
    await database.stop()
    clock.advance(2 * 3600 + 1)
    assert (await desk.client.get("/board")).status == 503
    await database.start()
    await desk.sign_in()
    assert (await desk.client.get("/board")).status == 200
    await desk.accounts.disable("wang")
    await database.stop()
    assert (await desk.client.get("/board")).status == 503
    await database.start()


async def test_stopping_server_tells_open_pages(desk: Desk) -> None:
    """A stopping server closes open WebSockets with 1001, so that pages come back by themselves."""
    await desk.sign_in()
    async with desk.client.ws_connect("/live", origin=desk.server.url.rstrip("/")) as socket:
        stopping = asyncio.create_task(desk.server.stop())
        await socket.receive(timeout=5)
        await stopping
    assert socket.close_code == aiohttp.WSCloseCode.GOING_AWAY
