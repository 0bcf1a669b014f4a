"""The pages of the portal as routes: read a view, draw it, answer. No page is made anywhere else."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import Final, NamedTuple

from aiohttp import web

from gateway.alarms.facts import facts_of, moment_of, stage_of
from gateway.alarms.ledger import AlarmLedger
from gateway.model.alarms import Alarm, Cancellation, Press
from gateway.model.errors import NotFound, Unauthenticated, Unavailable
from gateway.model.ids import new_ulid
from gateway.model.notices import Section
from gateway.runtime import metrics
from gateway.runtime.clock import Clock
from gateway.web.routes import Route
from tv_apps import box_profiles
from tv_apps.charts.png import to_png
from tv_apps.kit import raster, script, sprites
from tv_apps.kit.look import Language
from tv_apps.kit.page import Page
from tv_apps.pages import air, alarm, bills, electricity, home, lists, more, my_home, notices, safety
from tv_apps.readers import Readers
from tv_apps.television import Television, Televisions

FOR_EVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
A_MINUTE: Final = {"Cache-Control": "private, max-age=60"}


class Shelf(NamedTuple):
    """A section that is a list of notices."""

    section: Section
    name: str
    name_en: str
    icon: str
    tile: str


SHELVES: Final = {
    "2": Shelf(Section.GOVERNMENT, "政务公开", "Gov info", "gov", "t1"),
    "3": Shelf(Section.SERVICES, "办事指南", "Services", "guide", "t2"),
    "5": Shelf(Section.NOTICES, "通知公告", "Notices", "notice", "t4"),
    "6": Shelf(Section.HEALTH, "健康养老", "Health", "health", "t5"),
    "8": Shelf(Section.CULTURE, "文明实践", "Culture", "flag", "t7"),
    "9": Shelf(Section.FARMING, "农技电商", "Farming", "sprout", "t8"),
    "0": Shelf(Section.LIBRARY, "书屋课堂", "Library", "book", "t10"),
}
#: Lists inside another section, by the last word of their address.
INNER: Final = {
    "safety": (Shelf(Section.SAFETY, "安全提示", "Advice", "shield", ""), "/tv/s/1?f=m2"),
    "bills": (Shelf(Section.BILLS, "缴费通知", "About bills", "pay", ""), "/tv/s/4?f=m1"),
}

Draw = Callable[[web.Request, Television], Awaitable[Page]]


class Portal:
    """All pages of the television but those of mini-apps."""

    def __init__(
        self,
        televisions: Televisions,
        readers: Readers,
        ledger: AlarmLedger,
        clock: Clock,
        *,
        idle_s: int,
        store_href: str,
    ) -> None:
        self._televisions = televisions
        self._readers = readers
        self._ledger = ledger
        self._clock = clock
        self._idle_s = idle_s
        self._store_href = store_href

    def routes(self) -> Sequence[Route]:
        """Return the portal's routes."""
        return (
            Route("GET", "/", self._to_entry),
            Route("GET", "/tv", self._televisions.enter),
            Route("GET", "/tv/home", self.shown(self._home)),
            Route("GET", "/tv/s/{digit:[0-9]}", self.shown(self._section)),
            Route("GET", "/tv/list/{name}", self.shown(self._inner_list)),
            Route("GET", "/tv/notices/{notice_id}", self.shown(self._notice)),
            Route("GET", "/tv/my/devices", self.shown(self._devices)),
            Route("GET", "/tv/my/electricity", self.shown(self._electricity)),
            Route("GET", "/tv/my/alarms", self.shown(self._alarms)),
            Route("GET", "/tv/air", self.shown(self._air)),
            Route("GET", "/tv/alarm", self.shown(self._alarm_ask)),
            Route("GET", "/tv/alarm/{alarm_id}", self.shown(self._alarm_state)),
            Route("GET", "/tv/more", self.shown(self._more)),
            Route("GET", "/tv/keys", self.shown(self._keys)),
            Route("GET", "/tv/help", self.shown(self._help)),
            Route("GET", "/tv/live", self.shown(self._live)),
            Route("POST", "/tv/alarm/raise", self._raise, csrf=False),
            Route("POST", "/tv/alarm/{alarm_id}/cancel", self._cancel, csrf=False),
            Route("GET", "/tv/icons/{plan}.png", _icons),
            Route("GET", "/tv/my/electricity.png", self._electricity_png),
            Route("GET", "/tv/air.png", self._air_png),
            Route("GET", "/tv/tv.{digest}.js", _script),
            Route("GET", "/favicon.ico", _nothing),
        )

    def shown(self, draw: Draw) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return a handler that draws for the request's television; what goes wrong is a page of the same kind."""

        async def handler(request: web.Request) -> web.StreamResponse:
            try:
                television = await self._televisions.find(request)
            except Unauthenticated:
                return self._televisions.answer(self._televisions.stranger(), 401)
            except Unavailable:
                metrics.dropped("tv", "unavailable")
                return self._televisions.answer(self._televisions.trouble(), 503)
            try:
                page = await draw(request, television)
            except (NotFound, Unavailable) as error:
                metrics.dropped("tv", error.code)
                page = more.draw_trouble(television.frame, is_gone=isinstance(error, NotFound))
                return self._televisions.show(television, page, 404 if isinstance(error, NotFound) else 503)
            return self._televisions.show(television, page)

        return handler

    async def _to_entry(self, _request: web.Request) -> web.Response:
        """Lead to the entry."""
        return web.Response(status=303, headers={"Location": "/tv"})

    async def _home(self, request: web.Request, tv: Television) -> Page:
        """The home page; `boot` marks the first page after the entry."""
        view = await self._readers.home(tv.box, zh=_is_zh(tv))
        idle_s = self._idle_s if "boot" in request.query else 0
        page = home.draw(tv.frame, view, focus=request.query.get("f", home.FIRST_FOCUS), idle_s=idle_s)
        page.probes = "boot" in request.query
        return page

    # -- sections ----------------------------------------------------------------------------------------------------

    async def _section(self, request: web.Request, tv: Television) -> Page:
        """The section that a digit key opens."""
        digit, focus = request.match_info["digit"], request.query.get("f", "")
        if digit == "1":
            return safety.draw(tv.frame, len(await self._readers.alarms(tv.box)), focus=focus)
        if digit == "4":
            count = await self._readers.count(tv.box, [Section.BILLS])
            view = await self._readers.my_home(tv.box, zh=_is_zh(tv))
            return bills.draw(tv.frame, electricity=view.electricity, notices=count.total, focus=focus)
        if digit == "7":
            return my_home.draw(tv.frame, await self._readers.my_home(tv.box, zh=_is_zh(tv)), focus=focus)
        shelf = SHELVES[digit]
        return await self._list(request, tv, shelf, f"/tv/s/{digit}", f"/tv/home?f={shelf.tile}")

    async def _inner_list(self, request: web.Request, tv: Television) -> Page:
        """A list inside another section: safety, bills."""
        name = request.match_info["name"]
        if name not in INNER:
            raise NotFound("no such list", place=request.path)
        shelf, back = INNER[name]
        return await self._list(request, tv, shelf, f"/tv/list/{name}", back)

    async def _list(self, request: web.Request, tv: Television, shelf: Shelf, address: str, back: str) -> Page:
        count = await self._readers.count(tv.box, [shelf.section])
        per_page = lists.rows_per_page(tv.frame.look.size, count.total)
        page = min(_page_number(request), max(1, -(-count.total // per_page)))
        found = await self._readers.notices(tv.box, [shelf.section], per_page, (page - 1) * per_page)
        title = tv.frame.look.say(shelf.name, shelf.name_en)
        view = notices.NoticeList(title, found, address, page, count.total, back, shelf.icon)
        return notices.draw_list(tv.frame, view, focus=request.query.get("f", ""))

    async def _notice(self, request: web.Request, tv: Television) -> Page:
        """One notice, page by page; opening it marks it as read."""
        found = await self._readers.notice(tv.box, request.match_info["notice_id"])
        if found is None:
            raise NotFound("no such notice", place=request.path)
        back = _own_path(request.query.get("from", ""), "/tv/s/5")
        return notices.draw(tv.frame, found, page=_page_number(request), back=back)

    # -- home and series ---------------------------------------------------------------------------------------------

    async def _devices(self, request: web.Request, tv: Television) -> Page:
        """The household's devices and whether they answer."""
        view = await self._readers.my_home(tv.box, zh=_is_zh(tv))
        return my_home.draw_devices(tv.frame, view, page=_page_number(request))

    async def _electricity(self, request: web.Request, tv: Television) -> Page:
        """This week of the meter against the week before."""
        view = await self._readers.electricity(tv.box, _week(request))
        address = f"/tv/my/electricity.png?week={view.this.monday}" if view else ""
        return electricity.draw(tv.frame, view, chart_address=address)

    async def _electricity_png(self, request: web.Request) -> web.Response:
        """The chart of the electricity page for boxes without SVG."""
        tv = await self._televisions.find(request)
        view = await self._readers.electricity(tv.box, _week(request))
        if view is None:
            raise NotFound("no meter", place=request.path)
        return _png(to_png(electricity.drawing(tv.frame, view)), A_MINUTE)

    async def _air(self, _request: web.Request, tv: Television) -> Page:
        """Air quality of the community."""
        return air.draw(tv.frame, await self._readers.air(tv.box), chart_address="/tv/air.png")

    async def _air_png(self, request: web.Request) -> web.Response:
        """The chart of the air page for boxes without SVG."""
        tv = await self._televisions.find(request)
        view = await self._readers.air(tv.box)
        if view is None:
            raise NotFound("no station", place=request.path)
        return _png(to_png(air.drawing(tv.frame, view)), A_MINUTE)

    # -- alarm -------------------------------------------------------------------------------------------------------

    async def _alarms(self, request: web.Request, tv: Television) -> Page:
        """The household's own alarms."""
        return safety.draw_history(tv.frame, await self._readers.alarms(tv.box), page=_page_number(request))

    async def _alarm_ask(self, _request: web.Request, tv: Television) -> Page:
        """The button that raises an alarm by a form."""
        return alarm.draw_ask(tv.frame)

    async def _raise(self, request: web.Request) -> web.Response:
        """Raise by a form, for boxes without scripts. Two posts in one second are one press."""
        box, now = await self._televisions.box_of(request), self._clock.now()
        boot = int(now.timestamp())
        press = Press(box.device_id, boot, 0, "sos", "https", new_ulid(now), now, details={"by": "form"})
        receipt = await self._ledger.raise_alarm(press)
        return web.Response(status=303, headers={"Location": f"/tv/alarm/{receipt.alarm_id}"})

    async def _cancel(self, request: web.Request) -> web.Response:
        """Take the alarm back by a form: a second event."""
        box, now = await self._televisions.box_of(request), self._clock.now()
        found = await self._own_alarm(request, box.household_id)
        boot = int(now.timestamp())
        if found.is_open and found.cancelled_by_user_at is None:
            await self._ledger.cancel(Cancellation(box.device_id, boot, 1, new_ulid(now), now, "https"))
        return web.Response(status=303, headers={"Location": f"/tv/alarm/{found.alarm_id}"})

    async def _own_alarm(self, request: web.Request, household_id: str) -> Alarm:
        found = await self._ledger.alarm(request.match_info["alarm_id"])
        if found.household_id != household_id or found.is_silent:
            raise NotFound("no such alarm", place=request.path)
        return found

    async def _alarm_state(self, request: web.Request, tv: Television) -> Page:
        """How one of the household's alarms stands; reloads itself without scripts."""
        found = await self._own_alarm(request, tv.box.household_id)
        screen, values = stage_of(found), self._values(found, tv)
        if screen == "closed":
            return alarm.draw_record(tv.frame, *self._record(found, tv, values))
        may_cancel = screen not in {"cancelled", "on_scene"}
        return alarm.draw_state(tv.frame, found.alarm_id, screen, values, may_cancel=may_cancel)

    def _values(self, found: Alarm, tv: Television) -> dict[str, str]:
        time = moment_of(found).astimezone(tv.frame.now.tzinfo).strftime("%H:%M:%S")
        facts = {name: str(value) for name, value in facts_of(found).items() if value}
        return {**facts, "time": time, "home": tv.box.address}

    def _record(self, found: Alarm, tv: Television, values: dict[str, str]) -> tuple[str, list[tuple[str, str]]]:
        say, zone = tv.frame.look.say, tv.frame.now.tzinfo
        facts = [
            (say("警情号", "Number"), found.short_no),
            (say("报警时间", "Raised"), found.raised_at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")),
            (say("值班员", "On duty"), values.get("operator", "—")),
        ]
        if found.closed_at:
            facts.append((say("办完时间", "Closed"), found.closed_at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")))
        if found.cancelled_by_user_at:
            facts.append(
                (say("您撤销过", "You cancelled"), found.cancelled_by_user_at.astimezone(zone).strftime("%H:%M:%S"))
            )
        kind = say(*safety.KINDS.get(found.kind, (found.kind, found.kind)))
        return f"{kind}　{say('这次报警已办完', 'closed')}", facts

    # -- the rest ----------------------------------------------------------------------------------------------------

    async def _more(self, request: web.Request, tv: Television) -> Page:
        """Text size, language, remote, help, mini-apps."""
        return more.draw(tv.frame, store_href=self._store_href, focus=request.query.get("f", ""))

    async def _keys(self, request: web.Request, tv: Television) -> Page:
        """Choose the kind of remote."""
        known = [(each.name, each.title) for each in box_profiles.profiles().values()]
        page = more.draw_keys(tv.frame, known, tv.choices.profile)
        page.focus = request.query.get("f", "")
        return page

    async def _help(self, _request: web.Request, tv: Television) -> Page:
        """How to use the remote."""
        return more.draw_help(tv.frame)

    async def _live(self, _request: web.Request, tv: Television) -> Page:
        """Full-screen television."""
        return more.draw_live(tv.frame)


def _is_zh(tv: Television) -> bool:
    return tv.frame.look.language is Language.ZH


def _page_number(request: web.Request) -> int:
    text = request.query.get("p", "1")
    return max(1, int(text)) if text.isdecimal() and len(text) < 5 else 1


def _week(request: web.Request) -> date | None:
    try:
        return date.fromisoformat(request.query["week"])
    except (KeyError, ValueError):
        return None


def _own_path(address: str, otherwise: str) -> str:
    """Return `address` where it is one of our own paths, so that no link can lead away from the television."""
    return address if address.startswith("/tv/") and "//" not in address else otherwise


def _png(body: bytes, headers: dict[str, str]) -> web.Response:
    return web.Response(body=body, content_type="image/png", headers=headers)


async def _nothing(_request: web.Request) -> web.Response:
    """There is no favicon."""
    return web.Response(status=204, headers=FOR_EVER)


async def _icons(request: web.Request) -> web.Response:
    """The sheet of icons of one page, drawn from the plan in its address."""
    return _png(raster.sheet_png(sprites.read_plan(request.match_info["plan"])), FOR_EVER)


async def _script(request: web.Request) -> web.Response:
    """The one script of every page."""
    headers = FOR_EVER if request.path == script.address() else {"Cache-Control": "no-store"}
    return web.Response(text=script.source(), content_type="text/javascript", headers=headers)
