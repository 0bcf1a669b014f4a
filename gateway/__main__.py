"""Front door of the gateway: run, migrate, register a community, check."""

import argparse
import sys
from pathlib import Path

from gateway import app, registration
from gateway.accounts import commands
from gateway.ingest.settings import SECTIONS
from gateway.outbound.settings import SECTIONS as HOOK_SECTIONS
from gateway.runtime import cli, logs
from gateway.runtime.clock import SystemClock
from gateway.runtime.service import run_until_signal
from gateway.runtime.settings import Settings, load
from gateway.store.migrate import migrate_at


def _settings(options: argparse.Namespace) -> Settings:
    settings = load(options.config, *SECTIONS, *HOOK_SECTIONS)
    logs.configure("gateway", settings.node.log_level)
    return settings


async def _run(options: argparse.Namespace) -> None:
    gateway = app.build(_settings(options), SystemClock())
    await run_until_signal("gateway", gateway.services, lambda: {"url": gateway.server.url})


async def _migrate(options: argparse.Namespace) -> None:
    applied = await migrate_at(_settings(options).database.dsn)
    sys.stdout.write("".join(f"{name}\n" for name in applied) or "nothing to do\n")


async def _register(options: argparse.Namespace) -> None:
    community = registration.read(options.file)
    counts = await registration.register(_settings(options).database.dsn, community)
    sys.stdout.write(", ".join(f"{count} {what}" for what, count in counts.items()) + "\n")


async def _person(options: argparse.Namespace) -> int:
    return await commands.run(_settings(options).database.dsn, options)


def main() -> int:
    """Run the command line and return the exit code."""

    def file(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="community file (TOML)")

    verbs = [
        cli.Verb("run", "run the gateway until it is told to stop", _run),
        cli.Verb("migrate", "bring the database's schema up to date", _migrate),
        cli.Verb("register", "write a community into the registry; again changes nothing", _register, file),
        cli.Verb("person", commands.HELP, _person, commands.add_arguments),
    ]
    return cli.run("gateway", "The hub of Linli: ingest, alarms, receipts, registry.", verbs)


if __name__ == "__main__":
    sys.exit(main())
