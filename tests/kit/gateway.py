"""The real gateway as a process, on a broker and a database that the test chose."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.kit import servers

PATIENCE_S = 20.0


@dataclass(slots=True)
class GatewayProcess:
    """A gateway that can be ended and started again; `url` is that of its API."""

    folder: Path
    settings: Path
    process: "subprocess.Popen[bytes]"
    url: str = ""

    def wait_until_killed(self, patience_s: float = PATIENCE_S) -> None:
        """Wait until the process has ended by SIGKILL, as a failpoint does it."""
        assert self.process.wait(patience_s) == -signal.SIGKILL

    def launch_again(self, environment: Mapping[str, str] | None = None) -> None:
        """Start the gateway once more, now without a failpoint unless `environment` names one."""
        self._close_output()
        again = launch(self.settings, self.folder, environment or {})
        self.process, self.url = again.process, again.url

    def stop(self) -> int:
        """Ask the process to end and return its exit code."""
        code = servers.stop(self.process)
        self._close_output()
        return code

    def _close_output(self) -> None:
        if self.process.stdout is not None:
            self.process.stdout.close()

    def log(self) -> str:
        """Return what the gateway has logged."""
        return (self.folder / "gateway.log").read_text(errors="replace")


def settings_text(broker: servers.Mosquitto, dsn: str, folder: Path, *, protocol: int = 5) -> str:
    """Return a settings file for one broker and one database, every server on a free port."""
    return "\n".join(
        (
            f'[node]\ndata_dir = "{folder}"',
            f'[database]\ndsn = "{dsn}"',
            f'[mqtt]\nhost = "{broker.host}"\nport = {broker.port}\nusername = "gateway"',
            f'password = "{broker.credentials["gateway"]}"\nprotocol = {protocol}',
            "[api]\nport = 0\n[tv]\nport = 0\n[developer]\nport = 0\n[desk]\nport = 0",
        ),
    )


def launch(settings: Path, folder: Path, environment: Mapping[str, str]) -> GatewayProcess:
    """Start a gateway and wait for its ready line."""
    with (folder / "gateway.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "run", "--config", str(settings)],
            stdout=subprocess.PIPE,
            stderr=log,
            env={**os.environ, **environment},
        )
    running = GatewayProcess(folder, settings, process)
    assert process.stdout is not None
    line = process.stdout.readline()
    if line:
        running.url = json.loads(line)["url"]
    elif process.poll() is None or process.returncode != -signal.SIGKILL:
        raise RuntimeError(f"the gateway did not start:\n{running.log()}")
    return running


@contextlib.contextmanager
def running_gateway(
    broker: servers.Mosquitto,
    dsn: str,
    *,
    protocol: int = 5,
    environment: Mapping[str, str] | None = None,
) -> Iterator[GatewayProcess]:
    """A gateway for as long as the context lasts; `environment` may name a failpoint."""
    with tempfile.TemporaryDirectory(prefix="linli-gateway-") as name:
        folder = Path(name)
        settings = folder / "linli.toml"
        settings.write_text(settings_text(broker, dsn, folder, protocol=protocol))
        gateway = launch(settings, folder, environment or {})
        try:
            yield gateway
        finally:
            gateway.stop()


@contextlib.contextmanager
def running_program(gateway: GatewayProcess, package: str, verb: str) -> Iterator[str]:
    """Another program beside `gateway`, on its settings; yields the address that it said when it was ready."""
    with (gateway.folder / f"{package}.log").open("ab") as log:
        command = [sys.executable, "-m", package, verb, "--config", str(gateway.settings)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError((gateway.folder / f"{package}.log").read_text(errors="replace"))
        yield str(json.loads(line).get("url", ""))
    finally:
        servers.stop(process)
        if process.stdout is not None:
            process.stdout.close()
