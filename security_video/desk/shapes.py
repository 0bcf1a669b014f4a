"""What the desk's server says to its pages: every JSON shape as a frozen dataclass; times in ms since 1970."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.model.alarms import AlarmEvent
from gateway.model.registry import Camera
from gateway.runtime.clock import to_ms
from gateway.store.desk import OpenNotice, Shift, TroubledDevice
from security_video.desk.alarm_rows import AlarmRow, ms_or_none
from security_video.desk.homes import Contact, Home

MASK = "****"
#: From so many false alarms in a year on, an alarm is verified before anybody is sent.
FALSE_ALARMS = 2


@dataclass(frozen=True, slots=True)
class StatusItem:
    """One dot of the top bar: `level` is good, poor, lost or unknown; `count` is what stands behind the word."""

    key: str
    level: str
    why: str
    count: str = ""


@dataclass(frozen=True, slots=True)
class Seat:
    """Who sits at which desk right now; `is_looking` is False while that page is covered or in the background."""

    seat: str
    name: str
    is_looking: bool = True


@dataclass(frozen=True, slots=True)
class DrillLine:
    """A drill that runs now, and where."""

    area_name: str
    ends_ms: int
    note: str


@dataclass(frozen=True, slots=True)
class Status:
    """What is known about the platform's own health; `blind_since_ms` is set while the ledger cannot be read.

    `others` are the other pages open for the viewer's area; `unmanned` names areas with a roster and nobody on duty,
    told to supervisors.
    """

    items: Sequence[StatusItem]
    blind_since_ms: int | None
    others: Sequence[Seat] = ()
    unmanned: Sequence[str] = ()
    drills: Sequence[DrillLine] = ()


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
    #: So many false alarms in the past year that somebody is sent only once the alarm is verified as true.
    must_verify_first: bool


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
class Watch:
    """What deserves a look in a quiet hour; `unheard` devices are registered and have not said a word yet."""

    troubles: Sequence[Trouble]
    unheard: int
    recent: Sequence[AlarmRow]
    seats: Sequence[Seat]


def course_event(event: AlarmEvent) -> CourseEvent:
    """Return a line of the history."""
    return CourseEvent(to_ms(event.at), event.kind, event.by_name, event.from_state, event.to_state, event.details)


def household_card(home: Home, past: PastYear) -> HouseholdCard:
    """Return the card of a household with its numbers masked."""
    contacts = tuple(contact_line(contact) for contact in home.contacts)
    return HouseholdCard(
        *(home.household_id, home.address, home.resident_name, home.age, home.sex, home.tags, contacts, past),
        must_verify_first=past.false_alarms >= FALSE_ALARMS,
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
