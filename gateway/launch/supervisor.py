"""Child programs: start them, know when they are ready, start them again with backoff, and stop them all in time."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from gateway.launch.birth import Birth, die_with_parent
from gateway.model.errors import ConfigurationError, Unavailable
from gateway.runtime import logs, metrics
from gateway.runtime.clock import Clock, SystemClock
from gateway.runtime.service import next_delay_s

log = logs.get(__name__)

#: A program that ran this long was healthy: its next restart is quick again.
HEALTHY_AFTER_S: Final = 30.0
READY_PATIENCE_S: Final = 60.0
POLL_S: Final = 0.05
#: Exit code by which a program says that its settings cannot be run; starting it again would not help.
EXIT_REFUSED: Final = 2
LONGEST_LOG_BYTES: Final = 20_000_000
#: The launcher promises five seconds for everything: the programs have half, what they lean on has what is left;
#: the last second is for killing who is late and for the launcher itself.
PROGRAMS_STOP_S: Final = 2.5
ALL_STOP_S: Final = 4.0

_RESTARTS: Final = metrics.counter("linli_program_restarts", "Times a program was started again.", ("program",))

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Program:
    """One child: readiness is its JSON line on standard output, or `is_ready` where that is given."""

    name: str
    command: Sequence[str]
    log: Path
    birth: Birth = field(default_factory=die_with_parent)
    stop_signal: int = signal.SIGTERM
    #: What a program that is late gets before SIGKILL; PostgreSQL knows one that ends it at once and in order.
    last_signal: int = signal.SIGKILL
    is_ready: Callable[[], Awaitable[bool]] | None = None
    #: Servers that others lean on are stopped after the others.
    is_server: bool = False
    #: A chore is ready when it has ended with 0; it is not started again.
    is_chore: bool = False


class Child:
    """One program that is kept running until `stop`."""

    def __init__(self, program: Program, tell: Tell, clock: Clock) -> None:
        self.program = program
        self.facts: Mapping[str, Any] = {}
        self.restarts = 0
        self.pid = 0
        self._tell = tell
        self._clock = clock
        self._ready = asyncio.Event()
        self._stopping = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._refusal = ""

    def start(self) -> None:
        """Begin to keep the program running; `wait_ready` tells when it is up."""
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.program.name}")

    async def wait_ready(self, patience_s: float = READY_PATIENCE_S) -> None:
        """Return when the program is ready. Raises ConfigurationError where it refuses to run, Unavailable late."""
        if self._keeper is None:
            self.start()
        keeper = cast("asyncio.Task[None]", self._keeper)
        ready = asyncio.ensure_future(self._ready.wait())
        try:
            done, _ = await asyncio.wait({ready, keeper}, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if ready in done or self._ready.is_set():
            return
        name, place = self.program.name, str(self.program.log)
        if keeper in done:
            raise ConfigurationError(f"{name} refuses to run: {self._refusal}", place=place)
        cure = "Read that log; the last lines say what it waits for."
        raise Unavailable(f"{name} was not ready in {patience_s:.0f} s", place=place, cure=cure)

    async def _keep(self) -> None:
        delay_s = 0.0
        while not self._stopping.is_set():
            began_s = self._clock.monotonic_s()
            code = await self._run_once()
            if self._stopping.is_set():
                return
            if code == 0 and self.program.is_chore:
                self._become_ready({"ready": self.program.name})
                return
            if code == EXIT_REFUSED and not self.facts:
                self._refusal = last_words(self.program.log)
                return
            delay_s = 0.0 if self._clock.monotonic_s() - began_s > HEALTHY_AFTER_S else delay_s
            delay_s = next_delay_s(delay_s)
            self._report_end(code, delay_s)
            await asyncio.sleep(delay_s)

    def _report_end(self, code: int, delay_s: float) -> None:
        name = self.program.name
        self.restarts += 1
        _RESTARTS.labels(name).inc()
        how = signal.Signals(-code).name if code < 0 else f"code {code}"
        log.warning("program_ended", name=name, how=how, again_in_s=round(delay_s, 2), restarts=self.restarts)
        self._tell(f"{name} ended ({how}); starting it again in {delay_s:.1f} s")

    async def _run_once(self) -> int:
        roll(self.program.log)
        with self.program.log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                *self.program.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
                preexec_fn=self.program.birth,
                cwd="/" if self.program.is_ready else None,
            )
        self._process, self.pid = process, process.pid
        log.info("program_started", name=self.program.name, pid=process.pid)
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(self._read_lines(process))
            polling = group.create_task(self._poll_ready())
            code = await process.wait()
            polling.cancel()
            self._ready.clear()
            _kill_group(process.pid, signal.SIGKILL)  # a worker that outlived its program
            await asyncio.wait({reading}, timeout=1.0)
            reading.cancel()
        return code

    async def _read_lines(self, process: asyncio.subprocess.Process) -> None:
        output = cast("asyncio.StreamReader", process.stdout)  # asked for as a pipe
        while line := await output.readline():
            self._hear(line)

    def _hear(self, line: bytes) -> None:
        facts = _ready_facts(line)
        if facts is None:
            with self.program.log.open("ab") as errors:
                errors.write(line)
        elif self.program.is_ready is None:
            self._become_ready(facts)

    async def _poll_ready(self) -> None:
        while self.program.is_ready is not None:
            if await self.program.is_ready():
                self._become_ready({"ready": self.program.name})
                return
            await asyncio.sleep(POLL_S)

    def _become_ready(self, facts: Mapping[str, Any]) -> None:
        if self.restarts:
            self._tell(f"{self.program.name} is back")
        self.facts = facts
        self._ready.set()

    async def stop(self, patience_s: float) -> None:
        """Ask the program to stop; after `patience_s` kill its group. Before `start` and twice is fine."""
        self._stopping.set()
        keeper, process = self._keeper, self._process
        if keeper is None:
            return
        if process is None or process.returncode is not None:
            keeper.cancel()  # it waits between two runs, or is about to begin one
        else:
            _kill_one(process.pid, self.program.stop_signal)
        _, late = await asyncio.wait({keeper}, timeout=patience_s)
        if late:
            await self._kill(keeper)
        with contextlib.suppress(asyncio.CancelledError):
            await keeper

    async def _kill(self, keeper: asyncio.Task[None]) -> None:
        log.error("program_killed", name=self.program.name, pid=self.pid)
        self._tell(f"{self.program.name} did not stop; killed")
        for how, patience_s in ((self.program.last_signal, 0.3), (signal.SIGKILL, 1.0)):
            _kill_group(self.pid, how)
            _, late = await asyncio.wait({keeper}, timeout=patience_s)
            if not late:
                return
        keeper.cancel()


class Supervisor:
    """All children of one launcher. `tell` hears sentences for people."""

    def __init__(self, tell: Tell, clock: Clock | None = None) -> None:
        self.children: dict[str, Child] = {}
        self._tell = tell
        self._clock = clock or SystemClock()

    def start(self, program: Program) -> Child:
        """Begin to keep `program` running."""
        child = self.children[program.name] = Child(program, self._tell, self._clock)
        child.start()
        return child

    async def start_and_wait(self, *programs: Program, patience_s: float = READY_PATIENCE_S) -> None:
        """Start all of `programs` at once and return when each is ready; raises what the first that fails raises."""
        started = [self.start(program) for program in programs]
        await all_or_first_error(*(child.wait_ready(patience_s) for child in started))

    async def stop_all(self) -> None:
        """Stop the programs, then the servers that they lean on; never later than five seconds."""
        end_s = self._clock.monotonic_s() + ALL_STOP_S
        await self._stop_those(PROGRAMS_STOP_S, is_server=False)
        await self._stop_those(end_s - self._clock.monotonic_s(), is_server=True)

    async def _stop_those(self, patience_s: float, *, is_server: bool) -> None:
        those = [child for child in self.children.values() if child.program.is_server is is_server]
        await asyncio.gather(*(child.stop(patience_s) for child in those))


async def all_or_first_error(*work: Coroutine[Any, Any, None]) -> None:
    """Do all of `work` at once; the first error ends the rest and is raised as it is."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def _ready_facts(line: bytes) -> Mapping[str, Any] | None:
    try:
        facts = json.loads(line)
    except ValueError:
        return None
    return facts if isinstance(facts, dict) and "ready" in facts else None


def _kill_one(pid: int, how: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, how)


def _kill_group(pid: int, how: int) -> None:
    """Signal the group that a child founded; it is ours alone, because every child has a session of its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, how)


def roll(path: Path, limit_bytes: int = LONGEST_LOG_BYTES) -> None:
    """Make room for a log: one that has grown beyond the limit is kept once more as `name.log.1`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > limit_bytes:
        path.replace(path.with_suffix(path.suffix + ".1"))


def last_words(path: Path, limit: int = 600) -> str:
    """Return the end of a log, for an error message."""
    with contextlib.suppress(OSError):
        lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return "\n".join(lines[-5:])[-limit:]
    return "it left no log"
