"""Alarms of a past, by seed, written straight into the table: for figures that need thousands of them."""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from gateway.store.pool import Database

# fmt: off
COLUMNS = (
    "alarm_id", "alarm_no", "device_id", "boot", "seq", "event_id", "household_id", "area_id", "kind", "level",
    "state", "version", "source", "raised_at", "device_at", "acknowledged_at", "acknowledged_by", "acknowledged_name",
    "verdict", "dispatched_at", "dispatched_to", "resolved_at", "outcome", "closed_at", "cancelled_by_user_at",
    "press_count", "late_by_s", "suspicion", "is_silent", "is_drill", "escalation_level",
)
# fmt: on
INSERT = f"insert into alarms ({', '.join(COLUMNS)}) values ({', '.join(f'${n + 1}' for n in range(len(COLUMNS)))})"

KINDS = (("sos", 1), ("sos", 1), ("smoke", 2), ("gas", 2), ("water_leak", 3), ("intrusion", 3), ("tamper", 4))
PEOPLE = (("p-zhou", "周敏"), ("p-li", "李强"), ("p-wu", "吴桐"))
RESPONDERS = ("保安 赵勇", "保安 孙立", "网格员 陈磊", "社区医生 何静", "消防站")


def row(number: int, raised_at: datetime, area_id: str, /, **facts: Any) -> dict[str, Any]:
    """Return one alarm's columns: raised and nothing more, but for `facts`."""
    plain = dict.fromkeys(COLUMNS)
    return {
        **plain,
        "alarm_id": f"alarm-{number:08d}",
        "alarm_no": f"A{raised_at:%Y%m%d}-{number:06d}",
        "device_id": f"made-{area_id}",
        "boot": 1,
        "seq": number,
        "event_id": f"event-{number}",
        "area_id": area_id,
        "kind": "sos",
        "level": 1,
        "state": "raised",
        "version": 1,
        "source": "mqtt",
        "raised_at": raised_at,
        "device_at": raised_at,
        "press_count": 1,
        "late_by_s": 0,
        "suspicion": "",
        "is_silent": False,
        "is_drill": False,
        "escalation_level": 0,
        **facts,
    }


async def put(database: Database, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write alarms as they are."""
    await database.executemany(INSERT, [tuple(one[name] for name in COLUMNS) for one in rows])


def busy(
    seed: int, count: int, since: datetime, until: datetime, *, areas: Sequence[str], first: int = 1
) -> Iterator[dict[str, Any]]:
    """Make `count` alarms between two moments as a year brings them: quick mostly, slow at times, one in two false."""
    chance = random.Random(seed)
    moments = sorted(_moment(chance, since, until) for _ in range(count))
    for number, raised_at in enumerate(moments, first):
        kind, level = chance.choice(KINDS)
        yield row(number, raised_at, chance.choice(areas), kind=kind, level=level, **_course(chance, raised_at))


def _moment(chance: random.Random, since: datetime, until: datetime) -> datetime:
    """More in the evening than before dawn."""
    day = chance.randrange((until - since).days)
    hour = chance.choices(range(24), [2, 1, 1, 1, 1, 2, 4, 6, 6, 5, 5, 5, 6, 5, 4, 4, 5, 7, 9, 10, 9, 7, 5, 3])[0]
    return since + timedelta(days=day, hours=hour, seconds=chance.uniform(0, 3600))


def _course(chance: random.Random, raised_at: datetime) -> dict[str, Any]:
    sign_s = chance.expovariate(1 / 9) if chance.random() < 0.96 else chance.uniform(30, 260)
    acknowledged_at = raised_at + timedelta(seconds=sign_s)
    person_id, name = chance.choice(PEOPLE)
    outcome = chance.choices(("true", "false", "test", "hoax", "duplicate"), (35, 52, 6, 2, 5))[0]
    facts: dict[str, Any] = {
        "acknowledged_at": acknowledged_at,
        "acknowledged_by": person_id,
        "acknowledged_name": name,
        "verdict": "true" if outcome == "true" else "false",
        "outcome": outcome,
        "state": "closed",
        "version": 6,
        "escalation_level": 0 if sign_s < 30 else 1 if sign_s < 60 else 2 if sign_s < 90 else 3,
        "cancelled_by_user_at": acknowledged_at if outcome == "false" and chance.random() < 0.4 else None,
        "late_by_s": chance.randrange(20, 900) if chance.random() < 0.01 else 0,
        "suspicion": "unsigned" if chance.random() < 0.004 else "",
        "is_silent": chance.random() < 0.003,
        "is_drill": chance.random() < 0.01,
        "press_count": chance.choice((1, 1, 1, 1, 2, 3)),
    }
    worked_at = acknowledged_at + timedelta(seconds=chance.uniform(20, 120))
    if outcome == "true":
        facts["dispatched_at"] = worked_at + timedelta(seconds=chance.expovariate(1 / 260))
        facts["dispatched_to"] = chance.choice(RESPONDERS)
        worked_at = facts["dispatched_at"] + timedelta(seconds=chance.expovariate(1 / 3600))
    return {**facts, "resolved_at": worked_at, "closed_at": worked_at + timedelta(seconds=90)}
