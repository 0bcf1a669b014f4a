import asyncio

from gateway.store.feed import Feed
from gateway.store.pool import Database


async def test_a_wake_up_is_heard_at_once_and_a_broken_line_is_mended(database_dsn: str) -> None:
    """NOTIFY arrives; after the server cut the listener's connection a tick comes and NOTIFY is heard again."""
    database = Database(database_dsn)
    await database.start()
    heard: list[str] = []

    async def listen() -> None:
        async for payload in Feed(database, "linli_test").changes(poll_s=60):
            heard.append(payload)  # noqa: PERF401  it never ends

    task = asyncio.create_task(listen())

    async def until(count: int) -> None:
        async with asyncio.timeout(10):
            while len(heard) < count:
                await asyncio.sleep(0.01)

    await until(1)
    await database.execute("select pg_notify('linli_test', 'one')")
    await until(2)
    await database.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen%' and pid <> pg_backend_pid()"
    )
    await until(4)
    await database.execute("select pg_notify('linli_test', 'two')")
    await until(5)
    assert heard == ["", "one", "", "", "two"]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await database.stop()
