"""One machine's run: folder lock, free ports, settings, then database, broker, programs, and the way back."""

import asyncio
import contextlib
import fcntl
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gateway.launch import programs, settings_file
from gateway.launch.database import EmbeddedDatabase, assert_usable
from gateway.launch.progress import Progress
from gateway.launch.supervisor import Supervisor, all_or_first_error
from gateway.model.errors import ConfigurationError
from gateway.runtime import logs
from gateway.runtime.service import wait_for_signal

log = logs.get(__name__)

#: Prepares what the programs need once the database is up (schema, community, accounts).
Prepare = Callable[[str], Awaitable[None]]

SETTINGS_FILE: Final = "linli.toml"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run: `document` is the settings as asked for; `kinds` the programs after database and broker."""

    data_dir: Path
    document: settings_file.Document
    kinds: tuple[programs.Kind, ...]
    village_file: Path | None = None


@contextlib.contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Hold the folder for this launcher alone. Raises ConfigurationError where another one has it."""
    data_dir.mkdir(parents=True, exist_ok=True)
    data_dir.chmod(0o700)
    with (data_dir / "linli.lock").open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise ConfigurationError(
                f"another linli (process {file.read().strip() or 'unknown'}) runs on this data folder",
                place=str(data_dir),
                cure="Stop it first, or choose another folder with --data-dir.",
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def check_ports(ports: Mapping[str, int], cure: str) -> None:
    """Raise ConfigurationError that names the first port that is taken."""
    for name, port in ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except (OSError, OverflowError) as error:
                why = getattr(error, "strerror", None) or str(error)
                raise ConfigurationError(f"port {port} is not free: {why}", place=name, cure=cure) from error


@dataclass(slots=True)
class Node:
    """A running node: `dsn` of its database, `document` as effective, `supervisor` with its children."""

    plan: Plan
    supervisor: Supervisor
    progress: Progress
    document: dict[str, dict[str, Any]]
    dsn: str = ""
    _settling: asyncio.Task[None] | None = None

    @property
    def config(self) -> Path:
        """The settings file that every program gets."""
        return self.plan.data_dir / SETTINGS_FILE

    def url(self, program: str, fact: str = "url") -> str:
        """Return an address as the program itself announced it, empty where it does not run."""
        child = self.supervisor.children.get(program)
        return str(child.facts.get(fact, "")) if child else ""

    async def start(self, prepare: Prepare) -> None:
        """Start everything in order; raises what refused to start, with its place and cure."""
        has_broker = not self.document.get("mqtt", {}).get("host")
        self._settle_broker(is_embedded=has_broker)
        await all_or_first_error(self._start_database(), self._start_broker(is_embedded=has_broker))
        with self.progress.step("community and accounts"):
            await prepare(self.dsn)
        installed = [kind for kind in self.plan.kinds if self._is_installed(kind)]
        await all_or_first_error(*(self._start_kind(kind) for kind in installed))

    async def _start_kind(self, kind: programs.Kind) -> None:
        if kind.after in self.supervisor.children:
            await self.supervisor.children[kind.after].wait_ready()
        with self.progress.step(kind.name):
            await self.supervisor.start_and_wait(self._program(kind))

    def _is_installed(self, kind: programs.Kind) -> bool:
        if programs.is_installed(kind):
            return True
        self.progress.tell(f"{kind.name} is not installed here; it is left out")
        return False

    def _program(self, kind: programs.Kind) -> Any:
        arguments = [str(self.plan.village_file)] if kind is programs.VILLAGE and self.plan.village_file else []
        return programs.program_of(kind, self.config, *arguments)

    def _settle_broker(self, *, is_embedded: bool) -> None:
        if is_embedded:
            secrets = self.plan.data_dir / "secrets"
            own = settings_file.keep_passwords(secrets / "programs.json", ["gateway"])["gateway"]
            settings_file.keep_passwords(secrets / "devices.json", [])
            chosen = {"host": "127.0.0.1", "username": "gateway", "password": own, "protocol": 4}
            self.document = settings_file.merged(self.document, {"mqtt": chosen})
        self.dsn = self._named_dsn or EmbeddedDatabase(self.plan.data_dir).dsn
        over = {"node": {"data_dir": str(self.plan.data_dir)}, "database": {"dsn": self.dsn}}
        self.document = settings_file.merged(self.document, over)
        settings_file.write(self.config, self.document)

    @property
    def _named_dsn(self) -> str:
        return str(self.plan.document.get("database", {}).get("dsn", ""))

    async def _start_database(self) -> None:
        if self._named_dsn:
            with self.progress.step("database (yours)"):
                await assert_usable(self.dsn)
            return
        embedded = EmbeddedDatabase(self.plan.data_dir)
        with self.progress.step("database"):
            await embedded.prepare()
            await self.supervisor.start_and_wait(embedded.program())
            await embedded.create()

    async def settle(self) -> None:
        """Let the embedded database write its files in the background, now that everybody is ready."""
        if not self._named_dsn:
            self._settling = asyncio.create_task(EmbeddedDatabase(self.plan.data_dir).settle())

    async def stop(self) -> None:
        """Stop everything; before `start` and twice is fine."""
        if self._settling:
            self._settling.cancel()
            await asyncio.wait({self._settling}, timeout=0.5)
        await self.supervisor.stop_all()

    async def _start_broker(self, *, is_embedded: bool) -> None:
        if is_embedded:
            await self._start_kind(programs.BROKER)


@contextlib.asynccontextmanager
async def running(plan: Plan, prepare: Prepare, progress: Progress) -> AsyncIterator[Node]:
    """Run `plan` until the block ends; whatever happens, nothing is left running."""
    for folder in ("log", "run", "secrets"):
        (plan.data_dir / folder).mkdir(parents=True, exist_ok=True)
        (plan.data_dir / folder).chmod(0o700)
    document = settings_file.merged(plan.document, {})
    node = Node(plan, Supervisor(progress.tell), progress, document)
    try:
        await node.start(prepare)
        await node.settle()
        yield node
    finally:
        await node.stop()


async def until_told(run: Callable[[], Awaitable[None]]) -> int:
    """Run `run` until it ends or a signal comes, then stop it; a signal before readiness stops it just as well."""
    hearing = asyncio.create_task(wait_for_signal())
    running_node = asyncio.create_task(_awaited(run))
    await asyncio.wait({hearing, running_node}, return_when=asyncio.FIRST_COMPLETED)
    hearing.cancel()
    running_node.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running_node
    return 0


async def _awaited(run: Callable[[], Awaitable[None]]) -> None:
    await run()
