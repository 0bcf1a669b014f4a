"""The embedded PostgreSQL: made once, durable whatever its files say, back after a kill, gone at the end."""

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from gateway.launch import database as embedded
from gateway.launch.supervisor import Supervisor
from gateway.model.errors import ConfigurationError
from gateway.store.pool import Database


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(lambda _sentence: None)
    yield supervisor
    await supervisor.stop_all()


async def _start(supervisor: Supervisor, data_dir: Path) -> embedded.EmbeddedDatabase:
    server = embedded.EmbeddedDatabase(data_dir)
    await server.prepare()
    await supervisor.start_and_wait(server.program())
    await server.create()
    return server


async def _ask(dsn: str, sql: str) -> object:
    database = Database(dsn, max_size=1)
    await database.start()
    try:
        return await database.fetchval(sql)
    finally:
        await database.stop()


async def test_embedded_database_keeps_what_was_committed(supervisor: Supervisor, tmp_path: Path) -> None:
    """A row survives SIGKILL of the server and a whole restart, also where a file says that fsync is off."""
    server = await _start(supervisor, tmp_path)
    await _ask(server.dsn, "create table kept as select 7 as number")
    child = supervisor.children["database"]
    killed = child.pid
    os.kill(killed, signal.SIGKILL)
    async with asyncio.timeout(30):
        while child.pid == killed:
            await asyncio.sleep(0.05)
    await child.wait_ready()
    assert await _ask(server.dsn, "select number from kept") == 7
    await supervisor.stop_all()
    with (server.place.data / "postgresql.auto.conf").open("a") as file:
        file.write("fsync = off\nsynchronous_commit = off\n")
    again = await _start(supervisor, tmp_path)
    assert await _ask(again.dsn, "select number from kept") == 7
    assert await _ask(again.dsn, "select current_setting('fsync')") == "on"
    await embedded.assert_usable(again.dsn)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
async def test_without_namespaces_root_becomes_another_user(supervisor: Supervisor) -> None:
    """Where the kernel gives no user namespace, the server runs as an ordinary user on folders that it owns."""
    with tempfile.TemporaryDirectory(prefix="linli-") as name:
        server = embedded.EmbeddedDatabase(Path(name), may_use_namespaces=False)
        await server.prepare()
        await supervisor.start_and_wait(server.program())
        await server.create()
        assert await _ask(server.dsn, "select 7") == 7
        assert server.place.data.stat().st_uid != 0
        assert psutil.Process(supervisor.children["database"].pid).uids().real != 0
        await supervisor.stop_all()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
async def test_folder_that_the_other_user_cannot_reach_is_named(tmp_path: Path) -> None:
    """A closed folder above the data is named with the cure instead of a riddle from PostgreSQL."""
    closed = tmp_path / "closed"
    (closed / "data").mkdir(parents=True)
    closed.chmod(0o700)
    server = embedded.EmbeddedDatabase(closed / "data", may_use_namespaces=False)
    with pytest.raises(ConfigurationError, match="cannot enter") as refused:
        await server.prepare()
    assert "--data-dir" in refused.value.cure


async def test_database_that_may_forget_is_refused(supervisor: Supervisor, tmp_path: Path) -> None:
    """A role with synchronous_commit off is refused with its cure."""
    server = await _start(supervisor, tmp_path)
    await _ask(server.dsn, "alter role linli set synchronous_commit = off")
    with pytest.raises(ConfigurationError, match="synchronous_commit = off"):
        await embedded.assert_usable(server.dsn)


async def test_database_that_is_away_is_told_with_its_cure(tmp_path: Path) -> None:
    """A DSN where nobody listens is an error that says what to do."""
    with pytest.raises(ConfigurationError, match="does not answer") as refused:
        await embedded.assert_usable(f"postgresql:///linli?host={tmp_path}&user=linli")
    assert refused.value.cure


async def test_only_we_may_enter(tmp_path: Path) -> None:
    """The cluster and its socket's folder are closed to everybody else."""
    server = embedded.EmbeddedDatabase(tmp_path)
    await server.prepare()
    assert server.place.data.stat().st_mode & 0o077 == 0
    assert server.place.sockets.stat().st_mode & 0o077 == 0


async def test_interrupted_making_leaves_no_half_cluster(supervisor: Supervisor, tmp_path: Path) -> None:
    """A start that is broken off while the cluster is made leaves no process, and the next start makes it whole."""
    server = embedded.EmbeddedDatabase(tmp_path)
    making = asyncio.create_task(server.prepare())
    async with asyncio.timeout(10):
        while not (tmp_path / "database.new" / "PG_VERSION").exists():
            await asyncio.sleep(0.005)
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making
    assert not server.place.version_file.exists()
    again = await _start(supervisor, tmp_path)
    assert await _ask(again.dsn, "select 7") == 7


def test_long_folders_get_a_short_socket(tmp_path: Path) -> None:
    """A data folder too deep for a Unix socket's path has its socket in the temporary folder."""
    deep = tmp_path / ("x" * 90)
    place = embedded.place_of(deep)
    assert not place.sockets.is_relative_to(deep)
    assert len(str(place.sockets)) < 80
    assert embedded.place_of(tmp_path / "short").sockets == tmp_path / "short" / "run" / "database"


async def test_data_of_another_version_is_refused(tmp_path: Path) -> None:
    """A cluster of another major version is not touched; the error says how to move it."""
    server = embedded.EmbeddedDatabase(tmp_path)
    server.place.data.mkdir()
    server.place.version_file.write_text("12\n")
    with pytest.raises(ConfigurationError, match="made by PostgreSQL 12"):
        await server.prepare()
