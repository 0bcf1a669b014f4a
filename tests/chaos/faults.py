"""What can be done to the world: one function for each fault, and the table of them with their weights.

A deed returns when its own part is over (a pause has ended, a wire is mended); what has died is left to its keeper.
It raises NotNow, or ProcessLookupError, where its victim is not there. The details that it returns name the victims
beyond those in the kind's own name: the checker reads them to know what may be late.
"""

import asyncio
import contextlib
import random
import resource
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psutil

from gateway.alarms import failpoints
from gateway.contract import messages, topics
from gateway.launch.birth import die_with_parent
from gateway.model.errors import LinliError
from gateway.runtime.clock import SystemClock, to_ms
from gateway.store.pool import Database
from tests.chaos.devices import BURN
from tests.chaos.processes import Child
from tests.chaos.world import METER, World
from tests.kit.community import AREA
from tests.kit.mqtt import Peer, peer

CLOCK = SystemClock()
FLOOD_MESSAGES: Final = 1200
TABLES: Final = ("alarms", "alarm_presses", "alarm_events", "alarm_timers", "outbox", "devices")
#: Places in the rules' program are not on an alarm's way; hooks have no target here.
FAILPOINTS: Final = tuple(
    name
    for name in failpoints.KNOWN
    if not name.endswith("_deed") and not name.startswith(("after_deed", "after_hook"))
)
#: Places that are passed only while the database is away.
SHELTERED: Final = frozenset({"after_spool_before_puback", "after_record_before_settle"})

Details = Mapping[str, Any]
Deed = Callable[[World, random.Random], Awaitable[Details]]


class NotNow(Exception):
    """The victim of this fault is not there."""


def always(_world: World) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault; `lacking` says what is missing here, or nothing."""

    name: str
    weight: float
    deed: Deed
    lacking: Callable[[World], str] = always


# --- processes ------------------------------------------------------------------------------------------------------


def signalled(victim: str, how: signal.Signals) -> Deed:
    async def deed(world: World, _rng: random.Random) -> Details:
        world.children[victim].send(how)
        return {}

    return deed


def paused(victim: str) -> Deed:
    async def deed(world: World, rng: random.Random) -> Details:
        family = world.children[victim].family()
        if not family:
            raise NotNow
        seconds = rng.uniform(0.1, 3.0)
        for one in family:
            with contextlib.suppress(psutil.Error):
                one.suspend()
        try:
            await asyncio.sleep(seconds)
        finally:
            for one in family:
                with contextlib.suppress(psutil.Error):
                    one.resume()
        return {"seconds": round(seconds, 2)}

    return deed


async def kill_backend(world: World, rng: random.Random) -> Details:
    """PostgreSQL answers the death of any of its processes by restarting all of them."""
    backends = world.children["postgres"].family()[1:]
    if not backends:
        raise NotNow
    victim = rng.choice(backends)
    with contextlib.suppress(psutil.Error):
        victim.kill()
    return {"victim": "postgres"}


async def kill_everything(world: World, _rng: random.Random) -> Details:
    victims = [world.children[name] for name in ("gateway", "broker", "postgres", "desk")]
    if not any(child.is_alive for child in victims):
        raise NotNow
    for child in victims:
        with contextlib.suppress(ProcessLookupError):
            child.send(signal.SIGKILL)
    return {"victim": "machine"}


async def kill_devices(world: World, rng: random.Random) -> Details:
    rng.choice(world.streets).send(signal.SIGKILL)
    return {}


async def burn_device(world: World, rng: random.Random) -> Details:
    """Unplug one device for good right after its next PUBACK; at most a third of them in a run."""
    if world.counts["burnt"] >= len(world.boxes) // 3:
        raise NotNow
    unburnt = [box for box in world.boxes if not (world.street_folder() / box.device_id / BURN).exists()]
    box = rng.choice(unburnt)
    (world.street_folder() / box.device_id / BURN).touch()
    world.counts["burnt"] += 1
    return {"device": box.device_id}


@contextlib.asynccontextmanager
async def held_down(child: Child, how: signal.Signals = signal.SIGKILL) -> AsyncIterator[None]:
    """Keep a process dead for as long as the context lasts."""
    child.is_wanted = False
    try:
        with contextlib.suppress(ProcessLookupError):
            child.send(how)
        while child.is_alive:
            await asyncio.sleep(0.01)
        yield
    finally:
        child.is_wanted = True


async def failpoint(world: World, rng: random.Random) -> Details:
    """Have the gateway kill itself at a named place: once, twice in a row, or again while it recovers."""
    name, hits = rng.choice(FAILPOINTS), rng.choice((1, 1, 2, 3))
    way = rng.choice(("once", "twice", "on_recovery"))
    first = {failpoints.VARIABLE: f"{name}:{hits}"}
    again = {"once": [], "twice": [first], "on_recovery": [{failpoints.VARIABLE: rng.choice(FAILPOINTS)}]}[way]
    world.gateway.send(rng.choice((signal.SIGTERM, signal.SIGKILL)))
    world.gateway.next_environments.extend([first, *again])
    if name not in SHELTERED:
        return {"victim": "gateway", "name": name, "way": way}
    await asyncio.sleep(2.5)
    async with held_down(world.children["postgres"]):
        await asyncio.sleep(rng.uniform(1.5, 3.0))
    return {"victim": "gateway postgres", "name": name, "way": way}


# --- broker ---------------------------------------------------------------------------------------------------------


def without_store(world: World) -> str:
    return "" if world.store is not None else "this broker keeps its sessions in memory"


async def broker_store_deleted(world: World, _rng: random.Random) -> Details:
    async with held_down(world.children["broker"]):
        assert world.store is not None
        world.store.unlink(missing_ok=True)
    return {}


async def broker_store_truncated(world: World, rng: random.Random) -> Details:
    """Cut the store that a goodbye has written; a broker that then refuses to start loses it to its keeper."""
    async with held_down(world.children["broker"], signal.SIGTERM):
        assert world.store is not None
        if not world.store.exists():
            return {"bytes": 0}
        size = world.store.stat().st_size
        left = rng.randrange(size) if size else 0
        with world.store.open("r+b") as store:
            store.truncate(left)
    return {"bytes": left, "of": size}


@contextlib.asynccontextmanager
async def impostor(world: World, client_id: str) -> AsyncIterator[Peer]:
    """A second client with the gateway's own name and password; NotNow where the broker is away."""
    broker = world.broker
    try:
        async with peer(broker.host, broker.port, "gateway", broker.credentials["gateway"], client_id=client_id) as one:
            yield one
    except (OSError, TimeoutError, ValueError) as error:
        raise NotNow from error


async def session_takeover(world: World, rng: random.Random) -> Details:
    """Take the gateway's client id away and wipe its session at the broker, for a moment."""
    name = rng.choice(("alarms", "control", "telemetry"))
    async with impostor(world, f"linli-main-{name}"):
        await asyncio.sleep(rng.uniform(0.3, 1.5))
    return {"victim": "gateway broker", "session": name}


async def telemetry_flood(world: World, _rng: random.Random) -> Details:
    async with impostor(world, "chaos-flood") as one:
        boot, topic = to_ms(CLOCK.now()), topics.up_tele(AREA, METER)
        for seq in range(FLOOD_MESSAGES):
            sample = messages.Sample(CLOCK.now(), {"power": float(seq)})
            payload = messages.Telemetry(boot, seq, history=False, samples=(sample,)).encode()
            sent = one.client.publish(topic, payload, 1)
            if seq % 100 == 0:
                await asyncio.sleep(0)
        await asyncio.to_thread(sent.wait_for_publish, 3.0)
    return {"messages": FLOOD_MESSAGES}


# --- database -------------------------------------------------------------------------------------------------------


async def lock_tables(world: World, rng: random.Random) -> Details:
    """Hold a table that every alarm needs, as a careless migration does."""
    table, seconds = rng.choice(TABLES), rng.uniform(1.0, 3.0)
    database = Database(world.dsn, max_size=1, program="linli-chaos")
    is_held = False
    try:
        await database.start()
        async with database.transaction() as connection:
            await connection.execute("set local lock_timeout = '3s'")
            await connection.execute(f"lock table {table} in access exclusive mode")
            is_held = True
            await asyncio.sleep(seconds)
    except LinliError as error:
        if not is_held:
            raise NotNow from error
    finally:
        await database.stop()
    return {"victim": "database", "table": table, "seconds": round(seconds, 2)}


# --- wires ----------------------------------------------------------------------------------------------------------


def tangled(act: Callable[[Any, random.Random], None], *, lasts_s: tuple[float, float]) -> Deed:
    async def deed(world: World, rng: random.Random) -> Details:
        name = rng.choice(sorted(world.wires))
        wire, seconds = world.wires[name], rng.uniform(*lasts_s)
        act(wire, rng)
        try:
            await asyncio.sleep(seconds)
        finally:
            wire.mend()
        return {"wire": name, "seconds": round(seconds, 2)}

    return deed


async def wire_reset(world: World, rng: random.Random) -> Details:
    name = rng.choice(sorted(set(world.wires) - {"devices_https"}))
    world.wires[name].reset()
    return {"wire": name}


def one_way(wire: Any, rng: random.Random) -> None:
    is_up = rng.random() < 0.5
    wire.drop(up=is_up, down=not is_up)


def cut(wire: Any, rng: random.Random) -> None:
    wire.cut_after(rng.randrange(1, 600), up=rng.random() < 0.5)


# --- disks ----------------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def perhaps_without_database(world: World, rng: random.Random) -> AsyncIterator[str]:
    """Half the time the database is away as well, so that the gateway needs its own disk."""
    if rng.random() < 0.5:
        yield "gateway"
        return
    async with held_down(world.children["postgres"]):
        yield "gateway postgres"


async def disk_full(world: World, rng: random.Random) -> Details:
    """The gateway can write no byte to any file for a while; its logs neither."""
    pid, seconds = world.gateway.pid, rng.uniform(1.0, 3.0)
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        async with perhaps_without_database(world, rng) as victims:
            await asyncio.sleep(seconds)
    finally:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
    return {"victim": victims, "seconds": round(seconds, 2)}


def without_strace(_world: World) -> str:
    return "" if shutil.which("strace") else "strace is not installed"


def _failing_fsync(pids: Sequence[int]) -> "subprocess.Popen[bytes]":
    calls = "fsync,fdatasync"
    words = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", "-e", f"inject={calls}:error=EIO"]
    return subprocess.Popen(
        [*words, *(word for pid in pids for word in ("-p", str(pid)))],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent(),  # noqa: PLW1509  it calls prctl and nothing else
    )


async def fsync_error(world: World, rng: random.Random) -> Details:
    """Let every fsync of the gateway, or of PostgreSQL, fail for a while."""
    name = rng.choice(("gateway", "gateway", "postgres"))
    family = world.children[name].family()
    if not family:
        raise NotNow
    tracer = _failing_fsync([one.pid for one in family])
    try:
        await asyncio.sleep(0.3)
        if tracer.poll() is not None:
            raise NotNow
        async with perhaps_without_database(world, rng) as victims:
            await asyncio.sleep(rng.uniform(1.0, 2.5))
    finally:
        with contextlib.suppress(ProcessLookupError):
            tracer.terminate()
        await asyncio.to_thread(tracer.wait)
    return {"victim": f"{victims} {name}"}


KINDS: Final = (
    Kind("kill_gateway", 6, signalled("gateway", signal.SIGKILL)),
    Kind("term_gateway", 2, signalled("gateway", signal.SIGTERM)),
    Kind("pause_gateway", 4, paused("gateway")),
    Kind("failpoint", 8, failpoint),
    Kind("kill_broker", 4, signalled("broker", signal.SIGKILL)),
    Kind("term_broker", 2, signalled("broker", signal.SIGTERM)),
    Kind("pause_broker", 3, paused("broker")),
    Kind("broker_store_deleted", 2, broker_store_deleted, without_store),
    Kind("broker_store_truncated", 2, broker_store_truncated, without_store),
    Kind("session_takeover", 2, session_takeover),
    Kind("telemetry_flood", 1, telemetry_flood),
    Kind("kill_postmaster", 4, signalled("postgres", signal.SIGKILL)),
    Kind("pause_postgres", 3, paused("postgres")),
    Kind("kill_backend", 3, kill_backend),
    Kind("lock_tables", 3, lock_tables),
    Kind("wire_reset", 4, wire_reset),
    Kind("wire_black_hole", 3, tangled(lambda wire, _rng: wire.black_hole(), lasts_s=(0.5, 4.0))),
    Kind("wire_one_way", 2, tangled(one_way, lasts_s=(0.5, 4.0))),
    Kind("wire_delay", 2, tangled(lambda wire, rng: wire.delay(rng.uniform(0.05, 0.8)), lasts_s=(1.0, 3.0))),
    Kind("wire_drip", 2, tangled(lambda wire, rng: wire.drip(rng.randrange(5, 80), 0.01), lasts_s=(1.0, 3.0))),
    Kind("wire_cut", 4, tangled(cut, lasts_s=(0.5, 2.0))),
    Kind("disk_full", 2, disk_full),
    Kind("fsync_error", 2, fsync_error, without_strace),
    Kind("kill_devices", 4, kill_devices),
    Kind("kill_desk", 2, signalled("desk", signal.SIGKILL)),
    Kind("burn_device", 1, burn_device),
    Kind("kill_everything", 2, kill_everything),
)
