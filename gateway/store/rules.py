"""What rules remember and wish for: durable episodes, wishes with their attempts, traces, notices for the desk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.model.ids import area_prefix
from gateway.store.pool import Connection, Database
from gateway.store.queries import named

SQL = named("rules")

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class EpisodeRow:
    """The state of one rule for one device; `state` is the engine's own value as JSON."""

    rule_id: str
    device_id: str
    phase: str
    due_at: datetime | None
    state: Json


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """What rules remember of one device."""

    device_id: str
    state: Json


@dataclass(frozen=True, slots=True)
class WishRow:
    """One decided deed; `payload` is its own facts, `cause` the message that led to it."""

    wish_id: str
    rule_id: str
    rule_version: int
    device_id: str
    household_id: str | None
    area_id: str
    deed: str
    payload: Json
    cause: Json
    chain: Sequence[str]
    started_at: datetime
    due_at: datetime
    late_s: float
    created_at: datetime
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class TraceRow:
    """What a rule decided at `at`, and why."""

    at: datetime
    rule_id: str
    rule_version: int
    device_id: str
    outcome: str
    late_s: float
    wishes: int
    detail: Json


@dataclass(frozen=True, slots=True)
class Step:
    """Everything that one decision writes, in one transaction."""

    episodes: Sequence[EpisodeRow] = ()
    memories: Sequence[MemoryRow] = ()
    wishes: Sequence[WishRow] = ()
    traces: Sequence[TraceRow] = ()
    forgotten: Sequence[tuple[str, str]] = field(default=())


@dataclass(frozen=True, slots=True)
class DeskNotice:
    """A line for the desk that is no alarm; the same `notice_id` again is the same line."""

    notice_id: str
    area_id: str
    household_id: str | None
    device_id: str | None
    text: str
    source: str
    created_at: datetime
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event as the gateway recorded it."""

    device_id: str
    boot: int
    seq: int
    event_id: str
    kind: str
    at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class LiveReading:
    """One value as it was reported; flags are stored as 1 and 0."""

    at: datetime
    device_id: str
    boot: int
    seq: int
    metric: str
    value: float | None
    text: str | None


@dataclass(frozen=True, slots=True)
class Decided:
    """A deed that was wished for, and the moment for which it was due."""

    rule_id: str
    device_id: str
    deed: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Recording:
    """What devices said in a time, and what rules then decided."""

    readings: Sequence[LiveReading]
    events: Sequence[RecordedEvent]
    presences: Sequence[tuple[datetime, str, str]]
    decided: Sequence[Decided]


class RuleStore:
    """Reads and writes of the rules' program."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put_rule_set(self, digest: str, name: str, body: str, now: datetime) -> None:
        """Keep a rule file as it runs."""
        await self._database.execute(SQL["put_rule_set"], digest, name, body, now)

    async def last_rule_set(self) -> tuple[str, str] | None:
        """Return name and text of the rule file that ran last, or None."""
        row = await self._database.fetchrow(SQL["find_last_rule_set"])
        return (row["name"], row["body"]) if row else None

    async def episodes(self) -> list[tuple[str, str, Json]]:
        """Return (rule, device, state) of every episode."""
        return [tuple(row) for row in await self._database.fetch(SQL["list_episodes"])]

    async def memories(self) -> list[tuple[str, Json]]:
        """Return (device, state) of every remembered device."""
        return [tuple(row) for row in await self._database.fetch(SQL["list_memories"])]

    async def descriptions(self) -> list[tuple[str, Json]]:
        """Return (device, description) of the devices that have described themselves."""
        return [tuple(row) for row in await self._database.fetch(SQL["list_descriptions"])]

    async def commit(self, step: Step, now: datetime) -> None:
        """Write one step in one transaction; the same step again changes nothing but its traces."""
        async with self._database.transaction() as connection:
            await _write(connection, step, now)

    async def ticked_at(self) -> datetime | None:
        """Return until when the rules have let time pass, or None before the first time."""
        row = await self._database.fetchrow(SQL["find_clock"])
        return row["ticked_at"] if row else None

    async def recorded_events(self, kinds: Sequence[str], overlap: timedelta, limit: int) -> list[RecordedEvent]:
        """Return events of these kinds from `overlap` before the last `mark_read` on, oldest first."""
        clock = await self._database.fetchrow(SQL["find_clock"])
        if clock is None:
            return []
        since = clock["read_until"] - overlap
        rows = await self._database.fetch(SQL["list_recorded_events"], since, list(kinds), limit)
        return [RecordedEvent(*row) for row in rows]

    async def mark_read(self, until: datetime) -> None:
        """Note that every event recorded before `until` has been read."""
        await self._database.execute(SQL["put_read_until"], until)

    async def tick(self, now: datetime) -> None:
        """Note that all that was due at `now` is decided."""
        await self._database.execute(SQL["put_tick"], now)

    async def claim_wishes(self, now: datetime, limit: int) -> list[WishRow]:
        """Return wishes that wait to be carried out, in the order of their decisions, and count the attempt."""
        rows = await self._database.fetch(SQL["claim_wishes"], now, limit)
        return sorted((WishRow(*row) for row in rows), key=lambda one: (one.created_at, one.wish_id))

    async def finish_wish(self, wish_id: str, now: datetime, result: str) -> None:
        """Mark a wish as carried out, or as given up; `result` is a word."""
        await self._database.execute(SQL["finish_wish"], wish_id, now, result)

    async def next_wish_at(self) -> datetime | None:
        """Return when the next waiting wish wants to be tried."""
        moment: datetime | None = await self._database.fetchval(SQL["find_next_wish"])
        return moment

    async def traces(self, rule_id: str = "", limit: int = 100) -> list[TraceRow]:
        """Return the newest traces, of one rule or of all."""
        return [TraceRow(*row) for row in await self._database.fetch(SQL["list_traces"], rule_id, limit)]

    async def recording(
        self, since: datetime, until: datetime, metrics: Sequence[str], kinds: Sequence[str]
    ) -> Recording:
        """Return everything of [since, until) that these metrics and kinds of events name, in the order of its time."""
        readings = await self._database.fetch(SQL["list_live_readings"], since, until, list(metrics))
        events = await self._database.fetch(SQL["list_events_between"], since, until, list(kinds))
        presences = await self._database.fetch(SQL["list_presence_between"], since, until)
        decided = await self._database.fetch(SQL["list_wishes_between"], since, until)
        return Recording(
            [LiveReading(*row) for row in readings],
            [RecordedEvent(*row) for row in events],
            [tuple(row) for row in presences],
            [Decided(*row) for row in decided],
        )

    async def prune(self, before: datetime) -> None:
        """Forget traces and carried-out wishes from before `before`."""
        await self._database.execute(SQL["prune_traces"], before)
        await self._database.execute(SQL["prune_wishes"], before)

    async def post_desk_notice(self, notice: DeskNotice) -> None:
        """Write a line for the desk once, and wake who listens on linli_rules (payload: area)."""
        async with self._database.transaction() as connection:
            values = [getattr(notice, name) for name in DeskNotice.__dataclass_fields__ if name != "seen_at"]
            await connection.execute(SQL["put_desk_notice"], *values)
            await connection.execute(SQL["announce_rules"], notice.area_id)

    async def desk_notices(self, area_id: str, limit: int = 50) -> list[DeskNotice]:
        """Return the newest lines for the desk inside an area."""
        rows = await self._database.fetch(SQL["list_desk_notices"], area_prefix(area_id), limit)
        return [DeskNotice(*row) for row in rows]

    async def households_of(self, area_id: str) -> list[str]:
        """Return the households of exactly this community."""
        return [row["household_id"] for row in await self._database.fetch(SQL["list_area_households"], area_id)]

    async def is_cleared(self, rule_id: str, device_id: str, started_at: datetime) -> bool:
        """Tell whether an episode's words have already been taken from the televisions."""
        return bool(await self._database.fetchval(SQL["find_clearing"], rule_id, device_id, started_at))

    async def take_from_tv(self, message_prefix: str, now: datetime) -> int:
        """Take away the messages whose id begins so, wake their televisions, and return how many there were."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(SQL["expire_tv_messages"], message_prefix, now)
            for row in rows:
                await connection.execute(SQL["announce_tv"], row["household_id"])
        return len(rows)


async def _write(connection: Connection, step: Step, now: datetime) -> None:
    memories = [(one.device_id, dict(one.state), now) for one in step.memories]
    episodes = [(one.rule_id, one.device_id, one.phase, one.due_at, dict(one.state), now) for one in step.episodes]
    for query, rows in (
        ("put_memory", memories),
        ("put_episode", episodes),
        ("forget_episode", step.forgotten),
        ("put_wish", [_wish_values(wish) for wish in step.wishes]),
        ("put_trace", [_trace_values(trace, now) for trace in step.traces]),
    ):
        if rows:
            await connection.executemany(SQL[query], rows)


def _wish_values(wish: WishRow) -> list[object]:
    plain = {"payload": dict(wish.payload), "cause": dict(wish.cause), "chain": list(wish.chain)}
    names = [name for name in WishRow.__dataclass_fields__ if name != "attempts"]
    return [plain.get(name, getattr(wish, name)) for name in names]


def _trace_values(trace: TraceRow, now: datetime) -> list[object]:
    return [
        trace.at, now, trace.rule_id, trace.rule_version, trace.device_id,
        trace.outcome, trace.late_s, trace.wishes, dict(trace.detail),
    ]  # fmt: skip
