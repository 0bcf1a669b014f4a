"""How fast measurements become rows, against what the same broker carries between two C programs in the same run.

`python -m tests.bench.ingest [messages]`: real Mosquitto, real PostgreSQL 15, the real gateway process. The publisher
is mosquitto_pub in all parts; the ceiling's subscriber is mosquitto_sub. The last line of standard output is JSON.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from gateway.runtime.clock import SystemClock, to_ms
from gateway.store.migrate import migrate_at
from gateway.store.pool import Database
from tests.kit import servers
from tests.kit.community import AREA, register
from tests.kit.gateway import running_gateway

MESSAGES = 40_000  # below 65,535: above it mosquitto_pub -l loses lines of its own
READINGS_EACH = 4
PATIENCE_S = 120.0


def lines(count: int) -> bytes:
    """Return `count` telemetry payloads of about 120 bytes, one a line."""
    begin_ms = to_ms(SystemClock().now()) - count
    return b"".join(
        json.dumps(
            {
                "ts": begin_ms + seq,
                "boot": begin_ms,
                "seq": seq,
                "p": {"power": 100 + seq % 50, "energy": seq / 10, "voltage": 229.5, "on": True},
            },
            separators=(",", ":"),
        ).encode()
        + b"\n"
        for seq in range(count)
    )


def publisher(broker: servers.Mosquitto, topic: str, stdin: Path) -> "subprocess.Popen[bytes]":
    """Start mosquitto_pub on a file of lines."""
    who = ["-u", "meter-0301", "-P", broker.credentials["meter-0301"]]
    command = ["mosquitto_pub", "-h", broker.host, "-p", str(broker.port), *who, "-q", "1", "-t", topic, "-l"]
    with stdin.open("rb") as source:
        return subprocess.Popen(command, stdin=source)


def measure_ceiling(broker: servers.Mosquitto, stdin: Path, count: int) -> float:
    """Return messages/s from mosquitto_pub to mosquitto_sub, QoS 1 both ways, over the same payloads."""
    who = ["-u", "gateway", "-P", broker.credentials["gateway"]]
    topic = f"linli/1/{AREA}/meter-0301/up/log"
    where = ["-h", broker.host, "-p", str(broker.port)]
    command = ["mosquitto_sub", *where, *who, "-q", "1", "-t", topic, "-C", str(count), "-W", str(int(PATIENCE_S))]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as subscriber:
        time.sleep(0.5)
        begun = time.monotonic()
        with publisher(broker, topic, stdin) as sending:
            sending.wait(PATIENCE_S)
        if subscriber.wait(PATIENCE_S) != 0:
            sys.stderr.write("the ceiling's subscriber did not get every message\n")
        return count / (time.monotonic() - begun)


async def measure_gateway(broker: servers.Mosquitto, dsn: str, stdin: Path, count: int) -> dict[str, float]:
    """Publish to a running gateway and return msgs_s, readings_s, lost and duplicates."""
    database = Database(dsn, max_size=2)
    await database.start()
    wanted = count * READINGS_EACH
    begun = time.monotonic()
    sending = publisher(broker, f"linli/1/{AREA}/meter-0301/up/tele", stdin)
    stored = 0
    try:
        while stored < wanted and time.monotonic() - begun < PATIENCE_S:
            await asyncio.sleep(0.05)
            stored = int(await database.fetchval("select count(*) from device_latest where metric = 'energy'"))
            if stored:
                last = await database.fetchval("select max(seq) from readings where metric = 'energy'")
                stored = wanted if last == count - 1 else 0
        elapsed_s = time.monotonic() - begun
        found = await database.fetchval("select count(*) from readings")
        distinct = await database.fetchval("select count(*) from (select distinct seq, metric from readings) as s")
    finally:
        sending.wait(PATIENCE_S)
        await database.stop()
    return {
        "msgs_s": count / elapsed_s,
        "readings_s": found / elapsed_s,
        "lost": wanted - distinct,
        "duplicates": found - distinct,
    }


@contextlib.contextmanager
def payload_file(count: int) -> Iterator[Path]:
    """Write the payloads into a temporary file."""
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
        file.write(lines(count))
        file.flush()
        yield Path(file.name)


async def prepare(dsn: str) -> None:
    """Migrate and register the test community."""
    await migrate_at(dsn)
    database = Database(dsn, max_size=1)
    await database.start()
    await register(database)
    await database.stop()


def main(count: int = MESSAGES) -> dict[str, object]:
    """Measure the ceiling before and after the gateway, and return the figures."""
    with (
        servers.running_mosquitto() as broker,
        servers.running_postgres(servers.DEBIAN_POSTGRESQL) as postgres,
        payload_file(count) as stdin,
    ):
        broker.add_user("meter-0301")
        dsn = postgres.create("ingest")
        asyncio.run(prepare(dsn))
        before = measure_ceiling(broker, stdin, count)
        with running_gateway(broker, dsn):
            measured = asyncio.run(measure_gateway(broker, dsn, stdin, count))
        ceiling = max(before, measure_ceiling(broker, stdin, count))
    return {
        "bench": "ingest",
        "broker": "mosquitto",
        **{name: round(value) for name, value in measured.items()},
        "broker_ceiling_msgs_s": round(ceiling),
        "ratio": round(measured["msgs_s"] / ceiling, 3),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*map(int, sys.argv[1:]))) + "\n")
