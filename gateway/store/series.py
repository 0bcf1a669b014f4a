"""Time series: readings in partitions by week, each stored once, read as windows and buckets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.store.pool import Connection, Database
from gateway.store.queries import named

SQL = named("series")


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one metric; `value` for numbers and yes/no (1, 0), `text_value` for words."""

    at: datetime
    device_id: str
    metric: str
    boot: int
    seq: int
    value: float | None
    text_value: str | None = None
    history: bool = False


@dataclass(frozen=True, slots=True)
class Bucket:
    """What one stretch of time holds; stretches without readings have no bucket."""

    at: datetime
    total: float
    mean: float
    least: float
    greatest: float
    readings: int


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest value of one metric."""

    metric: str
    at: datetime
    value: float | None
    text_value: str | None


@dataclass(frozen=True, slots=True)
class Summary:
    """Count, sum and ends of one series."""

    readings: int
    total: float
    first_at: datetime | None
    last_at: datetime | None


class SeriesWriter:
    """Writes readings; remembers which partitions it has seen to exist."""

    def __init__(self) -> None:
        self._weeks: set[tuple[int, int]] = set()

    async def insert(self, connection: Connection, readings: Sequence[Reading]) -> int:
        """Store `readings` once each and return how many were new.

        One call must not hold the same (device, metric, at, boot, seq) twice with different values; the first wins.
        """
        if not readings:
            return 0
        for week in {reading.at.isocalendar()[:2]: reading.at for reading in readings}.items():
            await self._ensure(connection, *week)
        columns = zip(
            *((r.at, r.device_id, r.metric, r.boot, r.seq, r.value, r.text_value, r.history) for r in readings),
            strict=True,
        )
        return int(await connection.fetchval(SQL["insert_readings"], *(list(column) for column in columns)))

    async def _ensure(self, connection: Connection, week: tuple[int, int], at: datetime) -> None:
        if week not in self._weeks:
            await connection.execute(SQL["ensure_partition"], at)
            self._weeks.add(week)

    def forget(self) -> None:
        """Forget which partitions exist, after a transaction that may have been undone."""
        self._weeks.clear()


async def window(
    database: Database,
    device_id: str,
    metric: str,
    start: datetime,
    end: datetime,
) -> list[tuple[datetime, float]]:
    """Return the readings in [start, end) by time; a gap is simply not there."""
    rows = await database.fetch(SQL["list_window"], device_id, metric, start, end)
    return [(row["at"], row["value"]) for row in rows]


async def buckets(
    database: Database,
    device_id: str,
    metric: str,
    start: datetime,
    end: datetime,
    *,
    width: timedelta,
) -> list[Bucket]:
    """Return the buckets of `width` in [start, end), counted from `start`; empty ones are left out."""
    rows = await database.fetch(SQL["list_buckets"], device_id, metric, start, end, width.total_seconds())
    return [Bucket(r["bucket_at"], r["total"], r["mean"], r["least"], r["greatest"], r["readings"]) for r in rows]


async def latest(database: Database, device_id: str) -> dict[str, Latest]:
    """Return the newest value of each metric of a device."""
    rows = await database.fetch(SQL["list_latest"], device_id)
    return {row["metric"]: Latest(row["metric"], row["at"], row["value"], row["text_value"]) for row in rows}


async def summary(database: Database, device_id: str, metric: str) -> Summary:
    """Return count, sum and ends of a whole series."""
    row = await database.fetchrow(SQL["summary"], device_id, metric)
    return Summary(*row) if row else Summary(0, 0.0, None, None)
