"""Drills: when and where alarms are practice; a drill of an outer area covers all that lies inside it."""

from dataclasses import dataclass
from datetime import datetime

from gateway.model.ids import area_prefix, outer_areas
from gateway.store.pool import Connection, Database, Record
from gateway.store.queries import named

SQL = named("drills")


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill; `ended_by` is None where nobody ended it before its time."""

    drill_id: str
    area_id: str
    begins_at: datetime
    ends_at: datetime
    note: str
    started_by: str
    ended_by: str | None = None
    area_name: str = ""

    def runs(self, now: datetime) -> bool:
        """Tell whether alarms of `now` are practice."""
        return self.ended_by is None and self.begins_at <= now < self.ends_at


async def active_drill(connection: Connection | Database, area_id: str, now: datetime) -> str | None:
    """Return the id of a drill that covers this area at `now`, or None."""
    drill_id: str | None = await connection.fetchval(SQL["find_active_drill"], outer_areas(area_id), now)
    return drill_id


async def lock_book(connection: Connection) -> None:
    """Let one transaction at a time look for a running drill and begin one."""
    await connection.fetchval(SQL["lock_book"])


async def start_drill(connection: Connection | Database, drill: Drill) -> None:
    """Store a drill. Raises BadInput for an unknown area or an end before its begin."""
    values = (drill.drill_id, drill.area_id, drill.begins_at, drill.ends_at, drill.note, drill.started_by)
    await connection.execute(SQL["insert_drill"], *values)


async def end_drill(connection: Connection | Database, drill_id: str, now: datetime, ended_by: str) -> bool:
    """End a drill before its time; False where it has ended already or never was."""
    return await connection.execute(SQL["end_drill"], drill_id, now, ended_by) == "UPDATE 1"


async def find_drill(connection: Connection | Database, drill_id: str) -> Drill | None:
    """Return one drill or None."""
    row = await connection.fetchrow(SQL["find_drill"], drill_id)
    return _drill_of(row) if row else None


async def list_drills(connection: Connection | Database, area_id: str, limit: int = 20) -> list[Drill]:
    """Return the newest drills inside an area or covering it, newest first."""
    rows = await connection.fetch(SQL["list_drills"], area_prefix(area_id), outer_areas(area_id), limit)
    return [_drill_of(row) for row in rows]


def _drill_of(row: Record) -> Drill:
    return Drill(**{name: row[name] for name in Drill.__dataclass_fields__})
