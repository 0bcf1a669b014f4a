"""The console's pages: the list of submissions, one submission with its report, the decision, the documentation."""

import json
from dataclasses import dataclass
from typing import Final

import jinja2
from aiohttp import web
from pydantic import Field

from gateway.model.errors import BadInput
from gateway.model.people import Person
from gateway.store.miniapps import Submission
from gateway.web import sessions, templates
from gateway.web.params import Body, body_of
from gateway.web.routes import DEFAULT_CSP, Route
from tv_apps.developer import views
from tv_apps.miniapps.findings import Level
from tv_apps.miniapps.review import ReviewDesk
from tv_apps.miniapps.rules import RULES
from tv_apps.miniapps.states import NAMES, Action, State, legal_actions

_FRAMING: Final = DEFAULT_CSP + "; frame-src 'self'"
#: What a rejected developer can act on; an official may add words of their own.
REASONS: Final = (
    "写清来源单位和有效日期",
    "文字太长，老人看不完",
    "电话或地址不对",
    "内容和本地区无关",
    "和已有的小应用重复",
)


class DecisionBody(Body):
    """An official's words about a submission."""

    reason: str = Field("", max_length=200)
    preset: str = Field("", max_length=60)


class NothingBody(Body):
    """A form without fields."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What the person may do on a submission's page."""

    may_ask: bool
    may_decide: bool
    why_not: str = ""


class Pages:
    """Routes of the console for signed-in developers and officials."""

    def __init__(self, desk: ReviewDesk, made: jinja2.Environment) -> None:
        self._desk = desk
        self._made = made

    def routes(self) -> tuple[Route, ...]:
        one = "/submissions/{submission_id}"
        return (
            Route("GET", "/", self.show_list),
            Route("GET", "/docs", self.show_docs),
            Route("GET", one, self.show, csp=_FRAMING),
            Route("GET", f"{one}/report.json", self.report),
            Route("POST", f"{one}/review", self.ask_review),
            Route("POST", f"{one}/approve", self.approve),
            Route("POST", f"{one}/reject", self.reject),
        )

    @sessions.requires("developer", "official")
    async def show_list(self, request: web.Request) -> web.Response:
        """Show what a developer has sent, or what waits for an official."""
        person = sessions.person_of(request)
        own = await self._desk.store.of_person(person.person_id)
        waiting = await self._desk.store.all() if person.has_role("official") else []
        rows = views.rows_for(person, own, waiting)
        waits = sum(each.state == State.IN_REVIEW for each in rows)
        return templates.render(self._made, request, "apps.html", tab="apps", rows=rows, waits=waits, names=NAMES)

    @sessions.requires("developer", "official")
    async def show_docs(self, request: web.Request) -> web.Response:
        """Show how to publish, and every rule of the check."""
        return templates.render(self._made, request, "docs.html", tab="docs", rules=RULES.values())

    @sessions.requires("developer", "official")
    async def show(self, request: web.Request) -> web.Response:
        """Show one submission: way, findings, screens, rights, versions, history, and the decision."""
        return await self._page(request, await self._submission(request))

    async def _page(self, request: web.Request, submission: Submission, *, refused: str = "") -> web.Response:
        person, store = sessions.person_of(request), self._desk.store
        steps = await store.steps(submission.submission_id)
        inside, broken = await self._inside(submission)
        return templates.render(
            self._made,
            request,
            "submission.html",
            tab="apps",
            status=422 if refused else 200,
            it=submission,
            way=views.way_of(submission, steps),
            steps=steps,
            groups=views.groups_of(submission),
            problems=sum(1 for row in submission.findings if row["level"] == Level.PROBLEM),
            inside=inside,
            broken=broken,
            rights=_rights(person, submission),
            versions=await store.of_app(submission.app_id),
            names=NAMES,
            reasons=REASONS,
            refused=refused,
        )

    async def _inside(self, submission: Submission) -> tuple[views.Inside | None, str]:
        """Open the package; one that was changed since it was signed is told, not shown."""
        try:
            app = await self._desk.opened(submission)
        except BadInput as error:
            return None, error.reason
        return views.inside_of(submission, app), ""

    @sessions.requires("developer", "official")
    async def report(self, request: web.Request) -> web.Response:
        """Return the findings for machines."""
        submission = await self._submission(request)
        body = {
            "app_id": submission.app_id,
            "version_code": submission.version_code,
            "sha256": submission.digest,
            "state": submission.state,
            "findings": [dict(row) for row in submission.findings],
        }
        return web.Response(text=json.dumps(body, ensure_ascii=False, indent=1), content_type="application/json")

    @sessions.requires("developer")
    async def ask_review(self, request: web.Request) -> web.Response:
        """Ask for a review of one's own checked submission."""
        await body_of(request, NothingBody)
        submission = await self._submission(request)
        await self._desk.ask_review(sessions.person_of(request), submission.submission_id)
        return _back_to(submission)

    @sessions.requires("official")
    async def approve(self, request: web.Request) -> web.Response:
        """Approve: sign the decision; from the next page on, televisions of the area can open it."""
        body = await body_of(request, DecisionBody)
        submission = await self._submission(request)
        await self._desk.approve(sessions.person_of(request), submission.submission_id, body.reason)
        return _back_to(submission)

    @sessions.requires("official")
    async def reject(self, request: web.Request) -> web.Response:
        """Reject with a reason; without one the page says so."""
        body = await body_of(request, DecisionBody)
        submission = await self._submission(request)
        reason = "；".join(words.strip() for words in (body.preset, body.reason) if words.strip())
        if not reason:
            return await self._page(request, submission, refused="no_reason")
        await self._desk.reject(sessions.person_of(request), submission.submission_id, reason)
        return _back_to(submission)

    async def _submission(self, request: web.Request) -> Submission:
        return await self._desk.seen_by(sessions.person_of(request), request.match_info["submission_id"])


def _back_to(submission: Submission) -> web.Response:
    return web.Response(status=303, headers={"Location": f"/submissions/{submission.submission_id}"})


def _rights(person: Person, submission: Submission) -> Rights:
    legal = legal_actions(State(submission.state))
    is_own = submission.person_id == person.person_id
    may_ask = Action.ASK_REVIEW in legal and is_own
    waits = Action.APPROVE in legal and person.has_role("official")
    return Rights(may_ask, waits and not is_own, "own" if waits and is_own else "")
