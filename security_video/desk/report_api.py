"""What a report is made of: who asks for which area and period, the figures, and the month as a CSV file."""

import asyncio
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import Field

from gateway.accounts.sessions import Accounts
from gateway.alarms import kpi
from gateway.model.errors import NotFound
from gateway.model.ids import area_prefix
from gateway.model.people import Person
from gateway.runtime.clock import Clock
from gateway.store import report
from gateway.store.pool import Database, Record
from gateway.store.report import Figures, Limits, Lists, Period
from gateway.web import sessions, templates
from gateway.web.params import Body, query_of
from security_video.desk.report_periods import Chosen, chosen_period
from security_video.desk.words import say, words_of

ROLES = ("operator", "supervisor")
LIMITS = Limits(kpi.SIGN.limits_s, kpi.DISPATCH.limits_s, kpi.FEEDBACK.limits_s)
LISTS = Lists(slot_s=kpi.FLOOD_SLOT_S, slot_alarms=kpi.FLOOD_ALARMS)

#: Columns of the month's file: the word of each, and the column of the store or a family of words for its values.
COLUMNS: Mapping[str, str] = {
    "alarm_no": "",
    "area_name": "",
    "kind": "kind",
    "level": "",
    "state": "report.state",
    "raised_at": "",
    "sign_s": "",
    "dispatch_s": "",
    "feedback_s": "",
    "acknowledged_name": "",
    "dispatched_to": "",
    "verdict": "verdict",
    "outcome": "outcome",
    "escalation_level": "report.level",
    "press_count": "",
    "is_cancelled": "report.flag",
    "late_by_s": "",
    "suspicion": "report.suspicion",
    "closed_at": "",
}
#: What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class ReportQuery(Body):
    """Which period and whose: a running `period`, or a `month`; `area` is the asker's own where it is not said."""

    period: Literal["", "shift", "day"] = ""
    month: str = Field("", pattern=r"^(20\d\d-(0[1-9]|1[0-2]))?$")
    area: str = Field("", pattern=r"^([0-9]{12})?$")


@dataclass(frozen=True, slots=True)
class Question:
    """Who asks for what."""

    person: Person
    area_id: str
    chosen: Chosen
    now: datetime

    @property
    def period(self) -> Period:
        """The period as the store knows it."""
        return Period(area_prefix(self.area_id), self.chosen.since, self.chosen.until, self.now)


class ReportApi:
    """Reads reports; every question is checked for role and area first."""

    def __init__(self, database: Database, accounts: Accounts, clock: Clock, time_zone: str) -> None:
        self._database = database
        self._accounts = accounts
        self._clock = clock
        self.zone = ZoneInfo(time_zone)

    def question(self, request: web.Request) -> Question:
        """Return what is asked. Raises Forbidden outside the asker's area, BadInput for no such period."""
        person = sessions.check_role(request, *ROLES)
        asked = query_of(request, ReportQuery)
        area_id = asked.area or person.area_id
        sessions.check_area(request, area_id)
        now = self._clock.now()
        return Question(person, area_id, chosen_period(asked.period, asked.month, now, self.zone), now)

    async def figures(self, question: Question) -> Figures:
        """Return the figures of one moment."""
        return await report.read_figures(self._database, question.period, LIMITS, str(self.zone), LISTS)

    async def areas(self, person: Person) -> list[tuple[str, str, str]]:
        """Return (area_id, name, English name) of the areas that a person may choose."""
        return await report.area_names(self._database, area_prefix(person.area_id))

    async def table(self, request: web.Request) -> web.Response:
        """GET: a month's alarms as CSV, practice left out, nothing in it that names a household; it is on record."""
        question = self.question(request)
        chosen = question.chosen
        if chosen.kind != "month":
            raise NotFound("only a month has a file", place="period", cure="Ask with month=2026-07.")
        rows = await report.list_rows(self._database, question.period)
        facts = {"month": chosen.month, "rows": len(rows)}
        await self._accounts.record(
            question.person, "report_downloaded", question.area_id, address=request.remote or "", details=facts
        )
        name = f"linli-{chosen.month}-{question.area_id}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        # Thousands of lines are made beside the loop, which has alarms to tell.
        text = await asyncio.to_thread(csv_of, rows, templates.language_of(request), self.zone)
        # The mark tells spreadsheets that this is UTF-8.
        body = text.encode("utf-8-sig")
        return web.Response(body=body, content_type="text/csv", charset="utf-8", headers=headers)


def csv_of(rows: Sequence[Record], language: str, zone: ZoneInfo) -> str:
    """Return rows as CSV with words instead of codes, times by the wall clock, seconds with one decimal."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow([say(language, f"report.column.{column}") for column in COLUMNS])
    for row in rows:
        writer.writerow(list(_cells(row, language, zone)))
    return written.getvalue()


def _cells(row: Record, language: str, zone: ZoneInfo) -> Iterator[str]:
    words = words_of(language)
    for column, family in COLUMNS.items():
        value = row[column]
        if value is None or value == "":
            yield ""
        elif family:
            code = str(value).lower()
            yield words.get(f"{family}.{code}", code)
        elif isinstance(value, datetime):
            yield f"{value.astimezone(zone):%Y-%m-%d %H:%M:%S}"
        elif isinstance(value, float):
            yield f"{max(0.0, value):.1f}"
        else:
            yield plain_cell(str(value))


def plain_cell(text: str) -> str:
    """Return a text that no spreadsheet runs: one that begins like a formula gets an apostrophe."""
    return f"'{text}" if text.startswith(_FORMULA) else text
