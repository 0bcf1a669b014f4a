import asyncio
from pathlib import Path

import pytest

from firmware_stubs.ip_camera.camera import IpCamera
from firmware_stubs.ip_camera.sensor import Fault, Lens
from gateway.runtime.clock import SystemClock
from gateway.runtime.settings import load
from gateway.store.pool import Database
from security_video.health import State
from security_video.hub import Hub
from security_video.roster import roster_of
from security_video.settings import VideoSettings
from tests.security_video.test_capture import capturing, frames_of, written

QUICK = {"frozen_s": 2.0, "late_s": 1.5, "settle_s": 0.2, "read_timeout_s": 1.0, "retry_longest_s": 0.5}
PATIENCE_S = 40.0


async def states_until(hub: Hub, wanted: State, seconds: float = PATIENCE_S) -> list[tuple[State, str]]:
    """Return the states that the camera went through until `wanted`, or until the time was over."""
    seen: list[tuple[State, str]] = []
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while loop.time() < deadline:
        view = hub.camera("cam")
        assert view is not None
        now = (view.health.state, view.health.reason)
        if not seen or seen[-1] != now:
            seen.append(now)
        if now[0] is wanted:
            break
        await asyncio.sleep(0.05)
    return seen


@pytest.mark.parametrize("road", ["rtsp_url", "mjpeg_url"])
@pytest.mark.parametrize(
    ("fault", "state", "reason"),
    [
        (Fault.FREEZE, State.FROZEN, "same_picture"),
        (Fault.DARK, State.DARK, "dark"),
        (Fault.HANG, State.NO_SIGNAL, "timed_out"),
        (Fault.REFUSE, State.REFUSED, "refused"),
    ],
)
async def test_fault_of_a_real_camera_reaches_the_desk_and_ends(
    tmp_path: Path, road: str, fault: Fault, state: State, reason: str
) -> None:
    """What goes wrong in a camera is told at the desk by its own word, over both roads, and is over when it is."""
    camera = IpCamera(Lens(width=320, height=180, fps=15, bit_rate=600_000))
    await camera.start()
    sources = {"cam": getattr(camera, road)}
    async with capturing(tmp_path, sources, **QUICK):
        settings = load(written(tmp_path, sources, **QUICK), VideoSettings)
        hub = Hub(settings.of(VideoSettings), frames_of(tmp_path), roster_of(settings, Database("")), SystemClock())
        await hub.start()
        await states_until(hub, State.LIVE)
        # The control: for longer than the limit a healthy camera is nothing but live.
        assert await states_until(hub, State.FROZEN, 3.0) == [(State.LIVE, "live")]
        await camera.set_fault(fault)
        assert (state, reason) in await states_until(hub, state)
        await camera.set_fault(Fault.NONE)
        assert (await states_until(hub, State.LIVE))[-1] == (State.LIVE, "live")
        await hub.stop()
    await camera.stop()
