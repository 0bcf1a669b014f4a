"""Which programs there are and what each waits for; the launcher knows names and imports none of them."""

import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.launch.supervisor import Program


@dataclass(frozen=True, slots=True)
class Kind:
    """One program: `python -m package verb… --config FILE`; `after` names the one that must be ready before it."""

    name: str
    package: str
    verbs: Sequence[str]
    after: str = ""
    is_server: bool = False
    #: Does its work and ends, before the start counts as done; the others are kept running.
    is_chore: bool = False


BROKER: Final = Kind("broker", "gateway.launch.broker", ("run",), is_server=True)
STAR: Final = (
    Kind("gateway", "gateway", ("run",)),
    Kind("rules", "iot_rules", ("run",)),
    Kind("tv", "tv_apps", ("serve",)),
    Kind("capture", "security_video", ("capture",)),
    Kind("desk", "security_video", ("desk",)),
)
#: Fills the demo's notice boards.
NOTICES: Final = Kind("notices", "tv_apps", ("notices", "demo"), is_chore=True)
#: Puts the bundled mini-apps on the televisions; one is left for an official to decide about.
BUNDLED: Final = Kind("bundled", "tv_apps", ("bundled", "--hold", "clinic"), is_chore=True)
#: After the gateway: what devices say while nobody has subscribed, an embedded broker drops.
VILLAGE: Final = Kind("village", "firmware_stubs", ("village",), after="gateway")

#: Verbs of `linli` that another program answers: `linli app …` is `python -m tv_apps app …`.
DELEGATED: Final = {"app": "tv_apps", "rules": "iot_rules", "notices": "tv_apps", "audit": "gateway"}


def program_of(kind: Kind, config: Path, *arguments: str) -> Program:
    """Return what the supervisor runs for `kind` with the settings file `config`."""
    command = (sys.executable, "-m", kind.package, *kind.verbs, *arguments, "--config", str(config))
    log = config.parent / "log" / f"{kind.name}.log"
    return Program(name=kind.name, command=command, log=log, is_server=kind.is_server, is_chore=kind.is_chore)


def is_installed(kind: Kind) -> bool:
    """Tell whether the program's package has a front door."""
    try:
        return importlib.util.find_spec(f"{kind.package}.__main__") is not None
    except ModuleNotFoundError:
        return False
