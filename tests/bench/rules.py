"""How many facts a second rules decide about, with ten rules and with ten thousand, and what durability costs.

`python -m tests.bench.rules [facts]`: the pure engine against a table of plain Python closures that only compares,
in the same run; CEL against a closure; and the same facts through the database (real PostgreSQL 15), one transaction
each and in batches as the runner takes them. The last line of standard output is JSON.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from datetime import timedelta

from gateway.runtime.clock import SystemClock
from gateway.store.migrate import migrate_at
from gateway.store.pool import Database
from gateway.store.rules import RuleStore
from iot_rules.conditions.expression import ValueType, compile_expression
from iot_rules.conditions.triggers import Threshold
from iot_rules.engine.facts import Sampled
from iot_rules.engine.machine import Engine
from iot_rules.engine.registry import Registry
from iot_rules.rules import Device, Input, Rule, Source
from iot_rules.runner.decider import Decider
from iot_rules.runner.service import BATCH_MAX
from tests.kit import servers
from tests.kit.rules import AREA, NOON, a_threshold

FACTS = 50_000
DEVICES = 1000
DURABLE_SHARE = 25


def make_rules(count: int) -> list[Rule]:
    """Return `count` rules, each about one device, spread over DEVICES devices."""
    trigger = Threshold("temp", is_above=True, limit=30.0, hysteresis=1.0)
    return [
        a_threshold(
            rule_id=f"warm-{number}",
            trigger=trigger,
            inputs=(Input("temp", Source.PROPERTY, "temp", device=f"temp-{number}"),),
        )
        for number in range(count)
    ]


def make_facts(count: int, devices: int) -> list[Sampled]:
    """Return reports that wander around the limit, so that about one in twelve crosses it."""
    return [
        Sampled(
            f"temp-{number % devices}",
            1,
            number,
            NOON + timedelta(milliseconds=number),
            {"temp": 26.0 + number // devices % 6, "humidity": 46.0, "battery": 90.0},
        )
        for number in range(count)
    ]


def registry(devices: int) -> Registry:
    return Registry(Device(f"temp-{number}", AREA, f"hh-{number}", "sensor") for number in range(devices))


def engine_rate(rules: int, facts: list[Sampled], devices: int) -> tuple[float, int]:
    """Return facts/s through plan and accept, and how many wishes came of it."""
    engine = Engine(make_rules(rules), registry(max(devices, rules)))
    wishes, begun = 0, time.perf_counter()
    for fact in facts:
        wishes += len(engine.feed(fact, fact.at))
    return len(facts) / (time.perf_counter() - begun), wishes


def closure_rate(facts: list[Sampled]) -> float:
    """Return facts/s through a dict of closures with hysteresis in memory: no time, no identity, no trace."""
    hot: dict[str, bool] = {}

    def judge(device_id: str, value: float) -> bool:
        was = hot.get(device_id, False)
        hot[device_id] = value > (29.0 if was else 30.0)
        return hot[device_id] and not was

    table = {f"temp-{number}": judge for number in range(DEVICES)}
    begun = time.perf_counter()
    for fact in facts:
        value = fact.values["temp"]
        table[fact.device_id](fact.device_id, float(value))
    return len(facts) / (time.perf_counter() - begun)


def rate_of(act: Callable[[], object], times: int = 50_000) -> float:
    begun = time.perf_counter()
    for _ in range(times):
        act()
    return times / (time.perf_counter() - begun)


async def durable_rate(dsn: str, facts: list[Sampled], batch: int) -> float:
    """Return facts/s when each batch is committed before the next one is planned."""
    await migrate_at(dsn)
    database = Database(dsn)
    await database.start()
    try:
        decider = Decider(RuleStore(database), SystemClock(), lambda: None)
        await decider.load(make_rules(DEVICES), registry(DEVICES))
        begun = time.perf_counter()
        for first in range(0, len(facts), batch):
            await decider.take_all(facts[first : first + batch])
        return len(facts) / (time.perf_counter() - begun)
    finally:
        await database.stop()


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else FACTS
    facts = make_facts(count, DEVICES)
    few = make_facts(count, 10)
    thousand, wishes = engine_rate(DEVICES, facts, DEVICES)
    ten, _ = engine_rate(10, few, 10)
    ten_thousand, _ = engine_rate(10_000, few, 10)
    closures = closure_rate(facts)
    condition = compile_expression(
        "temp > 30.0 && humidity < 40.0", dict.fromkeys(("temp", "humidity"), ValueType.NUMBER)
    )
    values: dict[str, float | bool | str] = {"temp": 31.0, "humidity": 39.0}
    cel = rate_of(lambda: condition.judge(values))
    plain = rate_of(lambda: float(values["temp"]) > 30.0 and float(values["humidity"]) < 40.0)
    with servers.running_postgres(servers.DEBIAN_POSTGRESQL) as server:
        alone = asyncio.run(durable_rate(server.create("alone"), facts[: count // DURABLE_SHARE], 1))
        durable = asyncio.run(durable_rate(server.create("together"), facts[: count // DURABLE_SHARE * 5], BATCH_MAX))
    print(
        json.dumps(
            {
                "bench": "rules",
                "facts": count,
                "wishes": wishes,
                "facts_s": round(thousand),
                "facts_s_10_rules": round(ten),
                "facts_s_10000_rules": round(ten_thousand),
                "closure_facts_s": round(closures),
                "ratio": round(thousand / closures, 4),
                "cel_evals_s": round(cel),
                "closure_evals_s": round(plain),
                "cel_ratio": round(cel / plain, 4),
                "durable_facts_s": round(durable),
                "durable_facts_s_one_by_one": round(alone),
            }
        )
    )


if __name__ == "__main__":
    main()
