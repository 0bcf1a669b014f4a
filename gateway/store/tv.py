"""What a television needs from the database: its household, its choices, its messages, its series."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from gateway.model.notices import TvMessage
from gateway.store.pool import Database, Record
from gateway.store.queries import named

SQL = named("tv")


@dataclass(frozen=True, slots=True)
class Choices:
    """What was chosen on a television; `key_codes` are learnt codes ("461" → "back") above those of the profile."""

    text_size: str = "standard"
    language: str = "zh"
    tier: str = "f0"
    profile: str = "keyboard"
    key_codes: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """One household's television. `choices` is None until something was chosen or probed on it."""

    household_id: str
    area_id: str
    area_name: str
    area_name_en: str
    address: str
    resident_name: str
    device_id: str
    choices: Choices | None
    #: Digits that raise a silent alarm; for the box's ear, never for its screen.
    silent_keys: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class HomeDevice:
    """A device of the household with its presence (`online`, `offline`, `silent`, …) since `presence_at`."""

    device_id: str
    kind: str
    name: str
    model: str
    presence: str
    presence_at: datetime | None
    last_seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class LatestValue:
    """The newest value of one metric; text metrics have `value` None."""

    device_id: str
    metric: str
    at: datetime
    value: float | None
    text: str | None


@dataclass(frozen=True, slots=True)
class HomeAlarm:
    """One line of the household's own alarm history."""

    alarm_id: str
    alarm_no: str
    kind: str
    state: str
    raised_at: datetime
    acknowledged_name: str | None
    closed_at: datetime | None
    outcome: str | None
    cancelled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Source:
    """A device that measures something: `metric` is the one that answered, `latest_at` its newest reading."""

    device_id: str
    name: str
    metric: str
    latest_at: datetime


@dataclass(frozen=True, slots=True)
class HourlyMean:
    """Mean of one metric over the hour that begins at `hour` (aware UTC)."""

    metric: str
    hour: datetime
    mean: float
    readings: int


@dataclass(frozen=True, slots=True)
class DailySum:
    """What a per-interval metric adds up to on one local day, and from how many readings."""

    day: date
    total: float
    readings: int


class TvStore:
    """Reads and writes of the television's program; every figure comes from stored rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def box(self, token: str) -> Box | None:
        """Return the television with this token; a household without a box device gets one for its red key."""
        row = await self._database.fetchrow(SQL["find_box_by_token"], token)
        if row is None:
            return None
        device_id = row["device_id"] or f"tv-{row['household_id']}"
        if row["device_id"] is None:
            await self._database.execute(SQL["add_tv_device"], device_id, row["area_id"], row["household_id"], "电视")
        return _box(row, device_id)

    async def choose(self, household_id: str, at: datetime, **changes: object) -> None:
        """Store some of text_size, language, tier, profile, key_codes; the others stay."""
        names = ("text_size", "language", "tier", "profile", "key_codes")
        if unknown := set(changes) - set(names):
            raise TypeError(f"no such choice: {sorted(unknown)}")
        values = [changes.get(name) for name in names]
        await self._database.execute(SQL["save_choices"], household_id, *values, at)

    async def post_message(self, message: TvMessage) -> bool:
        """Queue a message for one television and wake who listens; False where this id is already there."""
        message_id = await self._database.fetchval(
            SQL["post_message"],
            message.message_id,
            message.household_id,
            message.level,
            message.title,
            message.body,
            message.source,
            message.created_at,
            message.expires_at,
        )
        return message_id is not None

    async def waiting_messages(self, household_id: str, now: datetime) -> tuple[TvMessage, ...]:
        """Return at most five unexpired messages that nobody has dismissed, the gravest first."""
        rows = await self._database.fetch(SQL["list_waiting_messages"], household_id, now)
        return tuple(TvMessage(**dict(row)) for row in rows)

    async def mark_message_seen(self, household_id: str, message_id: str, at: datetime) -> bool:
        """Dismiss one message of this household; False where there was nothing to dismiss."""
        return await self._database.fetchval(SQL["mark_message_seen"], message_id, household_id, at) is not None

    async def devices(self, household_id: str) -> tuple[HomeDevice, ...]:
        """Return the household's devices, by kind."""
        rows = await self._database.fetch(SQL["list_home_devices"], household_id)
        return tuple(HomeDevice(**dict(row)) for row in rows)

    async def latest_values(self, household_id: str) -> tuple[LatestValue, ...]:
        """Return the newest value of every metric of the household's devices."""
        rows = await self._database.fetch(SQL["list_latest_of_home"], household_id)
        return tuple(LatestValue(r["device_id"], r["metric"], r["at"], r["value"], r["text_value"]) for r in rows)

    async def alarms(self, household_id: str, limit: int) -> tuple[HomeAlarm, ...]:
        """Return the household's own alarms, newest first; a silent one is on no screen."""
        rows = await self._database.fetch(SQL["list_home_alarms"], household_id, limit)
        return tuple(HomeAlarm(*row.values()) for row in rows)

    async def open_alarm(self, household_id: str) -> str | None:
        """Return the call for help that this home's screen should be showing, whichever device it came from."""
        found: str | None = await self._database.fetchval(SQL["find_open_alarm"], household_id)
        return found

    async def air_station(self, area_id: str, metric: str) -> Source | None:
        """Return the station that measures `metric` for an area: its own, else that of the nearest area above."""
        row = await self._database.fetchrow(SQL["find_air_station"], area_id, metric)
        return Source(row["device_id"], row["name"], metric, row["latest_at"]) if row else None

    async def meter(self, household_id: str, metric: str) -> Source | None:
        """Return the household's device that has reported `metric` last."""
        row = await self._database.fetchrow(SQL["find_meter"], household_id, metric)
        return Source(row["device_id"], row["name"], metric, row["latest_at"]) if row else None

    async def latest_value(self, device_id: str, metric: str) -> tuple[float, datetime] | None:
        """Return the newest number of one metric and its time."""
        row = await self._database.fetchrow(SQL["latest_value"], device_id, metric)
        return (row["value"], row["at"]) if row else None

    async def hourly_means(
        self, device_id: str, metrics: Sequence[str], since: datetime, until: datetime
    ) -> tuple[HourlyMean, ...]:
        """Return the mean of every hour that has readings in [since, until); the others are gaps."""
        rows = await self._database.fetch(SQL["list_hourly_means"], device_id, list(metrics), since, until)
        return tuple(HourlyMean(row["metric"], row["hour"], row["mean"], row["n"]) for row in rows)

    async def daily_sums(
        self, source: Source, since: datetime, until: datetime, offset_min: int
    ) -> tuple[DailySum, ...]:
        """Return the sum of each local day (`offset_min` east of UTC) that has readings in [since, until)."""
        rows = await self._database.fetch(
            SQL["list_daily_sums"], source.device_id, source.metric, since, until, offset_min
        )
        return tuple(DailySum(row["day"], row["total"], row["n"]) for row in rows)


def _box(row: Record, device_id: str) -> Box:
    choices = None
    if row["text_size"] is not None:
        choices = Choices(row["text_size"], row["language"], row["tier"], row["profile"], row["key_codes"])
    return Box(
        household_id=row["household_id"],
        area_id=row["area_id"],
        area_name=row["area_name"],
        area_name_en=row["area_name_en"],
        address=row["address"],
        resident_name=row["resident_name"],
        device_id=device_id,
        choices=choices,
        silent_keys=row["silent_keys"],
    )
