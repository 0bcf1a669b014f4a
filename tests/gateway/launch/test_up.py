"""`linli up` with servers of one's own: Mosquitto and PostgreSQL as named in linli.toml."""

import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil
import pytest

from tests.kit.servers import REPOSITORY, Mosquitto
from tests.kit.stack import free_port_base

COMMUNITY = REPOSITORY / "firmware_stubs" / "villages" / "liuwan.toml"


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.mark.flow
def test_platform_runs_on_named_servers(mosquitto: Mosquitto, database_dsn: str, tmp_path: Path) -> None:
    """With [mqtt] and [database] named, no embedded server starts, and everything else answers until SIGTERM."""
    base, password = free_port_base(), mosquitto.credentials["gateway"]
    servers = ("tv", "desk", "developer", "api")
    sections = "".join(f"[{name}]\nport = {base + offset}\n" for offset, name in enumerate(servers))
    config = tmp_path / "linli.toml"
    config.write_text(
        f'[node]\ndata_dir = "data"\n[database]\ndsn = "{database_dsn}"\n'
        f'[mqtt]\nhost = "{mosquitto.host}"\nport = {mosquitto.port}\npassword = "{password}"\n{sections}'
    )
    words = [sys.executable, "-m", "gateway.launch.main", "up", "--config", str(config), "--community", str(COMMUNITY)]
    with subprocess.Popen(words, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as launcher:
        assert launcher.stdout is not None
        said = b"".join(iter(launcher.stdout.readline, b"Ctrl-C stops everything.\n")).decode()
        assert "zhoumin" in said
        assert all(_answers(base + offset) for offset in (0, 1, 3))
        commands = [" ".join(child.cmdline()) for child in psutil.Process(launcher.pid).children()]
        assert len(commands) == 5
        assert not any("launch.broker" in command or "bin/postgres" in command for command in commands)
        launcher.send_signal(signal.SIGTERM)
        launcher.communicate(timeout=10)
    assert launcher.returncode == 0
    assert (tmp_path / "data" / "secrets" / "devices.json").exists()
