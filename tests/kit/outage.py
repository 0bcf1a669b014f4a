"""A database that goes away under a whole node: boxes that press and repeat, a desk's page that watches."""

import asyncio
import contextlib
import json
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import psutil

from gateway.accounts.sessions import Accounts
from gateway.contract import messages, topics
from gateway.model.ids import new_ulid
from gateway.model.registry import Device
from gateway.runtime.clock import SystemClock
from gateway.store import registry
from gateway.store.migrate import migrate_at
from gateway.store.pool import Database
from tests.kit import servers
from tests.kit.community import AREA, home, register
from tests.kit.gateway import GatewayProcess, running_gateway, running_program
from tests.kit.mqtt import Peer, peer

CLOCK = SystemClock()
PASSWORD = "a long night at the desk"
REPEAT_S = 2.0


async def prepare(dsn: str, boxes: int) -> None:
    """Migrate, register one household with a button for each box, and make the operator `zhoumin`."""
    await migrate_at(dsn)
    database = Database(dsn, max_size=1)
    await database.start()
    await register(database)
    async with database.transaction() as connection:
        for number in range(boxes):
            own = replace(
                home(number),
                household_id=f"hb-{number}",
                tv_token=f"outage-token-{number:08d}",
                address=f"7号楼 1单元 {number}",
            )
            await registry.put_household(connection, own)
            await registry.put_device(connection, Device(box_id(number), AREA, own.household_id, None, "button"))
        await registry.notify_registry(connection)
    accounts = Accounts(database, CLOCK)
    await accounts.create_person("zhoumin", PASSWORD, roles=("operator",), area_id=AREA, display_name="周敏")
    await database.stop()


def box_id(number: int) -> str:
    return f"sb-{number}"


# --- ways of being away -----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def frozen(postgres: servers.Postgres) -> Iterator[None]:
    """Stop every process of the server where it stands: connections stay open and nothing answers."""
    assert postgres.process is not None
    family = psutil.Process(postgres.process.pid)
    family.send_signal(signal.SIGSTOP)  # the postmaster first, so that it makes no more children
    children = family.children(recursive=True)
    for child in children:
        child.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for one in (*children, family):
            with contextlib.suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def stopped(postgres: servers.Postgres) -> Iterator[None]:
    """Stop the server in good order and start it again: connections are closed, new ones refused."""
    postgres.stop()
    try:
        yield
    finally:
        postgres.launch()


WAYS: dict[str, Callable[[servers.Postgres], contextlib.AbstractContextManager[None]]] = {
    "hang": frozen,
    "stop": stopped,
}


# --- boxes ------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Pressed:
    """One press; times are monotonic seconds, 0 while it has not happened."""

    device_id: str
    event: messages.Event
    pressed_s: float
    on_desk_s: float = 0.0
    seen_s: float = 0.0
    recorded_s: float = 0.0


@dataclass(slots=True)
class Boxes:
    """Buttons that say a press again and again until it is recorded, over one connection of the gateway's user."""

    speaker: Peer
    presses: dict[tuple[str, int], Pressed] = field(default_factory=dict)
    recorded_receipts: int = 0

    def press(self, number: int, seq: int = 1, kind: str = "sos_pressed") -> Pressed:
        moment = CLOCK.now()
        event = messages.Event(new_ulid(moment), 1, seq, moment, kind, {"held_ms": 2100})
        one = Pressed(box_id(number), event, time.monotonic())
        self.presses[one.device_id, seq] = one
        self._say(one)
        return one

    def _say(self, one: Pressed) -> None:
        self.speaker.client.publish(topics.up_evt(AREA, one.device_id), one.event.encode(), 1)

    async def repeat(self) -> None:
        """Say what is not recorded again, every REPEAT_S."""
        while True:
            await asyncio.sleep(REPEAT_S)
            for one in tuple(self.presses.values()):
                if not one.recorded_s and time.monotonic() - one.pressed_s >= REPEAT_S:
                    self._say(one)

    async def listen(self) -> None:
        """Take receipts down."""
        while True:
            topic, payload = await self.speaker.inbox.get()
            said = json.loads(payload)
            one = self.presses.get((topic.split("/")[3], said["seq"]))
            if one is None:
                continue
            if said["st"] == "seen":
                one.seen_s = one.seen_s or time.monotonic()
            elif said["st"] in {"recorded", "cancelled"}:
                self.recorded_receipts += 1
                one.recorded_s = one.recorded_s or time.monotonic()

    async def until(self, fact: Callable[[Pressed], bool], patience_s: float) -> bool:
        """Tell whether `fact` has become true of every press within `patience_s`."""
        deadline_s = time.monotonic() + patience_s
        while time.monotonic() < deadline_s:
            if all(fact(one) for one in self.presses.values()):
                return True
            await asyncio.sleep(0.05)
        return False


# --- a desk's page ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class DeskPage:
    """What an open page knows: rows by id, the status, and when each household's row came."""

    line: aiohttp.ClientWebSocketResponse
    boxes: Boxes
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    status: dict[str, Any] = field(default_factory=dict)
    unrecorded: set[str] = field(default_factory=set)
    doubles: set[str] = field(default_factory=set)
    was_blind: bool = False

    async def watch(self) -> None:
        """Take what the desk says and confirm what would be drawn; ends when the line does."""
        async for message in self.line:
            self._take(json.loads(message.data))
            new = [row["alarm_id"] for row in self.rows.values() if row["state"] in {"raised", "unrecorded"}]
            if new:
                await self.line.send_json({"t": "rendered", "alarm_ids": new[:200]})

    def _take(self, said: dict[str, Any]) -> None:
        if said["t"] == "snapshot":
            self.rows = {}
        self.status = said.get("status", self.status)
        self.was_blind = self.was_blind or self.status.get("blind_since_ms") is not None
        changed = said.get("alarms", [said["alarm"]] if said["t"] == "alarm" else [])
        for row in changed:
            self.rows[row["alarm_id"]] = row
            self._note(row)
        for alarm_id in said.get("gone", ()):
            self.rows.pop(alarm_id, None)
        places = [row["address"] for row in self.rows.values()]
        self.doubles |= {place for place in places if places.count(place) > 1}

    def _note(self, row: dict[str, Any]) -> None:
        number = row["address"].rsplit(" ", 1)[-1]
        for one in self.boxes.presses.values():
            if one.device_id == f"sb-{number}" and not one.on_desk_s:
                one.on_desk_s = time.monotonic()
        if row["state"] == "unrecorded":
            self.unrecorded.add(row["address"])


@contextlib.asynccontextmanager
async def watching(url: str, boxes: Boxes) -> AsyncIterator[DeskPage]:
    """A page of `zhoumin`, signed in and open."""
    async with aiohttp.ClientSession(url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        async with client.post("/login", json={"name": "zhoumin", "password": PASSWORD, "seat": "3"}) as answer:
            assert answer.status == 200, await answer.text()
        async with client.ws_connect("/feed", headers={"Origin": url.rstrip("/")}, max_msg_size=0) as line:
            page = DeskPage(line, boxes)
            watch = asyncio.create_task(page.watch())
            try:
                yield page
            finally:
                watch.cancel()
                await asyncio.gather(watch, return_exceptions=True)


# --- the whole node ---------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Node:
    """Broker, database, gateway, desk, an open page and the boxes."""

    postgres: servers.Postgres
    dsn: str
    gateway: GatewayProcess
    desk_url: str
    desk_pid: int
    boxes: Boxes
    page: DeskPage

    def rss_mb(self) -> float:
        """Memory of gateway and desk."""
        pids = (self.gateway.process.pid, self.desk_pid)
        return sum(float(psutil.Process(pid).memory_info().rss) for pid in pids) / 1e6

    async def count(self, sql: str) -> int:
        """Ask the database itself."""
        database = Database(self.dsn, max_size=1)
        await database.start()
        try:
            return int(await database.fetchval(sql))
        finally:
            await database.stop()


@contextlib.asynccontextmanager
async def running_node(boxes: int) -> AsyncIterator[Node]:
    """A node on servers of its own, because they will be stopped."""
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(servers.running_mosquitto())
        postgres = stack.enter_context(servers.running_postgres(servers.DEBIAN_POSTGRESQL))
        dsn = postgres.create("outage")
        await prepare(dsn, boxes)
        gateway = stack.enter_context(running_gateway(broker, dsn))
        before = set(psutil.Process().children())
        url = stack.enter_context(running_program(gateway, "security_video", "desk"))
        [desk] = set(psutil.Process().children()) - before
        async with pressing(broker) as own, watching(url, own) as page:
            yield Node(postgres, dsn, gateway, url, desk.pid, own, page)


@contextlib.asynccontextmanager
async def pressing(broker: servers.Mosquitto) -> AsyncIterator[Boxes]:
    """Boxes that repeat and hear their receipts."""
    where, password = (broker.host, broker.port), broker.credentials["gateway"]
    receipts = "linli/1/+/+/down/receipt"
    async with peer(*where, "gateway", password, receipts, client_id="outage-boxes") as speaker:
        own = Boxes(speaker)
        working = [asyncio.create_task(own.repeat()), asyncio.create_task(own.listen())]
        try:
            yield own
        finally:
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)
