"""The figures of a period: histograms of the work, what went wrong, what is not done, who was slow."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.model.alarms import AlarmState, short_number
from gateway.store.pool import Connection, Database, Record
from gateway.store.queries import named

SQL = named("report")


@dataclass(frozen=True, slots=True)
class Period:
    """Whose alarms: raised from `since` up to but without `until`, under an area's prefix, as seen at `now`."""

    area_prefix: str
    since: datetime
    until: datetime
    now: datetime

    @property
    def elapsed(self) -> timedelta:
        """How much of it has passed."""
        return max(timedelta(), min(self.until, self.now) - self.since)


@dataclass(frozen=True, slots=True)
class Sums:
    """Counts of a period's alarms; drills and the platform's own stand apart and are in none of the others."""

    alarms: int
    closed: int
    true_alarms: int
    false_alarms: int
    tests: int
    hoaxes: int
    duplicates: int
    undecided: int
    dispatched: int
    to_street: int
    to_district: int
    to_supervisor: int
    cancelled: int
    late: int
    latest_s: int
    suspicious: int
    silent: int
    expired: int
    drills: int
    of_platform: int

    @property
    def escalated(self) -> int:
        """Alarms that went further than their own community."""
        return self.to_street + self.to_district + self.to_supervisor


@dataclass(frozen=True, slots=True)
class Waits:
    """One scale's counts by bucket, the pending ones, and median and 95th percentile of those that are counted."""

    counts: tuple[int, ...]
    pending: int
    median_s: float | None
    p95_s: float | None


@dataclass(frozen=True, slots=True)
class AreaFigures:
    """One area's share of the work; the medians are None where nothing was signed, sent or answered."""

    area_id: str
    area_name: str
    alarms: int
    signed: int
    quick: int
    sign_median_s: float | None
    sign_p95_s: float | None
    dispatch_median_s: float | None
    feedback_median_s: float | None


@dataclass(frozen=True, slots=True)
class Responder:
    """Who was sent how often, and how long it took until it was resolved."""

    name: str
    sent: int
    done: int
    median_s: float | None
    slowest_s: float | None


@dataclass(frozen=True, slots=True)
class BusySlot:
    """Ten minutes of one area with more alarms than one operator can answer, and who was on duty."""

    area_id: str
    began_at: datetime
    alarms: int
    operators: int


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An alarm that is not closed; without address, for the page is printed."""

    alarm_id: str
    short_no: str
    kind: str
    level: int
    state: AlarmState
    raised_at: datetime
    acknowledged_name: str
    dispatched_to: str
    is_cancelled: bool
    is_silent: bool
    area_id: str
    area_name: str


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of the three scales in seconds, handed in by the one who knows their source."""

    sign: Sequence[float]
    dispatch: Sequence[float]
    feedback: Sequence[float]


@dataclass(frozen=True, slots=True)
class Lists:
    """How long the lists of a page are, and what a busy slot is."""

    areas: int = 12
    responders: int = 8
    unfinished: int = 12
    slot_s: int = 600
    slot_alarms: int = 10


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything of one period, read at one moment."""

    period: Period
    sums: Sums
    sign: Waits
    dispatch: Waits
    feedback: Waits
    areas: tuple[AreaFigures, ...]
    responders: tuple[Responder, ...]
    hours: tuple[int, ...]
    busy_slots: tuple[BusySlot, ...]
    unfinished: tuple[Unfinished, ...]
    open_in_all: int


async def read_figures(
    database: Database, period: Period, limits: Limits, zone: str, lists: Lists | None = None
) -> Figures:
    """Read every figure of a period in one snapshot; `zone` is the community's time zone."""
    lists = lists or Lists()
    async with database.transaction() as connection:
        await connection.execute(SQL["one_moment"])
        return await _figures(connection, period, limits, zone, lists)


async def _figures(connection: Connection, period: Period, limits: Limits, zone: str, lists: Lists) -> Figures:
    span = (period.area_prefix, period.since, period.until)
    sums = await connection.fetchrow(SQL["sum_alarms"], *span)
    assert sums is not None  # noqa: S101  an aggregate always has one row
    all_limits = (list(limits.sign), list(limits.dispatch), list(limits.feedback))
    waits = await connection.fetch(SQL["list_waits"], *span, period.now, *all_limits)
    areas = await connection.fetch(SQL["list_areas"], *span, period.now, limits.sign[0], lists.areas)
    responders = await connection.fetch(SQL["list_responders"], *span, period.now, lists.responders)
    hours = await connection.fetch(SQL["list_hours"], *span, zone)
    slots = await connection.fetch(SQL["list_busy_slots"], *span, lists.slot_s, lists.slot_alarms)
    rest = await connection.fetch(SQL["list_unfinished"], period.area_prefix, period.until, lists.unfinished)
    by_hour = {row["hour"]: row["alarms"] for row in hours}
    return Figures(
        period=period,
        sums=Sums(**dict(sums.items())),
        sign=_waits(waits, "sign", limits.sign),
        dispatch=_waits(waits, "dispatch", limits.dispatch),
        feedback=_waits(waits, "feedback", limits.feedback),
        areas=tuple(AreaFigures(*row) for row in areas),
        responders=tuple(Responder(*row) for row in responders),
        hours=tuple(by_hour.get(hour, 0) for hour in range(24)),
        busy_slots=tuple(BusySlot(*row) for row in slots),
        unfinished=tuple(_unfinished(row) for row in rest),
        open_in_all=rest[0]["open_in_all"] if rest else 0,
    )


def _waits(rows: Sequence[Record], scale: str, limits: Sequence[float]) -> Waits:
    counted = {row["bucket"]: row["n"] for row in rows if row["scale"] == scale and row["quantiles"] is None}
    median_s, p95_s = next(
        (row["quantiles"] for row in rows if row["scale"] == scale and row["quantiles"]), (None, None)
    )
    counts = tuple(counted.get(bucket, 0) for bucket in range(len(limits) + 1))
    return Waits(counts, counted.get(-1, 0), median_s, p95_s)


def _unfinished(row: Record) -> Unfinished:
    return Unfinished(
        row["alarm_id"],
        short_number(row["alarm_no"]),
        row["kind"],
        row["level"],
        AlarmState(row["state"]),
        row["raised_at"],
        row["acknowledged_name"] or "",
        row["dispatched_to"] or "",
        row["is_cancelled"],
        row["is_silent"],
        row["area_id"],
        row["area_name"],
    )


async def list_rows(database: Database, period: Period) -> list[Record]:
    """Return one row for each alarm of a period that is no practice; columns as in the query `list_rows`."""
    return await database.fetch(SQL["list_rows"], period.area_prefix, period.since, period.until)


async def area_names(database: Database, area_prefix: str, limit: int = 500) -> list[tuple[str, str, str]]:
    """Return (area_id, name, English name) of the areas under a prefix, outer ones first."""
    rows = await database.fetch(SQL["list_area_names"], area_prefix, limit)
    return [(row["area_id"], row["name"], row["name_en"] or row["name"]) for row in rows]


async def first_alarm_at(database: Database, area_prefix: str) -> datetime | None:
    """Return when the oldest alarm under a prefix was raised."""
    first: datetime | None = await database.fetchval(SQL["first_alarm_at"], area_prefix)
    return first
