"""The desk's end of the pictures: newest frame and judged health of every camera, and who is told of changes."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from gateway.contract.frames import FrameHeader
from gateway.runtime import logs, metrics
from gateway.runtime.clock import Clock, to_ms
from gateway.runtime.service import Statistics, keep_running
from gateway.runtime.settings import Settings
from gateway.store import video
from gateway.store.pool import Database
from security_video import health
from security_video.frame_bus import Frame, FrameReader
from security_video.health import Link, Look, Observation, State
from security_video.roster import CameraPlan, Roster, roster_of
from security_video.settings import VideoSettings, frames_dir

log = logs.get(__name__)

JUDGE_S = 0.25
RECEIVE_S = 0.25
MOST_UNWRITTEN = 1000

_PROGRAM = "hub"
_CHANGES = metrics.counter("linli_camera_state_changes", "Changes of cameras into a state.", ("state", "reason"))
_CAMERAS = metrics.gauge("linli_cameras_count", "Cameras that are in a state now.", ("state",))
_PICTURES = metrics.counter("linli_pictures", "Pictures that reached the hub.")


@dataclass(frozen=True, slots=True)
class Health:
    """A camera's state as it is told: why, and since when (wall clock)."""

    state: State
    reason: str
    since: datetime


class HealthHistory(Protocol):
    """Where changes of health are kept."""

    async def write(self, camera_id: str, told: Health) -> None:
        """Keep one change; raises Unavailable while that is not possible."""
        ...


@dataclass(frozen=True, slots=True)
class DatabaseHistory:
    """The health history in PostgreSQL."""

    database: Database

    async def write(self, camera_id: str, told: Health) -> None:
        await video.write_health(self.database, video.Stay(camera_id, told.state.value, told.reason, told.since, None))


@dataclass(frozen=True, slots=True)
class CameraView:
    """What the desk knows of one camera at one moment; `frame` is its newest picture, None before the first."""

    plan: CameraPlan
    health: Health
    frame: Frame | None

    @property
    def version(self) -> tuple[int, int]:
        """Rises with every new picture; (0, 0) before the first."""
        return (self.frame.header.epoch, self.frame.header.seq + 1) if self.frame else (0, 0)


@dataclass(slots=True)
class _Cell:
    """One camera while the hub runs."""

    plan: CameraPlan
    track: health.Track
    begun_s: float
    told: Health
    link: Link = Link.CONNECTING
    frame: Frame | None = None
    received_s: float = 0.0


class Hub:
    """Reads all publishers in a thread and judges in the event loop; a service, used from that loop alone."""

    def __init__(
        self, settings: VideoSettings, folder: Path, roster: Roster, clock: Clock, history: HealthHistory | None = None
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._roster = roster
        self._clock = clock
        self._history = history
        self._cells: dict[str, _Cell] = {}
        self._listeners: set[Callable[[str], None]] = set()
        self._inbox = _Inbox(self._take)
        self._loops = (keep_running("hub_judge", self._judge_always), keep_running("hub_roster", self._follow_roster))
        self._unwritten: deque[tuple[str, Health]] = deque(maxlen=MOST_UNWRITTEN)
        self._has_unwritten = asyncio.Event()
        self._writing = keep_running("hub_history", self._write_always)

    async def start(self) -> None:
        """Read the list of cameras and begin to listen."""
        self._set_plans(await self._roster())
        self._inbox.start(self._folder, self._settings.window)
        for service in (*self._loops, self._writing):
            await service.start()

    async def stop(self) -> None:
        for service in (*self._loops, self._writing):
            await service.stop()
        await asyncio.to_thread(self._inbox.stop)

    def statistics(self) -> Statistics:
        live, total = self.count_live()
        return {"cameras": total, "live": live, "unwritten": len(self._unwritten), **self._inbox.statistics()}

    def count_live(self) -> tuple[int, int]:
        """Return (live cameras, all cameras)."""
        live = sum(cell.told.state is State.LIVE for cell in self._cells.values())
        return live, len(self._cells)

    def cameras(self) -> tuple[CameraView, ...]:
        """Return all cameras in the order of their list."""
        return tuple(_view(cell) for cell in self._cells.values())

    def camera(self, camera_id: str) -> CameraView | None:
        """Return one camera, or None."""
        cell = self._cells.get(camera_id)
        return _view(cell) if cell else None

    def listen(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Call `listener(camera_id)` in the loop after every new picture or state; returns how to end that."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def _tell(self, camera_id: str) -> None:
        for listener in tuple(self._listeners):
            listener(camera_id)

    def _set_plans(self, plans: Sequence[CameraPlan]) -> None:
        now_s = self._clock.monotonic_s()
        cells: dict[str, _Cell] = {}
        for plan in plans:
            cell = self._cells.get(plan.camera_id)
            if cell is None:
                cell = _Cell(plan, health.begin(now_s), now_s, Health(State.STARTING, "starting", self._clock.now()))
            cells[plan.camera_id] = replace(cell, plan=plan)
        self._cells = cells

    def _take(self, frames: Sequence[Frame]) -> None:
        now_s = self._clock.monotonic_s()
        for frame in frames:
            cell = self._cells.get(frame.header.camera_id)
            if cell is None:
                metrics.dropped(_PROGRAM, "unknown_camera")
                continue
            cell.link = Link(frame.header.link)
            if frame.payload:
                cell.frame, cell.received_s = frame, now_s
                _PICTURES.inc()
                self._judge(cell, now_s)
                self._tell(cell.plan.camera_id)

    async def _judge_always(self) -> None:
        while True:
            now_s = self._clock.monotonic_s()
            for cell in self._cells.values():
                self._judge(cell, now_s)
            states = [cell.told.state for cell in self._cells.values()]
            for state in State:
                _CAMERAS.labels(state.value).set(states.count(state))
            await asyncio.sleep(JUDGE_S)

    def _judge(self, cell: _Cell, now_s: float) -> None:
        cell.track = health.advance(cell.track, self._observe(cell, now_s), now_s, self._settings.limits)
        said = cell.track.said
        if (said.state, said.reason) == (cell.told.state, cell.told.reason):
            return
        is_new_state = said.state is not cell.told.state
        since = self._clock.now() - timedelta(seconds=now_s - cell.track.since_s)
        cell.told = Health(said.state, said.reason, since if is_new_state else cell.told.since)
        if is_new_state:
            self._announce(cell)
        self._tell(cell.plan.camera_id)

    def _observe(self, cell: _Cell, now_s: float) -> Observation:
        waiting_s = now_s - cell.begun_s
        if cell.frame is None:
            return Observation(cell.link, None, None, None, waiting_s)
        header = cell.frame.header
        age_s = header.age_s(to_ms(self._clock.now()) * 1_000_000)
        return Observation(cell.link, now_s - cell.received_s, age_s, look_of(header), waiting_s)

    def _announce(self, cell: _Cell) -> None:
        state, reason = cell.told.state.value, cell.told.reason
        _CHANGES.labels(state, reason).inc()
        log.info("camera_state_changed", camera=cell.plan.camera_id, state=state, reason=reason)
        if self._history is None:
            return
        if len(self._unwritten) == MOST_UNWRITTEN:
            metrics.dropped(_PROGRAM, "health_history_full")
        self._unwritten.append((cell.plan.camera_id, cell.told))
        self._has_unwritten.set()

    async def _write_always(self) -> None:
        while True:
            await self._has_unwritten.wait()
            while self._unwritten and self._history is not None:
                await self._history.write(*self._unwritten[0])
                self._unwritten.popleft()
            self._has_unwritten.clear()

    async def _follow_roster(self) -> None:
        while True:
            await asyncio.sleep(self._settings.roster_poll_s)
            self._set_plans(await self._roster())


class _Inbox:
    """The thread that owns the sockets; hands frames to the loop, newest per camera, however busy the loop is."""

    def __init__(self, take: Callable[[Sequence[Frame]], None]) -> None:
        self._deliver = take
        self._lock = threading.Lock()
        self._frames: dict[tuple[str, bool], Frame] = {}
        self._quit = threading.Event()
        self._thread: threading.Thread | None = None
        self._overtaken = 0

    def start(self, folder: Path, window: int) -> None:
        self._quit.clear()
        loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, args=(loop, folder, window), name="hub-frames", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._quit.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()

    def statistics(self) -> dict[str, int]:
        return {"overtaken_in_loop": self._overtaken}

    def _run(self, loop: asyncio.AbstractEventLoop, folder: Path, window: int) -> None:
        reader = FrameReader(folder, window)
        while not self._quit.is_set():
            frame = reader.receive(RECEIVE_S)
            if frame is not None and self._put(frame) and not loop.is_closed():
                loop.call_soon_threadsafe(self._hand_over)
        reader.close()

    def _put(self, frame: Frame) -> bool:
        """Keep the newest of each camera; True when the loop must be woken."""
        key = frame.header.camera_id, bool(frame.payload)
        with self._lock:
            was_empty = not self._frames
            self._overtaken += key in self._frames
            self._frames[key] = frame
            return was_empty

    def _hand_over(self) -> None:
        with self._lock:
            frames, self._frames = list(self._frames.values()), {}
        self._deliver(frames)


def look_of(header: FrameHeader) -> Look:
    """Return the measures that a header carries."""
    return Look(header.luma, header.spread, header.detail, header.still_ms / 1000)


def _view(cell: _Cell) -> CameraView:
    return CameraView(cell.plan, cell.told, cell.frame)


def hub_of(settings: Settings, database: Database, clock: Clock) -> Hub:
    """Return the hub of one node; `settings` were loaded with VideoSettings, `database` runs before and after it."""
    own = settings.of(VideoSettings)
    folder, roster = frames_dir(settings.node.run_dir), roster_of(settings, database)
    return Hub(own, folder, roster, clock, DatabaseHistory(database))
