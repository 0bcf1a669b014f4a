"""The real rules' program as a process, on a broker and a database that the test chose, and devices that talk to it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.contract import topics
from gateway.contract.messages import Event, Message, Status, Telemetry
from gateway.contract.topics import TopicKind
from gateway.model.ids import new_ulid
from gateway.store.pool import Database
from tests.kit import servers
from tests.kit.mqtt import Peer, peer
from tests.kit.programs import ProgramProcess

PATIENCE_S = 20.0


@dataclass(slots=True)
class RuleProcess(ProgramProcess):
    """A rule runner that can be ended and started again on the same broker and database."""

    @property
    def folder(self) -> Path:
        return self.settings.parent

    @property
    def rules(self) -> int:
        """How many rules it has said that it runs."""
        return int(self.facts["rules"])

    def rule_file(self) -> Path:
        return self.folder / "rules.toml"


def launch(settings: Path, folder: Path, environment: Mapping[str, str]) -> RuleProcess:
    """Start a rule runner and wait for its ready line."""
    runner = RuleProcess("iot_rules", "run", settings, folder / "rules.log")
    runner.launch(environment)
    return runner


@contextlib.contextmanager
def running_rules(
    broker: servers.AnyBroker,
    dsn: str,
    rules: str,
    *,
    environment: Mapping[str, str] | None = None,
) -> Iterator[RuleProcess]:
    """A rule runner with a rule file of this text; `environment` may name a failpoint."""
    name, password, protocol = _account(broker)
    with servers.owned_folder("rules", None) as folder:
        settings = folder / "linli.toml"
        (folder / "rules.toml").write_text(rules, encoding="utf-8")
        settings.write_text(
            f'[node]\ndata_dir = "{folder}"\n[database]\ndsn = "{dsn}"\n'
            f'[mqtt]\nhost = "{broker.host}"\nport = {broker.port}\nusername = "{name}"\npassword = "{password}"\n'
            f"protocol = {protocol}\n"
            f'[rules]\nfile = "{folder / "rules.toml"}"\nsettle_s = 0.3\ntick_s = 0.1\nreload_s = 0.2\n'
        )
        runner = launch(settings, folder, environment or {})
        try:
            yield runner
        finally:
            runner.stop()


def _account(broker: servers.AnyBroker) -> tuple[str, str, int]:
    """Return name, password and protocol: on Mosquitto the listening account that its rules know."""
    if isinstance(broker, servers.EmbeddedBroker):
        return "gateway", broker.credentials["gateway"], 4
    return "rules", broker.credentials.get("rules") or broker.add_user("rules"), 5


@dataclass(slots=True)
class Talker:
    """One device on the line; counts its messages as a device does."""

    line: Peer
    area_id: str
    device_id: str
    boot: int = 1
    seq: int = 0
    sent: list[tuple[str, bytes]] = field(default_factory=list)

    async def report(self, **values: float | bool | str) -> None:
        """Report values now."""
        self.seq += 1
        await self._send(TopicKind.UP_TELE, Telemetry.live(self.boot, self.seq, datetime.now(UTC), values))

    async def event(self, kind: str, seq: int = 0) -> Event:
        """Say that something happened."""
        self.seq += 1
        now = datetime.now(UTC)
        said = Event(new_ulid(now), self.boot, seq or self.seq, now, kind)
        await self._send(TopicKind.UP_EVT, said)
        return said

    async def status(self, state: str) -> None:
        await self._send(TopicKind.STATUS, Status(state, self.boot, datetime.now(UTC)), retain=True)

    async def repeat(self) -> None:
        """Send the last message again, byte for byte."""
        topic, payload = self.sent[-1]
        await self.line.publish(topic, payload)

    async def raw(self, payload: bytes, kind: TopicKind = TopicKind.UP_TELE, area_id: str = "") -> None:
        """Send whatever it is."""
        await self.line.publish(topics.build(area_id or self.area_id, self.device_id, kind), payload)

    async def _send(self, kind: TopicKind, message: Message, *, retain: bool = False) -> None:
        topic, payload = topics.build(self.area_id, self.device_id, kind), message.encode()
        self.sent.append((topic, payload))
        await self.line.publish(topic, payload, retain=retain)


@contextlib.asynccontextmanager
async def talking(broker: servers.AnyBroker, area_id: str, device_id: str) -> AsyncIterator[Talker]:
    """A device with its own account at the broker."""
    password = broker.credentials.get(device_id) or broker.add_user(device_id)
    async with peer(broker.host, broker.port, device_id, password) as line:
        yield Talker(line, area_id, device_id)


async def wait_for(what: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """Await `what()` again and again until it is true, and return it; fails after `patience_s`."""
    deadline = asyncio.get_running_loop().time() + patience_s
    while not (found := await what()):
        assert asyncio.get_running_loop().time() < deadline, "it did not come"
        await asyncio.sleep(0.05)
    return found


def rows(database: Database, sql: str) -> Callable[[], Coroutine[Any, Any, list[Any]]]:
    """Return a question to the database that can be asked again and again."""

    async def ask() -> list[Any]:
        return [dict(row) for row in await database.fetch(sql)]

    return ask


def done(database: Database, deed: str) -> Callable[[], Coroutine[Any, Any, list[Any]]]:
    return rows(database, f"SELECT * FROM rule_wishes WHERE deed = '{deed}' AND done_at IS NOT NULL")


async def alarms(database: Database) -> list[Any]:
    return [dict(row) for row in await database.fetch("SELECT * FROM alarms")]
