"""Both roads into the ledger: what an event means as a press, and `POST /api/v1/alarms` for TV and phone.

The HTTPS road is mounted by the gateway's own server and by the TV's, so that it stands while either does.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from aiohttp import web

from gateway.alarms.ledger import AlarmLedger
from gateway.contract import alarm_post, codec, messages
from gateway.contract.alarm_post import AlarmPost
from gateway.model.alarms import Alarm, Cancellation, Press
from gateway.model.errors import BadInput, Forbidden, NotFound, Unauthenticated
from gateway.model.registry import Device, Household
from gateway.runtime import logs
from gateway.runtime.clock import Clock, to_ms
from gateway.store import registry
from gateway.store.pool import Database
from gateway.web.routes import Route

log = logs.get(__name__)

#: Events that are alarms by themselves, and the kind of alarm; everything else is a matter of rules.
ALARM_EVENTS: Final = {"sos_pressed": "sos"}
CANCELLED: Final = "cancelled"

#: An alarm that comes this much after its device's clock says so is marked late.
LATE_AFTER_S: Final = 10.0


def press_of(device: Device, event: messages.Event, source: str, now: datetime) -> Press:
    """Return the press that an event means; late ones and those of revoked devices are marked, never refused."""
    details = dict(event.details)
    late_by_s = (now - event.at).total_seconds()
    if late_by_s > LATE_AFTER_S:
        details["late_by_s"] = round(late_by_s)
    if device.revoked_at is not None:
        details["suspicious"] = "revoked_device"
    kind = ALARM_EVENTS[event.kind]
    return Press(
        device.device_id,
        event.boot,
        event.seq,
        kind,
        source,
        event.event_id,
        event.at,
        details=details,
    )


async def take_cancellation(ledger: AlarmLedger, device_id: str, event: messages.Event, source: str) -> bool:
    """Record that a household takes its alarm back; False where there is none to take back."""
    try:
        await ledger.cancel(Cancellation(device_id, event.boot, event.seq, event.event_id, event.at, source))
    except NotFound:
        log.info("nothing_to_cancel", device=device_id, event_id=event.event_id)
        return False
    return True


class AlarmIntake:
    """The HTTPS road: a household's box says who it is by its token (cookie `box` or header)."""

    def __init__(self, database: Database, ledger: AlarmLedger, clock: Clock) -> None:
        self._database = database
        self._ledger = ledger
        self._clock = clock

    async def post(self, request: web.Request) -> web.Response:
        """Record an alarm or a cancellation: 201 when new, 200 when it was there; the answer follows the commit."""
        home = await self._household(request)
        said = AlarmPost.decode(await request.read())
        _check_key(request, said)
        device = await self._device(home, said.device_id)
        event = said.event()
        if event.kind == CANCELLED:
            is_new = False
            if not await take_cancellation(self._ledger, device.device_id, event, "https"):
                raise NotFound("there is no open alarm to take back", place=home.address)
            alarm = await self._ledger.latest_for_household(home.household_id)
        elif event.kind in ALARM_EVENTS:
            receipt = await self._ledger.raise_alarm(press_of(device, event, "https", self._clock.now()))
            is_new = receipt.is_new
            alarm = await self._ledger.alarm(receipt.alarm_id)
        else:
            raise BadInput(
                f"{event.kind!r} is no alarm",
                reason="unknown_event",
                place="$.e",
                cure=f"Send one of: {', '.join([*ALARM_EVENTS, CANCELLED])}.",
            )
        assert alarm is not None  # noqa: S101  it was recorded above
        return _answer(alarm, 201 if is_new else 200, self._clock.now())

    async def get(self, request: web.Request) -> web.Response:
        """Return how an alarm of this household stands."""
        home = await self._household(request)
        alarm = await self._ledger.alarm(request.match_info["alarm_id"])
        if alarm.household_id != home.household_id:
            raise NotFound("no such alarm", place=alarm.alarm_id)
        return _answer(alarm, 200, self._clock.now())

    async def _household(self, request: web.Request) -> Household:
        token = request.headers.get(alarm_post.TOKEN_HEADER) or request.cookies.get("box", "")
        home = await registry.household_by_token(self._database, token) if token else None
        if home is None:
            raise Unauthenticated(
                "the box is not known",
                place=alarm_post.TOKEN_HEADER,
                cure="Open the TV's own address once, or send the household's token.",
            )
        return home

    async def _device(self, home: Household, device_id: str) -> Device:
        device = await registry.device(self._database, device_id)
        if device is None or device.household_id != home.household_id:
            raise Forbidden(
                "this device does not belong to this household",
                place="$.device",
                cure="Name a device of the household that the token belongs to.",
            )
        return device


def _check_key(request: web.Request, said: AlarmPost) -> None:
    key = request.headers.get(alarm_post.KEY_HEADER, said.event_id)
    if key != said.event_id:
        raise BadInput(
            "the idempotency key is not the event's id",
            reason="key_mismatch",
            place=alarm_post.KEY_HEADER,
            cure="Send the event's `id` as the key, the same in every repetition.",
        )


def facts_of(alarm: Alarm) -> dict[str, object]:
    """Return an alarm as a box may see it: names of those who have it, nothing of the desk's own notes."""
    return {
        "alarm_id": alarm.alarm_id,
        "no": alarm.alarm_no,
        "short_no": alarm.short_no,
        "state": alarm.state.value,
        "recorded_at": to_ms(alarm.raised_at),
        "cancelled": alarm.cancelled_by_user_at is not None,
        "operator": alarm.acknowledged_name or "",
        "acknowledged_at": _ms(alarm.acknowledged_at),
        "dispatched_to": alarm.dispatched_to or "",
        "dispatched_at": _ms(alarm.dispatched_at),
        "on_scene_at": _ms(alarm.on_scene_at),
        "closed_at": _ms(alarm.closed_at),
        "press_count": alarm.press_count,
    }


def _ms(moment: datetime | None) -> int | None:
    return to_ms(moment) if moment else None


def _answer(alarm: Alarm, status: int, now: datetime) -> web.Response:
    body = {"ok": True, "alarm": facts_of(alarm), "now": to_ms(now)}
    return web.Response(status=status, body=codec.encode(body), content_type="application/json")


def routes(database: Database, ledger: AlarmLedger, clock: Clock) -> Sequence[Route]:
    """Return the two routes of the HTTPS road."""
    intake = AlarmIntake(database, ledger, clock)
    return (
        Route("POST", alarm_post.PATH, intake.post, csrf=False),
        Route("GET", alarm_post.PATH + "/{alarm_id}", intake.get),
    )
