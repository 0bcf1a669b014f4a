"""A power cut while an alarm goes up the chain: afterwards each step comes at its time, or says how late it is."""

import asyncio
import time
from collections.abc import Mapping
from datetime import timedelta

import psutil

from gateway.alarms.ledger import AlarmLedger
from gateway.model.alarms import Action, Alarm, Delays, Press
from gateway.model.ids import new_ulid
from gateway.runtime.clock import SystemClock
from gateway.store.migrate import migrate_at
from gateway.store.pool import Database
from tests.conftest import lacking
from tests.kit import servers
from tests.kit.community import OPERATOR, registered
from tests.kit.gateway import GatewayProcess, running_gateway

#: Short enough for a test, far enough apart to tell a step that waited from one that was missed.
TIMES: Mapping[str, float] = {"unseen": 1.0, "street": 4.0, "district": 7.0, "supervisor": 24.0}
ENVIRONMENT = {f"LINLI_ESCALATION_{name.upper()}_S": str(seconds) for name, seconds in TIMES.items()}
DELAYS = Delays(TIMES["unseen"], TIMES["street"], TIMES["district"], TIMES["supervisor"])
CUT_AT_S = 2.5
DARK_S = 6.0
PATIENCE_S = 30.0
#: A step that says nothing of a delay may have had this much (the engine looks twice a second).
AT_ITS_TIME_S = 1.5


def cut_the_power(processes: list[psutil.Process]) -> None:
    """SIGKILL every process and all its children, without a moment between."""
    everybody = [child for process in processes for child in (process, *process.children(recursive=True))]
    for process in everybody:
        process.kill()
    psutil.wait_procs(everybody, timeout=10)


async def history_after(database: Database, alarm_id: str, kinds: int) -> list[tuple[str, float, float]]:
    """Return (step, seconds after the alarm, delay that it states) once there are `kinds` steps."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            rows = await database.fetch(
                "select e.kind, e.details, e.at - a.raised_at as after"
                " from alarm_events e join alarms a using (alarm_id)"
                " where alarm_id = $1 and e.kind in ('unseen', 'escalated') order by stream_seq",
                alarm_id,
            )
            if len(rows) >= kinds:
                return [
                    (row["details"]["step"], row["after"].total_seconds(), row["details"].get("late_by_s", 0.0))
                    for row in rows
                ]
            await asyncio.sleep(0.1)


async def raise_one(dsn: str) -> Alarm:
    """Raise an alarm of the button with the chain of `TIMES`, as the gateway's own settings would."""
    clock, database = SystemClock(), Database(dsn, max_size=1)
    await database.start()
    try:
        ledger = AlarmLedger(database, clock, delays=DELAYS)
        press = Press("sos-0301", 1, 1, "sos", "https", new_ulid(clock.now()), clock.now())
        return await ledger.alarm((await ledger.raise_alarm(press)).alarm_id)
    finally:
        await database.stop()


async def answers(dsn: str) -> Database:
    """Return a connection to the database once it answers again."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            database = Database(dsn, max_size=2)
            try:
                await database.start()
            except Exception:  # noqa: BLE001  the server is on its way
                await asyncio.sleep(0.2)
            else:
                return database


async def cut_and_return(gateway: GatewayProcess, broker: servers.Mosquitto, postgres: servers.Postgres) -> None:
    """Kill gateway, broker and database at once, leave them dead for a while, and start them again."""
    started = [process for process in (gateway.process, broker.process, postgres.process) if process is not None]
    cut_the_power([psutil.Process(process.pid) for process in started])
    for process in started:
        process.wait()
    await asyncio.sleep(DARK_S)
    await asyncio.to_thread(postgres.launch)
    await asyncio.to_thread(broker.launch)
    await asyncio.to_thread(gateway.launch_again)


async def test_each_step_comes_at_its_time_or_says_how_late(mosquitto: servers.Mosquitto) -> None:
    """Before the cut on time; what fell into the dark follows at once with its delay; what is due later is on time."""
    if not (servers.DEBIAN_POSTGRESQL / "postgres").exists():
        lacking("PostgreSQL 15", "postgresql")
    with servers.running_postgres(servers.DEBIAN_POSTGRESQL) as postgres:
        dsn = postgres.create("escalation")
        await migrate_at(dsn)
        async with registered(dsn) as database:
            await database.execute("insert into areas (area_id, name) values ('110105001000', '柳湾镇')")
        with running_gateway(mosquitto, dsn, environment=ENVIRONMENT) as gateway:
            begun = time.monotonic()
            alarm = await raise_one(dsn)
            await asyncio.sleep(CUT_AT_S - (time.monotonic() - begun))
            await cut_and_return(gateway, mosquitto, postgres)
            again = await answers(dsn)
            steps = await history_after(again, alarm.alarm_id, 4)
            after = await AlarmLedger(again, SystemClock()).alarm(alarm.alarm_id)
            await again.stop()
    assert [step for step, _, _ in steps] == list(TIMES)
    for step, after_s, stated_s in steps:
        delay_s = after_s - TIMES[step]
        assert delay_s >= -0.05, f"{step} came {-delay_s:.1f} s early"
        assert abs(delay_s - stated_s) <= AT_ITS_TIME_S, f"{step} was {delay_s:.1f} s late and says {stated_s}"
    delays = {step: after_s - TIMES[step] for step, after_s, _ in steps}
    assert delays["unseen"] <= AT_ITS_TIME_S
    assert delays["street"] > AT_ITS_TIME_S, "the cut was to hide this step"
    assert delays["supervisor"] <= AT_ITS_TIME_S
    assert after.escalation_level == 3
    assert after.raised_at - alarm.raised_at == timedelta(0)


async def test_a_signature_before_the_cut_is_not_forgotten(mosquitto: servers.Mosquitto) -> None:
    """Who signed still owns the alarm after the return, and nothing has gone up the chain."""
    if not (servers.DEBIAN_POSTGRESQL / "postgres").exists():
        lacking("PostgreSQL 15", "postgresql")
    with servers.running_postgres(servers.DEBIAN_POSTGRESQL) as postgres:
        dsn = postgres.create("signed")
        await migrate_at(dsn)
        async with registered(dsn):
            pass
        with running_gateway(mosquitto, dsn, environment=ENVIRONMENT) as gateway:
            alarm = await raise_one(dsn)
            async with registered(dsn) as database:
                ledger = AlarmLedger(database, SystemClock())
                await ledger.step(alarm.alarm_id, Action.ACKNOWLEDGE, by=OPERATOR, version=alarm.version)
            await cut_and_return(gateway, mosquitto, postgres)
            again = await answers(dsn)
            await asyncio.sleep(1.5)
            after = await AlarmLedger(again, SystemClock()).alarm(alarm.alarm_id)
            kinds = await again.fetchval("select array_agg(kind order by stream_seq) from alarm_events")
            await again.stop()
    assert (after.acknowledged_name, after.escalation_level) == ("周敏", 0)
    assert kinds == ["raised", "acknowledged"]
