"""The desk as a program: one line when it is ready, gone at once when it is told to go."""

import json
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from tests.kit.servers import REPOSITORY, stop

STOP_S = 3.0


def test_the_desk_says_when_it_is_ready_and_leaves_when_told(database_dsn: str, tmp_path: Path) -> None:
    """`python -m security_video desk` prints one JSON line with its address, answers, and ends with 0 at SIGTERM."""
    config = tmp_path / "linli.toml"
    config.write_text(f'[node]\ndata_dir = "{tmp_path}"\n[database]\ndsn = "{database_dsn}"\n[desk]\nport = 0\n')
    command = [sys.executable, "-m", "security_video", "desk", "--config", str(config)]
    program = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert program.stdout is not None
        ready = json.loads(program.stdout.readline())
        assert ready["ready"] == "desk"
        with urllib.request.urlopen(f"{ready['url']}login") as answer:
            assert "邻里值班台" in answer.read().decode()
        begun = time.monotonic()
        assert stop(program, signal.SIGTERM) == 0
        assert time.monotonic() - begun < STOP_S * 3  # three times the promise: the machine may be busy
    finally:
        stop(program, signal.SIGKILL)
        if program.stdout is not None:
            program.stdout.close()
