"""The report's page and its figures: the same template for the first picture, every renewal and the printer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jinja2
from aiohttp import web

from gateway.alarms import kpi
from gateway.contract import codec
from gateway.store.report import Figures
from gateway.web import templates
from security_video.desk import report_lines
from security_video.desk.report_api import Question, ReportApi
from security_video.desk.report_lines import duration, share
from security_video.desk.words import say, words_of

SHOWN_AREAS = 200


@dataclass(frozen=True, slots=True)
class Card:
    """One large figure with what stands below it; `tone` is empty, good or poor."""

    key: str
    value: str
    note: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class HourBar:
    """One hour of the day in the chart of 24; `height` of 100."""

    hour: int
    alarms: int
    height: float


class ReportPage:
    """Handlers of /report."""

    def __init__(self, made: jinja2.Environment, api: ReportApi) -> None:
        self._templates = made
        self._api = api

    async def show(self, request: web.Request) -> web.Response:
        """GET: the page of a period with its figures."""
        return await self._answer(request, "report/page.html")

    async def figures(self, request: web.Request) -> web.Response:
        """GET: the figures alone, for a page that is open."""
        return await self._answer(request, "report/figures.html")

    async def _answer(self, request: web.Request, template: str) -> web.Response:
        question = self._api.question(request)
        areas = await self._api.areas(question.person)
        figures = await self._api.figures(question)
        language = templates.language_of(request)
        names = {area_id: (name_en if language == "en" else name) for area_id, name, name_en in areas}
        context = sheet(language, question, figures, names)
        words = codec.encode(dict(words_of(language))).decode()
        facts = codec.encode({"me": question.person.person_id}).decode()
        zone = self._api.zone
        local = _local_times(zone, language)
        return templates.render(
            self._templates,
            request,
            template,
            words_json=words,
            desk_json=facts,
            zone=str(zone),
            areas=tuple(names.items())[:SHOWN_AREAS],
            **local,
            **context,
        )


def _local_times(zone: Any, language: str) -> Mapping[str, Any]:
    def day_time(moment: datetime) -> str:
        local = moment.astimezone(zone)
        day = say(language, "report.day", month=local.month, day=local.day)
        return f"{day} {local:%H:%M}"

    return {"day_time": day_time, "clock_time": lambda moment: f"{moment.astimezone(zone):%H:%M:%S}"}


def sheet(language: str, question: Question, figures: Figures, names: Mapping[str, str]) -> dict[str, Any]:
    """Return everything that the template draws."""
    scales = (
        report_lines.histogram(kpi.SIGN, figures.sign),
        report_lines.histogram(kpi.DISPATCH, figures.dispatch),
        report_lines.histogram(kpi.FEEDBACK, figures.feedback),
    )
    return {
        "question": question,
        "chosen": question.chosen,
        "figures": figures,
        "sums": figures.sums,
        "scales": scales,
        "names": names,
        "area_name": names.get(question.area_id, question.area_id),
        "period_name": report_lines.when(language, question.chosen),
        "sentence": report_lines.sentence(language, question.chosen, figures),
        "cards": cards(language, figures),
        "outcomes": outcomes(figures),
        "hours": hour_bars(figures.hours),
        "floods": report_lines.flooded(figures),
        "flood_share": report_lines.flood_share(figures),
        "hourly": kpi.per_hour(figures.sums.alarms, figures.period.elapsed.total_seconds()),
        "dur": lambda seconds: duration(language, seconds),
        "steady": f"{kpi.STEADY_PER_HOUR:g}",
        "share": share,
        "w_or": lambda key, other: words_of(language).get(key, other),
        "percent": kpi.percent,
    }


def cards(language: str, figures: Figures) -> Sequence[Card]:
    """Return the eight large figures, in the order in which they are asked for."""
    sums, sign = figures.sums, report_lines.histogram(kpi.SIGN, figures.sign)

    def note(key: str, **values: object) -> str:
        return say(language, f"report.card.{key}.note", **values)

    quick = sign.shares[0]
    waits = {"median": duration(language, sign.median_s), "p95": duration(language, sign.p95_s)}
    false_alarms = sums.false_alarms + sums.tests + sums.hoaxes
    oldest = figures.unfinished[0].raised_at if figures.unfinished else None
    open_age = duration(language, (figures.period.now - oldest).total_seconds()) if oldest else "—"
    levels = {"street": sums.to_street, "district": sums.to_district, "supervisor": sums.to_supervisor}
    return (
        Card("alarms", str(sums.alarms), note("alarms", n=sums.closed)),
        Card("quick", share(quick), "—" if quick is None else note("quick", **waits), "good" if quick == 100.0 else ""),
        Card("escalated", str(sums.escalated), note("escalated", **levels), _poor(sums.escalated)),
        Card("expired", str(sums.expired), note("expired"), _poor(sums.expired)),
        Card("false", str(false_alarms), note("false", share=share(kpi.percent(false_alarms, sums.alarms)))),
        Card("cancelled", str(sums.cancelled), note("cancelled")),
        Card("late", str(sums.late), note("late", age=duration(language, sums.latest_s) if sums.late else "—")),
        Card("open", str(figures.open_in_all), note("open", age=open_age), _poor(figures.open_in_all)),
    )


def _poor(count: int) -> str:
    return "poor" if count else ""


def outcomes(figures: Figures) -> Sequence[tuple[str, int, float | None]]:
    """Return (word, count, per cent) of each way in which an alarm ended, and of those that have not."""
    sums = figures.sums
    counted = {
        "outcome.true": sums.true_alarms,
        "outcome.false": sums.false_alarms,
        "outcome.test": sums.tests,
        "outcome.hoax": sums.hoaxes,
        "outcome.duplicate": sums.duplicates,
        "report.undecided": sums.undecided,
    }
    return tuple((key, count, kpi.percent(count, sums.alarms)) for key, count in counted.items())


def hour_bars(hours: Sequence[int]) -> Sequence[HourBar]:
    """Return 24 bars, the busiest hour as high as the chart."""
    most = max((*hours, 1))
    return tuple(HourBar(hour, alarms, round(100 * alarms / most, 1)) for hour, alarms in enumerate(hours))
