"""The instruments themselves: what the fixtures promise to the other tests."""

import asyncio
import socket
import subprocess

import asyncpg
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
