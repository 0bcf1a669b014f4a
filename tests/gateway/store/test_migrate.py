import pytest

from gateway.model.errors import ConfigurationError
from gateway.store import queries
from gateway.store.migrate import migrate, migrations
from gateway.store.pool import Database


async def test_migrating_again_does_nothing(any_database_dsn: str) -> None:
    """A migrated database has nothing to do, on every PostgreSQL."""
    database = Database(any_database_dsn)
    await database.start()
    assert await migrate(database) == []
    await database.stop()


async def test_a_migration_that_was_changed_after_its_use_is_refused(database_dsn: str) -> None:
    """A file that differs from what was applied stops the program and says which."""
    database = Database(database_dsn)
    await database.start()
    await database.execute("update migrations set digest = 'other' where number = 4")
    with pytest.raises(ConfigurationError, match="0004_create_alarms"):
        await migrate(database)
    await database.stop()


async def test_a_database_that_may_forget_is_refused(database_dsn: str) -> None:
    """With synchronous_commit off no receipt could be trusted, so the gateway does not run on it."""
    database = Database(database_dsn)
    await database.start()
    await database.assert_durable()
    name = database_dsn.rsplit("/", 1)[1].split("?", maxsplit=1)[0]
    await database.execute(f'alter database "{name}" set synchronous_commit = off')
    await database.stop()
    await database.start()
    with pytest.raises(ConfigurationError, match="synchronous_commit = off"):
        await database.assert_durable()
    await database.stop()


def test_numbers_are_gapless_and_every_query_has_its_module() -> None:
    """Migrations count from one; a query file without named blocks would be dead."""
    assert [one.number for one in migrations()] == list(range(1, len(migrations()) + 1))
    assert queries.named("alarms")["find_alarm"].startswith("select")
