"""Renders every page of a running demo into pictures and audits them: `make screens DIR=folder`.

Television pages at 1280×720, the desk at 1920×1080 in both themes, developer pages at 1280×800. Pages are found by
following links, so a new page is in the pictures without being named here. What an audit finds (text below 24 px
on the television, text outside the screen or cut off, failed requests, script errors) is printed, and makes the exit
code 1.
"""

import argparse
import asyncio
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page

from tests.kit.browser import DESK_SIZE, DEVELOPER_SIZE, TV_SIZE, running_browser
from tests.kit.servers import REPOSITORY
from tests.kit.stack import Demo, running_demo

TV_TEXT_PX = 24
ULID = r"[0-9A-HJKMNP-TV-Z]{26}"
#: What is no page of its own: signing out, files, and the screens of an app that a review page frames without scripts.
NO_PAGE = re.compile(r"logout|\.(png|svg|json|zip)$|/submissions/\w+/app/")
#: Pictures of the README: name here → name in docs/pictures.
README_PICTURES = {
    "tv-tv-home": "tv-home",
    "tv-alarm-accepted": "tv-alarm",
    "tv-tv-air": "tv-air",
    "desk-alarm-board-dark": "desk",
    "developer-official-home": "review",
}
LONGEST_WALK = 60
SETTLE_MS = 1500

#: Text that a person cannot read: too small, outside the screen, or cut off by its own box.
AUDIT = """
(least) => {
  const found = [], seen = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.textContent.trim(), box = node.parentElement;
    const isText = !['SCRIPT', 'STYLE', 'NOSCRIPT', 'TITLE'].includes(box.tagName.toUpperCase());
    if (!text || !isText || seen.has(box)) continue;
    seen.add(box);
    const style = getComputedStyle(box);
    if (style.visibility !== 'visible' || style.opacity === '0' || !box.getClientRects().length) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const rect = range.getBoundingClientRect();
    if (!rect.width || !rect.height || style.clipPath !== 'none') continue;
    const name = text.slice(0, 24);
    const size = parseFloat(style.fontSize);
    if (least && size < least) found.push(`text of ${size} px: ${name}`);
    if (least && (rect.right > innerWidth + 1 || rect.bottom > innerHeight + 1 || rect.left < -1 || rect.top < -1))
      found.push(`outside the screen: ${name}`);
    if (style.overflow !== 'visible' && style.textOverflow !== 'ellipsis'
        && (box.scrollWidth > box.clientWidth + 2 || (least && box.scrollHeight > box.clientHeight + 2)))
      found.push(`cut off: ${name}`);
  }
  if (document.documentElement.scrollWidth > innerWidth + 1) found.push('the page is wider than the screen');
  return found;
}
"""


@dataclass(slots=True)
class Album:
    """Pictures taken so far, and what was wrong with them."""

    folder: Path
    findings: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)

    async def take(self, page: Page, name: str, *, least_px: int = 0) -> None:
        """Store the page as `name`.png and add what the audit finds."""
        await page.wait_for_timeout(SETTLE_MS)
        await page.screenshot(path=self.folder / f"{name}.png")
        self.taken.append(name)
        self.findings += [f"{name}: {finding}" for finding in await page.evaluate(AUDIT, least_px)]

    def listen(self, page: Page, name: str) -> None:
        """Note requests that fail and scripts that break."""
        page.on("pageerror", lambda error: self.findings.append(f"{name}: script: {error}"))
        page.on("console", lambda message: self._said(name, message))
        page.on("requestfailed", lambda request: self._failed(name, request.url, request.failure or ""))

    def _said(self, name: str, message: ConsoleMessage) -> None:
        if message.type == "error" and "frame is sandboxed" not in message.text:  # meant: see NO_PAGE
            self.findings.append(f"{name}: console: {message.text}")

    def _failed(self, name: str, url: str, why: str) -> None:
        if "ERR_ABORTED" not in why:  # a picture that was still coming when we went on
            self.findings.append(f"{name}: request: {url} {why}")


def slug(url: str) -> str:
    """Return a file name for an address, without what changes from run to run."""
    words = [word for word in re.split(r"[^A-Za-z0-9]+", urlsplit(url).path) if word and not re.fullmatch(ULID, word)]
    return "-".join(word[:20] for word in words[:5]) or "home"


async def links(page: Page) -> list[str]:
    """Return the addresses that the page links to on its own server, each once."""
    found: list[str] = await page.evaluate("[...document.querySelectorAll('a[href]')].map(a => a.href.split('#')[0])")
    here = urlsplit(page.url).netloc
    kept = (url for url in found if urlsplit(url).netloc == here and not NO_PAGE.search(url))
    return list(dict.fromkeys(kept))


async def walk(context: BrowserContext, start: str, album: Album, prefix: str, *, least_px: int = 0) -> None:
    """Take a picture of `start` and of everything that can be reached from it, one of each kind of address."""
    page = await context.new_page()
    album.listen(page, prefix)
    waiting, seen = [start], set[str]()
    while waiting and len(seen) < LONGEST_WALK:
        url = waiting.pop(0)
        answer = await page.goto(url)
        name = f"{prefix}-{slug(page.url)}"
        if name in seen:
            continue
        seen.add(name)
        if answer and answer.status >= 400:
            album.findings.append(f"{name}: HTTP {answer.status} for {url}")
        await album.take(page, name, least_px=least_px)
        waiting += await links(page)
    await page.close()


async def sign_in(context: BrowserContext, address: str, user: tuple[str, str]) -> None:
    """Sign in with the form, as a person does."""
    page = await context.new_page()
    await page.goto(address)
    if await page.query_selector("input[name=password]"):
        await page.fill("input[name=name]", user[0])
        await page.fill("input[name=password]", user[1])
        await page.click("button[type=submit]")
        await page.wait_for_load_state()
    await page.close()


async def television(browser: Browser, demo: Demo, album: Album) -> None:
    context = await browser.new_context(viewport={"width": TV_SIZE[0], "height": TV_SIZE[1]})
    await walk(context, demo.facts["households"][0]["tv_url"], album, "tv", least_px=TV_TEXT_PX)
    await context.close()


async def alarm(browser: Browser, demo: Demo, album: Album) -> None:
    """The story in pictures: a press on the television, the desk's board with it, signed."""
    tv = await browser.new_context(viewport={"width": TV_SIZE[0], "height": TV_SIZE[1]})
    home = await tv.new_page()
    album.listen(home, "tv-alarm")
    await home.goto(demo.facts["households"][0]["tv_url"])
    await home.wait_for_timeout(SETTLE_MS)
    await home.keyboard.down("r")
    await home.wait_for_timeout(900)
    await home.screenshot(path=album.folder / "tv-alarm-holding.png")
    await home.wait_for_timeout(2200)
    await home.keyboard.up("r")
    await album.take(home, "tv-alarm-sent", least_px=TV_TEXT_PX)
    await desk(browser, demo, album, "desk-alarm", ("light", "dark"), signs=True)
    await album.take(home, "tv-alarm-accepted", least_px=TV_TEXT_PX)
    await tv.close()


async def desk(
    browser: Browser, demo: Demo, album: Album, prefix: str, themes: Sequence[str], *, signs: bool = False
) -> None:
    """The login and the board in each theme; with `signs` the operator then signs the alarm with the space bar."""
    context = await browser.new_context(viewport={"width": DESK_SIZE[0], "height": DESK_SIZE[1]})
    page = await context.new_page()
    album.listen(page, prefix)
    await page.goto(demo.desk)
    await album.take(page, f"{prefix}-login")
    await sign_in(context, demo.desk, demo.password("operator"))
    person = json.loads(await (await context.request.get(demo.desk.rstrip("/") + "/api/v1/me")).text())
    for theme in themes:
        await context.add_cookies([{"name": f"desk_theme_{_person_id(person)}", "value": theme, "url": demo.desk}])
        await page.goto(demo.desk)
        await page.wait_for_timeout(2 * SETTLE_MS)  # cameras come over a socket of their own
        await album.take(page, f"{prefix}-board-{theme}")
    if signs:
        await page.keyboard.press("Space")
        await album.take(page, f"{prefix}-signed")
    await context.close()


def _person_id(me: object) -> str:
    """Find the person's id wherever the answer carries it."""
    found = re.search(r'"(?:person_id|id)":\s*"([^"]+)"', json.dumps(me))
    return found[1] if found else ""


async def developer(browser: Browser, demo: Demo, album: Album) -> None:
    for role in ("developer", "official"):
        if role in demo.facts["users"]:
            context = await browser.new_context(viewport={"width": DEVELOPER_SIZE[0], "height": DEVELOPER_SIZE[1]})
            await sign_in(context, demo.developer, demo.password(role))
            await walk(context, demo.developer, album, f"developer-{role}")
            await context.close()


async def photograph(demo: Demo, folder: Path) -> Album:
    """Take all pictures of a running demo."""
    album = Album(folder)
    async with running_browser() as browser:
        await television(browser, demo, album)
        await desk(browser, demo, album, "desk-quiet", ("dark", "light"))
        await alarm(browser, demo, album)
        await developer(browser, demo, album)
    return album


def keep_for_readme(album: Album, pictures: Path) -> None:
    """Store the README's pictures with 256 colours, which is a third of the bytes."""
    pictures.mkdir(parents=True, exist_ok=True)
    for name, kept in README_PICTURES.items():
        with Image.open(album.folder / f"{name}.png") as picture:
            picture.convert("RGB").quantize(256).save(pictures / f"{kept}.png", optimize=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.screens", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="where the pictures go")
    parser.add_argument("--readme", action="store_true", help="also renew the pictures of the README")
    options = parser.parse_args()
    folder: Path = options.dir
    folder.mkdir(parents=True, exist_ok=True)
    with running_demo() as demo:
        album = asyncio.run(photograph(demo, folder))
    if options.readme:
        keep_for_readme(album, REPOSITORY / "docs" / "pictures")
    for finding in dict.fromkeys(album.findings):
        print(finding)
    print(json.dumps({"screens": len(album.taken), "findings": len(album.findings), "dir": str(folder)}))
    return int(bool(album.findings))


if __name__ == "__main__":
    sys.exit(main())
