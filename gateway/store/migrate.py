"""Migrations: numbered SQL files applied once each, in order, one transaction a file, one migrator at a time."""

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise

from gateway.model.errors import ConfigurationError
from gateway.runtime import logs
from gateway.store.pool import Connection, Database

log = logs.get(__name__)

#: Any number that no other program of the same database uses for its advisory lock.
MIGRATION_LOCK = 0x11_4E_11

_FILE = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of `sql/migrations`; `digest` (SHA-256) shows a file that was changed after it was applied."""

    number: int
    name: str
    sql: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> list[Migration]:
    """Return every migration by rising number; ConfigurationError where two share a number."""
    folder = files("gateway.store") / "sql" / "migrations"
    found = [
        Migration(int(match[1]), entry.name.removesuffix(".sql"), entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if (match := _FILE.fullmatch(entry.name))
    ]
    found.sort(key=lambda migration: migration.number)
    for earlier, later in pairwise(found):
        if earlier.number == later.number:
            raise ConfigurationError("two migrations share a number", place=later.name, cure="Renumber one of them.")
    return found


async def migrate(database: Database) -> list[str]:
    """Apply what is missing and return the names of what was applied.

    ConfigurationError where an applied file has changed since: the schema would no longer be what its files say.
    """
    applied: list[str] = []
    async with database.transaction() as connection:
        await connection.execute("select pg_advisory_xact_lock($1)", MIGRATION_LOCK)
        await connection.execute(
            "create table if not exists migrations (number int primary key, name text not null, digest text not null,"
            " applied_at timestamptz not null default now())",
        )
        done = {row["number"]: row["digest"] for row in await connection.fetch("select number, digest from migrations")}
        for migration in migrations():
            if migration.number in done:
                _refuse_changed(migration, done[migration.number])
            else:
                await _apply(connection, migration)
                applied.append(migration.name)
    if applied:
        log.info("migrated", applied=applied)
    return applied


def _refuse_changed(migration: Migration, applied_digest: str) -> None:
    if migration.digest != applied_digest:
        raise ConfigurationError(
            "this migration was applied in another form",
            place=migration.name,
            cure="Restore the file and put the change into a new migration.",
        )


async def _apply(connection: Connection, migration: Migration) -> None:
    await connection.execute(migration.sql)
    await connection.execute(
        "insert into migrations (number, name, digest) values ($1, $2, $3)",
        migration.number,
        migration.name,
        migration.digest,
    )


async def migrate_at(dsn: str) -> list[str]:
    """Connect to `dsn`, apply what is missing, disconnect, and return the names of what was applied."""
    database = Database(dsn, max_size=1, program="linli-migrate")
    await database.start()
    try:
        return await migrate(database)
    finally:
        await database.stop()
