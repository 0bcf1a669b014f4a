"""All sections that a settings file may have: each program declares its own, asked for by the program's name."""

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final

from pydantic import BaseModel, ConfigDict

from gateway.runtime.settings import Section, load

#: Modules that declare `SECTIONS`; loaded by name, as the programs are started by name.
SECTION_MODULES: Final = (
    "gateway.ingest.settings",
    "gateway.outbound.settings",
    "gateway.alarms.auditor",
    "gateway.alarms.audit.notary",
    "iot_rules.settings",
    "tv_apps.settings",
    "security_video.settings",
)
#: The simulated village reads the same file with its own eyes: it is outside the platform.
_VILLAGE: Final = "firmware_stubs.settings"


class VillageSection(Section, section="village"):
    """Keys are the village's own; it checks them itself."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="allow")


def check(config: Path | None) -> str:
    """Check every section of the file with the program that it belongs to. Raises ConfigurationError."""
    sections = known()
    load(config, *sections, is_complete=True)
    _check_village(config)
    return f"{config or 'defaults'}, {len(sections)} sections known"


def known() -> Sequence[type[Section]]:
    """Return the sections of all installed programs."""
    found: list[type[Section]] = []
    for name in SECTION_MODULES:
        try:
            found.extend(importlib.import_module(name).SECTIONS)
        except ModuleNotFoundError as error:
            if not name.startswith(error.name or "?"):
                raise
    return [*found, VillageSection]


def _check_village(config: Path | None) -> None:
    try:
        village = importlib.import_module(_VILLAGE)
    except ModuleNotFoundError:
        return
    village.load(config)


def own_ports(config: Path | None) -> Mapping[str, int]:
    """Return the ports that the programs will open on this machine, by section."""
    settings = load(config, *known())
    ports = {section.section: _port_of(settings.of(section)) for section in known()}
    if not settings.mqtt.host:
        ports["mqtt"] = settings.mqtt.port
    return {f"[{name}] port": port for name, port in ports.items() if port}


def _port_of(section: BaseModel) -> int:
    port = getattr(section, "port", 0)
    return port if isinstance(port, int) else 0
