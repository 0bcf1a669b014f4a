"""Front door of the video programs: `python -m security_video capture|desk --config FILE`."""

import argparse
import sys
from pathlib import Path

from gateway.runtime import cli, logs
from gateway.runtime.service import Service, run_until_signal
from gateway.runtime.settings import Settings, load
from gateway.store.pool import Database
from security_video import roster
from security_video.capture import CaptureService, Roster
from security_video.group import end_now, run_group
from security_video.settings import VideoSettings, frames_dir


async def capture(options: argparse.Namespace) -> int:
    """Run the supervisor of capture until a signal."""
    settings = load(options.config, VideoSettings)
    logs.configure("capture", settings.node.log_level)
    services, cameras = _roster(settings)
    service = CaptureService(settings.of(VideoSettings), options.config, frames_dir(settings.node.run_dir), cameras)
    await run_until_signal("capture", (*services, service), lambda: {"cameras": len(service.plans)})
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

    code: int = await app.serve(options)
    return code


def _roster(settings: Settings) -> tuple[tuple[Service, ...], Roster]:
    """Return where the cameras are listed, with the services that this needs."""
    video, area_id = settings.of(VideoSettings), settings.node.area_id
    if video.sources:
        base = settings.path.parent if settings.path else Path()

        async def read_file() -> tuple[roster.CameraPlan, ...]:
            return roster.from_file(base / video.sources, area_id)

        return (), read_file
    database = Database(settings.database.dsn, min_size=1, max_size=2)

    async def read_registry() -> tuple[roster.CameraPlan, ...]:
        return await roster.from_registry(database, area_id)

    return (database,), read_registry


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
