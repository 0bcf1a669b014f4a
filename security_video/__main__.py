"""Front door of the video programs: `python -m security_video capture|desk --config FILE`."""

import argparse
import sys

from gateway.runtime import cli, logs
from gateway.runtime.service import Service, run_until_signal
from gateway.runtime.settings import load
from gateway.store.pool import Database
from security_video.capture import CaptureService
from security_video.group import end_now, run_group
from security_video.roster import roster_of
from security_video.settings import VideoSettings, frames_dir


async def capture(options: argparse.Namespace) -> int:
    """Run the supervisor of capture until a signal."""
    settings = load(options.config, VideoSettings)
    logs.configure("capture", settings.node.log_level)
    video = settings.of(VideoSettings)
    database = Database(settings.database.dsn, min_size=1, max_size=2)
    folder = frames_dir(settings.node.run_dir)
    service = CaptureService(video, options.config, folder, roster_of(settings, database))
    # Cameras that stand in a file need no database.
    services: tuple[Service, ...] = (service,) if video.sources else (database, service)
    await run_until_signal("capture", services, lambda: {"cameras": len(service.plans)})
    return 0


def capture_group(options: argparse.Namespace) -> int:
    """Run one capture process; started by `capture`, which feeds its standard input."""
    settings = load(options.config, VideoSettings)
    logs.configure(f"capture/{options.name}", settings.node.log_level)
    code = run_group(options.name, frames_dir(settings.node.run_dir), settings.of(VideoSettings))
    end_now(code)
    return code


async def desk(options: argparse.Namespace) -> int:
    """Serve the security desk until a signal."""
    from security_video.desk import app  # noqa: PLC0415  capture processes need not load the web server

    return await app.serve(options)


def _group_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", required=True, help="name of the process and of its socket")


VERBS = (
    cli.Verb("capture", "take pictures from all cameras and publish them", capture),
    cli.Verb("capture-group", "one process of capture (started by capture)", capture_group, _group_arguments),
    cli.Verb("desk", "serve the security desk", desk),
)


def main() -> int:
    """Run the program and return its exit code."""
    return cli.run("security_video", "Cameras, pictures and the security desk of Linli.", VERBS)


if __name__ == "__main__":
    sys.exit(main())
