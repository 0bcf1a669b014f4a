"""The roster's page: read by everybody at the desk, changed by supervisors through the duty API."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
from aiohttp import web
from pydantic import Field

from gateway.accounts.drill_book import LONGEST_MINUTES
from gateway.accounts.roster_lines import COLUMNS
from gateway.contract import codec
from gateway.model.errors import BadInput
from gateway.model.ids import area_prefix
from gateway.runtime.clock import Clock
from gateway.store import drills, duty, report
from gateway.store.pool import Database
from gateway.web import sessions, templates
from gateway.web.params import Body, query_of
from security_video.desk import duty_lines
from security_video.desk.duty_api import ROLE
from security_video.desk.report_lines import duration
from security_video.desk.words import say, words_of

ROLES = ("operator", "supervisor")
DRILL_MINUTES = (30, 60, 120, LONGEST_MINUTES)
SHOWN_DRILLS = 6


class WeekQuery(Body):
    """Which week, by one of its days; empty: this one."""

    week: str = Field("", pattern=r"^(20\d\d-\d\d-\d\d)?$")


class DutyPage:
    """Handlers of /duty."""

    def __init__(self, made: jinja2.Environment, database: Database, clock: Clock, time_zone: str) -> None:
        self._templates = made
        self._database = database
        self._clock = clock
        self._zone = ZoneInfo(time_zone)

    async def show(self, request: web.Request) -> web.Response:
        """GET: the page of a week."""
        return await self._answer(request, "duty/page.html")

    async def roster(self, request: web.Request) -> web.Response:
        """GET: the roster alone, for a page that is open."""
        return await self._answer(request, "duty/roster.html")

    async def _answer(self, request: web.Request, template: str) -> web.Response:
        person = sessions.check_role(request, *ROLES)
        language, now = templates.language_of(request), self._clock.now()
        week = _week(query_of(request, WeekQuery).week, now, self._zone)
        names = await self._names(person.area_id, language)
        prefix = area_prefix(person.area_id)
        kept = await duty.roster_areas(self._database, prefix)
        reach = (min(week.since, now), max(week.until, now + duty_lines.AHEAD))
        shifts = await duty.list_shifts(self._database, prefix, *reach)
        areas = [(area_id, names.get(area_id, name)) for area_id, name in kept]
        book = await drills.list_drills(self._database, person.area_id, SHOWN_DRILLS)
        return templates.render(
            self._templates,
            request,
            template,
            words_json=codec.encode(dict(words_of(language))).decode(),
            desk_json=codec.encode({"me": person.person_id}).decode(),
            zone=str(self._zone),
            now=now,
            week=week,
            lines=duty_lines.area_lines(areas, shifts, week, now, self._zone),
            without=[name for area_id, name in names.items() if area_id not in dict(kept)],
            names=names,
            area_name=names.get(person.area_id, person.area_id),
            may_change=person.has_role(ROLE),
            running=[one for one in book if one.runs(now)],
            past=[one for one in book if not one.runs(now)],
            drill_minutes=DRILL_MINUTES,
            columns=",".join(COLUMNS),
            **_said(language, now, self._zone),
        )

    async def _names(self, area_id: str, language: str) -> Mapping[str, str]:
        areas = await report.area_names(self._database, area_prefix(area_id))
        return {one: (name_en if language == "en" else name) for one, name, name_en in areas}


def _week(day: str, now: datetime, zone: ZoneInfo) -> duty_lines.Week:
    try:
        return duty_lines.week_of(day, now, zone)
    except ValueError as error:
        raise BadInput("there is no such day", reason="bad_value", place="week", cure="Say 2026-07-20.") from error


def _said(language: str, now: datetime, zone: ZoneInfo) -> Mapping[str, Any]:
    """Return what the template needs to say moments and lengths."""

    def day_time(moment: datetime) -> str:
        local = moment.astimezone(zone)
        return f"{say(language, 'report.day', month=local.month, day=local.day)} {local:%H:%M}"

    return {
        "day_time": day_time,
        "clock_time": lambda moment: f"{moment.astimezone(zone):%H:%M:%S}",
        "dur": lambda moment: duration(language, max(timedelta(), moment - now).total_seconds()),
        "today": now.astimezone(zone).date(),
        "tomorrow": now.astimezone(zone).date() + timedelta(days=1),
    }
