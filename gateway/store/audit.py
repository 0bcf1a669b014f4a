"""What the audit reads of the ledger: one frozen picture, page by page, so that its size needs no memory."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

import asyncpg

from gateway.model.errors import ConfigurationError
from gateway.store.pool import Connection, Database, Record
from gateway.store.queries import named

SQL = named("audit")


class Snapshot:
    """The ledger as it was at one moment; writers go on beside it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def heads(self) -> Mapping[str, tuple[int, bytes]]:
        """Return (seq, hash) of the last row of every stream."""
        return {row["stream"]: (row["seq"], row["hash"]) for row in await self._connection.fetch(SQL["read_heads"])}

    async def events(self) -> AsyncIterator[list[Record]]:
        """Yield pages of (stream, seq, prev, hash, canonical text, event_id), stream by stream, by rising number."""
        await self._connection.execute(SQL["open_events"])
        while page := await self._connection.fetch(SQL["next_events"]):
            yield page

    async def alarms(self) -> AsyncIterator[list[Record]]:
        """Yield pages of alarms, each beside what its history and its presses add up to."""
        await self._connection.execute(SQL["open_alarms"])
        while page := await self._connection.fetch(SQL["next_alarms"]):
            yield page

    async def orphans(self) -> list[Record]:
        """Return (alarm_id, stream, events, event_id) of histories whose alarm is gone."""
        return await self._connection.fetch(SQL["list_orphans"])

    async def idle_guards(self) -> list[Record]:
        """Return (table, trigger) of guards that are switched off or gone."""
        return await self._connection.fetch(SQL["list_idle_guards"])


@asynccontextmanager
async def snapshot(database: Database) -> AsyncIterator[Snapshot]:
    """Freeze the ledger for reading."""
    async with database.transaction() as connection:
        await connection.execute(SQL["freeze"])
        yield Snapshot(connection)


async def heads(database: Database) -> Mapping[str, tuple[int, bytes]]:
    """Return (seq, hash) of the last committed row of every stream."""
    return {row["stream"]: (row["seq"], row["hash"]) for row in await database.fetch(SQL["read_heads"])}


async def hashes_at(database: Database, places: Mapping[str, int]) -> Mapping[str, bytes]:
    """Return the hash of row `places[stream]` for each stream where that row stands."""
    rows = await database.fetch(SQL["hashes_at"], list(places), list(places.values()))
    return {row["stream"]: row["hash"] for row in rows}


@contextmanager
def explained_refusals() -> Iterator[None]:
    """Turn the refusals of a server (unknown name, wrong password, missing tables) into ConfigurationError."""
    try:
        yield
    except (asyncpg.PostgresError, ValueError) as error:
        raise ConfigurationError(
            f"the database refuses: {error}", place="[database] dsn", cure="Correct the DSN, or migrate the database."
        ) from error
