"""What the board shows around the alarms: the community's plan, tonight's figures, what to watch in quiet hours."""

from zoneinfo import ZoneInfo

from aiohttp import web

from gateway.contract import codec
from gateway.model.errors import NotFound
from gateway.model.ids import area_prefix, is_within
from gateway.model.people import Person
from gateway.runtime.clock import Clock, to_ms
from gateway.store import desk, registry
from gateway.store.pool import Database
from gateway.web import sessions
from security_video.desk import shapes
from security_video.desk.alarm_rows import alarm_row
from security_video.desk.board import Board, has_come_to
from security_video.desk.shifts import shift_at
from security_video.health import State
from security_video.hub import Hub

ROLES = ("operator", "supervisor")
RECENT_ALARMS = 8
TROUBLES = 8


class CommunityApi:
    """Handlers under /api/ that belong to no single alarm."""

    def __init__(
        self, database: Database, board: Board, hub: Hub, clock: Clock, *, area_id: str, zone: ZoneInfo
    ) -> None:
        self._database = database
        self._board = board
        self._hub = hub
        self._clock = clock
        self._area_id = area_id
        self._zone = zone

    async def community(self, request: web.Request) -> web.Response:
        """GET: the plan and the cameras of this desk's area."""
        person = sessions.check_role(request, *ROLES)
        area_id = self._narrower(person)
        area = await registry.area(self._database, area_id)
        if area is None:
            raise NotFound("the registry does not know this area", place=area_id, cure="Register the community.")
        cameras = await registry.cameras(self._database, area_id)
        shown = tuple(shapes.plan_camera(camera) for camera in cameras)
        return _json(shapes.Community(area.area_id, area.name, area.name_en, area.plan, shown))

    async def tonight(self, request: web.Request) -> web.Response:
        """GET: the figures since the shift began."""
        person = sessions.check_role(request, *ROLES)
        name, since = shift_at(self._clock.now(), self._zone)
        shift = await desk.sum_shift(self._database, area_prefix(self._narrower(person)), since)
        return _json(shapes.tonight(shift, name, since))

    async def watch(self, request: web.Request) -> web.Response:
        """GET: devices that have gone away, the latest alarms, and who sits at which desk."""
        person = sessions.check_role(request, *ROLES)
        prefix = area_prefix(self._narrower(person))
        troubles = await desk.list_troubled_devices(self._database, prefix, TROUBLES)
        recent = await desk.list_recent_faces(self._database, prefix, RECENT_ALARMS)
        viewers = self._board.viewers_for(person)
        seats = {shapes.Seat(viewer.seat, viewer.person.display_name, viewer.is_looking) for viewer in viewers}
        return _json(
            shapes.Watch(
                (*self._dark_cameras(person), *(shapes.trouble(device) for device in troubles)),
                await desk.count_unheard_devices(self._database, prefix),
                tuple(alarm_row(face) for face in recent if has_come_to(person, face.alarm) or not face.alarm.is_open),
                tuple(sorted(seats, key=lambda seat: (seat.seat.zfill(2), seat.name))),
            )
        )

    def _dark_cameras(self, person: Person) -> list[shapes.Trouble]:
        return [
            shapes.Trouble(view.plan.name, "", "camera", view.health.state.value, to_ms(view.health.since))
            for view in self._hub.cameras()
            if view.health.state is not State.LIVE and person.may_see(view.plan.area_id)
        ]

    def _narrower(self, person: Person) -> str:
        """Return the smaller of the desk's area and the person's; a person of elsewhere gets their own, empty here."""
        return (
            person.area_id
            if is_within(person.area_id, self._area_id)
            else (self._area_id if person.may_see(self._area_id) else person.area_id)
        )


def _json(value: object) -> web.Response:
    return web.Response(body=codec.encode(value), content_type="application/json")
