"""The registry: areas, households, devices, cameras, presence, and samples of what was refused."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar

from gateway.model.ids import area_prefix
from gateway.model.registry import Area, Camera, Device, Household
from gateway.store.pool import Connection, Database, Record
from gateway.store.queries import named

SQL = named("registry")

QUARANTINE_PER_REASON = 200

T = TypeVar("T", Area, Household, Device, Camera)
Queryable = Database | Connection


def _of(kind: type[T], row: Record) -> T:
    return kind(**{field.name: row[field.name] for field in fields(kind)})


async def _one(kind: type[T], database: Queryable, query: str, *arguments: Any) -> T | None:
    row = await database.fetchrow(SQL[query], *arguments)
    return _of(kind, row) if row else None


async def _all(kind: type[T], database: Queryable, query: str, *arguments: Any) -> list[T]:
    return [_of(kind, row) for row in await database.fetch(SQL[query], *arguments)]


async def area(database: Queryable, area_id: str) -> Area | None:
    """Return one area or None."""
    return await _one(Area, database, "find_area", area_id)


async def area_names(database: Queryable, area_ids: Sequence[str]) -> dict[str, str]:
    """Return the names of those areas that there are, by id."""
    return {row["area_id"]: row["name"] for row in await database.fetch(SQL["list_area_names"], list(area_ids))}


async def household(database: Queryable, household_id: str) -> Household | None:
    """Return one household or None."""
    return await _one(Household, database, "find_household", household_id)


async def household_by_token(database: Queryable, tv_token: str) -> Household | None:
    """Return the household whose box carries `tv_token`, or None."""
    return await _one(Household, database, "household_by_token", tv_token)


async def households(database: Queryable, area_id: str) -> list[Household]:
    """Return the households inside `area_id` by id."""
    return await _all(Household, database, "list_households", area_prefix(area_id))


async def device(database: Queryable, device_id: str) -> Device | None:
    """Return one device or None."""
    return await _one(Device, database, "find_device", device_id)


async def devices(database: Queryable, area_id: str) -> list[Device]:
    """Return the devices inside `area_id` by id."""
    return await _all(Device, database, "list_devices", area_prefix(area_id))


async def devices_of_household(database: Queryable, household_id: str) -> list[Device]:
    """Return a household's devices by id."""
    return await _all(Device, database, "devices_of_household", household_id)


async def cameras(database: Queryable, area_id: str) -> list[Camera]:
    """Return the enabled cameras inside `area_id` by id."""
    return await _all(Camera, database, "list_cameras", area_prefix(area_id))


async def linked_cameras(database: Queryable, household_id: str) -> dict[str, int]:
    """Return the cameras that somebody linked to a household by hand, with their rank (1 is first)."""
    return {row["camera_id"]: row["rank"] for row in await database.fetch(SQL["cameras_of_household"], household_id)}


async def put_area(connection: Connection, area: Area) -> None:
    """Insert or update; an empty plan leaves the one that is there."""
    await connection.execute(SQL["upsert_area"], area.area_id, area.name, area.name_en, area.parent_id, dict(area.plan))


async def put_household(connection: Connection, home: Household) -> None:
    """Insert or update; the token of an existing household stays, and so do its silent keys where none are given."""
    values = [getattr(home, field.name) for field in fields(home)]
    await connection.execute(SQL["upsert_household"], *values)


async def put_camera(connection: Connection, camera: Camera) -> None:
    """Insert or update."""
    await connection.execute(SQL["upsert_camera"], *(getattr(camera, field.name) for field in fields(camera)))


async def put_device(connection: Connection, device: Device) -> None:
    """Insert or update what the registry says; what the device said of itself stays."""
    await connection.execute(
        SQL["upsert_device"],
        *(device.device_id, device.area_id, device.household_id, device.camera_id),
        *(device.kind, device.name, device.model, device.silence_s),
    )


async def write_alarm_keys(connection: Connection, key_by_device: Mapping[str, bytes]) -> None:
    """Give devices the keys of their alarms; those that the registry does not know are passed over."""
    ordered = sorted(key_by_device)
    await connection.execute(SQL["write_alarm_keys"], ordered, [key_by_device[device_id] for device_id in ordered])


async def write_silent_keys(database: Queryable, household_id: str, digits: str) -> bool:
    """Set the digits of a household's silent alarm, empty for none; False where there is no such household."""
    found = await database.fetchval(SQL["write_silent_keys"], household_id, digits)
    return found is not None


async def link_camera(connection: Connection, household_id: str, camera_id: str, rank: int) -> None:
    """Say by hand that a camera belongs to a household's alarms."""
    await connection.execute(SQL["link_camera"], household_id, camera_id, rank)


async def notify_registry(connection: Connection) -> None:
    """Wake the programs that keep a copy of the registry."""
    await connection.execute(SQL["notify_registry"])


async def write_presence(
    database: Queryable,
    device_id: str,
    presence: str,
    at: datetime,
    *,
    boot: int | None,
    is_heard: bool,
    why: str,
) -> str | None:
    """Write a device's presence and return what it was before; None where a newer boot makes this word stale."""
    before: str | None = await database.fetchval(SQL["write_presence"], device_id, presence, at, boot, is_heard, why)
    return before


async def write_meta(database: Queryable, device_id: str, meta: object, model: str, fw: str) -> None:
    """Keep a device's description of itself."""
    await database.execute(SQL["write_meta"], device_id, meta, model, fw)


async def touch_devices(database: Queryable, seen: Sequence[tuple[str, datetime]]) -> None:
    """Note when something was last heard of each device."""
    newest: dict[str, datetime] = {}
    for device_id, at in seen:
        newest[device_id] = max(at, newest.get(device_id, at))
    ordered = sorted(newest)
    await database.execute(SQL["touch_devices"], ordered, [newest[device_id] for device_id in ordered])


async def mark_silent(database: Queryable, now: datetime) -> list[str]:
    """Mark the devices that have said nothing for their `silence_s` and return their ids."""
    return [row["device_id"] for row in await database.fetch(SQL["mark_silent"], now)]


async def put_in_quarantine(
    database: Queryable,
    at: datetime,
    *,
    topic: str,
    device_id: str,
    reason: str,
    detail: str,
    sample: bytes,
) -> None:
    """Keep a sample of what was refused; the oldest of the same reason goes."""
    await database.execute(SQL["insert_quarantine"], at, topic[:500], device_id, reason, detail[:1000], sample[:4096])
    await database.execute(SQL["bound_quarantine"], reason, QUARANTINE_PER_REASON)


async def quarantine_counts(database: Queryable) -> dict[str, int]:
    """Return how many samples of each reason are kept."""
    return {row["reason"]: row["samples"] for row in await database.fetch(SQL["count_quarantine"])}


async def coverage(database: Queryable, area_id: str) -> tuple[int, int]:
    """Return (households, households whose box is there now) inside `area_id`."""
    row = await database.fetchrow(SQL["coverage"], area_prefix(area_id))
    return (row["households"], row["online"]) if row else (0, 0)
