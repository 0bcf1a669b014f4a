"""Front door of the gateway: run, migrate, register a community, people, households, duty, drills, audit."""

import argparse
import sys
from pathlib import Path

from gateway import app, registration
from gateway.accounts import commands, duty_commands, household_commands
from gateway.alarms.audit import commands as audit
from gateway.alarms.audit.notary import SECTIONS as AUDIT_SECTIONS
from gateway.ingest.settings import SECTIONS
from gateway.launch import seeding
from gateway.outbound.settings import SECTIONS as HOOK_SECTIONS
from gateway.runtime import cli, logs
from gateway.runtime.clock import SteadyClock
from gateway.runtime.service import run_until_signal
from gateway.runtime.settings import Settings, load
from gateway.store.migrate import migrate_at


def _settings(options: argparse.Namespace) -> Settings:
    settings = load(options.config, *SECTIONS, *HOOK_SECTIONS, *AUDIT_SECTIONS)
    logs.configure("gateway", settings.node.log_level)
    return settings


async def _run(options: argparse.Namespace) -> None:
    settings = _settings(options)
    gateway = app.build(settings, SteadyClock(), seeding.device_passwords(settings.node.data_dir))
    await run_until_signal("gateway", gateway.services, lambda: {"url": gateway.server.url})


async def _migrate(options: argparse.Namespace) -> None:
    applied = await migrate_at(_settings(options).database.dsn)
    sys.stdout.write("".join(f"{name}\n" for name in applied) or "nothing to do\n")


async def _register(options: argparse.Namespace) -> None:
    community = registration.read(options.file)
    settings = _settings(options)
    passwords = seeding.device_passwords(settings.node.data_dir)
    counts = await registration.register(settings.database.dsn, community, passwords)
    sys.stdout.write(", ".join(f"{count} {what}" for what, count in counts.items()) + "\n")


async def _person(options: argparse.Namespace) -> int:
    return await commands.run(_settings(options).database.dsn, options)


async def _household(options: argparse.Namespace) -> int:
    return await household_commands.run(_settings(options).database.dsn, options)


async def _duty(options: argparse.Namespace) -> int:
    settings = _settings(options)
    return await duty_commands.run(settings.database.dsn, settings.node.time_zone, options)


def main() -> int:
    """Run the command line and return the exit code."""

    def file(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="community file (TOML)")

    verbs = [
        cli.Verb("run", "run the gateway until it is told to stop", _run),
        cli.Verb("migrate", "bring the database's schema up to date", _migrate),
        cli.Verb("register", "write a community into the registry; again changes nothing", _register, file),
        cli.Verb("person", commands.HELP, _person, commands.add_arguments),
        cli.Verb("household", household_commands.HELP, _household, household_commands.add_arguments),
        cli.Verb("duty", duty_commands.DUTY_HELP, _duty, duty_commands.add_duty_arguments),
        cli.Verb("audit", audit.HELP, audit.run, audit.add_arguments),
        cli.Verb("drill", duty_commands.DRILL_HELP, _duty, duty_commands.add_drill_arguments),
    ]
    return cli.run("gateway", "The hub of Linli: ingest, alarms, receipts, registry.", verbs)


if __name__ == "__main__":
    sys.exit(main())
