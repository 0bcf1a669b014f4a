"""A developer server with its people, and the public command line as a developer would type it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from gateway.accounts.sessions import Accounts
from gateway.model.people import Person
from gateway.store.miniapps import DeveloperKey, MiniAppStore
from gateway.store.pool import Database
from gateway.web.server import HttpServer
from tests.kit.clock import FakeClock
from tv_apps.developer.api import hash_of
from tv_apps.developer.app import MiniApps, developer_server, mini_apps
from tv_apps.miniapps import commands, sign

AREA = "110105001001"
PASSWORD = "dawn-River-lantern-7"
TOKEN = "lld_a-token-of-the-tests"
LIBRARY = Path(__file__).parents[3] / "tv_apps" / "bundled" / "library"


def linli_app(*words: object) -> int:
    """Run `linli app WORDS…` and return its exit code."""
    return commands.main([str(word) for word in words])


@dataclass
class Console:
    """A running developer server, its parts and its people."""

    server: HttpServer
    apps: MiniApps
    accounts: Accounts
    database: Database
    clock: FakeClock
    developer: Person
    official: Person
    key_file: Path
    folder: Path

    async def run(self, *words: object) -> int:
        """Run a command beside the server's loop."""
        return await asyncio.to_thread(linli_app, *words)

    async def publish(self, package: Path, *more: str) -> int:
        return await self.run("publish", package, "--server", self.server.url, "--token", TOKEN, *more)

    async def packed(self, source: Path, name: str = "app.mapp") -> Path:
        """Pack and sign a folder."""
        package = self.folder / name
        assert await self.run("pack", source, "-o", package) == 0
        assert await self.run("sign", package, "--key", self.key_file) == 0
        return package

    async def approved(self, source: Path) -> str:
        """Publish a folder and approve it; returns the submission's id."""
        assert await self.publish(await self.packed(source)) == 0
        (waiting,) = await self.apps.desk.store.all()
        await self.apps.desk.approve(self.official, waiting.submission_id)
        return waiting.submission_id


@pytest.fixture
async def console(database_dsn: str, tmp_path: Path) -> AsyncIterator[Console]:
    """A developer server on a real database, with a developer (key, token) and an official."""
    database, clock = Database(database_dsn), FakeClock()
    await database.start()
    accounts = Accounts(database, clock)
    apps = mini_apps(database, accounts, clock, tmp_path / "secrets")
    server = developer_server(apps, accounts, clock, ZoneInfo("Asia/Shanghai"), host="127.0.0.1", port=0)
    await server.start()
    developer = await accounts.create_person(
        "liuyang", PASSWORD, roles={"developer"}, area_id=AREA, display_name="县农技站 刘洋"
    )
    official = await accounts.create_person(
        "chenlei", PASSWORD, roles={"official"}, area_id="110105000000", display_name="陈磊"
    )
    key_file = tmp_path / "developer.pem"
    signer = sign.make_key(key_file)
    store = MiniAppStore(database)
    await store.add_key(DeveloperKey(signer.key_id, developer.person_id, signer.public_key, "laptop", clock.now()))
    await store.add_token(hash_of(TOKEN), developer.person_id, "tests", clock.now())
    yield Console(server, apps, accounts, database, clock, developer, official, key_file, tmp_path)
    await server.stop()
    await database.stop()


async def upload(
    console: Console, package: bytes, signature: bytes, token: str = TOKEN
) -> tuple[int, dict[str, object]]:
    """Send an upload as any program might."""
    form = aiohttp.FormData()
    form.add_field("package", package, filename="app.mapp")
    form.add_field("signature", signature, filename="app.mapp.sig")
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(console.server.url + "api/v1/miniapps", data=form) as response,
    ):
        return response.status, await response.json()
