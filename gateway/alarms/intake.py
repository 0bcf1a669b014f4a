"""Both roads into the ledger: what an event means as a press, and `POST /api/v1/alarms` for TV and phone.

The HTTPS road is mounted by the gateway's own server and by the TV's, so that it stands while either does. While the
database is away it answers 202: taken in, not recorded, say it again.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from aiohttp import web

from gateway.alarms.doubts import suspicion_of, timeliness_of
from gateway.alarms.facts import facts_of
from gateway.alarms.ledger import AlarmLedger
from gateway.alarms.shelter.reception import Reception, Sheltered
from gateway.contract import alarm_post, codec, messages
from gateway.contract.alarm_post import AlarmPost
from gateway.contract.signing import sign_receipt
from gateway.model.alarms import Alarm, Cancellation, Press, Receipt
from gateway.model.errors import BadInput, Forbidden, LinliError, NotFound, Unauthenticated, Unavailable
from gateway.model.registry import Device, Household
from gateway.runtime import logs, metrics
from gateway.runtime.clock import Clock, to_ms
from gateway.store import registry
from gateway.web.routes import Route

log = logs.get(__name__)

#: Events that are alarms by themselves, and the kind of alarm; everything else is a matter of rules.
ALARM_EVENTS: Final = {"sos_pressed": "sos", "sos_silent": "sos"}
#: The one among them that no screen of the household shows.
SILENT: Final = "sos_silent"
CANCELLED: Final = "cancelled"

_DOUBTED = metrics.counter(
    "linli_alarms_doubted",
    "Messages of alarms whose sender or clock is doubted; each is recorded all the same.",
    ("reason", "source"),
)

#: How long the registry is waited for before it counts as away, and how many answers are kept for then.
REGISTRY_PATIENCE_S: Final = 0.5
MOST_REMEMBERED: Final = 20_000

T = TypeVar("T", Household, Device)


def press_of(
    device: Device, event: messages.Event, source: str, now: datetime, *, spooled_at: datetime | None = None
) -> Press:
    """Return the press that an event means, marked with what is doubted about it; no doubt refuses it.

    `source` is "mqtt", or "https" where the household's token came along.
    """
    suspicion = _doubt(device, event, source)
    timeliness = timeliness_of(event.at, spooled_at or now)
    if timeliness.is_clock_wrong:
        _DOUBTED.labels("clock_wrong", source).inc()
    return Press(
        device.device_id,
        event.boot,
        event.seq,
        ALARM_EVENTS[event.kind],
        source,
        event.event_id,
        event.at,
        details=dict(event.details),
        late_by_s=timeliness.late_by_s,
        suspicion=suspicion,
        is_clock_wrong=timeliness.is_clock_wrong,
        is_silent=event.kind == SILENT,
        spooled_at=spooled_at,
    )


def _doubt(device: Device, event: messages.Event, source: str) -> str:
    reason = suspicion_of(device, event, has_token=source == "https")
    if reason:
        _DOUBTED.labels(reason, source).inc()
        log.warning("alarm_doubted", reason=reason, device=device.device_id, boot=event.boot, seq=event.seq)
    return reason


async def take_cancellation(
    reception: Reception, device: Device, event: messages.Event, source: str
) -> Receipt | Sheltered | None:
    """Have a household's taking back recorded or kept; None where there is nothing to take back."""
    _doubt(device, event, source)
    said = Cancellation(device.device_id, event.boot, event.seq, event.event_id, event.at, source)
    try:
        return await reception.cancel(said, area_id=device.area_id)
    except NotFound:
        log.info("nothing_to_cancel", device=device.device_id, event_id=event.event_id)
        return None


class AlarmIntake:
    """The HTTPS road: a household's box says who it is by its token (cookie `box` or header).

    `ledger` stands on the reception's database. Households and devices that were once seen are remembered, and
    believed while the registry cannot be asked.
    """

    def __init__(self, ledger: AlarmLedger, reception: Reception, clock: Clock) -> None:
        self._ledger = ledger
        self._reception = reception
        self._clock = clock
        self._homes: _Memory[Household] = _Memory(reception)
        self._devices: _Memory[Device] = _Memory(reception)

    async def post(self, request: web.Request) -> web.Response:
        """Record an alarm or a cancellation: 201 when new, 200 when it was there; the answer follows the commit.

        202 while the database is away: it is on this machine's disk and before the desks, and must be said again.
        """
        try:
            return await self._post(request)
        except LinliError as error:
            metrics.dropped("alarms_https", error.reason if isinstance(error, BadInput) else error.code)
            raise

    async def _post(self, request: web.Request) -> web.Response:
        home = await self._household(request)
        said = AlarmPost.decode(await request.read())
        _check_key(request, said)
        device = await self._device(home, said.device_id)
        taken = await self._take(home, device, said.event())
        if isinstance(taken, Sheltered):
            return _unrecorded(taken, self._clock.now())
        alarm, now = await self._ledger.alarm(taken.alarm_id), self._clock.now()
        return _answer(alarm, 201 if taken.is_new else 200, now, _signature(device, said.event(), alarm, now))

    async def _take(self, home: Household, device: Device, event: messages.Event) -> Receipt | Sheltered:
        if event.kind == CANCELLED:
            taken = await take_cancellation(self._reception, device, event, "https")
            if taken is None:
                raise NotFound("there is no open alarm to take back", place=home.address)
            return replace(taken, is_new=False) if isinstance(taken, Receipt) else taken
        if event.kind in ALARM_EVENTS:
            press = press_of(device, event, "https", self._clock.now())
            return await self._reception.raise_alarm(press, area_id=device.area_id)
        raise BadInput(
            f"{event.kind!r} is no alarm",
            reason="unknown_event",
            place="$.e",
            cure=f"Send one of: {', '.join([*ALARM_EVENTS, CANCELLED])}.",
        )

    async def get(self, request: web.Request) -> web.Response:
        """Return how an alarm of this household stands; of a silent one nobody learns here."""
        home = await self._household(request)
        alarm = await self._ledger.alarm(request.match_info["alarm_id"])
        if alarm.household_id != home.household_id or alarm.is_silent:
            raise NotFound("no such alarm", place=alarm.alarm_id)
        return _answer(alarm, 200, self._clock.now())

    async def _household(self, request: web.Request) -> Household:
        token = request.headers.get(alarm_post.TOKEN_HEADER) or request.cookies.get("box", "")
        home = await self._home_of(token) if token else None
        if home is None:
            raise Unauthenticated(
                "the box is not known",
                place=alarm_post.TOKEN_HEADER,
                cure="Open the TV's own address once, or send the household's token.",
            )
        return home

    async def _home_of(self, token: str) -> Household | None:
        asking = registry.household_by_token(self._reception.database, token)
        return await self._homes.ask(hashlib.sha256(token.encode()).hexdigest(), asking)

    async def _device(self, home: Household, device_id: str) -> Device:
        device = await self._devices.ask(device_id, registry.device(self._reception.database, device_id))
        if device is None or device.household_id != home.household_id:
            raise Forbidden(
                "this device does not belong to this household",
                place="$.device",
                cure="Name a device of the household that the token belongs to.",
            )
        return device


class _Memory(Generic[T]):
    """What the registry answered last, by key; used only while it does not answer."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._known: OrderedDict[str, T] = OrderedDict()

    async def ask(self, key: str, asking: Coroutine[Any, Any, T | None]) -> T | None:
        """Return the registry's answer, or the last one; Unavailable where there is none."""
        if self._reception.is_away:
            asking.close()
            return self._remembered(key)
        question = asyncio.create_task(asking)
        question.add_done_callback(_heard)
        done, _ = await asyncio.wait({question}, timeout=REGISTRY_PATIENCE_S)
        try:
            if not done:
                raise Unavailable("the registry does not answer", place="registry")
            return self._learn(key, question.result())
        except Unavailable:
            self._reception.suspect()
            return self._remembered(key)

    def _learn(self, key: str, answer: T | None) -> T | None:
        self._known.pop(key, None)
        if answer is not None:
            self._known[key] = answer
        if len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)
        return answer

    def _remembered(self, key: str) -> T:
        if key not in self._known:
            raise Unavailable("the registry is away", place="registry", cure="Say it again, or take the other road.")
        return self._known[key]


def _heard(question: asyncio.Task[Any]) -> None:
    if not question.cancelled():
        question.exception()  # whoever was patient enough has it


def _check_key(request: web.Request, said: AlarmPost) -> None:
    key = request.headers.get(alarm_post.KEY_HEADER, said.event_id)
    if key != said.event_id:
        raise BadInput(
            "the idempotency key is not the event's id",
            reason="key_mismatch",
            place=alarm_post.KEY_HEADER,
            cure="Send the event's `id` as the key, the same in every repetition.",
        )


def _answer(alarm: Alarm, status: int, now: datetime, signature: str = "") -> web.Response:
    body: dict[str, object] = {"ok": True, "alarm": facts_of(alarm), "now": to_ms(now)}
    if signature:
        body["sig"] = signature
    return web.Response(status=status, body=codec.encode(body), content_type="application/json")


def _signature(device: Device, event: messages.Event, alarm: Alarm, now: datetime) -> str:
    """Return the signature of the receipt that the answer stands for; empty for a device without a key."""
    if device.alarm_key is None:
        return ""
    state = "cancelled" if event.kind == CANCELLED else "recorded"
    said = messages.Receipt(event.event_id, event.boot, event.seq, state, alarm.raised_at, now, alarm.alarm_no)
    return sign_receipt(device.alarm_key, device.device_id, said)


def _unrecorded(taken: Sheltered, now: datetime) -> web.Response:
    body = {"ok": True, "alarm": None, "unrecorded": True, "seen": taken.is_seen, "now": to_ms(now)}
    return web.Response(status=202, body=codec.encode(body), content_type="application/json")


def routes(ledger: AlarmLedger, reception: Reception, clock: Clock) -> Sequence[Route]:
    """Return the two routes of the HTTPS road; `ledger` stands on the reception's database."""
    intake = AlarmIntake(ledger, reception, clock)
    return (
        Route("POST", alarm_post.PATH, intake.post, csrf=False),
        Route("GET", alarm_post.PATH + "/{alarm_id}", intake.get),
    )
