"""What the desk's server says to its pages: every JSON shape as a frozen dataclass; times in ms since 1970."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.alarms.states import legal_actions
from gateway.model.alarms import AlarmEvent
from gateway.model.registry import Camera
from gateway.runtime.clock import to_ms
from gateway.store.desk import Face, OpenNotice, Shift, TroubledDevice
from security_video.desk.homes import Contact, Home

MASK = "****"


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """One alarm as the queue shows it; `actions` are the steps that the state table allows now."""

    alarm_id: str
    no: str
    version: int
    kind: str
    level: int
    state: str
    source: str
    area_id: str
    household_id: str | None
    address: str
    resident: str
    device_name: str
    device_kind: str
    raised_ms: int
    device_ms: int
    notified_ms: int | None
    acknowledged_ms: int | None
    acknowledged_by: str | None
    acknowledged_name: str | None
    verdict: str | None
    dispatched_to: str | None
    outcome: str | None
    closed_ms: int | None
    cancelled_ms: int | None
    press_count: int
    details: Mapping[str, object]
    actions: Sequence[str]


@dataclass(frozen=True, slots=True)
class StatusItem:
    """One dot of the top bar: `level` is good, poor, lost or unknown; `count` is what stands behind the word."""

    key: str
    level: str
    why: str
    count: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """What is known about the platform's own health; `blind_since_ms` is set while the ledger cannot be read."""

    items: Sequence[StatusItem]
    blind_since_ms: int | None


@dataclass(frozen=True, slots=True)
class ContactLine:
    """Somebody to call; `is_hidden` tells that `masked` shows less than the registry knows."""

    key: str
    name: str
    relation: str
    masked: str
    is_hidden: bool


@dataclass(frozen=True, slots=True)
class PastYear:
    """How often a household raised an alarm in twelve months, and how many of those were false."""

    alarms: int
    false_alarms: int


@dataclass(frozen=True, slots=True)
class HouseholdCard:
    """Who lives there and what to know before one calls."""

    household_id: str
    address: str
    resident: str
    age: int | None
    sex: str
    tags: Sequence[str]
    contacts: Sequence[ContactLine]
    past: PastYear


@dataclass(frozen=True, slots=True)
class CourseEvent:
    """One line of the history."""

    at_ms: int
    kind: str
    by: str
    from_state: str | None
    to_state: str | None
    details: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Place:
    """A point on the community plan in metres, x to the right, y down."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Device:
    """What raised the alarm."""

    device_id: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class LinkedCamera:
    """A camera for this household, best first; `why` is chosen, sees or near."""

    camera_id: str
    name: str
    why: str
    distance_m: float


@dataclass(frozen=True, slots=True)
class Detail:
    """Everything about one alarm."""

    alarm: AlarmRow
    course: Sequence[CourseEvent]
    household: HouseholdCard | None
    device: Device
    place: Place | None
    cameras: Sequence[LinkedCamera]


@dataclass(frozen=True, slots=True)
class PlanCamera:
    """A camera on the plan; place is None where nobody has said where it stands."""

    camera_id: str
    name: str
    position: str
    place: Place | None
    heading_deg: float
    view_deg: float
    range_m: float


@dataclass(frozen=True, slots=True)
class Community:
    """The community's plan and its cameras."""

    area_id: str
    name: str
    name_en: str
    plan: Mapping[str, object]
    cameras: Sequence[PlanCamera]


@dataclass(frozen=True, slots=True)
class Tonight:
    """Figures since the shift began at `since_ms`; `shift` is night or day."""

    shift: str
    since_ms: int
    alarms: int
    closed: int
    false_alarms: int
    median_sign_ms: int | None


@dataclass(frozen=True, slots=True)
class Trouble:
    """A device that has gone away, or a camera without a live picture; `presence` is the word for how."""

    name: str
    address: str
    kind: str
    presence: str
    since_ms: int | None


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """A line from a rule that is no alarm; `address` is empty where it belongs to no household."""

    notice_id: str
    address: str
    text: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class Notices:
    """The newest open lines, newest first, and how many more are open."""

    lines: Sequence[NoticeLine]
    more: int


@dataclass(frozen=True, slots=True)
class Seat:
    """Who sits at which desk right now."""

    seat: str
    name: str


@dataclass(frozen=True, slots=True)
class Watch:
    """What deserves a look in a quiet hour; `unheard` devices are registered and have not said a word yet."""

    troubles: Sequence[Trouble]
    unheard: int
    recent: Sequence[AlarmRow]
    seats: Sequence[Seat]


def alarm_row(face: Face) -> AlarmRow:
    """Return the row of an alarm."""
    alarm = face.alarm
    return AlarmRow(
        alarm_id=alarm.alarm_id,
        no=alarm.short_no,
        version=alarm.version,
        kind=alarm.kind,
        level=alarm.level,
        state=alarm.state,
        source=alarm.source,
        area_id=alarm.area_id,
        household_id=alarm.household_id,
        address=face.address,
        resident=face.resident_name,
        device_name=face.device_name,
        device_kind=face.device_kind,
        raised_ms=to_ms(alarm.raised_at),
        device_ms=to_ms(alarm.device_at),
        notified_ms=ms_or_none(alarm.notified_at),
        acknowledged_ms=ms_or_none(alarm.acknowledged_at),
        acknowledged_by=alarm.acknowledged_by,
        acknowledged_name=alarm.acknowledged_name,
        verdict=alarm.verdict,
        dispatched_to=alarm.dispatched_to,
        outcome=alarm.outcome,
        closed_ms=ms_or_none(alarm.closed_at),
        cancelled_ms=ms_or_none(alarm.cancelled_by_user_at),
        press_count=alarm.press_count,
        details=alarm.details,
        actions=tuple(legal_actions(alarm.state)),
    )


def course_event(event: AlarmEvent) -> CourseEvent:
    """Return a line of the history."""
    return CourseEvent(to_ms(event.at), event.kind, event.by_name, event.from_state, event.to_state, event.details)


def household_card(home: Home, past: PastYear) -> HouseholdCard:
    """Return the card of a household with its numbers masked."""
    contacts = tuple(contact_line(contact) for contact in home.contacts)
    return HouseholdCard(
        home.household_id, home.address, home.resident_name, home.age, home.sex, home.tags, contacts, past
    )


def contact_line(contact: Contact) -> ContactLine:
    """Return a contact with its number masked."""
    shown = contact.phone if "*" in contact.phone else masked(contact.phone)
    return ContactLine(contact.key, contact.name, contact.relation, shown, shown != contact.phone)


def masked(phone: str) -> str:
    """Return `phone` with its middle hidden: 138****0721; a short number shows its last two digits only."""
    if len(phone) >= 11:
        return phone[:3] + MASK + phone[-4:]
    return MASK + phone[-2:] if phone else ""


def plan_camera(camera: Camera) -> PlanCamera:
    """Return a camera for the plan."""
    return PlanCamera(
        camera.camera_id,
        camera.name,
        camera.position,
        place_of(camera.map_x, camera.map_y),
        camera.heading_deg,
        camera.view_deg,
        camera.range_m,
    )


def place_of(x: float | None, y: float | None) -> Place | None:
    """Return a place where both coordinates are known."""
    return None if x is None or y is None else Place(x, y)


def trouble(device: TroubledDevice) -> Trouble:
    """Return a device that has gone away."""
    return Trouble(device.name, device.address, device.kind, device.presence, ms_or_none(device.presence_at))


def notices_of(newest: Sequence[OpenNotice], limit: int) -> Notices:
    """Return at most `limit` of the newest lines; each area's own count tells how many there are in all."""
    lines = tuple(NoticeLine(one.notice_id, one.address, one.text, to_ms(one.created_at)) for one in newest[:limit])
    in_all = sum({one.area_id: one.open_in_area for one in newest}.values())
    return Notices(lines, in_all - len(lines))


def tonight(shift: Shift, name: str, since: datetime) -> Tonight:
    """Return the figures of a shift."""
    median_ms = None if shift.median_sign_s is None else round(shift.median_sign_s * 1000)
    return Tonight(name, to_ms(since), shift.alarms, shift.closed, shift.false_alarms, median_ms)


def ms_or_none(moment: datetime | None) -> int | None:
    """Return `moment` in ms since 1970, None for None."""
    return None if moment is None else to_ms(moment)
