"""The people of a story: a grandmother at her television and an operator at the desk, in real browsers."""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, Page, Request, expect

from gateway.contract import testcard
from tests.kit.browser import DESK_SIZE, TV_SIZE
from tests.kit.stack import Demo

PATIENCE_MS = 15_000

_CELLS = [[(cell.left + cell.right) / 2, (cell.top + cell.bottom) / 2] for cell in testcard.cells() if cell.bit >= 0]
_READ_CARD = """(canvas, cells) => {
  const pen = canvas.getContext("2d"), all = pen.getImageData(0, 0, canvas.width, canvas.height).data;
  return cells.map(([x, y]) => {
    const at = 4 * (Math.floor(y * canvas.height) * canvas.width + Math.floor(x * canvas.width));
    return all[at] + all[at + 1] + all[at + 2] > 384;
  });
}"""


@dataclass(slots=True)
class Grandmother:
    """A television page; `presses` holds the body of every POST of an alarm that it sent."""

    page: Page
    presses: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    async def sits_down(cls, browser: Browser, tv_url: str) -> "Grandmother":
        """Open the household's own address, as the box does."""
        context = await browser.new_context(viewport={"width": TV_SIZE[0], "height": TV_SIZE[1]}, locale="zh-CN")
        page = await context.new_page()
        one = cls(page)
        page.on("request", lambda request: one._hear(request))  # noqa: PLW0108  playwright writes on methods
        await page.goto(tv_url)
        await expect(page.locator("#t9")).to_be_visible(timeout=PATIENCE_MS)
        return one

    def _hear(self, request: Request) -> None:
        if request.method == "POST" and request.url.endswith("/api/v1/alarms") and request.post_data_json:
            self.presses.append(request.post_data_json)

    async def holds_the_red_key(self, seconds: float = 2.3) -> None:
        """Keep the red key down."""
        await self.page.keyboard.down("r")
        await asyncio.sleep(seconds)
        await self.page.keyboard.up("r")

    async def reads(self, words: str) -> str:
        """Wait until the alarm's title says `words`; return all that stands on the layer."""
        await expect(self.page.locator("#at")).to_have_text(words, timeout=PATIENCE_MS)
        return await self.page.locator("#al").inner_text()


@dataclass(slots=True)
class Operator:
    """The board of the desk."""

    page: Page

    @classmethod
    async def signs_in(cls, browser: Browser, demo: Demo, role: str = "operator") -> "Operator":
        """Sign in with the one-time password and wait until the line to the desk stands."""
        return await cls.sits_down(browser, demo.desk, *demo.password(role))

    @classmethod
    async def sits_down(cls, browser: Browser, desk: str, name: str, password: str) -> "Operator":
        """Sign in at the desk's address and wait until the line stands."""
        context = await browser.new_context(
            viewport={"width": DESK_SIZE[0], "height": DESK_SIZE[1]}, locale="zh-CN", reduced_motion="reduce"
        )
        page = await context.new_page()
        await page.goto(desk)
        await page.fill("#name", name)
        await page.fill("#password", password)
        await page.click("button[type=submit]")
        await page.wait_for_selector("[data-link=live]", timeout=PATIENCE_MS)
        return cls(page)

    async def sees(self, *words: str) -> None:
        """Wait until one row of the queue holds all of `words`."""
        row = self.page.locator("[role=option]")
        for word in words:
            row = row.filter(has_text=word)
        await expect(row).to_have_count(1, timeout=PATIENCE_MS)

    async def frame_number(self) -> int:
        """Return the frame number that the pixels of the big tile carry."""
        canvas = self.page.locator("canvas.picture").first
        for _ in range(50):
            bits = await canvas.evaluate(_READ_CARD, _CELLS)
            if (read := testcard.decode(bits)) is not None:
                return read[0]
            await asyncio.sleep(0.1)
        raise AssertionError("no intact test card on the big tile")

    async def presses(self, key: str, then: str) -> None:
        """Press a key until the page shows what follows from it."""
        await self.page.keyboard.press(key)
        await self.page.wait_for_selector(then, timeout=PATIENCE_MS)


def short_number(text: str) -> str:
    """Return the alarm's number as screens show it."""
    found = re.search(r"\d{4}-\d{3}", text)
    assert found is not None, text
    return found[0]
