"""Ends the servers of a test run that was killed, and removes their folders: it outlives the run by a moment.

It hears on its standard input what there is. When that line breaks, however the run ended, it does what is left. The
kernel's parent-death signal would not do: it follows the thread that started a server, not the run.
"""

import atexit
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

PATIENCE_S = 5.0


class Reaper:
    """The run's end of the line; the process is started with the first thing that is entrusted to it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    @property
    def pid(self) -> int:
        """The reaper's own process, 0 while there is none."""
        return self._process.pid if self._process else 0

    def adopt(self, pid: int, how: int = signal.SIGKILL) -> None:
        """End this process by `how` (and by SIGKILL if that is not enough) when the run has ended."""
        self._tell({"pid": pid, "how": int(how), "began": began(pid)})

    def keep_clean(self, folder: Path) -> None:
        """Remove this folder when the run has ended and the processes are gone."""
        self._tell({"folder": str(folder)})

    def release(self, what: int | Path) -> None:
        """Forget a process or a folder: the run has seen to it itself."""
        if self._process is not None:
            self._tell({"done": what if isinstance(what, int) else str(what)})

    def _tell(self, word: dict[str, object]) -> None:
        with self._lock:
            if self._process is None or self._owner != os.getpid():
                self._start()
            assert self._process is not None
            assert self._process.stdin is not None
            with contextlib.suppress(OSError):  # without a reaper a run that is killed leaves something, that is all
                self._process.stdin.write(json.dumps(word).encode() + b"\n")
                self._process.stdin.flush()

    def _start(self) -> None:
        self._owner = os.getpid()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        atexit.register(self._end)

    def _end(self) -> None:
        if self._process is not None and self._owner == os.getpid():
            assert self._process.stdin is not None
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            self._process.wait()


def began(pid: int) -> str:
    """Return when a process began, in the kernel's own count, so that another one of its number is not taken for it."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return ""


def is_there(pid: int, since: str) -> bool:
    """Tell whether it is still that process, and no zombie."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return fields[19] == since and fields[0] != "Z"
    return False


def reap(pids: dict[int, tuple[int, str]], folders: list[str]) -> None:
    """End what is there, wait until it is gone, and remove the folders."""
    deadline = time.monotonic() + PATIENCE_S
    _signal({pid: how for pid, (how, since) in pids.items() if is_there(pid, since)})
    while any(is_there(pid, since) for pid, (_, since) in pids.items()) and time.monotonic() < deadline:
        time.sleep(0.02)
    _signal({pid: signal.SIGKILL for pid, (_, since) in pids.items() if is_there(pid, since)})
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _signal(how_by_pid: dict[int, int]) -> None:
    for pid, how in how_by_pid.items():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)  # one that a test has stopped would not hear
            os.kill(pid, how)


def main() -> None:
    """Listen until the run has ended, then do what it has left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    pids: dict[int, tuple[int, str]] = {}
    folders: list[str] = []
    for line in sys.stdin.buffer:
        word = json.loads(line)
        if "pid" in word:
            pids[word["pid"]] = (word["how"], word["began"])
        elif "folder" in word:
            folders.append(word["folder"])
        elif isinstance(word["done"], int):
            pids.pop(word["done"], None)
        elif word["done"] in folders:
            folders.remove(word["done"])
    reap(pids, folders)


#: The one of this run.
REAPER = Reaper()

if __name__ == "__main__":
    main()
