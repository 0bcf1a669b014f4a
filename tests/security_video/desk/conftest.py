"""A desk on a real database with the demo's community, operators who can sign in, and a browser at the desk."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Browser, Page, async_playwright

from gateway import registration
from gateway.accounts.sessions import Accounts
from gateway.alarms.ledger import AlarmLedger
from gateway.model.alarms import Action, Alarm, Outcome, Press, Receipt, Verdict
from gateway.model.people import Person
from gateway.runtime.clock import SystemClock
from gateway.runtime.service import running
from gateway.runtime.settings import load
from gateway.store.pool import Database
from security_video.desk import app
from tests.kit.browser import ARGUMENTS, CHROMIUM, DESK_SIZE, running_browser
from tests.kit.servers import REPOSITORY

VILLAGE = REPOSITORY / "firmware_stubs" / "villages" / "liuwan.toml"
AREA = "110105001001"
ELSEWHERE = "110105001002"
PASSWORD = "a long night at the desk"


@dataclass(slots=True)
class Stage:
    """A running desk; `press` raises alarms in the ledger, as the gateway would."""

    url: str
    database: Database
    accounts: Accounts
    ledger: AlarmLedger
    desk: app.Desk
    clock: SystemClock = field(default_factory=SystemClock)
    presses: int = 0
    people: dict[str, Person] = field(default_factory=dict)

    async def person(self, name: str, display_name: str, *roles: str, area_id: str = AREA) -> Person:
        """Make an account with the password of all tests."""
        self.people[name] = await self.accounts.create_person(
            name, PASSWORD, roles=roles or ("operator",), area_id=area_id, display_name=display_name
        )
        return self.people[name]

    async def press(
        self,
        device_id: str = "stb-0301",
        kind: str = "sos",
        *,
        source: str = "https",
        at: datetime | None = None,
        **marks: Any,
    ) -> Receipt:
        """Raise an alarm of a device; `marks` are those of a `Press`, such as late_by_s or is_silent."""
        self.presses += 1
        press = Press(
            device_id=device_id,
            boot=1,
            seq=self.presses,
            kind=kind,
            source=source,
            event_id=f"event-{self.presses}",
            device_at=at or self.clock.now(),
            details={"held_ms": 2100} if kind == "sos" else {},
            **marks,
        )
        return await self.ledger.raise_alarm(press)

    async def signed_in(self, browser: Browser, name: str, seat: str = "2", size: tuple[int, int] = DESK_SIZE) -> Page:
        """Open a browser of its own, sign in at a seat and return the board's page."""
        context = await browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale="zh-CN", reduced_motion="reduce"
        )
        page = await context.new_page()
        await page.goto(self.url)
        await page.fill("#name", name)
        await page.fill("#password", PASSWORD)
        await page.fill("#seat", seat)
        await page.click("button[type=submit]")
        await page.wait_for_selector("[data-link=live]")
        return page

    async def resolved(self, alarm_id: str, by: Person, *, outcome: Outcome = Outcome.FALSE) -> Alarm:
        """Take an alarm to its outcome in one person's name; a second person may close it then."""
        alarm = await self.ledger.alarm(alarm_id)
        for action, facts in (
            (Action.ACKNOWLEDGE, {}),
            (Action.VERIFY, {"verdict": Verdict.TRUE if outcome is Outcome.TRUE else Verdict.FALSE}),
            (Action.RESOLVE, {"outcome": outcome, "note": "打电话问过"}),
        ):
            alarm = await self.ledger.step(alarm_id, action, by=by, version=alarm.version, **facts)
        return alarm

    @asynccontextmanager
    async def client(self, name: str) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
        """A program signed in as `name`, with its CSRF token."""
        async with aiohttp.ClientSession(self.url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
            async with client.post("/login", json={"name": name, "password": PASSWORD, "seat": "3"}) as answer:
                assert answer.status == 200, await answer.text()
                facts = await answer.json()
            yield client, facts["csrf"]


@pytest.fixture
async def stage(database_dsn: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """A desk of the demo's community with two operators and one of elsewhere."""
    await registration.register(database_dsn, registration.read(VILLAGE))
    config = tmp_path / "linli.toml"
    config.write_text(
        f'[node]\ndata_dir = "{tmp_path}"\narea_id = "{AREA}"\n[database]\ndsn = "{database_dsn}"\n[desk]\nport = 0\n'
    )
    settings = load(config, *app.READS)
    clock = SystemClock()
    desk = app.build(settings, clock, await app.community_names(settings))
    database = Database(database_dsn)
    async with running([database, *desk.services]):
        accounts = Accounts(database, clock)
        made = Stage(desk.server.url, database, accounts, AlarmLedger(database, clock), desk)
        await made.person("zhoumin", "周敏")
        await made.person("liqiang", "李强")
        yield made


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as running_one:
        yield running_one


@pytest.fixture
async def strict_browser() -> AsyncIterator[Browser]:
    """A browser that holds sound back until somebody touches the page, as browsers do at home."""
    held = [argument for argument in ARGUMENTS if "autoplay" not in argument]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*held, "--autoplay-policy=document-user-activation-required"]
        )
        yield browser
        await browser.close()
