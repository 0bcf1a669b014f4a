"""The lines that rules write for the desk: the open ones in memory, and 知道了, which takes one off in a name."""

from typing import Final

from aiohttp import web
from pydantic import Field

from gateway.accounts.sessions import Accounts
from gateway.contract import codec
from gateway.model.errors import NotFound, Unavailable
from gateway.model.ids import area_prefix
from gateway.model.people import Person
from gateway.runtime import metrics
from gateway.runtime.clock import Clock
from gateway.runtime.service import Statistics, keep_running
from gateway.store import desk
from gateway.store.desk import OpenNotice
from gateway.store.feed import Feed
from gateway.store.pool import Database
from gateway.web import sessions
from gateway.web.params import Body, body_of
from security_video.desk.shapes import Notices, notices_of

ROLES: Final = ("operator", "supervisor")
SHOWN: Final = 4
POLL_S: Final = 2.0


class SignBody(Body):
    """Which line is taken off."""

    notice_id: str = Field(min_length=1, max_length=200)


class NoticeBoard:
    """Follows the open lines of one area; a service. Away from the database it keeps what it read last."""

    def __init__(self, database: Database, clock: Clock, accounts: Accounts, area_id: str) -> None:
        self._database = database
        self._clock = clock
        self._accounts = accounts
        self._area_id = area_id
        self._feed = Feed(database, "linli_rules")
        self._keeper = keep_running("desk_notices", self._follow)
        self._open: tuple[OpenNotice, ...] = ()

    async def start(self) -> None:
        await self._take()
        await self._keeper.start()

    async def stop(self) -> None:
        await self._keeper.stop()

    def statistics(self) -> Statistics:
        return {"notices_shown": len(self._open)}

    def open_for(self, person: Person) -> Notices:
        """Return the newest open lines that `person` may see, and how many more there are."""
        return notices_of([one for one in self._open if person.may_see(one.area_id)], SHOWN)

    async def sign(self, request: web.Request) -> web.Response:
        """POST: take a line off; who and when is in its row and in the audit trail, once."""
        sessions.check_role(request, *ROLES)
        notice_id = (await body_of(request, SignBody)).notice_id
        area_id = await desk.notice_area(self._database, notice_id)
        if area_id is None:
            raise NotFound("no such notice", place=notice_id, cure="Reload the page.")
        person = sessions.check_area(request, area_id)
        if await desk.sign_notice(self._database, notice_id, person, self._clock.now()):
            await self._accounts.record(person, "notice_signed", notice_id, address=request.remote or "")
        await self._take()
        return web.Response(body=codec.encode({"ok": True}), content_type="application/json")

    async def _follow(self) -> None:
        async for _area in self._feed.changes(POLL_S):
            await self._take()

    async def _take(self) -> None:
        try:
            self._open = tuple(await desk.list_open_notices(self._database, area_prefix(self._area_id), SHOWN))
        except Unavailable:
            metrics.dropped("desk", "notices_away")
