"""What the script of a television asks: is there news, remember a choice, somebody has read a message."""

from collections.abc import Sequence
from typing import Literal

from aiohttp import web

from gateway.contract import codec
from gateway.runtime.clock import Clock, to_ms
from gateway.store.tv import TvStore
from gateway.web import params
from gateway.web.routes import Route
from tv_apps import box_profiles
from tv_apps.readers import NEWS_SECTIONS, Readers
from tv_apps.television import Televisions


class Choice(params.Body):
    """A choice made on the television; what is absent stays."""

    text_size: Literal["standard", "large", "xlarge"] | None = None
    language: Literal["zh", "en"] | None = None
    tier: Literal["f0", "f1"] | None = None
    profile: str | None = None
    back: str = "/tv/more"


class TvApi:
    """The JSON routes of the television."""

    def __init__(self, televisions: Televisions, store: TvStore, readers: Readers, clock: Clock) -> None:
        self._televisions = televisions
        self._store = store
        self._readers = readers
        self._clock = clock

    def routes(self) -> Sequence[Route]:
        """Return the routes."""
        return (
            Route("GET", "/api/v1/tv/now", self._now),
            Route("POST", "/api/v1/tv/choices", self._choose, csrf=False),
            Route("POST", "/tv/choices", self._choose_by_form, csrf=False),
            Route("POST", "/api/v1/tv/messages/{message_id}/seen", self._seen, csrf=False),
        )

    async def _now(self, request: web.Request) -> web.Response:
        """Answer with the time, what waits to be shown, how many notices are unread, and the home's open alarm."""
        box = await self._televisions.box_of(request)
        messages = await self._store.waiting_messages(box.household_id, self._clock.now())
        count = await self._readers.count(box, NEWS_SECTIONS)
        said = [
            {"id": each.message_id, "level": each.level, "title": each.title, "body": each.body, "source": each.source}
            for each in messages
        ]
        alarm = await self._store.open_alarm(box.household_id)
        body = {"now": to_ms(self._clock.now()), "unread": count.unread, "messages": said, "alarm": alarm}
        return web.Response(body=codec.encode(body), content_type="application/json")

    async def _choose(self, request: web.Request) -> web.Response:
        """Remember a choice made on the television."""
        await self._remember(request, await params.body_of(request, Choice))
        return web.Response(status=204)

    async def _choose_by_form(self, request: web.Request) -> web.Response:
        """The same by a form, for boxes without scripts."""
        choice = await params.body_of(request, Choice)
        await self._remember(request, choice)
        back = choice.back if choice.back.startswith("/tv/") and "//" not in choice.back else "/tv/more"
        return web.Response(status=303, headers={"Location": back})

    async def _remember(self, request: web.Request, choice: Choice) -> None:
        box = await self._televisions.box_of(request)
        changes = choice.model_dump(exclude_none=True, exclude={"back"})
        if "profile" in changes:
            changes["profile"] = box_profiles.profile(changes["profile"]).name
        await self._store.choose(box.household_id, self._clock.now(), **changes)

    async def _seen(self, request: web.Request) -> web.Response:
        """Somebody has pressed 知道了: the message is not shown again."""
        box = await self._televisions.box_of(request)
        message_id = request.match_info["message_id"]
        await self._store.mark_message_seen(box.household_id, message_id, self._clock.now())
        return web.Response(status=204)
