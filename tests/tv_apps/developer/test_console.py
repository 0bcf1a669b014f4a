"""The console: who sees what, which requests are refused, what the screens may load."""

import io
import re

import aiohttp
import pytest

from tests.tv_apps.miniapps.conftest import AREA, LIBRARY, PASSWORD, TOKEN, Console, console, linli_app, upload

__all__ = ["console"]


async def _session(console: Console, name: str) -> aiohttp.ClientSession:
    session = aiohttp.ClientSession(
        cookie_jar=aiohttp.CookieJar(unsafe=True), base_url=console.server.url, raise_for_status=False
    )
    async with session.post("/login", json={"name": name, "password": PASSWORD}) as response:
        assert response.status == 200
    return session


async def _csrf(session: aiohttp.ClientSession) -> str:
    async with session.get("/api/v1/me") as response:
        return str((await response.json())["csrf"])


async def _waiting(console: Console) -> str:
    assert await console.publish(await console.packed(LIBRARY)) == 0
    (submission,) = await console.apps.desk.store.all()
    return f"/submissions/{submission.submission_id}"


@pytest.mark.parametrize("path", ["/", "/keys", "/docs", "/submissions/01KXXZDKG0FZMYY4HR0P8679BM"])
async def test_without_a_session_a_person_is_sent_to_the_sign_in_page(console: Console, path: str) -> None:
    """Nothing of the console is public; a program gets 401, at the front door the sign-in page."""
    async with aiohttp.ClientSession(base_url=console.server.url) as session:
        async with session.get(path, headers={"Accept": "text/html"}, allow_redirects=False) as response:
            assert response.status == 303
            assert response.headers["Location"].startswith("/login?next=")
        async with session.get(path, allow_redirects=False) as response:
            assert response.status == (303 if path == "/" else 401)


async def test_a_decision_needs_the_pages_token_the_own_origin_and_the_role(console: Console) -> None:
    """Three doors before the platform signs anything; through the right ones it opens."""
    path = await _waiting(console)
    official = await _session(console, "chenlei")
    developer = await _session(console, "liuyang")
    async with official, developer:
        async with official.post(f"{path}/approve", data={"reason": ""}) as response:
            assert response.status == 403
        headers = {"X-CSRF-Token": await _csrf(official), "Origin": "http://evil.example"}
        async with official.post(f"{path}/approve", data={"reason": ""}, headers=headers) as response:
            assert response.status == 403
        headers = {"X-CSRF-Token": await _csrf(developer)}
        async with developer.post(f"{path}/approve", data={"reason": ""}, headers=headers) as response:
            assert response.status == 403
        assert (await console.apps.desk.store.all())[0].state == "in_review"
        headers = {"X-CSRF-Token": await _csrf(official)}
        async with official.post(f"{path}/approve", data={"reason": ""}, headers=headers) as response:
            assert response.status == 200
        assert (await console.apps.desk.store.all())[0].state == "approved"


async def test_another_developer_does_not_even_see_a_submission(console: Console) -> None:
    """What is not one's own does not exist, unless one reviews."""
    path = await _waiting(console)
    await console.accounts.create_person("wangwei", PASSWORD, roles={"developer"}, area_id=AREA)
    await console.accounts.create_person("guest", PASSWORD, roles={"resident"}, area_id=AREA)
    pages = (path, f"{path}/report.json", f"{path}/app", f"{path}/app/files/icon.png")
    for name, expected in (("wangwei", 404), ("guest", 403)):
        async with await _session(console, name) as session:
            assert {(await session.get(page)).status for page in pages} == {expected}


async def test_the_screens_may_be_framed_by_the_console_only_and_load_nothing_else(console: Console) -> None:
    """A reviewer's picture of a page runs no script and talks to nobody."""
    path = await _waiting(console)
    async with await _session(console, "chenlei") as session:
        async with session.get(f"{path}/app/book/0?size=large") as response:
            policy, text = response.headers["Content-Security-Policy"], await response.text()
        assert response.status == 200 and "齐民要术" in text
        assert "default-src 'none'" in policy and "frame-ancestors 'self'" in policy and "script-src" not in policy
        for bad in (f"{path}/app/nowhere", f"{path}/app/book", f"{path}/app/book/99", f"{path}/app/files/none.png"):
            async with session.get(bad) as response:
                assert response.status == 404
        async with session.get(f"{path}/app/book/x") as response:
            assert response.status == 422


async def test_a_held_submission_waits_for_its_developer_to_ask(console: Console) -> None:
    """`--hold` stops before the review; the developer asks on the page."""
    package = await console.packed(LIBRARY)
    assert await console.publish(package, "--hold") == 0
    (held,) = await console.apps.desk.store.of_person(console.developer.person_id)
    assert held.state == "checked"
    async with await _session(console, "liuyang") as session:
        headers = {"X-CSRF-Token": await _csrf(session)}
        async with session.post(f"/submissions/{held.submission_id}/review", data={}, headers=headers) as response:
            assert response.status == 200
    assert (await console.apps.desk.store.all())[0].state == "in_review"


async def test_texts_of_an_app_are_shown_and_never_run(console: Console) -> None:
    """Names and data of an app are text in every page of the console and of the television."""
    source = console.folder / "guide"
    linli_app("new", source)
    data = source / "data" / "guide.json"
    data.write_text(data.read_text().replace("一句话介绍", "<script>x</script>"))
    manifest = source / "manifest.json"
    manifest.write_text(manifest.read_text().replace("新应用", "<b>x"))
    assert await console.publish(await console.packed(source)) == 0
    (submission,) = await console.apps.desk.store.all()
    async with await _session(console, "chenlei") as session:
        for page in ("", "/app"):
            async with session.get(f"/submissions/{submission.submission_id}{page}") as response:
                text = await response.text()
            assert "<script>x" not in text and "<b>x" not in text


async def test_a_token_is_shown_once_kept_as_a_digest_and_can_be_revoked(console: Console) -> None:
    """A stolen database publishes nothing; a revoked token neither."""
    async with await _session(console, "liuyang") as session:
        headers = {"X-CSRF-Token": await _csrf(session)}
        async with session.post("/tokens", data={"label": "laptop"}, headers=headers) as response:
            found = re.search(r'id="token">([^<]+)<', await response.text())
        assert found is not None
        async with session.get("/keys") as response:
            assert found[1] not in await response.text()
        newest = (await console.apps.desk.store.tokens(console.developer.person_id))[0]
        async with session.post(f"/tokens/{newest.token_id}/revoke", data={}, headers=headers) as response:
            assert response.status == 200
    kept = await console.database.fetch("select * from developer_tokens")
    assert all(found[1] not in str(row) for row in kept)


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        pytest.param(
            "package",
            b"x" * (3 * 1024 * 1024),
            413,
            marks=pytest.mark.leaves_behind("the server lingers a moment on a body that it does not read"),
        ),
        ("surprise", b"x", 422),
        ("package", b"x", 422),
    ],
)
async def test_a_form_that_is_too_large_or_incomplete_is_refused(
    console: Console, name: str, content: bytes, status: int
) -> None:
    """Limits hold while reading, and the server goes on."""
    form = aiohttp.FormData()
    form.add_field(name, io.BytesIO(content), filename="a.mapp")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(console.server.url + "api/v1/miniapps", data=form) as response,
    ):
        assert response.status == status
    package = await console.packed(LIBRARY)
    signature = package.with_name(package.name + ".sig").read_bytes()
    assert (await upload(console, package.read_bytes(), signature))[0] == 201


async def test_status_tells_the_state_and_the_reason(console: Console, capsys: pytest.CaptureFixture[str]) -> None:
    """What the official wrote reaches the developer's terminal."""
    await _waiting(console)
    (waiting,) = await console.apps.desk.store.all()
    await console.apps.desk.reject(console.official, waiting.submission_id, "电话是空号，请换成真的。")
    capsys.readouterr()
    words = ("status", "cn.linli.library", "--server", console.server.url, "--token", TOKEN)
    assert await console.run(*words) == 0
    assert "没批准  电话是空号" in capsys.readouterr().out


async def test_the_pages_speak_english_when_asked(console: Console) -> None:
    """Chinese first, English second; no sentence of the console stays behind."""
    path = await _waiting(console)
    async with await _session(console, "chenlei") as session, session.get(f"{path}?lang=en") as response:
        text = await response.text()
    for words in ("Your decision", "Every page", "Permissions", "verified", "History"):
        assert words in text
    console_words = re.sub(r"书屋|刘洋|陈磊|县农技站|全部书|上课|开门时间|怎么借书|中文", "", text)
    assert "焦点" not in console_words and "权限" not in console_words
