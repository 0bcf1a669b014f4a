"""How long a press takes to be seen: published, committed, drawn and confirmed by the desk's browser.

`python -m tests.bench.alarm [presses] [background messages/s]`: real Mosquitto, PostgreSQL 15, gateway, desk and
chromium, with the telemetry of 400,000 boxes that report once a minute as background load. The yardstick is measured
in the same run under the same load: one raw round trip through the broker plus one single-row commit. Cameras are
off. The last line of output is JSON.
"""

import asyncio
import contextlib
import json
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

import psutil
from playwright.async_api import Page

from gateway.accounts.sessions import Accounts
from gateway.alarms.ledger import AlarmLedger
from gateway.contract import messages, topics
from gateway.model.alarms import Action, Outcome, Verdict
from gateway.model.ids import new_ulid
from gateway.model.registry import Device
from gateway.runtime.clock import SystemClock
from gateway.store import registry
from gateway.store.migrate import migrate_at
from gateway.store.pool import Database
from tests.kit import servers
from tests.kit.browser import DESK_SIZE, running_browser
from tests.kit.community import AREA, OPERATOR, SECOND, home, register
from tests.kit.gateway import running_gateway, running_program
from tests.kit.mqtt import Peer, peer

PRESSES = 200
BACKGROUND_MSGS_S = 6667
BOXES = 2000
SETTLE_S = 3.0
PAUSE_S = 0.1
PATIENCE_S = 15.0
PASSWORD = "a bench at the desk"
CLOCK = SystemClock()


@dataclass(slots=True)
class Timeline:
    """Wall-clock milliseconds of one press on its way, as one machine's clock gives them."""

    published_ms: float
    committed_ms: float = 0.0
    confirmed_ms: float = 0.0


def now_ms() -> float:
    """Return the wall clock with microseconds; every process of the run reads the same clock."""
    return time.time() * 1000


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` of `values` lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def prepare(dsn: str, presses: int) -> None:
    """Migrate, register one household with one button for each press, and make the operator."""
    await migrate_at(dsn)
    database = Database(dsn, max_size=1)
    await database.start()
    await register(database)
    async with database.transaction() as connection:
        for number in range(presses):
            one = home(number)
            own = replace(one, household_id=f"hb-{number}", tv_token=f"bench-token-{number:08d}")
            await registry.put_household(connection, own)
            await registry.put_device(connection, Device(f"sb-{number}", AREA, own.household_id, None, "button"))
        for number in range(BOXES):
            await registry.put_device(connection, Device(f"bx-{number}", AREA, None, None, "meter"))
    accounts = Accounts(database, CLOCK)
    await accounts.create_person("zhoumin", PASSWORD, roles=("operator",), area_id=AREA, display_name="周敏")
    await database.stop()


@contextlib.asynccontextmanager
async def board_page(url: str) -> AsyncIterator[Page]:
    """An operator who sits at the board in a real browser."""
    async with running_browser() as browser:
        context = await browser.new_context(viewport={"width": DESK_SIZE[0], "height": DESK_SIZE[1]})
        page = await context.new_page()
        await page.goto(url)
        await page.fill("#name", "zhoumin")
        await page.fill("#password", PASSWORD)
        await page.click("button[type=submit]")
        await page.wait_for_selector("[data-link=live]")
        yield page


@contextlib.asynccontextmanager
async def background_load(broker: servers.Mosquitto, rate_hz: int) -> AsyncIterator[dict[str, float]]:
    """A process of its own that publishes telemetry at `rate_hz`; what it did stands in the figures afterwards."""
    figures: dict[str, float] = {}
    command = [sys.executable, "-m", "tests.bench.telemetry_load"]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, cwd=servers.REPOSITORY)
    who = {"user": "gateway", "password": broker.credentials["gateway"]}
    told = {"host": broker.host, "port": broker.port, **who, "area": AREA, "devices": BOXES, "rate_hz": rate_hz}
    assert process.stdin is not None
    process.stdin.write(json.dumps(told).encode() + b"\n")
    try:
        yield figures
    finally:
        said, _ = await process.communicate(b"")  # closes its input: the end of the load
        figures.update(json.loads(said or b"{}"))


class CpuWatch:
    """Shares of one core that each kind of process used between two looks."""

    def __init__(self) -> None:
        self._before = self._look()
        self._begun = time.monotonic()

    def shares(self) -> dict[str, float]:
        """Return cores used since the beginning, by kind of process."""
        elapsed_s = time.monotonic() - self._begun
        now = self._look()
        used: dict[str, float] = {}
        for pid, (kind, cpu_s) in now.items():
            used[kind] = used.get(kind, 0.0) + cpu_s - self._before.get(pid, (kind, 0.0))[1]
        return {kind: round(cpu_s / elapsed_s, 2) for kind, cpu_s in sorted(used.items()) if cpu_s / elapsed_s > 0.005}

    @staticmethod
    def _look() -> dict[int, tuple[str, float]]:
        found = {}
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                found[process.pid] = (kind_of(process), times.user + times.system)
        return found


def kind_of(process: psutil.Process) -> str:
    """Return what a process is for the report."""
    words = " ".join(process.cmdline())
    known = ("telemetry_load", "security_video", "gateway", "chromium", "mosquitto", "postgres")
    return next((name for name in known if name in words), process.name())


async def measure_round_trips(speaker: Peer, count: int) -> list[float]:
    """Return milliseconds from publish to receipt of the same message through the broker."""
    taken = []
    for number in range(count):
        begun = time.monotonic()
        speaker.client.publish("linli/1/_gw/bench/status", str(number).encode(), 1)
        await speaker.next_message()
        taken.append((time.monotonic() - begun) * 1000)
        await asyncio.sleep(0.005)
    return taken


async def measure_commits(database: Database, count: int) -> list[float]:
    """Return milliseconds of single-row commits."""
    await database.execute("create table if not exists bench_commits (n int, body jsonb)")
    taken = []
    for number in range(count):
        begun = time.monotonic()
        await database.execute("insert into bench_commits values ($1, $2)", number, {"alarm": number})
        taken.append((time.monotonic() - begun) * 1000)
        await asyncio.sleep(0.005)
    return taken


async def press_all(speaker: Peer, database: Database, presses: int) -> list[Timeline]:
    """Press every button once, a little apart; each alarm is closed when it was seen, so the board stays a board."""
    ledger = AlarmLedger(database, CLOCK)
    lines = []
    for number in range(presses):
        begun = time.monotonic()
        lines.append(await press(speaker, database, number))
        await close_all(ledger)
        await asyncio.sleep(max(0.0, PAUSE_S - (time.monotonic() - begun)))
    return lines


async def press(speaker: Peer, database: Database, number: int) -> Timeline:
    """Press one button and wait until the desk's browser has confirmed, at most for PATIENCE_S."""
    moment = CLOCK.now()
    event = messages.Event(new_ulid(moment), 1, 1, moment, "sos_pressed", {"held_ms": 2000})
    line = Timeline(now_ms())
    speaker.client.publish(topics.up_evt(AREA, f"sb-{number}"), event.encode(), 1)
    deadline = time.monotonic() + PATIENCE_S
    while not line.confirmed_ms and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
        row = await database.fetchrow(
            "select raised_at, notified_at from alarms where device_id = $1",
            f"sb-{number}",
        )
        if row is not None:
            line.committed_ms = row["raised_at"].timestamp() * 1000
            line.confirmed_ms = row["notified_at"].timestamp() * 1000 if row["notified_at"] else 0.0
    return line


async def close_all(ledger: AlarmLedger) -> None:
    """Take every open alarm to its end, as an operator would."""
    for alarm in await ledger.open_alarms(AREA):
        known = await ledger.step(alarm.alarm_id, Action.ACKNOWLEDGE, by=OPERATOR, version=alarm.version)
        known = await ledger.step(
            alarm.alarm_id,
            Action.VERIFY,
            by=OPERATOR,
            version=known.version,
            verdict=Verdict.TRUE,
        )
        known = await ledger.step(
            alarm.alarm_id,
            Action.RESOLVE,
            by=OPERATOR,
            version=known.version,
            outcome=Outcome.TEST,
            note="bench",
        )
        await ledger.step(alarm.alarm_id, Action.CLOSE, by=SECOND, version=known.version)


async def measure(broker: servers.Mosquitto, dsn: str, presses: int, background: int) -> dict[str, object]:
    """Run the whole road and the yardstick, and return the figures."""
    database = Database(dsn, max_size=2)
    await database.start()
    gateway_password = broker.credentials["gateway"]
    async with contextlib.AsyncExitStack() as stack:
        where = (broker.host, broker.port)
        # The gateway's user may speak for every device, so one connection stands for all buttons.
        button = await stack.enter_async_context(peer(*where, "gateway", gateway_password, client_id="bench-buttons"))
        echo = await stack.enter_async_context(
            peer(*where, "gateway", gateway_password, "linli/1/_gw/bench/status", client_id="bench-echo"),
        )
        load = await stack.enter_async_context(background_load(broker, background))
        await asyncio.sleep(SETTLE_S)
        cpu = CpuWatch()
        begun, before = time.monotonic(), await count_readings(database)
        lines = await press_all(button, database, presses)
        background_msgs_s = (await count_readings(database) - before) / 2 / (time.monotonic() - begun)
        shares = cpu.shares()
        trips = await measure_round_trips(echo, presses)
        commits = await measure_commits(database, presses)
    await database.stop()
    measured = figures(lines, trips, commits, background_msgs_s)
    return {**measured, "background_sent_msgs_s": load.get("rate_hz", 0), "cores": shares}


async def count_readings(database: Database) -> int:
    """Return how many readings are stored."""
    return int(await database.fetchval("select count(*) from readings"))


def figures(
    lines: Sequence[Timeline],
    trips: Sequence[float],
    commits: Sequence[float],
    background_msgs_s: float,
) -> dict[str, object]:
    """Return the bench's JSON object; a press that nobody confirmed counts as unconfirmed, not as fast."""
    confirmed = [line.confirmed_ms - line.published_ms for line in lines if line.confirmed_ms]
    committed = [line.committed_ms - line.published_ms for line in lines if line.committed_ms]
    yardstick = quantile(trips, 0.99) + quantile(commits, 0.99)
    return {
        "bench": "alarm",
        "n": len(lines),
        "unconfirmed": len(lines) - len(confirmed),
        "background_msgs_s": round(background_msgs_s),
        "p50_ms": round(quantile(confirmed, 0.5), 1),
        "p99_ms": round(quantile(confirmed, 0.99), 1),
        "max_ms": round(max(confirmed), 1),
        "recorded_p50_ms": round(quantile(committed, 0.5), 1),
        "recorded_p99_ms": round(quantile(committed, 0.99), 1),
        "rtt_p99_ms": round(quantile(trips, 0.99), 2),
        "commit_p99_ms": round(quantile(commits, 0.99), 2),
        "ratio_p99": round(quantile(confirmed, 0.99) / yardstick, 1),
        "recorded_ratio_p99": round(quantile(committed, 0.99) / yardstick, 1),
    }


async def run(presses: int, background: int) -> dict[str, object]:
    """Start everything, measure, stop everything."""
    with (
        servers.running_mosquitto() as broker,
        servers.running_postgres(servers.DEBIAN_POSTGRESQL) as postgres,
    ):
        dsn = postgres.create("alarm")
        await prepare(dsn, presses)
        with running_gateway(broker, dsn) as gateway, running_program(gateway, "security_video", "desk") as url:
            async with board_page(url):
                return await measure(broker, dsn, presses, background)


def main(presses: int = PRESSES, background: int = BACKGROUND_MSGS_S) -> dict[str, object]:
    """Return the figures of one run."""
    return asyncio.run(run(presses, background))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*map(int, sys.argv[1:]))) + "\n")
