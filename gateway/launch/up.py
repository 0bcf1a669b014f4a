"""`linli up`: the platform by a settings file, with its own or the embedded broker and database, until Ctrl-C."""

import argparse
import asyncio
from pathlib import Path
from typing import Any

from gateway.launch import node, programs, sections, seeding, settings_file
from gateway.launch.progress import Progress
from gateway.runtime import logs
from gateway.store.migrate import migrate_at


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, help="settings file (default: ./linli.toml where there is one)")
    parser.add_argument("--community", type=Path, help="community file to register first; prints new passwords")


def run(options: argparse.Namespace) -> int:
    """Run the platform until it is told to stop; returns 0."""
    config = settings_file.config_of(options.config)
    sections.check(config)
    document = settings_file.read(config) if config else {}
    data_dir = settings_file.data_dir_of(document, config)
    with node.locked(data_dir):
        node.check_ports(
            sections.own_ports(config), "End the program that uses it, or change the port in that section."
        )
        (data_dir / "log").mkdir(exist_ok=True)
        with (data_dir / "log" / "linli.log").open("a", encoding="utf-8") as stream:
            logs.configure("linli", stream=stream)
            return asyncio.run(node.until_told(lambda: _run(options, data_dir, document)))


async def _run(options: argparse.Namespace, data_dir: Path, document: dict[str, dict[str, Any]]) -> None:
    progress = Progress()
    logins: list[seeding.Login] = []

    async def prepare(dsn: str) -> None:
        if options.community:
            logins.extend((await seeding.seed(dsn, data_dir, options.community)).logins)
        else:
            await migrate_at(dsn)

    plan = node.Plan(data_dir, document, programs.STAR)
    async with node.running(plan, prepare, progress) as running:
        names = ("gateway", "tv", "desk")
        rows = [(name, url) for name in names if (url := running.url(name))]
        rows += [(login.name, login.password) for login in logins]
        progress.summary("邻里 Linli", rows, "Ctrl-C stops everything.")
        await asyncio.Event().wait()
