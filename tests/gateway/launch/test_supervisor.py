"""Children of the launcher: readiness, restarts, stopping, and what happens when the launcher is killed."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from gateway.launch.supervisor import Child, Program, Supervisor, roll
from gateway.model.errors import ConfigurationError, Unavailable
from tests.kit.servers import REPOSITORY

READY = """
import json, signal, sys, time
print("starting", flush=True)
print(json.dumps({"ready": "fake", "url": "http://fake/"}), flush=True)
"""
SLEEPER = READY + "time.sleep(600)"
STUBBORN = READY + "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
WITH_WORKER = (
    """
import subprocess, sys
subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)  # worker of {mark}"])
"""
    + STUBBORN
)
REFUSING = "import sys; sys.stderr.write('fake: linli.toml:7: unknown key'); sys.exit(2)"
SILENT = "import time; time.sleep(600)"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
async def supervisor(said: list[str]) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(said.append)
    yield supervisor
    await supervisor.stop_all()


@pytest.fixture
def fake(tmp_path: Path) -> Callable[..., Program]:
    def make(name: str, code: str = SLEEPER, *, is_server: bool = False) -> Program:
        command = (sys.executable, "-S", "-c", code)
        return Program(name, command, tmp_path / f"{name}.log", is_server=is_server)

    return make


async def _until(is_so: Callable[[], bool], patience_s: float = 10.0) -> None:
    async with asyncio.timeout(patience_s):
        while not is_so():
            await asyncio.sleep(0.02)


def _is_alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)


async def test_readiness_is_the_programs_own_line(
    supervisor: Supervisor, fake: Callable[..., Program], tmp_path: Path
) -> None:
    """A program is ready when it prints its JSON line, whose facts are kept; everything else goes to its log."""
    await supervisor.start_and_wait(fake("one"), fake("two"))
    assert supervisor.children["one"].facts["url"] == "http://fake/"
    assert (tmp_path / "one.log").read_text() == "starting\n"


async def test_killed_program_comes_back_while_the_others_go_on(
    supervisor: Supervisor, fake: Callable[..., Program], said: list[str]
) -> None:
    """SIGKILL of one program starts it again with a new pid; the other keeps its own; people are told."""
    await supervisor.start_and_wait(fake("one"), fake("two"))
    one, two = supervisor.children["one"], supervisor.children["two"]
    old_pid, pid_of_two = one.pid, two.pid
    os.kill(old_pid, signal.SIGKILL)
    await _until(lambda: one.pid != old_pid)
    await one.wait_ready()
    assert (two.pid, two.restarts) == (pid_of_two, 0)
    assert one.restarts == 1
    assert said[0].startswith("one ended (SIGKILL); starting it again in ")
    assert said[1] == "one is back"


async def test_program_that_always_fails_waits_longer_each_time(
    supervisor: Supervisor, fake: Callable[..., Program], said: list[str]
) -> None:
    """A program that fails at once is tried again with growing pauses, and is reported late."""
    child = supervisor.start(fake("broken", "import sys; sys.exit(1)"))
    with pytest.raises(Unavailable, match="not ready in 1 s"):
        await child.wait_ready(1.0)
    assert 1 <= child.restarts <= 6
    assert all("code 1" in sentence for sentence in said)


async def test_refusal_is_final_and_told_in_its_own_words(supervisor: Supervisor, fake: Callable[..., Program]) -> None:
    """Exit code 2 at the start means that the settings cannot be run: no second try, its last words are the error."""
    with pytest.raises(ConfigurationError, match=r"refuses to run: fake: linli.toml:7: unknown key"):
        await supervisor.start_and_wait(fake("one"), fake("refusing", REFUSING))
    assert supervisor.children["refusing"].restarts == 0


async def test_chore_is_ready_when_it_is_done(
    supervisor: Supervisor, fake: Callable[..., Program], tmp_path: Path
) -> None:
    """A chore does its work once; the start waits for it, and it is not started again."""
    code = f"open({str(tmp_path / 'done')!r}, 'a').write('x')"
    chore = Program("chore", (sys.executable, "-S", "-c", code), tmp_path / "chore.log", is_chore=True)
    await supervisor.start_and_wait(fake("one"), chore)
    await asyncio.sleep(0.5)
    assert (tmp_path / "done").read_text() == "x"
    assert supervisor.children["chore"].restarts == 0


async def test_silent_program_is_reported_with_its_log(supervisor: Supervisor, fake: Callable[..., Program]) -> None:
    """A program that never says that it is ready is an error that names its log."""
    with pytest.raises(Unavailable) as late:
        await supervisor.start_and_wait(fake("silent", SILENT), patience_s=0.5)
    assert late.value.place.endswith("silent.log")


async def test_stopping_takes_stubborn_programs_and_their_workers_along(
    supervisor: Supervisor, fake: Callable[..., Program], tmp_path: Path
) -> None:
    """A program that ignores SIGTERM is killed with all that it started, within five seconds."""
    mark = str(tmp_path)
    await supervisor.start_and_wait(fake("stubborn", WITH_WORKER.replace("{mark}", mark)), fake("good"))
    pids = [child.pid for child in supervisor.children.values()]
    began = time.monotonic()
    await supervisor.stop_all()
    assert time.monotonic() - began < 5
    assert not any(_is_alive(pid) for pid in pids)
    await _until(lambda: not _workers(mark), 2)
    await supervisor.stop_all()


def _workers(mark: str) -> list[int]:
    return [
        process.pid
        for process in psutil.process_iter(["cmdline", "status"])
        if f"worker of {mark}" in " ".join(process.info["cmdline"] or ()) and process.info["status"] != "zombie"
    ]


async def test_servers_are_stopped_after_those_who_lean_on_them(
    supervisor: Supervisor, fake: Callable[..., Program], tmp_path: Path
) -> None:
    """Database and broker go last, so that programs can finish their work."""
    diary = tmp_path / "diary"
    code = READY + textwrap.dedent(
        f"""
        def end(*_):
            with open({str(diary)!r}, "a") as file: file.write(sys.argv[-1] + "\\n")
            sys.exit(0)
        signal.signal(signal.SIGTERM, end); time.sleep(600)
        """
    )
    server = Program("server", (sys.executable, "-S", "-c", code, "server"), tmp_path / "s.log", is_server=True)
    program = Program("program", (sys.executable, "-S", "-c", code, "program"), tmp_path / "p.log")
    await supervisor.start_and_wait(server)
    await supervisor.start_and_wait(program)
    await asyncio.sleep(0.2)
    await supervisor.stop_all()
    assert diary.read_text().split() == ["program", "server"]


async def test_stopping_a_program_between_two_runs_leaves_nothing(
    supervisor: Supervisor, fake: Callable[..., Program]
) -> None:
    """A program that waits for its next run is simply not started again."""
    child: Child = supervisor.start(fake("broken", "import sys; sys.exit(1)"))
    await _until(lambda: child.restarts >= 1)
    await supervisor.stop_all()
    restarts = child.restarts
    await asyncio.sleep(0.7)
    assert child.restarts == restarts


def test_logs_do_not_grow_for_ever(tmp_path: Path) -> None:
    """A log beyond its limit begins anew at the next start; the old one is kept once."""
    log = tmp_path / "desk.log"
    log.write_text("old" * 10)
    roll(log, limit_bytes=100)
    assert log.exists()
    roll(log, limit_bytes=10)
    assert not log.exists()
    assert (tmp_path / "desk.log.1").read_text() == "old" * 10


LAUNCHER = """
import asyncio, sys
from pathlib import Path
from gateway.launch.supervisor import Program, Supervisor

async def main():
    supervisor = Supervisor(print)
    code = "import json, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); " \\
           "print(json.dumps(dict(ready='x')), flush=True); time.sleep(600)"
    for name in ("one", "two"):
        await supervisor.start_and_wait(Program(name, (sys.executable, "-S", "-c", code), Path(sys.argv[1]) / name))
    print(*(child.pid for child in supervisor.children.values()), flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def test_nothing_survives_a_killed_launcher(tmp_path: Path) -> None:
    """SIGKILL of the launcher takes every program with it, also one that ignores SIGTERM."""
    command = [sys.executable, "-c", LAUNCHER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as launcher:
        assert launcher.stdout is not None
        pids = [int(word) for word in launcher.stdout.readline().split()]
        assert len(pids) == 2
        assert all(_is_alive(pid) for pid in pids)
        launcher.kill()
    deadline = time.monotonic() + 5
    while any(_is_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(_is_alive(pid) for pid in pids)
