"""A small village in one process: every device of a village file with a line of its own, and its cameras."""

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from firmware_stubs import log, replay
from firmware_stubs.clock import Clock
from firmware_stubs.control import Control
from firmware_stubs.member import Member
from firmware_stubs.settings import StubSettings
from firmware_stubs.village_file import StubCamera, VillageFile
from gateway.model.errors import ConfigurationError

if TYPE_CHECKING:
    from firmware_stubs.ip_camera.camera import IpCamera

#: A village is ready when all are connected and the past is told, or after this long, with whoever is there.
READY_PATIENCE_S = 15.0


class Village:
    """All members of a village file. `start` returns when they are connected and their history is sent."""

    def __init__(self, plan: VillageFile, settings: StubSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self.members: Mapping[str, Member] = {
            device.device_id: Member(device, plan.area_id, settings, clock) for device in plan.devices
        }
        self._plan = plan
        self._cameras: list[IpCamera] = []
        self._control = Control(settings.control_path, self.members)
        self._telling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start everybody; ConfigurationError where a device has no password."""
        self._check_passwords()
        for member in self.members.values():
            await member.start()
        await self._control.start()
        await self._start_cameras()
        self._telling = asyncio.create_task(self._tell_the_past(), name="stub-history")
        await asyncio.wait([self._telling], timeout=READY_PATIENCE_S)
        for member in self.members.values():
            member.begin_reporting()

    async def _start_cameras(self) -> None:
        if not self._plan.cameras:
            return
        from firmware_stubs.ip_camera.camera import IpCamera  # noqa: PLC0415 - encoders load slowly, and rarely

        for plan in self._plan.cameras:
            rtsp_port, http_port = (plan.port, 0) if plan.scheme == "rtsp" else (0, plan.port)
            camera = IpCamera(rtsp_port=rtsp_port, http_port=http_port, clock=self._clock)
            self._cameras.append(camera)
            await _open(camera, plan)

    def _check_passwords(self) -> None:
        known = self._settings.passwords()
        missing = sorted(set(self.members) - set(known))
        if known and missing:
            raise ConfigurationError(
                f"no password for {', '.join(missing)}",
                place=str(self._settings.data_dir / "secrets" / "devices.json"),
                cure="Register the village again.",
            )

    async def _tell_the_past(self) -> None:
        await asyncio.gather(*(member.device.connected.wait() for member in self.members.values()))
        village = self._settings.village
        files = replay.files_of(self._settings, self.members)
        counts = await asyncio.gather(
            *(member.send_history(village.history_days) for name, member in self.members.items() if name not in files),
            *(self._replay(name, path) for name, path in files.items()),
        )
        log.info("history_sent", batches=sum(counts))

    async def _replay(self, name: str, path: Path) -> int:
        folder = self._settings.state_dir / name
        return await replay.tell(
            self.members[name], path, folder, self._clock.now(), self._settings.village.history_days
        )

    async def stop(self) -> None:
        """Stop everybody; also before `start`, also twice."""
        await self._control.stop()
        telling, self._telling = self._telling, None
        if telling is not None:
            telling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await telling
        await asyncio.gather(*(member.stop() for member in self.members.values()))
        cameras, self._cameras = self._cameras, []
        await asyncio.gather(*(camera.stop() for camera in cameras))

    @property
    def connected_count(self) -> int:
        """How many devices have a line now."""
        return sum(member.device.connected.is_set() for member in self.members.values())


async def _open(camera: "IpCamera", plan: StubCamera) -> None:
    """Start a camera; a port that is taken leaves this camera dark and the village alive."""
    try:
        await camera.start()
    except OSError as error:
        log.dropped("camera_not_started", camera=plan.camera_id, port=plan.port, why=str(error))
