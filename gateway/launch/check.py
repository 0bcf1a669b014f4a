"""`linli check`: would it run? Sections, database, broker, ports, disk, escalation, roster, hooks; one line each."""

import argparse
import asyncio
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.launch import database, node, promise, sections, settings_file
from gateway.model.errors import ConfigurationError, LinliError
from gateway.outbound.settings import HookSettings
from gateway.runtime.clock import SystemClock
from gateway.runtime.settings import Settings, load

_LEAST_FREE_BYTES: Final = 1_000_000_000
_CONNECT_PATIENCE_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One checked thing; `error` is empty where it is well."""

    what: str
    fact: str
    error: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, help="settings file (default: ./linli.toml where there is one)")


def run(options: argparse.Namespace) -> int:
    """Print one line for each thing that was looked at; returns 0, or 2 where something would not run."""
    findings = list(_findings(settings_file.config_of(options.config)))
    for finding in findings:
        sys.stdout.write(f"{'✗' if finding.error else '✓'} {finding.what}: {finding.error or finding.fact}\n")
    return 2 if any(finding.error for finding in findings) else 0


def _findings(config: Path | None) -> Iterator[Finding]:
    told = _found("settings", lambda: sections.check(config))
    yield told
    if told.error:
        return  # the rest would only repeat it
    settings = load(config, HookSettings)
    yield (database_told := _found("database", lambda: _check_database(settings)))
    yield _found("broker", lambda: _check_broker(settings))
    yield _found("ports", lambda: _check_ports(config))
    yield _found("disk", lambda: _check_disk(settings.node.data_dir))
    yield Finding("escalation", promise.escalation_fact(settings))
    if not database_told.error:
        yield _found("roster", lambda: promise.roster_fact(settings, SystemClock()))
    for what, fact, error in promise.outside_facts(settings.of(HookSettings)):
        yield Finding(what, fact, error)


def _found(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, look())
    except LinliError as error:
        return Finding(what, "", str(error))


def _check_database(settings: Settings) -> str:
    if not settings.database.dsn:
        place = database.place_of(settings.node.data_dir.resolve())
        return f"embedded, {place.binaries.parent.name}"
    asyncio.run(database.assert_usable(settings.database.dsn))
    return "answers; fsync, full_page_writes and synchronous_commit are on"


def _check_broker(settings: Settings) -> str:
    mqtt = settings.mqtt
    if not mqtt.host:
        return f"embedded, port {mqtt.port}"
    try:
        with socket.create_connection((mqtt.host, mqtt.port), timeout=_CONNECT_PATIENCE_S):
            return f"{mqtt.host}:{mqtt.port} answers"
    except OSError as error:
        raise ConfigurationError(
            f"the broker does not answer: {error}",
            place=f"[mqtt] host {mqtt.host} port {mqtt.port}",
            cure="Start it, or correct host and port; an empty host starts the embedded one.",
        ) from error


def _check_ports(config: Path | None) -> str:
    ports = sections.own_ports(config)
    node.check_ports(ports, "End the program that uses it, or change the port in that section.")
    return ", ".join(str(port) for port in ports.values()) + " are free"


def _check_disk(data_dir: Path) -> str:
    folder = data_dir.resolve()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    if free < _LEAST_FREE_BYTES:
        raise ConfigurationError(
            f"only {free // 1_000_000} MB are free", place=str(there), cure="Free some, or choose another data_dir."
        )
    return f"{free // 1_000_000_000} GB free for {folder}"
