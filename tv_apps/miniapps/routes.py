"""The television's routes of the store, of apps and of their pictures."""

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from gateway.web.routes import Route
from tv_apps.kit.page import Page
from tv_apps.miniapps.host import FILE_PATH, PATHS, Host
from tv_apps.television import Television, Televisions

Draw = Callable[[web.Request, Television], Awaitable[Page]]
Shown = Callable[[Draw], Callable[[web.Request], Awaitable[web.StreamResponse]]]


class HostRoutes:
    """Binds the host to the television's server; `shown` finds the television and answers with the page."""

    def __init__(self, host: Host, televisions: Televisions, shown: Shown) -> None:
        self._host = host
        self._televisions = televisions
        self._shown = shown

    def routes(self) -> Sequence[Route]:
        store, *apps = PATHS
        return (
            Route("GET", FILE_PATH, self._file),
            Route("GET", store, self._shown(self._store)),
            *(Route("GET", path, self._shown(self._app)) for path in apps),
        )

    async def _store(self, request: web.Request, television: Television) -> Page:
        back = "/tv/s/0" if request.query.get("k") == "learn" else "/tv/more?f=m4"
        return await self._host.store(television.frame, television.box.area_id, request.query, back)

    async def _app(self, request: web.Request, television: Television) -> Page:
        return await self._host.page(television.frame, television.box.area_id, request.match_info, request.query)

    async def _file(self, request: web.Request) -> web.Response:
        box = await self._televisions.box_of(request)
        body, media_type = await self._host.file(box.area_id, request.match_info["app_id"], request.match_info["name"])
        return web.Response(body=body, content_type=media_type, headers={"Cache-Control": "private, max-age=300"})
