"""The television's server on a real database, and a browser page that stands for the set."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page

from gateway.store.pool import Database
from tests.kit.browser import CHROMIUM, TV_SIZE, running_browser
from tests.kit.television import TvServer, populate, serving


@pytest.fixture
async def populated_dsn(database_dsn: str) -> str:
    """A database with two households, a meter and an air station."""
    database = Database(database_dsn, max_size=1)
    await database.start()
    await populate(database)
    await database.stop()
    return database_dsn


@pytest.fixture
async def tv(populated_dsn: str, tmp_path: Path) -> AsyncIterator[TvServer]:
    """The running television program."""
    async with serving(populated_dsn, tmp_path) as server:
        yield server


@pytest.fixture
async def television() -> AsyncIterator[Page]:
    """A page of a real browser, as large as a television."""
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed")
    async with running_browser() as browser:
        context = await browser.new_context(viewport={"width": TV_SIZE[0], "height": TV_SIZE[1]})
        yield await context.new_page()
        await context.close()
