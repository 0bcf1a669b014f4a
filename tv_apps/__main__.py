"""Front door of the television: serve the pages, import notices, and the tools of mini-app developers."""

import argparse
import sys
from pathlib import Path

from gateway.runtime import cli, logs
from gateway.runtime.clock import SteadyClock, SystemClock
from gateway.runtime.service import run_until_signal
from gateway.runtime.settings import Settings, load
from gateway.store.pool import Database
from tv_apps import app
from tv_apps.content import importing
from tv_apps.miniapps import commands, installation
from tv_apps.settings import SECTIONS


def _settings(options: argparse.Namespace) -> Settings:
    settings = load(options.config, *SECTIONS)
    logs.configure("tv", settings.node.log_level)
    return settings


async def _serve(options: argparse.Namespace) -> None:
    program = app.build(_settings(options), SteadyClock())
    await run_until_signal("tv", program.services, lambda: {"url": program.tv.url, "developer": program.developer.url})


async def _notices(options: argparse.Namespace) -> int:
    return await importing.run(_settings(options), options)


async def _bundled(options: argparse.Namespace) -> None:
    settings = _settings(options)
    database = Database(settings.database.dsn, max_size=2, program="tv-bundled")
    await database.start()
    try:
        node = settings.node
        await installation.Installation(database, SystemClock(), node.secrets_dir, node.area_id).publish(options.hold)
    finally:
        await database.stop()


def main() -> int:
    """Run the command line and return the exit code."""

    def notices(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("action", choices=("import", "demo"), help="import DIR: official texts; demo: our own")
        parser.add_argument("folder", type=Path, nargs="?", help="folder of .txt files, one document each")
        parser.add_argument("--area", default="", help="area that may read them (12 digits); the node's own by default")

    verbs = [
        cli.Verb("serve", "serve the TV pages and the developer console", _serve),
        cli.Verb("app", "make, check, sign and publish mini-apps", commands.act, commands.fill),
        cli.Verb("bundled", "publish the bundled mini-apps; again changes nothing", _bundled, installation.arguments),
        cli.Verb("notices", "write notices into the database; again changes nothing", _notices, notices),
    ]
    return cli.run("tv", "The television of Linli: pages, content, mini-apps.", verbs)


if __name__ == "__main__":
    sys.exit(main())
