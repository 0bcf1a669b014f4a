"""What is kept of cameras: the history of their health, one row per stay in a state."""

from dataclasses import dataclass
from datetime import datetime

from gateway.store.pool import Database
from gateway.store.queries import named

SQL = named("video")


@dataclass(frozen=True, slots=True)
class Stay:
    """A camera was in `state` from `since` until `until`; None while it still is."""

    camera_id: str
    state: str
    reason: str
    since: datetime
    until: datetime | None


async def write_health(database: Database, stay: Stay) -> None:
    """Begin `stay` and end the one before it; writing the same stay again changes nothing.

    Raises Unavailable while the database is away.
    """
    async with database.transaction() as connection:
        await connection.execute(SQL["close_camera_health"], stay.camera_id, stay.state, stay.since)
        await connection.execute(SQL["open_camera_health"], stay.camera_id, stay.state, stay.reason, stay.since)


async def health_between(database: Database, camera_id: str, begin: datetime, end: datetime) -> list[Stay]:
    """Return the stays of a camera that touch [begin, end), oldest first."""
    rows = await database.fetch(SQL["list_camera_health"], camera_id, begin, end)
    return [Stay(row["camera_id"], row["state"], row["reason"], row["since"], row["until"]) for row in rows]


async def prune_health(database: Database, before: datetime) -> None:
    """Forget stays that ended before `before`."""
    await database.execute(SQL["prune_camera_health"], before)
