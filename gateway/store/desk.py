"""What the security desk reads beside ledger and registry: faces of alarms, figures of a shift, lost devices."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.model.alarms import Alarm
from gateway.model.people import Person
from gateway.store.alarms import alarm_of
from gateway.store.pool import Database, Record
from gateway.store.queries import named

SQL = named("desk")
_NAMES = ("address", "resident_name", "device_name", "device_kind", "area_name")


@dataclass(frozen=True, slots=True)
class FaceTimer:
    """A timer of an alarm's newest round: who is asked then, and whether that is still to come."""

    kind: str
    level: int
    name: str
    due_ms: int
    is_open: bool


@dataclass(frozen=True, slots=True)
class Face:
    """An alarm with the names that a person knows it by; empty where there is no household or no device."""

    alarm: Alarm
    address: str
    resident_name: str
    device_name: str
    device_kind: str
    area_name: str = ""
    timers: Sequence[FaceTimer] = ()
    presses_in_minute: int = 0


@dataclass(frozen=True, slots=True)
class Shift:
    """Figures of the alarms raised since the shift began; the median is None where nobody has signed yet."""

    alarms: int
    closed: int
    false_alarms: int
    median_sign_s: float | None


@dataclass(frozen=True, slots=True)
class TroubledDevice:
    """A device that has gone away since `presence_at`."""

    device_id: str
    kind: str
    name: str
    presence: str
    presence_at: datetime | None
    address: str


@dataclass(frozen=True, slots=True)
class OpenNotice:
    """A line for the desk that nobody has taken off; `open_in_area` counts all such lines of its area."""

    notice_id: str
    area_id: str
    text: str
    source: str
    created_at: datetime
    open_in_area: int
    address: str


async def find_face(database: Database, alarm_id: str) -> Face | None:
    """Return one alarm with its names or None."""
    found = await read_faces(database, [alarm_id])
    return found[0] if found else None


async def read_faces(database: Database, alarm_ids: Collection[str]) -> list[Face]:
    """Return alarms by id in no certain order; unknown ones are left out."""
    return [_face_of(row) for row in await database.fetch(SQL["read_faces"], list(alarm_ids))]


async def list_open_versions(database: Database, area_prefix: str) -> dict[str, int]:
    """Return the version of every alarm that is not closed, by id."""
    return {row["alarm_id"]: row["version"] for row in await database.fetch(SQL["list_open_versions"], area_prefix)}


async def list_recent_faces(database: Database, area_prefix: str, limit: int) -> list[Face]:
    """Return the newest alarms, newest first."""
    newest = [row["alarm_id"] for row in await database.fetch(SQL["list_recent_ids"], area_prefix, limit)]
    faces = await read_faces(database, newest)
    return sorted(faces, key=lambda face: newest.index(face.alarm.alarm_id))


async def sum_shift(database: Database, area_prefix: str, since: datetime) -> Shift:
    """Return the figures of the alarms raised at `since` or later."""
    row = await database.fetchrow(SQL["sum_shift"], area_prefix, since)
    assert row is not None  # noqa: S101  an aggregate always has one row
    return Shift(**{name: row[name] for name in Shift.__dataclass_fields__})


async def list_troubled_devices(database: Database, area_prefix: str, limit: int) -> list[TroubledDevice]:
    """Return devices that are offline or silent, the latest loss first."""
    rows = await database.fetch(SQL["list_troubled_devices"], area_prefix, limit)
    return [
        TroubledDevice(
            row["device_id"], row["kind"], row["name"], row["presence"], row["presence_at"], row["address"] or ""
        )
        for row in rows
    ]


async def count_unheard_devices(database: Database, area_prefix: str) -> int:
    """Return how many registered devices have not said a word yet."""
    return int(await database.fetchval(SQL["count_unheard_devices"], area_prefix))


async def ping(database: Database) -> None:
    """Raise Unavailable unless the database answers."""
    await database.fetchval(SQL["ping"])


def _face_of(row: Record) -> Face:
    address, resident, device_name, device_kind, area_name = (row[name] or "" for name in _NAMES)
    timers = tuple(FaceTimer(**timer) for timer in row["timers"])
    return Face(
        *(alarm_of(row), address, resident, device_name, device_kind),
        area_name=area_name,
        timers=timers,
        presses_in_minute=row["presses_in_minute"],
    )


async def list_open_notices(database: Database, area_prefix: str, per_area: int) -> list[OpenNotice]:
    """Return the `per_area` newest open lines of each area, newest first."""
    rows = await database.fetch(SQL["list_open_notices"], area_prefix, per_area)
    return [OpenNotice(*row) for row in rows]


async def notice_area(database: Database, notice_id: str) -> str | None:
    """Return the area of a line, open or not, None where there is no such line."""
    area_id: str | None = await database.fetchval(SQL["find_notice_area"], notice_id)
    return area_id


async def sign_notice(database: Database, notice_id: str, by: Person, now: datetime) -> bool:
    """Take a line off the desk; False where somebody has already done so."""
    return bool(await database.fetch(SQL["sign_notice"], notice_id, now, by.person_id, by.display_name))
