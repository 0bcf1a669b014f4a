"""What becomes of alarms while the database is away: seen by a desk, then recorded once, with memory as it was.

`python -m tests.bench.away [seconds] [hang|stop]`: real Mosquitto, PostgreSQL 15, gateway and desk; the server is
frozen (connections hang) or stopped for that long while fifty boxes press. The last line of output is JSON.
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence

from tests.kit.outage import WAYS, Node, running_node

OUTAGE_S = 60.0
ALARMS = 50
WARM_UP = 5
DRAIN_PATIENCE_S = 60.0


async def measure(node: Node, how: str, outage_s: float, alarms: int) -> dict[str, object]:
    """Warm up, take the database away, press, bring it back, and return the figures."""
    for number in range(alarms, alarms + WARM_UP):
        node.boxes.press(number)
    assert await node.boxes.until(lambda one: bool(one.recorded_s and one.on_desk_s), 20.0), "the node is not well"
    node.boxes.presses.clear()
    before_mb = node.rss_mb()
    with WAYS[how](node.postgres):
        begun_s = time.monotonic()
        for number in range(alarms):
            node.boxes.press(number)
            await asyncio.sleep(max(0.0, begun_s + (number + 1) * 0.8 * outage_s / alarms - time.monotonic()))
        await asyncio.sleep(max(0.0, begun_s + outage_s - time.monotonic()))
        unrecorded, seen = len(node.page.unrecorded), sum(bool(one.seen_s) for one in node.boxes.presses.values())
        outage_s = time.monotonic() - begun_s
    back_s = time.monotonic()
    await node.boxes.until(lambda one: bool(one.recorded_s), DRAIN_PATIENCE_S)
    drained_s = time.monotonic() - back_s
    await asyncio.sleep(3.0)
    presses = list(node.boxes.presses.values())
    on_desk = sorted(one.on_desk_s - one.pressed_s for one in presses if one.on_desk_s)
    of_these = "from alarm_presses where device_id like 'sb-%' and substr(device_id, 4)::int < "
    rows = await node.count(f"select count(*) {of_these}{alarms}")
    keys = await node.count(f"select count(distinct (device_id, boot, seq)) {of_these}{alarms}")
    households = await node.count(f"select count(distinct alarm_id) {of_these}{alarms}")
    return {
        "bench": "away",
        "how": how,
        "alarms": alarms,
        "on_desk": len(on_desk),
        "desk_max_s": round(max(on_desk, default=-1.0), 3),
        "desk_p99_s": round(quantile(on_desk, 0.99), 3),
        "unrecorded_on_desk": unrecorded,
        "seen_while_away": seen,
        "recorded": keys,
        "receipted": sum(bool(one.recorded_s) for one in presses),
        "duplicates": rows - keys + households - keys,
        "twice_on_desk": len(node.page.doubles),
        "drained_s": round(drained_s, 2),
        "rss_growth_mb": round(node.rss_mb() - before_mb, 1),
        "outage_s": round(outage_s),
    }


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the nearest rank of sorted values, -1 where there are none."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else -1.0


async def run(outage_s: float, how: str, alarms: int = ALARMS) -> dict[str, object]:
    """Start everything, measure, stop everything."""
    async with running_node(alarms + WARM_UP) as node:
        return await measure(node, how, outage_s, alarms)


def main(outage_s: float = OUTAGE_S, how: str = "hang") -> dict[str, object]:
    """Return the figures of one run."""
    return asyncio.run(run(outage_s, how))


if __name__ == "__main__":
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else OUTAGE_S
    sys.stdout.write(json.dumps(main(seconds, sys.argv[2] if len(sys.argv) > 2 else "hang")) + "\n")
