"""The shell around every handler: errors, limits, origin, headers, health, metrics, files."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import jinja2
import pytest
from aiohttp import web
from pydantic import Field

from gateway.model.errors import BadInput, ConfigurationError, Conflict, NotFound, TooMany, Unavailable
from gateway.runtime import metrics
from gateway.web import security, templates
from gateway.web.params import Body, body_of, query_of
from gateway.web.server import HttpServer, Route
from gateway.web.static import StaticFiles

RAISED = {
    "bad": (BadInput("no", reason="nonsense", place="field", cure="Say yes."), 422, "bad_input"),
    "away": (Unavailable("gone"), 503, "unavailable"),
    "faster": (Conflict("changed"), 409, "conflict"),
    "nothing": (NotFound("not here"), 404, "not_found"),
    "often": (TooMany("slow down", retry_after_s=7), 429, "too_many"),
    "crash": (RuntimeError("the inside must stay inside"), 500, "internal"),
}


class Note(Body):
    """What the test server takes."""

    text: str = Field(max_length=10)
    level: int = Field(1, ge=1, le=4)


async def _take_note(request: web.Request) -> web.Response:
    note = await body_of(request, Note)
    return web.json_response({"ok": True, "text": note.text, "level": note.level})


async def _search(request: web.Request) -> web.Response:
    note = query_of(request, Note)
    return web.json_response({"level": note.level})


async def _raise(request: web.Request) -> web.Response:
    raise RAISED[request.match_info["what"]][0]


async def _styled(request: web.Request) -> web.Response:
    nonce = security.style_nonce(request)
    return web.Response(text=f'<style nonce="{nonce}">p{{color:red}}</style>', content_type="text/html")


async def _page(request: web.Request) -> web.Response:
    made: jinja2.Environment = request.app[TEMPLATES]
    return templates.render(made, request, "page.html", text=request.query.get("text", "签收"))


TEMPLATES: web.AppKey[jinja2.Environment] = web.AppKey("templates", jinja2.Environment)


@pytest.fixture
def assets(tmp_path: Path) -> StaticFiles:
    folder = tmp_path / "static"
    (folder / "deep").mkdir(parents=True)
    (folder / "app.js").write_text("import './deep/keys.js';")
    (folder / "deep" / "keys.js").write_text("// keys")
    return StaticFiles(folder)


@pytest.fixture
async def server(tmp_path: Path, assets: StaticFiles) -> AsyncIterator[HttpServer]:
    (tmp_path / "page.html").write_text("<p>{{ t(text) }}</p><script src='{{ asset('app.js') }}'></script>")
    (tmp_path / "en.toml").write_text('"签收" = "Acknowledge"')
    made = templates.environment(tmp_path, static=assets)

    class Shown(HttpServer):
        def app(self) -> web.Application:
            app = super().app()
            app[TEMPLATES] = made
            return app

    server = Shown(
        "test",
        routes=[
            Route("POST", "/api/v1/notes", _take_note, max_body=200),
            Route("GET", "/api/v1/notes", _search),
            Route("GET", "/raise/{what}", _raise),
            Route("GET", "/styled", _styled),
            Route("GET", "/page", _page),
        ],
        static=assets,
    )
    await server.start()
    yield server
    await server.stop()
    await server.stop()


@pytest.fixture
async def client(server: HttpServer) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(server.url) as client:
        yield client


async def _error(answer: aiohttp.ClientResponse) -> dict[str, object]:
    body = await answer.json()
    assert body["ok"] is False
    error: dict[str, object] = body["error"]
    return error


@pytest.mark.parametrize("what", RAISED)
async def test_every_error_has_one_shape(client: aiohttp.ClientSession, what: str) -> None:
    """An error of the platform becomes its HTTP status and the one JSON shape; an unknown one tells no inside."""
    raised, status, code = RAISED[what]
    async with client.get(f"/raise/{what}") as answer:
        assert answer.status == status
        error = await _error(answer)
    assert error["code"] == code
    assert "inside" not in str(error)
    if isinstance(raised, BadInput):
        assert (error["reason"], error["place"], error["cure"]) == ("nonsense", "field", "Say yes.")
    if isinstance(raised, TooMany):
        assert answer.headers["Retry-After"] == "7"


async def test_people_get_a_page_instead(client: aiohttp.ClientSession) -> None:
    """A browser's request gets a page in Chinese and English with the request's number, its text escaped."""
    async with client.get("/raise/nothing", headers={"Accept": "text/html"}) as answer:
        assert answer.status == 404
        page = await answer.text()
    assert "没有找到" in page
    assert "Not found" in page
    assert answer.headers["X-Request-Id"] in page


async def test_unknown_addresses_and_methods_have_the_shape_too(client: aiohttp.ClientSession) -> None:
    """404 and 405 of the router have the same shape as every other error."""
    async with client.get("/nowhere") as answer:
        assert (answer.status, (await _error(answer))["code"]) == (404, "not_found")
    async with client.delete("/page") as answer:
        assert (answer.status, (await _error(answer))["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b'{"text": "hi", "level": 2, "leve": 3}', 422, "unknown_key"),
        (b'{"level": 2}', 422, "missing_field"),
        (b'{"text": "hi", "level": "2"}', 422, "wrong_type"),
        (b'{"text": "hi", "level": 9}', 422, "bad_value"),
        (b'{"text": "hi", "level": NaN}', 422, "not_finite"),
        (b'{"text": "hi"', 400, "broken_json"),
        (b'{"text": "\xff"}', 400, "broken_json"),
        (b'{"text": ' + b"[" * 20 + b"]" * 20 + b"}", 422, "too_deep"),
        (b'["hi"]', 422, "wrong_type"),
    ],
)
async def test_bad_bodies_name_the_place_and_are_counted(
    client: aiohttp.ClientSession, body: bytes, status: int, reason: str
) -> None:
    """A body that cannot be taken is refused with reason and place and counted; the next good one goes through."""
    before = metrics.dropped_count("test", reason)
    headers = {"Content-Type": "application/json"}
    async with client.post("/api/v1/notes", data=body, headers=headers) as answer:
        assert answer.status == status
        error = await _error(answer)
    assert error["reason"] == reason
    assert error["place"]
    assert metrics.dropped_count("test", reason) == before + 1
    async with client.post("/api/v1/notes", json={"text": "hi", "level": 2}) as answer:
        assert await answer.json() == {"ok": True, "text": "hi", "level": 2}


async def test_forms_and_queries_are_read_like_bodies(client: aiohttp.ClientSession) -> None:
    """A form's texts become numbers; a doubled field, an unknown one and a strange content type are refused."""
    async with client.post("/api/v1/notes", data={"text": "hi", "level": "3"}) as answer:
        assert (await answer.json())["level"] == 3
    async with client.post("/api/v1/notes", data=[("text", "a"), ("text", "b")]) as answer:
        assert (await _error(answer))["reason"] == "given_twice"
    async with client.post("/api/v1/notes", data=b"<x/>", headers={"Content-Type": "text/xml"}) as answer:
        assert (answer.status, (await _error(answer))["reason"]) == (400, "wrong_content_type")
    async with client.get("/api/v1/notes?text=hi&level=4&lang=en") as answer:
        assert (await answer.json())["level"] == 4
    async with client.get("/api/v1/notes?text=hi&lvl=4") as answer:
        assert (await _error(answer))["place"] == "lvl"


async def test_oversized_bodies_are_refused_told_or_not(client: aiohttp.ClientSession) -> None:
    """A body above the route's limit is refused unread, and so is one that does not tell its length."""

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100

    headers = {"Content-Type": "application/json"}
    for data, status, code in ((b"x" * 201, 413, "oversized"), (endless(), 411, "length_required")):
        async with client.post("/api/v1/notes", data=data, headers=headers) as answer:
            assert (answer.status, (await _error(answer))["code"]) == (status, code)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_unsafe_requests_from_other_sites_are_refused(
    client: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    """A POST whose browser names another origin is refused, another port of this host included."""
    async with client.post("/api/v1/notes", json={"text": "hi"}, headers=headers) as answer:
        assert (answer.status, (await _error(answer))["code"]) == (403, "forbidden")


async def test_own_origin_and_programs_are_let_in(client: aiohttp.ClientSession, server: HttpServer) -> None:
    """The server's own page, and a program that names no origin, may post."""
    own = {"Origin": server.url.rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    for headers in (own, {}):
        async with client.post("/api/v1/notes", json={"text": "hi"}, headers=headers) as answer:
            assert answer.status == 200


async def test_every_answer_carries_the_security_headers(client: aiohttp.ClientSession) -> None:
    """Pages, errors and files forbid inline code, framing and sniffing."""
    for path in ("/page", "/raise/crash", "/nowhere", "/healthz"):
        async with client.get(path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe-inline" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == "no-store"


async def test_inline_style_needs_the_nonce_of_its_answer(client: aiohttp.ClientSession) -> None:
    """A page that asks for a nonce has exactly that nonce in its policy, and a new one each time."""
    seen = set()
    for _ in range(2):
        async with client.get("/styled") as answer:
            found = re.search('nonce="([^"]+)"', await answer.text())
            assert found
            assert f"'nonce-{found[1]}'" in answer.headers["Content-Security-Policy"]
            seen.add(found[1])
    assert len(seen) == 2


async def test_templates_escape_and_speak_two_languages(client: aiohttp.ClientSession) -> None:
    """A template's values are escaped; `?lang=en` changes the language and is remembered."""
    async with client.get("/page", params={"text": "<b>"}) as answer:
        assert "<p>&lt;b&gt;</p>" in await answer.text()
    async with client.get("/page") as answer:
        assert "<p>签收</p>" in await answer.text()
    async with client.get("/page?lang=en") as answer:
        assert "<p>Acknowledge</p>" in await answer.text()
        assert answer.cookies["lang"].value == "en"


async def test_files_live_for_ever_under_their_hash(client: aiohttp.ClientSession, assets: StaticFiles) -> None:
    """A file is immutable under its hashed address, still served under an old one, and never outside its folder."""
    async with client.get(assets.url("deep/keys.js")) as answer:
        assert await answer.text() == "// keys"
        assert answer.content_type == "text/javascript"
        assert "immutable" in answer.headers["Cache-Control"]
    async with client.get("/static/000000000000/app.js") as answer:
        assert answer.headers["Cache-Control"] == "no-cache"
    for name in ("%2e%2e/page.html", "missing.js"):
        async with client.get(f"/static/{assets.url('app.js').split('/')[2]}/{name}") as answer:
            assert answer.status == 404


def test_changed_file_changes_every_address(assets: StaticFiles, tmp_path: Path) -> None:
    """The hash follows the bytes; a name that is no file is an error at once."""
    before = assets.url("app.js")
    (tmp_path / "static" / "deep" / "keys.js").write_text("// other keys")
    assets.load()
    assert assets.url("app.js") != before
    with pytest.raises(NotFound):
        assets.url("ap.js")


async def test_health_and_metrics_are_on_every_server(client: aiohttp.ClientSession) -> None:
    """GET /healthz says ok, GET /metrics counts requests by path pattern, never by the token in a path."""
    async with client.get("/healthz") as answer:
        assert await answer.json() == {"ok": True, "server": "test"}
    async with client.get("/raise/away"), client.get("/metrics") as answer:
        text = await answer.text()
    assert 'linli_http_requests_total{path="/raise/{what}",server="test",status="503"}' in text


async def test_browsers_find_an_icon(client: aiohttp.ClientSession) -> None:
    """GET /favicon.ico answers with the lamp, so that no page logs an error for it."""
    async with client.get("/favicon.ico") as answer:
        assert (answer.status, answer.content_type) == (200, "image/svg+xml")


async def test_sick_server_says_so() -> None:
    """A health fact `ok` that is false makes the answer 503."""

    async def health() -> dict[str, object]:
        return {"ok": False, "database": "away"}

    server = HttpServer("sick", health=health)
    await server.start()
    async with aiohttp.ClientSession(server.url) as client, client.get("/healthz") as answer:
        assert answer.status == 503
        assert (await answer.json())["database"] == "away"
    await server.stop()


async def test_taken_port_is_named_with_its_cure(server: HttpServer) -> None:
    """A server whose port is taken says which port and what to do."""
    second = HttpServer("desk", port=server.port)
    with pytest.raises(ConfigurationError, match=f"port {server.port} cannot be opened") as refused:
        await second.start()
    assert refused.value.place == "[desk] port"
    assert refused.value.cure
