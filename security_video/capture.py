"""The supervisor of capture: spreads the cameras over processes, restarts what dies, kills what hangs."""

import asyncio
import contextlib
import sys
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.contract import codec
from gateway.model.errors import BadInput, Unavailable
from gateway.runtime import logs, metrics
from gateway.runtime.clock import monotonic_ns
from gateway.runtime.service import KeptRunning, Statistics, keep_running
from security_video.frame_bus import SUFFIX
from security_video.roster import CameraPlan, Roster, encode_plans
from security_video.settings import VideoSettings

log = logs.get(__name__)

FIRST_REPORT_S = 15.0
END_PATIENCE_S = 1.0
#: A process that lived this long is replaced at once when it ends; only one that keeps ending waits.
HEALTHY_S = 60.0

_PROGRAM = "capture"


class CaptureService:
    """Keeps as many capture processes as the cameras need; a camera stays in its process while it is listed."""

    def __init__(self, settings: VideoSettings, config: Path | None, folder: Path, roster: Roster) -> None:
        self._settings = settings
        self._config = config
        self._folder = folder
        self._roster = roster
        self._groups: list[GroupProcess] = []
        self._watch = keep_running("roster", self._follow)
        self.plans: Sequence[CameraPlan] = ()

    async def start(self) -> None:
        """Start the processes and return when each has reported."""
        for leftover in self._folder.glob(f"*{SUFFIX}"):
            leftover.unlink()
        await self._spread(await self._roster())
        for group in self._groups:
            await group.wait_ready()
        await self._watch.start()

    async def stop(self) -> None:
        await self._watch.stop()
        groups, self._groups = self._groups, []
        await asyncio.gather(*(group.stop() for group in groups))

    def statistics(self) -> Statistics:
        """Return figures over all processes since each of them began."""
        totals: Counter[str] = Counter(cameras=len(self.plans), processes=len(self._groups))
        for group in self._groups:
            totals["restarts"] += group.restarts
            for tally in group.cameras().values():
                totals.update(tally)
        return dict(totals)

    def processes(self) -> Sequence["GroupProcess"]:
        return self._groups

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(self._settings.roster_poll_s)
            log.debug("capture_statistics", **self.statistics())
            plans = await self._roster()
            if tuple(plans) != tuple(self.plans):
                log.info("cameras_changed", cameras=len(plans))
                await self._spread(plans)

    async def _spread(self, plans: Sequence[CameraPlan]) -> None:
        self.plans = tuple(plans)
        places = place(self.plans, [group.camera_ids() for group in self._groups], self._settings.cameras_per_process)
        while len(self._groups) < len(places):
            group = GroupProcess(f"group-{len(self._groups)}", self._config, self._settings)
            self._groups.append(group)
            await group.start()
        for group, share in zip(self._groups, places, strict=True):
            await group.give(share)


def place(plans: Sequence[CameraPlan], held: Sequence[set[str]], most: int) -> list[list[CameraPlan]]:
    """Return the cameras of each process: who has a process keeps it, the others fill the gaps, then new processes."""
    places: list[list[CameraPlan]] = [[plan for plan in plans if plan.camera_id in ids] for ids in held]
    placed = {plan.camera_id for share in places for plan in share}
    for plan in plans:
        if plan.camera_id in placed:
            continue
        room = next((share for share in places if len(share) < most), None)
        if room is None:
            room = []
            places.append(room)
        room.append(plan)
    return places or [[]]


@dataclass(slots=True)
class GroupProcess:
    """One capture process, started again whenever it ends, killed when it says nothing or reports a stuck camera."""

    name: str
    config: Path | None
    settings: VideoSettings
    pid: int = 0
    restarts: int = 0
    _share: Sequence[CameraPlan] = ()
    _report: dict[str, object] = field(default_factory=dict)
    _process: Process | None = None
    _is_ready: asyncio.Event = field(default_factory=asyncio.Event)
    _keeper: KeptRunning | None = None

    async def start(self) -> None:
        self._keeper = keep_running(self.name, self._live)
        await self._keeper.start()

    async def stop(self) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            await keeper.stop()

    async def give(self, share: Sequence[CameraPlan]) -> None:
        """Make `share` the process's cameras, now and after every restart."""
        if tuple(share) != tuple(self._share):
            self._share = tuple(share)
            await self._tell()

    async def wait_ready(self) -> None:
        """Wait for the first report; raises Unavailable when none comes."""
        try:
            async with asyncio.timeout(FIRST_REPORT_S):
                await self._is_ready.wait()
        except TimeoutError as error:
            raise Unavailable("capture process does not report", place=self.name, cure="Read its log above.") from error

    def camera_ids(self) -> set[str]:
        return {plan.camera_id for plan in self._share}

    def cameras(self) -> dict[str, dict[str, int]]:
        """Return each camera's tally of the last report."""
        tallies: Any = self._report.get("cameras", {})
        return dict(tallies)

    async def _tell(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(ConnectionError):
                self._process.stdin.write(encode_plans(self._share) + b"\n")
                await self._process.stdin.drain()

    async def _live(self) -> None:
        """Run one process to its end; an early end is an error, so that the next one begins with backoff."""
        begun_ns = monotonic_ns()
        config = ("--config", str(self.config)) if self.config else ()
        arguments = ("-m", "security_video", "capture-group", "--name", self.name, *config)
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=pipe, stdout=pipe)
        self._process, self.pid = process, process.pid
        try:
            await self._tell()
            await self._listen(process)
        finally:
            self._process = None
            self.restarts += 1
            await _end(process)
        if (monotonic_ns() - begun_ns) / 1e9 < HEALTHY_S:
            raise Unavailable(f"capture process ended with code {process.returncode}", place=self.name)
        log.warning("capture_process_ended", name=self.name, code=process.returncode)

    async def _listen(self, process: Process) -> None:
        """Read reports until the process ends; LinliError when it hangs."""
        while process.stdout is not None and (line := await self._next_line(process.stdout)):
            try:
                self._report = codec.decode(line)
            except BadInput as error:
                metrics.dropped(_PROGRAM, error.reason)
                continue
            self._is_ready.set()
            if stuck := self._report.get("stuck"):
                metrics.dropped(_PROGRAM, "stuck_camera")
                raise Unavailable(f"cameras hang in their driver: {stuck}", place=self.name)

    async def _next_line(self, stdout: asyncio.StreamReader) -> bytes:
        try:
            async with asyncio.timeout(self.settings.stuck_after_s):
                return await stdout.readline()
        except TimeoutError as error:
            metrics.dropped(_PROGRAM, "silent_process")
            raise Unavailable("capture process says nothing any more", place=self.name) from error


async def _end(process: Process) -> None:
    """End the process kindly, then by force; returns when it is gone."""
    if process.stdin is not None:
        process.stdin.close()
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
    try:
        async with asyncio.timeout(END_PATIENCE_S):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
