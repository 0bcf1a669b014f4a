"""Who is on duty: shifts by area, who keeps a roster, and where nobody is there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.store.pool import Connection, Database, Record
from gateway.store.queries import named

SQL = named("duty")


@dataclass(frozen=True, slots=True)
class Shift:
    """One person's time on duty in one area, from `begins_at` up to but without `ends_at`."""

    shift_id: str
    area_id: str
    person_name: str
    phone: str
    role: str
    begins_at: datetime
    ends_at: datetime
    area_name: str = ""

    def covers(self, now: datetime) -> bool:
        """Tell whether this person is on duty at `now`."""
        return self.begins_at <= now < self.ends_at


async def roster_state(
    connection: Connection | Database, area_ids: Sequence[str], now: datetime
) -> Mapping[str, tuple[bool, tuple[str, ...]]]:
    """Return for each area whether it keeps a roster and the names of those on duty at `now`; one query."""
    rows = await connection.fetch(SQL["read_roster_state"], list(area_ids), now)
    known = {row["area_id"]: (True, tuple(row["names"] or ())) for row in rows}
    return {area_id: known.get(area_id, (False, ())) for area_id in area_ids}


async def keeps_roster(connection: Connection | Database, area_id: str) -> bool:
    """Tell whether an area has any shift at all, past ones too."""
    return bool(await connection.fetch(SQL["list_roster_areas"], area_id))


async def on_duty(connection: Connection | Database, area_id: str, now: datetime) -> list[Shift]:
    """Return who is on duty at `now` in exactly this area, supervisors first."""
    return [_shift_of(row) for row in await connection.fetch(SQL["list_on_duty"], area_id, now)]


async def gaps(database: Connection | Database, area_prefix: str, now: datetime) -> list[tuple[str, str]]:
    """Return (area_id, name) of areas that keep a roster and have nobody on duty at `now`."""
    rows = await database.fetch(SQL["list_gaps"], area_prefix, now)
    return [(row["area_id"], row["area_name"]) for row in rows]


async def roster_areas(database: Connection | Database, area_prefix: str) -> list[tuple[str, str]]:
    """Return (area_id, name) of areas under a prefix that keep a roster."""
    rows = await database.fetch(SQL["list_roster_areas"], area_prefix)
    return [(row["area_id"], row["area_name"]) for row in rows]


async def list_shifts(
    database: Connection | Database, area_prefix: str, since: datetime, until: datetime
) -> list[Shift]:
    """Return shifts that touch the time from `since` to `until`, by area and beginning."""
    return [_shift_of(row) for row in await database.fetch(SQL["list_shifts"], area_prefix, since, until)]


async def find_shift(database: Connection | Database, shift_id: str) -> Shift | None:
    """Return one shift or None."""
    row = await database.fetchrow(SQL["find_shift"], shift_id)
    return _shift_of(row) if row else None


async def add_shifts(connection: Connection, shifts: Sequence[Shift]) -> None:
    """Store shifts inside the caller's transaction. Raises BadInput for an unknown area or an end before its begin."""
    rows = [
        (one.shift_id, one.area_id, one.person_name, one.phone, one.role, one.begins_at, one.ends_at) for one in shifts
    ]
    await connection.executemany(SQL["insert_shift"], rows)


async def remove_shift(database: Connection | Database, shift_id: str) -> bool:
    """Take a shift away; False where there is none."""
    return await database.execute(SQL["delete_shift"], shift_id) == "DELETE 1"


def _shift_of(row: Record) -> Shift:
    return Shift(**{name: row[name] for name in Shift.__dataclass_fields__})
