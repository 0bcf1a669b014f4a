"""A real browser: Debian's chromium, driven by playwright, without a thought for anything outside."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import Browser, async_playwright

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
)
TV_SIZE = (1280, 720)
DESK_SIZE = (1920, 1080)
DEVELOPER_SIZE = (1280, 800)


@contextlib.asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    """A browser for as long as the context lasts; make a context and a page from it per person who looks."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()
