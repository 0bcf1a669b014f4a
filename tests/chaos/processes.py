"""Processes that are killed on purpose and come back: each dies with the harness, and a keeper starts it again."""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from gateway.launch.birth import die_with_parent
from tests.kit import servers

LOOK_EVERY_S = 0.05
#: How long a process stays dead before it is started again: what a supervisor of services takes.
RESTART_S = (0.1, 0.5)


def nobody_minds(_process: "Child", _exit_code: int) -> None:
    """What is done about a death by default: nothing but starting again."""


@dataclass(slots=True, eq=False)
class Child:
    """One program of the world; `next_environments` are used up one by one, each for one start."""

    name: str
    command: Sequence[str]
    folder: Path
    cwd: Path = servers.REPOSITORY
    user: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    on_death: Callable[["Child", int], None] = nobody_minds
    next_environments: deque[Mapping[str, str]] = field(default_factory=deque)
    last_environment: Mapping[str, str] = field(default_factory=dict)
    is_wanted: bool = False
    started_s: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    process: "subprocess.Popen[bytes] | None" = None
    was_signalled: bool = False

    @property
    def log_path(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """Return the process's id; ProcessLookupError while there is none."""
        if self.process is None or self.process.poll() is not None:
            raise ProcessLookupError(self.name)
        return self.process.pid

    def spawn(self) -> None:
        """Start it now; from here on it is wanted."""
        self.is_wanted, self.was_signalled = True, False
        self.last_environment = self.next_environments.popleft() if self.next_environments else {}
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in self.command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.cwd, user=self.user, start_new_session=True,
                env={**os.environ, **self.environment, **self.last_environment}, preexec_fn=die_with_parent(),  # noqa: PLW1509  it calls prctl and nothing else
            )  # fmt: skip
        self.started_s = time.monotonic()
        self.counts["starts"] += 1

    def send(self, how: signal.Signals) -> None:
        """Signal the process itself; ProcessLookupError where it is not there."""
        process = self.process
        if process is None or process.poll() is not None:
            raise ProcessLookupError(self.name)
        self.was_signalled = self.was_signalled or how in {signal.SIGKILL, signal.SIGTERM, signal.SIGQUIT}
        process.send_signal(how)

    def family(self) -> list[psutil.Process]:
        """Return the process and everything below it."""
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            head = psutil.Process(self.pid)
            return [head, *head.children(recursive=True)]
        return []

    async def keep(self, rng: random.Random) -> None:
        """Start it again whenever it has ended and is wanted; for as long as the run lasts."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if not self.is_wanted or self.is_alive:
                continue
            if self.process is not None:
                self._note_death(self.process.returncode)
            await asyncio.sleep(rng.uniform(*RESTART_S))
            if self.is_wanted:
                self.spawn()

    def _note_death(self, exit_code: int) -> None:
        self.counts["deaths"] += 1
        if exit_code == -signal.SIGKILL and not self.was_signalled:
            self.counts["killed_itself"] += 1
        self.on_death(self, exit_code)

    def lived_s(self) -> float:
        """Return how long ago it was started last."""
        return time.monotonic() - self.started_s

    async def end(self, how: signal.Signals = signal.SIGTERM, patience_s: float = 8.0) -> None:
        """End it for good, politely at first."""
        self.is_wanted = False
        if not self.is_alive or self.process is None:
            return
        family = self.family()
        for one in family:
            with contextlib.suppress(psutil.Error):
                one.send_signal(signal.SIGCONT)
        self.process.send_signal(how)
        deadline = time.monotonic() + patience_s
        while self.is_alive and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        if self.is_alive:
            self.process.kill()
            self.process.wait()


async def answers(port: int) -> bool:
    """Tell whether something accepts connections on 127.0.0.1:`port` now."""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(1.0):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True
    return False
