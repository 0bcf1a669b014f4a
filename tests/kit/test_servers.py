"""The instruments themselves: what the fixtures promise to the other tests."""

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg
import psutil
import pytest

from tests.kit import servers


async def test_any_database_is_durable_and_empty(any_database_dsn: str) -> None:
    """Each test gets a database of its own that really writes to disk."""
    connection = await asyncpg.connect(any_database_dsn)
    try:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            assert await connection.fetchval(f"SHOW {setting}") == "on"
    finally:
        await connection.close()


def test_any_broker_knows_its_users(any_broker: servers.AnyBroker) -> None:
    """Each broker accepts the password that was given and refuses a wrong one."""
    password = any_broker.add_user("sos-1")
    assert servers._connack_code(any_broker.host, any_broker.port, "sos-1", password) == 0
    assert servers._connack_code(any_broker.host, any_broker.port, "sos-1", "wrong") != 0
    any_broker.restart()
    assert servers._connack_code(any_broker.host, any_broker.port, "sos-1", password) == 0


def test_mosquitto_lets_a_device_write_only_under_its_name(mosquitto: servers.Mosquitto) -> None:
    """A device's message reaches the gateway from its own topic, and not from a neighbour's."""
    password = mosquitto.add_user("sos-1")

    def publish(device: str) -> None:
        topic = f"linli/1/110105001001/{device}/up/evt"
        command = ["mosquitto_pub", "-p", str(mosquitto.port), "-u", "sos-1", "-P", password, "-q", "1", "-t", topic]
        subprocess.run([*command, "-m", device], check=True, capture_output=True)

    command = ["mosquitto_sub", "-p", str(mosquitto.port), "-u", "gateway", "-P", mosquitto.credentials["gateway"]]
    options = ["-i", "hears", "-c", "-q", "1", "-t", "linli/1/+/+/up/#"]
    subprocess.run([*command, *options, "-E"], check=True)  # the durable subscription stands before anything is said
    publish("sos-2")
    publish("sos-1")
    heard = subprocess.run([*command, *options, "-C", "1", "-W", "10"], check=True, capture_output=True)
    assert heard.stdout == b"sos-1\n"


async def test_a_task_left_behind_is_seen() -> None:
    """The look at left-overs sees a task that a test forgot."""
    before = asyncio.all_tasks()
    forgotten = asyncio.create_task(asyncio.sleep(60))
    assert asyncio.all_tasks() - before == {forgotten}
    forgotten.cancel()
    with pytest.raises(asyncio.CancelledError):
        await forgotten


def test_free_port_is_free(free_port: int) -> None:
    """A port that is handed out can be bound."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", free_port))


#: A test run in small: every server, a program on them, and then it waits to be killed.
RUN = """
import json, signal, sys
from tests.kit import reaper, servers
from tests.kit.gateway import running_gateway
with (
    servers.running_postgres(servers.DEBIAN_POSTGRESQL) as postgres,
    servers.running_mosquitto() as broker,
    servers.running_embedded_broker() as embedded,
    running_gateway(broker, postgres.create("run")) as gateway,
):
    those = (postgres, broker, embedded, gateway)
    pids = [one.process.pid for one in those] + [reaper.REAPER.pid]
    print(json.dumps({"pids": pids, "folders": [str(one.folder) for one in those]}), flush=True)
    sys.stdin.read()
"""


def until(what: Callable[[], bool], patience_s: float = 15.0) -> bool:
    deadline = time.monotonic() + patience_s
    while not what() and time.monotonic() < deadline:
        time.sleep(0.05)
    return what()


def lives(pid: int) -> bool:
    with contextlib.suppress(psutil.Error):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False


def processes_in(folders: list[str]) -> list[int]:
    """Return the processes that work in one of the folders, whatever they are called: PostgreSQL has many."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if any(process.cwd().startswith(folder) for folder in folders):
                found.append(process.pid)
    return found


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_servers_die_with_a_run_that_is_killed(how: signal.Signals) -> None:
    """After SIGKILL of a test run its servers, their workers and their folders are gone, in memory and on disk."""
    shared_before = set(Path("/dev/shm").iterdir())
    with subprocess.Popen(
        [sys.executable, "-c", RUN], cwd=servers.REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as run:
        assert run.stdout is not None
        said = json.loads(run.stdout.readline())
        assert all(lives(pid) for pid in said["pids"])
        assert processes_in(said["folders"])
        run.send_signal(how)
        run.wait(10)
    assert until(lambda: not any(lives(pid) for pid in said["pids"]))
    assert until(lambda: not any(Path(folder).exists() for folder in said["folders"]))
    assert processes_in(said["folders"]) == []
    ours = [path for path in set(Path("/dev/shm").iterdir()) - shared_before if path.name.startswith("PostgreSQL.")]
    assert until(lambda: not any(_is_abandoned(path) for path in ours))


def _is_abandoned(path: Path) -> bool:
    """Tell whether a piece of shared memory is there and no process has it: other runs have theirs."""
    if not path.exists():
        return False
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if any(str(path) in one.path for one in process.memory_maps(grouped=False)):
                return False
    return path.exists()
