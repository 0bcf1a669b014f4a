"""How fast the audit reads a large ledger, and with how much memory: one JSON line at the end."""

import argparse
import asyncio
import json
import resource
import sys
import time

from gateway.alarms.audit.commands import Findings, examine
from gateway.store.migrate import migrate_at
from gateway.store.pool import Database
from tests.kit import servers
from tests.kit.clock import FakeClock
from tests.kit.community import registered
from tests.kit.ledgers import as_intruder, written

ALARMS = """
insert into alarms (alarm_id, alarm_no, device_id, boot, seq, event_id, area_id, kind, level, state, version, source,
                    raised_at, device_at)
select 'L' || n, 'L' || n, 'load', 1, n, 'L' || n, '110105001001', 'sos', 1, 'notified', 4, 'mqtt', now(), now()
  from generate_series({first}, {last}) n"""
PRESSES = """
insert into alarm_presses (device_id, boot, seq, event_id, alarm_id, kind, source, device_at, recorded_at)
select device_id, boot, seq, event_id, alarm_id, kind, source, device_at, raised_at
  from alarms where device_id = 'load' and seq between {first} and {last}"""
#: Four lines for each alarm, chained as the trigger does it, with the head in a variable: that is what makes it quick.
EVENTS = """
do $$
declare
    head alarm_chains; e alarm_events;
begin
    select * into strict head from alarm_chains where stream = '110105001001';
    for e.alarm_id, e.version in
        select a.alarm_id, v from alarms a, generate_series(1, 4) v
         where a.device_id = 'load' and a.seq between {first} and {last} order by a.seq, v loop
        e.kind := case e.version when 1 then 'raised' when 2 then 'rendered' else 'note' end;
        e.at := now(); e.by_id := 'p-zhou'; e.by_name := '周敏'; e.stream := head.stream; e.prev_hash := head.hash;
        e.from_state := case e.version when 2 then 'raised' end;
        e.to_state := case e.version when 1 then 'raised' when 2 then 'notified' end;
        e.details := '{{"note": "对讲无人应答，已派巡逻一组前往查看", "desk": "desk-1"}}';
        head.seq := head.seq + 1;
        e.stream_seq := head.seq;
        head.hash := sha256(head.hash || convert_to(alarm_event_text(e), 'UTF8'));
        insert into alarm_events (alarm_id, version, kind, at, by_id, by_name, from_state, to_state, details, stream,
                                  stream_seq, prev_hash, hash)
        values (e.alarm_id, e.version, e.kind, e.at, e.by_id, e.by_name, e.from_state, e.to_state, e.details, e.stream,
                e.stream_seq, e.prev_hash, head.hash);
    end loop;
    update alarm_chains set seq = head.seq, hash = head.hash where stream = head.stream;
end $$"""
CHUNK = 5_000


async def _fill(database: Database, alarms: int) -> None:
    for first in range(1, alarms + 1, CHUNK):
        rows = {"first": first, "last": min(first + CHUNK - 1, alarms)}
        await as_intruder(database, *(sql.format(**rows) for sql in (ALARMS, PRESSES, EVENTS)))


async def _measure(dsn: str, alarms: int) -> tuple[Findings, float, int]:
    await migrate_at(dsn)
    async with registered(dsn) as database:
        await written(database, FakeClock())
        await _fill(database, alarms)
        await database.execute("analyze")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.perf_counter()
        found = await examine(database)
        took_s = time.perf_counter() - began
        return found, took_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.audit", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    options = parser.parse_args()
    with servers.running_postgres(servers.DEBIAN_POSTGRESQL) as server:
        found, took_s, grown_kb = asyncio.run(_measure(server.create("bench"), options.events // 4))
    print(
        json.dumps(
            {
                "bench": "audit",
                "events": found.events,
                "alarms": found.alarms,
                "faults": found.faults.total,
                "seconds": round(took_s, 1),
                "events_per_s": round(found.events / took_s),
                "memory_grown_mb": round(grown_kb / 1024, 1),
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
