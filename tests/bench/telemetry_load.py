"""A city's boxes as one process: telemetry of many devices at a fixed rate over one raw MQTT connection, QoS 1.

`python -m tests.bench.telemetry_load` reads one JSON line (host, port, user, password, area, devices, rate_hz) from
standard input, publishes until standard input ends, and prints what it sent, what was acknowledged and its own CPU.
The packets are MQTT 3.1.1, made by hand: a client library would cost more than the broker.
"""

import asyncio
import json
import os
import sys
import time
from dataclasses import dataclass

TICK_S = 0.02
#: Without acknowledgements for this many messages the sender waits, as a real fleet would.
MOST_UNACKNOWLEDGED = 20_000


@dataclass(slots=True)
class Counts:
    """How many messages went out, and how many the broker acknowledged."""

    sent: int = 0
    acknowledged: int = 0


def text(value: str) -> bytes:
    """Return an MQTT string."""
    raw = value.encode()
    return len(raw).to_bytes(2, "big") + raw


def packet(kind: int, body: bytes) -> bytes:
    """Return an MQTT packet with its remaining length."""
    size, length = len(body), b""
    while True:
        size, digit = divmod(size, 128)
        length += bytes([digit | (128 if size else 0)])
        if not size:
            return bytes([kind]) + length + body


def publishes(topics: list[bytes], begin: int, count: int, boot: int) -> bytes:
    """Return `count` PUBLISH packets, one device after the other, numbered from `begin`."""
    now_ms, packets = time.time_ns() // 1_000_000, []
    for number in range(begin, begin + count):
        turn, device = divmod(number, len(topics))
        power, energy = 100 + number % 50, turn / 10
        said = b'{"ts":%d,"boot":%d,"seq":%d,"p":{"power":%d,"energy":%.1f}}' % (now_ms, boot, turn, power, energy)
        packets.append(packet(0x32, topics[device] + (number % 65_535 + 1).to_bytes(2, "big") + said))
    return b"".join(packets)


async def count_acknowledgements(reader: asyncio.StreamReader, counts: Counts) -> None:
    """Count PUBACKs (4 bytes each); nothing else comes to a publisher that never pings."""
    rest = 0
    while chunk := await reader.read(65_536):
        whole, rest = divmod(len(chunk) + rest, 4)
        counts.acknowledged += whole


async def speak(told: dict[str, object], stopping: asyncio.Event) -> Counts:
    """Publish at the asked rate until `stopping`."""
    reader, writer = await asyncio.open_connection(str(told["host"]), int(str(told["port"])))
    hello = text("MQTT") + b"\x04\xc2\x00\x00" + text(f"load-{os.getpid()}") + text(str(told["user"]))
    writer.write(packet(0x10, hello + text(str(told["password"]))))
    if (await reader.readexactly(4))[3] != 0:
        raise ConnectionRefusedError("the broker does not accept the load")
    counts, rate_hz, boot = Counts(), float(str(told["rate_hz"])), int(time.time())
    names = [f"linli/1/{told['area']}/bx-{number}/up/tele" for number in range(int(str(told["devices"])))]
    topics = [text(name) for name in names]
    counting = asyncio.create_task(count_acknowledgements(reader, counts))
    begun = time.monotonic()
    while not stopping.is_set():
        due = int((time.monotonic() - begun) * rate_hz) - counts.sent
        room = MOST_UNACKNOWLEDGED - (counts.sent - counts.acknowledged)
        if (count := min(due, room, 2000)) > 0:
            writer.write(publishes(topics, counts.sent, count, boot))
            counts.sent += count
            await writer.drain()
        await asyncio.sleep(TICK_S)
    await asyncio.sleep(0.5)
    counting.cancel()
    writer.write(b"\xe0\x00")
    writer.close()
    return counts


async def main() -> None:
    """Run until standard input ends, then report."""
    told = json.loads(sys.stdin.readline())
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.run_in_executor(None, sys.stdin.read).add_done_callback(lambda _done: stopping.set())
    begun = time.monotonic()
    counts = await speak(told, stopping)
    elapsed_s = time.monotonic() - begun
    figures = {
        "sent": counts.sent,
        "acknowledged": counts.acknowledged,
        "rate_hz": round(counts.sent / elapsed_s),
        "cpu_share": round(time.process_time() / elapsed_s, 2),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
