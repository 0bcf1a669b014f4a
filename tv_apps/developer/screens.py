"""The pages of a submitted app as the television would show them, for the reviewer's eyes; clickable, no scripts."""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from gateway.model.errors import NotFound
from gateway.web import sessions
from gateway.web.params import path_of, query_of
from gateway.web.routes import Route
from tv_apps.kit.look import Look, TextSize, Tier
from tv_apps.kit.page import assemble
from tv_apps.miniapps.address import Addresses, Here
from tv_apps.miniapps.application import App
from tv_apps.miniapps.check import sample_frame
from tv_apps.miniapps.rendering import render
from tv_apps.miniapps.review import ReviewDesk

_POLICY: Final = (
    "default-src 'none'; style-src 'sha256-{digest}'; img-src 'self' data:; form-action 'none'; base-uri 'none';"
    " frame-ancestors 'self'"
)


@dataclass(frozen=True, slots=True)
class ScreenPath:
    submission_id: str
    page: str = ""
    row: int | None = None


@dataclass(frozen=True, slots=True)
class ScreenQuery:
    p: int = 1
    at: int | None = None
    size: TextSize = TextSize.STANDARD


class Screens:
    """Draws any page of any submission that the person may see, from the verified bytes."""

    def __init__(self, desk: ReviewDesk) -> None:
        self._desk = desk

    def routes(self) -> tuple[Route, ...]:
        base = "/submissions/{submission_id}/app"
        return (
            Route("GET", f"{base}/files/{{name:.+}}", self.picture),
            Route("GET", base, self.screen),
            Route("GET", f"{base}/{{page}}", self.screen),
            Route("GET", f"{base}/{{page}}/{{row}}", self.screen),
        )

    @sessions.requires("developer", "official")
    async def screen(self, request: web.Request) -> web.Response:
        """Return one screen as HTML that the console may frame."""
        path, query = path_of(request, ScreenPath), query_of(request, ScreenQuery)
        app = await self._app(request, path.submission_id)
        addresses = Addresses(f"/submissions/{path.submission_id}/app")
        here = Here(path.page or app.manifest.home, path.row, max(0, query.p - 1), query.at, addresses.base)
        frame = sample_frame(Look(size=query.size, tier=Tier.F1))
        rendered = render(app, here, frame, addresses)
        if rendered is None:
            raise NotFound("no such page", place=path.page)
        document = assemble(rendered.page, frame)
        headers = {
            "Content-Security-Policy": _POLICY.format(digest=document.style_digest),
            "X-Frame-Options": "SAMEORIGIN",
        }
        return web.Response(text=document.html, content_type="text/html", headers=headers)

    @sessions.requires("developer", "official")
    async def picture(self, request: web.Request) -> web.Response:
        """Return a picture of the app."""
        app = await self._app(request, request.match_info["submission_id"])
        name = request.match_info["name"]
        picture = app.pictures.get(name)
        if picture is None:
            raise NotFound("no such picture", place=name)
        return web.Response(body=app.files[name], content_type=picture.media_type)

    async def _app(self, request: web.Request, submission_id: str) -> App:
        submission = await self._desk.seen_by(sessions.person_of(request), submission_id)
        return await self._desk.opened(submission)
