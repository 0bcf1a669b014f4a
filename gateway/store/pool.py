"""Connections to PostgreSQL: a pool whose errors are the platform's own, JSON and times already translated."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Final, Protocol

import asyncpg

from gateway.contract import codec
from gateway.model.errors import BadInput, ConfigurationError, Conflict, LinliError, Unavailable
from gateway.runtime import logs

log = logs.get(__name__)


class Record(Protocol):
    """One row: columns by name or place, in the order of the query."""

    def __getitem__(self, key: str | int) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...
    def keys(self) -> Iterator[str]: ...
    def values(self) -> Iterator[Any]: ...
    def items(self) -> Iterator[tuple[str, Any]]: ...


COMMAND_TIMEOUT_S: Final = 30.0
CONNECT_TIMEOUT_S: Final = 10.0

#: Settings without which a commit is not a promise.
DURABILITY_SETTINGS: Final = ("fsync", "full_page_writes", "synchronous_commit")

_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.CannotConnectNowError,
    # The driver's own words for a connection whose last request was cut short: the next one will be another.
    asyncpg.InternalClientError,
)


@contextlib.contextmanager
def translated_errors(doing: str = "database") -> Iterator[None]:
    """Turn the driver's exceptions into the platform's; the driver's own stays as `__cause__`."""
    try:
        yield
    except LinliError:
        raise
    except asyncpg.UniqueViolationError as error:
        raise Conflict(f"{doing}: already there ({error.constraint_name})") from error
    except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError) as error:
        raise BadInput(f"{doing}: {error}", reason="refused_by_database") from error
    except asyncpg.SerializationError as error:
        raise Conflict(f"{doing}: changed at the same time", cure="Try again.") from error
    except asyncpg.DeadlockDetectedError as error:
        raise Unavailable("two changes waited for each other", place=doing, cure="It is tried again.") from error
    except _AWAY as error:
        if (task := asyncio.current_task()) is not None and task.cancelling():
            # The connection was ended because its task is: that is no outage.
            raise asyncio.CancelledError from error
        message = f"the database is away ({type(error).__name__}: {error})"
        raise Unavailable(message, place=doing, cure="Nothing is lost; it is tried again.") from error


class Connection:
    """One borrowed connection, with the same verbs as the pool."""

    __slots__ = ("_raw",)

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    async def fetch(self, sql: str, *arguments: Any) -> list[Record]:
        """Return all rows."""
        with translated_errors():
            return list(await self._raw.fetch(sql, *arguments))

    async def fetchrow(self, sql: str, *arguments: Any) -> Record | None:
        """Return the first row or None."""
        with translated_errors():
            row: Record | None = await self._raw.fetchrow(sql, *arguments)
            return row

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        """Return the first column of the first row or None."""
        with translated_errors():
            return await self._raw.fetchval(sql, *arguments)

    async def execute(self, sql: str, *arguments: Any) -> str:
        """Run and return the server's command tag, such as `UPDATE 1`."""
        with translated_errors():
            return str(await self._raw.execute(sql, *arguments))

    async def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run once for each row, in one transaction."""
        with translated_errors():
            await self._raw.executemany(sql, rows)

    @contextlib.asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Open a nested transaction that an error undoes alone."""
        with translated_errors():
            async with self._raw.transaction():
                with ended_with_its_task(self._raw):
                    yield


@contextlib.contextmanager
def ended_with_its_task(raw: Any) -> Iterator[None]:
    """End the connection at once where its task is cancelled: the driver would first wait for the server's answer."""
    try:
        yield
    except asyncio.CancelledError:
        raw.terminate()
        raise


class _Borrowed(asyncpg.Connection):  # type: ignore[misc]
    """A connection that is handed back as it is: nobody here changes a session, and undoing costs a round trip."""

    def get_reset_query(self) -> str:
        return ""


class Database:
    """A pool of connections; a service. Every verb raises Unavailable while the server is away.

    A server that hangs answers nothing and closes nothing. With `hang_s` a connection that was borrowed for longer
    is ended, so that its borrower gets Unavailable instead of waiting; for work that is short by nature.
    """

    def __init__(
        self, dsn: str, *, min_size: int = 1, max_size: int = 8, program: str = "linli", hang_s: float | None = None
    ) -> None:
        self.dsn = dsn
        self._sizes = (min_size, max_size)
        self._program = program
        self._hang_s = hang_s
        self._connect_s = min(CONNECT_TIMEOUT_S, hang_s or CONNECT_TIMEOUT_S)
        self._pool: Any = None

    async def start(self) -> None:
        if not self.dsn:
            raise ConfigurationError("no database is named", place="[database] dsn", cure="Set a PostgreSQL DSN.")
        if self._pool is not None:
            return
        with translated_errors("connect"):
            self._pool = await asyncpg.create_pool(
                self.dsn,
                min_size=self._sizes[0],
                max_size=self._sizes[1],
                timeout=self._connect_s,
                command_timeout=COMMAND_TIMEOUT_S,
                init=_teach_types,
                connection_class=_Borrowed,
                server_settings={"application_name": self._program, "timezone": "UTC"},
            )

    async def stop(self) -> None:
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            with contextlib.suppress(TimeoutError):
                await _close(pool)
        finally:
            pool.terminate()

    def statistics(self) -> dict[str, float | int | str]:
        if self._pool is None:
            return {"size": 0, "idle": 0}
        return {"size": self._pool.get_size(), "idle": self._pool.get_idle_size()}

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Borrow one connection without a transaction."""
        if self._pool is None:
            raise Unavailable("the database is not connected", place="database")
        with translated_errors():
            async with self._pool.acquire(timeout=self._connect_s) as raw:
                with self._watched(raw), ended_with_its_task(raw):
                    yield Connection(raw)

    @contextlib.contextmanager
    def _watched(self, raw: Any) -> Iterator[None]:
        if self._hang_s is None:
            yield
            return
        watch = asyncio.get_running_loop().call_later(self._hang_s, raw.terminate)
        try:
            yield
        finally:
            watch.cancel()

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Borrow one connection inside a transaction: committed at the end, undone by any exception."""
        async with self.connection() as connection, connection.savepoint():
            yield connection

    async def fetch(self, sql: str, *arguments: Any) -> list[Record]:
        """Return all rows."""
        async with self.connection() as connection:
            return await connection.fetch(sql, *arguments)

    async def fetchrow(self, sql: str, *arguments: Any) -> Record | None:
        """Return the first row or None."""
        async with self.connection() as connection:
            return await connection.fetchrow(sql, *arguments)

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        """Return the first column of the first row or None."""
        async with self.connection() as connection:
            return await connection.fetchval(sql, *arguments)

    async def execute(self, sql: str, *arguments: Any) -> str:
        """Run and return the server's command tag."""
        async with self.connection() as connection:
            return await connection.execute(sql, *arguments)

    async def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run once for each row, in one transaction."""
        async with self.connection() as connection:
            await connection.executemany(sql, rows)

    async def assert_durable(self) -> None:
        """Raise ConfigurationError where the server may forget what it has committed."""
        for name in DURABILITY_SETTINGS:
            value = await self.fetchval("select current_setting($1)", name)
            if value != "on":
                raise ConfigurationError(
                    f"the database runs with {name} = {value}; an alarm could be lost after its receipt",
                    place="[database]",
                    cure=f"Set {name} = on in postgresql.conf (and for this role).",
                )

    async def listener(self) -> Any:
        """Open a connection of its own for LISTEN; the caller closes it."""
        with translated_errors("connect"):
            return await asyncpg.connect(self.dsn, timeout=CONNECT_TIMEOUT_S)


async def _close(pool: Any) -> None:

    async with asyncio.timeout(1.5):
        await pool.close()


async def _teach_types(raw: Any) -> None:
    for name in ("json", "jsonb"):
        await raw.set_type_codec(name, schema="pg_catalog", encoder=_json_text, decoder=codec.parse)


def _json_text(value: object) -> str:
    return codec.encode(value).decode()
