"""What an operator asks and does about one alarm: read it, take a step, write a note, see a number."""

from typing import Literal

from aiohttp import web
from pydantic import Field

from gateway.accounts.sessions import Accounts
from gateway.alarms.ledger import AlarmLedger
from gateway.contract import codec
from gateway.model.alarms import Action, Outcome, Verdict
from gateway.model.errors import BadInput, NotFound
from gateway.model.ids import CameraId
from gateway.model.people import Person
from gateway.model.registry import Camera
from gateway.runtime.clock import Clock
from gateway.store import alarms, desk, registry
from gateway.store.desk import Face
from gateway.store.pool import Database
from gateway.web import sessions
from gateway.web.params import Body, body_of, query_of
from security_video import linking
from security_video.desk.alarm_rows import GroupPage, alarm_row
from security_video.desk.board import Board
from security_video.desk.homes import Home, home_of
from security_video.desk.shapes import (
    FALSE_ALARMS,
    Detail,
    Device,
    LinkedCamera,
    PastYear,
    course_event,
    household_card,
    place_of,
)
from security_video.desk.storms import StormKey, after, arrange

ROLES = ("operator", "supervisor")
LINKED_CAMERAS = 4
GROUP_PAGE = 50


class StepBody(Body):
    """One step of an operator; `version` is that of the alarm on the operator's screen."""

    action: Literal["acknowledge", "verify", "dispatch", "arrive", "resolve", "close"]
    version: int = Field(ge=1)
    note: str = Field("", max_length=500)
    verdict: Literal["true", "false", "unclear"] | None = None
    dispatched_to: str = Field("", max_length=40)
    outcome: Literal["true", "false", "test", "hoax", "duplicate"] | None = None


class NoteBody(Body):
    """A line for the history."""

    text: str = Field(min_length=1, max_length=500)


class RevealBody(Body):
    """Whose number is asked for: `self` or the contact's place in the list."""

    contact: str = Field(max_length=4)
    #: Said after the warning that a silent alarm shows.
    is_sure: bool = False


class GroupQuery(Body):
    """Which group is opened, and behind which alarm the next rows are wanted."""

    area: str = Field("", max_length=12)
    kind: str = Field("", max_length=40)
    drill: bool = False
    after: str = Field("", max_length=40)


class AlarmsApi:
    """Handlers under /api/alarms/; every one looks at the role and at the alarm's area first."""

    def __init__(
        self, database: Database, ledger: AlarmLedger, board: Board, accounts: Accounts, *, clock: Clock
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._board = board
        self._accounts = accounts
        self._clock = clock

    async def read(self, request: web.Request) -> web.Response:
        """GET: everything about one alarm as a `Detail`."""
        _person, face = await self._allowed(request)
        return _json(await self._detail(face))

    async def list_group(self, request: web.Request) -> web.Response:
        """GET: the next rows of a group of the queue in the order of the work, as a `GroupPage`."""
        person = sessions.check_role(request, *ROLES)
        query = query_of(request, GroupQuery)
        key = StormKey(query.area, query.kind, query.drill)
        groups = arrange(self._board.open_for(person)).groups
        members = next((group.members for group in groups if group.key == key), ())
        faces, cursor = after(members, query.after, GROUP_PAGE)
        return _json(GroupPage(tuple(alarm_row(face, key.text) for face in faces), cursor))

    async def step(self, request: web.Request) -> web.Response:
        """POST: one step of the work; Conflict tells who was faster."""
        person, face = await self._allowed(request)
        body = await body_of(request, StepBody)
        if body.action == "dispatch":
            await self._refuse_unverified(face)
        await self._ledger.step(
            face.alarm.alarm_id,
            Action(body.action),
            by=person,
            version=body.version,
            note=body.note,
            verdict=Verdict(body.verdict) if body.verdict else None,
            dispatched_to=body.dispatched_to,
            outcome=Outcome(body.outcome) if body.outcome else None,
        )
        return await self._changed(face)

    async def add_note(self, request: web.Request) -> web.Response:
        """POST: a line for the history."""
        person, face = await self._allowed(request)
        body = await body_of(request, NoteBody)
        await self._ledger.add_note(face.alarm.alarm_id, body.text, by=person)
        return await self._changed(face)

    async def reveal(self, request: web.Request) -> web.Response:
        """POST: one whole telephone number; who asked for whose, and because of which alarm, is on record first."""
        person, face = await self._allowed(request)
        body = await body_of(request, RevealBody)
        if face.alarm.is_silent and not body.is_sure:
            raise BadInput(
                "the alarm is silent: whoever is with the caller must not hear a call",
                reason="silent_alarm",
                place="is_sure",
                cure="Say is_sure after the warning.",
            )
        home = await self._home(face)
        contact = next((one for one in home.contacts if one.key == body.contact), None) if home else None
        if home is None or contact is None:
            raise NotFound("this household has no such contact", place=body.contact, cure="Reload the page.")
        facts = {"alarm_no": face.alarm.alarm_no, "contact": contact.key}
        await self._accounts.record(
            person, "contact_revealed", home.household_id, address=request.remote or "", details=facts
        )
        return _json({"ok": True, "phone": contact.phone})

    async def _allowed(self, request: web.Request) -> tuple[Person, Face]:
        sessions.check_role(request, *ROLES)
        face = await self._face(request.match_info["alarm_id"])
        return sessions.check_area(request, face.alarm.area_id), face

    async def _face(self, alarm_id: str) -> Face:
        face = await desk.find_face(self._database, alarm_id)
        if face is None:
            raise NotFound("no such alarm", place=alarm_id, cure="It may belong to another database; reload the page.")
        return face

    async def _changed(self, face: Face) -> web.Response:
        """Answer with the alarm as it is now, and tell the other pages without waiting for the wake-up."""
        after = await self._face(face.alarm.alarm_id)
        self._board.take(after)
        return _json({"ok": True, "alarm": alarm_row(after)})

    async def _home(self, face: Face) -> Home | None:
        household_id = face.alarm.household_id
        household = await registry.household(self._database, household_id) if household_id else None
        return home_of(household) if household else None

    async def _detail(self, face: Face) -> Detail:
        alarm, home = face.alarm, await self._home(face)
        history = await self._ledger.history(alarm.alarm_id)
        return Detail(
            alarm=alarm_row(face),
            course=tuple(course_event(event) for event in history),
            household=household_card(home, await self._past(home)) if home else None,
            device=Device(alarm.device_id, face.device_name, face.device_kind),
            place=place_of(home.map_x, home.map_y) if home else None,
            cameras=await self._linked(home) if home else (),
        )

    async def _refuse_unverified(self, face: Face) -> None:
        """Refuse to send anybody to a home with many false alarms before somebody has found this one to be true."""
        home_id = face.alarm.household_id
        if home_id is None or face.alarm.verdict is Verdict.TRUE:
            return
        _alarms, false_alarms = await alarms.count_in_year(self._database, home_id, self._clock.now())
        if false_alarms >= FALSE_ALARMS:
            raise BadInput(
                f"{false_alarms} false alarms in twelve months: verify first",
                reason="verify_first",
                place="action",
                cure="Verify the alarm as true, then send somebody.",
            )

    async def _past(self, home: Home) -> PastYear:
        return PastYear(*await alarms.count_in_year(self._database, home.household_id, self._clock.now()))

    async def _linked(self, home: Home) -> tuple[LinkedCamera, ...]:
        if home.map_x is None or home.map_y is None:
            return ()
        cameras = {camera.camera_id: camera for camera in await registry.cameras(self._database, home.area_id)}
        views = [view for camera in cameras.values() if (view := _view_of(camera))]
        ranks = await registry.linked_cameras(self._database, home.household_id)
        chosen = [CameraId(one) for one in sorted(ranks, key=lambda one: (ranks[one], one))]
        links = linking.nearest(linking.Spot(home.map_x, home.map_y), views, chosen=chosen, limit=LINKED_CAMERAS)
        return tuple(
            LinkedCamera(link.camera_id, cameras[link.camera_id].name, link.why, round(link.distance_m, 1))
            for link in links
        )


def _view_of(camera: Camera) -> linking.View | None:
    if camera.map_x is None or camera.map_y is None:
        return None
    spot = linking.Spot(camera.map_x, camera.map_y)
    return linking.View(CameraId(camera.camera_id), spot, camera.heading_deg, camera.view_deg, camera.range_m)


def _json(value: object) -> web.Response:
    return web.Response(body=codec.encode(value), content_type="application/json")
