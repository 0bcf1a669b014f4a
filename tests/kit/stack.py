"""The whole star on real processes: `linli demo` in a folder of its own, watched from outside."""

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import psutil

from tests.kit.reaper import REAPER
from tests.kit.servers import KEPT_PIDS, REPOSITORY, free_port

START_PATIENCE_S = 120.0
STOP_PATIENCE_S = 15.0

#: Ports that `linli demo --port-base N` takes, counted from N.
PORTS = (0, 1, 2, 3, 4, 5, 10, 11, 12, 13)


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo; `facts` is the JSON line that it printed when everything was ready."""

    process: "subprocess.Popen[bytes]"
    facts: Mapping[str, Any]
    folder: Path
    port_base: int

    @property
    def tv(self) -> str:
        return cast("str", self.facts["tv"])

    @property
    def desk(self) -> str:
        return cast("str", self.facts["desk"])

    @property
    def developer(self) -> str:
        return cast("str", self.facts["developer"])

    @property
    def api(self) -> str:
        return cast("str", self.facts["api"])

    def password(self, role: str) -> tuple[str, str]:
        """Return the name and the one-time password of `operator`, `supervisor` or `official`."""
        user = self.facts["users"][role]
        return user["name"], user["password"]

    def programs(self) -> list[psutil.Process]:
        """Return every process below the launcher, also those of the embedded servers that say whose they are."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return cast("list[psutil.Process]", psutil.Process(self.process.pid).children(recursive=True))
        return []

    def log(self) -> str:
        return (self.folder / "stderr.log").read_text(errors="replace")

    def stop(self, how: int = signal.SIGTERM) -> float:
        """Send `how` to the launcher, by its pid; return how many seconds it took to go."""
        begun = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(STOP_PATIENCE_S)
        return time.monotonic() - begun

    def left_over(self) -> list[str]:
        """Return the command lines of processes that still name this demo's folder: there should be none."""
        found = []
        for process in psutil.process_iter(["pid", "cmdline"]):
            words = " ".join(process.info["cmdline"] or ())
            if str(self.folder) in words and process.pid != os.getpid():
                found.append(f"{process.pid}: {words}")
        return found


def free_port_base() -> int:
    """Return N such that every port of `linli demo --port-base N` was free a moment ago."""
    for _ in range(200):
        base = free_port()
        if base < 65000 and all(_is_free(base + offset) for offset in PORTS):
            return base
    raise RuntimeError("no run of free ports")


@contextlib.contextmanager
def running_demo(*options: str, patience_s: float = START_PATIENCE_S) -> Iterator[Demo]:
    """`linli demo --json` in its own process group, stopped by its own pid; RuntimeError when it leaves something."""
    with tempfile.TemporaryDirectory(prefix="linli-demo-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # the embedded PostgreSQL may run as another system user and must pass through
        demo = _start(folder, options, patience_s)
        try:
            yield demo
        finally:
            KEPT_PIDS.discard(demo.process.pid)
            _end(demo)
            REAPER.release(demo.process.pid)
            REAPER.release(folder)
        if left := demo.left_over():
            raise RuntimeError("left after the demo: " + "; ".join(left))


def launcher(*words: str) -> list[str]:
    """Return the command line of the `linli` command with this interpreter, installed or not."""
    return [sys.executable, "-c", "import sys; from gateway.launch.main import main; sys.exit(main())", *words]


def _start(folder: Path, options: tuple[str, ...], patience_s: float) -> Demo:
    base = free_port_base()
    words = ("demo", "--json", "--data-dir", str(folder / "data"), "--port-base", str(base), *options)
    with (folder / "stderr.log").open("wb") as errors:
        process = subprocess.Popen(
            launcher(*words), stdout=subprocess.PIPE, stderr=errors, cwd=REPOSITORY, start_new_session=True
        )
    KEPT_PIDS.add(process.pid)
    REAPER.adopt(process.pid, signal.SIGTERM)
    REAPER.keep_clean(folder)
    try:
        facts = json.loads(_first_line(process, patience_s))
    except (RuntimeError, ValueError) as error:
        demo = Demo(process, {}, folder, base)
        _end(demo)
        raise RuntimeError(f"the demo did not start: {error}\n{demo.log()[-4000:]}") from error
    return Demo(process, facts, folder, base)


def _first_line(process: "subprocess.Popen[bytes]", patience_s: float) -> bytes:
    assert process.stdout is not None
    deadline = time.monotonic() + patience_s
    said = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while b"\n" not in said:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise RuntimeError(f"nothing said in {patience_s:.0f} s")
            chunk = os.read(process.stdout.fileno(), 65536)
            if not chunk:
                raise RuntimeError(f"it ended, exit code {process.wait(STOP_PATIENCE_S)}")
            said += chunk
    _drain(process)
    return said.split(b"\n", 1)[0]


def _drain(process: "subprocess.Popen[bytes]") -> None:
    """Keep reading what the demo says later, so that a full pipe never stops it."""

    def read() -> None:
        assert process.stdout is not None
        with process.stdout as stream:
            while stream.read1(65536):  # type: ignore[attr-defined]
                pass

    threading.Thread(target=read, name="asyncio_demo_output", daemon=True).start()


def _end(demo: Demo) -> None:
    try:
        demo.stop()
    except subprocess.TimeoutExpired:
        os.killpg(demo.process.pid, signal.SIGKILL)  # the group that this kit made
        demo.process.wait(STOP_PATIENCE_S)
        raise RuntimeError(f"the demo did not stop\n{demo.log()[-4000:]}") from None


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
