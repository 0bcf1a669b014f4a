"""Which television asks: its cookie, its household, its choices, and the frame around every page it gets."""

import re
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from gateway.model.errors import Unauthenticated
from gateway.runtime.clock import Clock, to_ms
from gateway.store.tv import Box, Choices, TvStore
from tv_apps.box_profiles import Profile, profile
from tv_apps.kit import script
from tv_apps.kit.look import Language, Look, TextSize, Tier
from tv_apps.kit.page import Document, Frame, Page, assemble
from tv_apps.pages import more
from tv_apps.readers import Readers
from tv_apps.settings import TvSettings

COOKIE: Final = "box"
COOKIE_AGE_S: Final = 400 * 86400
#: Engines that can draw inline SVG; everything else begins at F0 until the page itself proves more.
_SVG_ENGINE: Final = re.compile(r"Chrome/(?:3[89]|[4-9]\d|\d{3})|Firefox/|Version/\d+.*Safari/")


@dataclass(frozen=True, slots=True)
class Television:
    """One request's television."""

    box: Box
    frame: Frame
    choices: Choices
    profile: Profile


class Televisions:
    """Finds the television behind a request and dresses its pages."""

    def __init__(self, store: TvStore, readers: Readers, clock: Clock, settings: TvSettings, language: str) -> None:
        self._store = store
        self._readers = readers
        self._clock = clock
        self._settings = settings
        self._language = language

    async def box_of(self, request: web.Request) -> Box:
        """Return the television of the request's cookie; Unauthenticated for a stranger."""
        token = request.cookies.get(COOKIE, "")
        box = await self._store.box(token) if token else None
        if box is None:
            raise Unauthenticated(
                "this television is not registered", place="cookie box", cure="Open the address from the registration."
            )
        return box

    async def enter(self, request: web.Request) -> web.Response:
        """Answer `/tv?box=TOKEN`: remember the television, decide its tier once, go home."""
        token = request.query.get("box") or request.cookies.get(COOKIE, "")
        box = await self._store.box(token) if token else None
        if box is None:
            return self.answer(self.stranger())
        chosen: dict[str, object] = {}
        if box.choices is None:
            is_modern = _SVG_ENGINE.search(request.headers.get("User-Agent", "")) is not None
            chosen = {"tier": (Tier.F1 if is_modern else Tier.F0).value, "language": self._language}
        if (wanted := request.query.get("profile")) and profile(wanted).name == wanted:
            chosen["profile"] = wanted
        await self._store.choose(box.household_id, self._clock.now(), **chosen)
        response = web.Response(status=303, headers={"Location": "/tv/home?boot=1"})
        response.set_cookie(COOKIE, token, max_age=COOKIE_AGE_S, httponly=True, samesite="Lax", path="/")
        return response

    async def find(self, request: web.Request) -> Television:
        """Return the television of a request; Unauthenticated for a stranger."""
        box = await self.box_of(request)
        choices = box.choices or Choices(language=self._language)
        look = Look(TextSize(choices.text_size), Language(choices.language), Tier(choices.tier))
        remote = profile(choices.profile).with_learnt(choices.key_codes)
        return Television(box, self._frame(look, box, remote), choices, remote)

    def _frame(self, look: Look, box: Box | None, remote: Profile) -> Frame:
        english = box.area_name_en if box and look.language is Language.EN else ""
        return Frame(
            look=look,
            now=self._readers.now(),
            now_ms=to_ms(self._clock.now()),
            device_id=box.device_id if box else "",
            address=box.address if box else "",
            area_name=english or (box.area_name if box else ""),
            keys=remote.keys,
            script=script.address(),
            poll_s=self._settings.poll_s,
            has_live_tv=remote.has_live_tv,
            holds=remote.holds,
            silent_keys=box.silent_keys if box else "",
        )

    def stranger(self) -> Document:
        """Return the page for a television that nobody has registered."""
        frame = self._plain_frame()
        return assemble(more.draw_stranger(frame), frame)

    def trouble(self) -> Document:
        """Return the page for a television that cannot be looked up because the database is away; red still works."""
        frame = self._plain_frame()
        return assemble(more.draw_trouble(frame, is_gone=False), frame)

    def _plain_frame(self) -> Frame:
        return self._frame(Look(language=Language(self._language), tier=Tier.F0), None, profile("keyboard"))

    def show(self, television: Television, page: Page, status: int = 200) -> web.Response:
        """Return the page as this television gets it."""
        return self.answer(assemble(page, television.frame), status)

    def answer(self, document: Document, status: int = 200) -> web.Response:
        """Return the HTML with its policy: its own style by digest; engines before CSP 2 read 'unsafe-inline'."""
        policy = (
            "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; "
            f"base-uri 'none'; frame-ancestors 'none'; style-src 'unsafe-inline' 'sha256-{document.style_digest}'"
        )
        headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
        return web.Response(text=document.html, content_type="text/html", headers=headers, status=status)
