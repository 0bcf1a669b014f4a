"""The real gateway as a process, on a broker and a database that the test chose."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.kit import servers
from tests.kit.programs import ProgramProcess

PATIENCE_S = 20.0


@dataclass(slots=True)
class GatewayProcess(ProgramProcess):
    """A gateway that can be ended and started again."""

    @property
    def folder(self) -> Path:
        return self.settings.parent

    @property
    def url(self) -> str:
        """The address of its API, empty where it was killed before it was ready."""
        return str(self.facts.get("url", ""))


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
    gateway = GatewayProcess("gateway", "run", settings, folder / "gateway.log")
    gateway.launch(environment)
    return gateway


@contextlib.contextmanager
def running_gateway(
    broker: servers.Mosquitto,
    dsn: str,
    *,
    protocol: int = 5,
    environment: Mapping[str, str] | None = None,
) -> Iterator[GatewayProcess]:
    """A gateway for as long as the context lasts; `environment` may name a failpoint."""
    with servers.owned_folder("gateway", None) as folder:
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
    program = ProgramProcess(package, verb, gateway.settings, gateway.folder / f"{package}.log")
    try:
        program.launch()
        yield str(program.facts.get("url", ""))
    finally:
        program.stop()
