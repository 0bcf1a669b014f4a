import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.contract.frames import FrameHeader
from gateway.model.errors import Unavailable
from gateway.model.ids import CameraId
from gateway.runtime.clock import SystemClock, wall_ns
from gateway.store.pool import Database
from gateway.store.video import health_between
from security_video.frame_bus import FramePublisher
from security_video.health import State
from security_video.hub import CameraView, DatabaseHistory, Health, Hub
from security_video.roster import CameraPlan
from security_video.settings import VideoSettings

JPEG = b"\xff\xd8 a picture \xff\xd9"
QUICK = VideoSettings(late_s=0.4, frozen_s=1.0, no_signal_s=2.5, settle_s=0.1)
PATIENCE_S = 20.0


@dataclass
class MemoryHistory:
    """A history that can be away."""

    written: list[tuple[str, str]] = field(default_factory=list)
    is_away: bool = False

    async def write(self, camera_id: str, told: Health) -> None:
        if self.is_away:
            raise Unavailable("away")
        self.written.append((camera_id, told.state.value))


async def roster() -> Sequence[CameraPlan]:
    return [CameraPlan(CameraId(name), name, "110105001001", "testcard:1") for name in ("cam-1", "cam-2")]


@pytest.fixture
def history() -> MemoryHistory:
    return MemoryHistory()


@pytest.fixture
async def hub(tmp_path: Path, history: MemoryHistory) -> AsyncIterator[Hub]:
    hub = Hub(QUICK, tmp_path / "f", roster, SystemClock(), history)
    await hub.start()
    yield hub
    await hub.stop()


@pytest.fixture
async def publisher(tmp_path: Path) -> AsyncIterator[FramePublisher]:
    publisher = FramePublisher(tmp_path / "f", "one")
    publisher.start()
    yield publisher
    await asyncio.to_thread(publisher.stop)


def a_header(
    seq: int, *, camera_id: str = "cam-1", luma: int = 110, still_ms: int = 0, link: str = "open"
) -> FrameHeader:
    is_picture = link == "open"
    return FrameHeader(
        *(camera_id, 1, seq, wall_ns(), 0, 640, 360, "jpeg" if is_picture else "none"),
        link=link,
        luma=luma,
        spread=40 if luma > 20 else 1,
        detail=300,
        still_ms=still_ms,
    )


async def until(hub: Hub, is_so: Callable[[CameraView], bool], camera_id: str = "cam-1") -> CameraView:
    async with asyncio.timeout(PATIENCE_S):
        while (view := hub.camera(camera_id)) is None or not is_so(view):
            await asyncio.sleep(0.02)
    return view


async def film(publisher: FramePublisher, hub: Hub, state: State, luma: int = 110, still_ms: int = 0) -> list[State]:
    """Send pictures until the camera is in `state`; return the states that it was in on the way."""
    states: list[State] = []
    async with asyncio.timeout(PATIENCE_S):
        for seq in range(10_000):
            publisher.offer(a_header(seq + film_start(hub), luma=luma, still_ms=still_ms), JPEG)
            await asyncio.sleep(0.04)
            view = hub.camera("cam-1")
            assert view is not None
            if not states or states[-1] is not view.health.state:
                states.append(view.health.state)
            if states[-1] is state:
                return states
    return states


def film_start(hub: Hub) -> int:
    view = hub.camera("cam-1")
    return view.frame.header.seq + 1 if view and view.frame else 0


async def test_newest_picture_is_kept(hub: Hub, publisher: FramePublisher) -> None:
    """The hub has every camera's newest picture, and the camera is live."""
    await film(publisher, hub, State.LIVE)
    view = await until(hub, lambda view: view.frame is not None)
    assert view.frame is not None
    assert view.frame.payload == JPEG
    assert hub.count_live() == (1, 2)


async def test_camera_that_falls_silent_walks_to_no_signal(hub: Hub, publisher: FramePublisher) -> None:
    """When no more pictures come, the last one is called late, then frozen, then without signal: never live."""
    await film(publisher, hub, State.LIVE)
    states = []
    for state in (State.LATE, State.FROZEN, State.NO_SIGNAL):
        view = await until(hub, lambda view, state=state: view.health.state is state)  # type: ignore[misc]
        states.append(view.health.state)
        assert view.frame is not None
    assert states == [State.LATE, State.FROZEN, State.NO_SIGNAL]


async def test_same_picture_over_and_over_is_frozen(hub: Hub, publisher: FramePublisher) -> None:
    """A camera that sends one picture again and again is called frozen although its frames advance."""
    await film(publisher, hub, State.LIVE)
    await film(publisher, hub, State.FROZEN, still_ms=1500)
    view = hub.camera("cam-1")
    assert view is not None
    assert view.health.reason == "same_picture"


async def test_changing_picture_is_not_frozen(hub: Hub, publisher: FramePublisher) -> None:
    """The control of the tests above: a camera whose pictures change and keep coming stays live all the time."""
    await film(publisher, hub, State.LIVE)
    for seq in range(60):
        publisher.offer(a_header(film_start(hub) + seq), JPEG)
        await asyncio.sleep(0.03)
        view = hub.camera("cam-1")
        assert view is not None
        assert view.health.state is State.LIVE


async def test_dark_picture_is_dark(hub: Hub, publisher: FramePublisher) -> None:
    """A camera whose lens is capped is called dark."""
    await film(publisher, hub, State.DARK, luma=4)


@pytest.mark.parametrize(("link", "state"), [("refused", State.REFUSED), ("not_video", State.NO_SIGNAL)])
async def test_what_the_connection_says_is_told(hub: Hub, publisher: FramePublisher, link: str, state: State) -> None:
    """A camera that cannot be reached is told as such before any picture, with the reason."""
    publisher.offer(a_header(0, link=link), b"")
    view = await until(hub, lambda view: view.health.state is state)
    assert view.health.reason == link
    assert view.frame is None


async def test_camera_of_which_nothing_is_ever_heard_has_no_signal(hub: Hub) -> None:
    """A camera whose capture process does not run is not starting for ever."""
    view = await until(hub, lambda view: view.health.state is State.NO_SIGNAL, "cam-2")
    assert view.health.reason == "never_seen"


async def test_changes_are_written_after_the_history_was_away(
    hub: Hub, publisher: FramePublisher, history: MemoryHistory
) -> None:
    """Changes of health that happen while the history is away are written in order when it is back."""
    history.is_away = True
    await film(publisher, hub, State.LIVE)
    await until(hub, lambda view: view.health.state is State.LATE)
    history.is_away = False
    async with asyncio.timeout(PATIENCE_S):
        while len([state for camera, state in history.written if camera == "cam-1"]) < 2:
            await asyncio.sleep(0.05)
    assert [state for camera, state in history.written if camera == "cam-1"][:2] == ["live", "late"]


async def test_history_is_in_the_database(tmp_path: Path, publisher: FramePublisher, database_dsn: str) -> None:
    """What a camera went through can be read from the database, stay by stay."""
    database = Database(database_dsn, min_size=1, max_size=2)
    await database.start()
    clock = SystemClock()
    hub, begun = Hub(QUICK, tmp_path / "f", roster, clock, DatabaseHistory(database)), clock.now()
    await hub.start()
    await film(publisher, hub, State.LIVE)
    await until(hub, lambda view: view.health.state is State.FROZEN)
    async with asyncio.timeout(PATIENCE_S):
        while len(stays := await health_between(database, "cam-1", begun, clock.now())) < 3:
            await asyncio.sleep(0.05)
    await hub.stop()
    await database.stop()
    assert [stay.state for stay in stays][:3] == ["live", "late", "frozen"]
    assert stays[0].until == stays[1].since


async def test_listener_hears_pictures_until_it_stops(hub: Hub, publisher: FramePublisher) -> None:
    """Who listens is told of every new picture, and of none after it has stopped."""
    heard: list[str] = []
    stop = hub.listen(heard.append)
    await film(publisher, hub, State.LIVE)
    assert "cam-1" in heard
    stop()
    heard.clear()
    publisher.offer(a_header(film_start(hub)), JPEG)
    await asyncio.sleep(0.2)
    assert heard == []


async def test_pictures_of_unknown_cameras_are_not_kept(hub: Hub, publisher: FramePublisher) -> None:
    """A picture of a camera that is not on the list goes nowhere."""
    publisher.offer(a_header(0, camera_id="stranger"), JPEG)
    await film(publisher, hub, State.LIVE)
    assert hub.camera("stranger") is None


async def test_stopping_before_the_start_and_twice_is_fine(tmp_path: Path) -> None:
    """A hub may be stopped at any time."""
    hub = Hub(QUICK, tmp_path / "f", roster, SystemClock())
    await hub.stop()
    await hub.start()
    await hub.stop()
    await hub.stop()
