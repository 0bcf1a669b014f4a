import asyncio
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from firmware_stubs.ip_camera.camera import IpCamera
from firmware_stubs.ip_camera.sensor import Fault, Lens
from gateway.model.ids import CameraId
from security_video.capture import CaptureService, place
from security_video.frame_bus import Frame, FrameReader
from security_video.roster import CameraPlan, Roster, from_file
from security_video.settings import VideoSettings, frames_dir
from security_video.sources.testcard import read_card

REPOSITORY = Path(__file__).parents[2]
AREA = "110105001001"
PATIENCE_S = 30.0
CLIP = "video/pedestrians-480x360-10fps.avi"


def a_plan(camera_id: str, source: str = "testcard:1") -> CameraPlan:
    return CameraPlan(CameraId(camera_id), camera_id, AREA, source)


def written(folder: Path, sources: dict[str, str], **video: object) -> Path:
    """Write a settings file and its cameras file, and return the settings file's path."""
    cameras = "".join(f'[[camera]]\nid = "{name}"\nsource = "{source}"\n' for name, source in sources.items())
    (folder / "cameras.toml").write_text(cameras, encoding="utf-8")
    options = "".join(f"{key} = {value}\n" for key, value in video.items())
    config = folder / "linli.toml"
    config.write_text(
        f'[node]\ndata_dir = "{folder}/d"\n[video]\nsources = "cameras.toml"\n{options}', encoding="utf-8"
    )
    return config


def frames_of(folder: Path) -> Path:
    return frames_dir(folder / "d" / "run")


@asynccontextmanager
async def capturing(folder: Path, sources: dict[str, str], **video: object) -> AsyncIterator[CaptureService]:
    """A supervisor in this process, its capture processes beside it."""
    config = written(folder, sources, **video)
    settings = VideoSettings.model_validate({"sources": "cameras.toml", **video})

    async def roster() -> Sequence[CameraPlan]:
        return from_file(folder / "cameras.toml", AREA)

    service = CaptureService(settings, config, frames_of(folder), roster)
    await service.start()
    try:
        yield service
    finally:
        await service.stop()


async def read(folder: Path, is_enough: Callable[[list[Frame]], bool]) -> list[Frame]:
    """Return the frames that came until there were enough."""

    def collect() -> list[Frame]:
        reader = FrameReader(frames_of(folder))
        frames: list[Frame] = []
        deadline = time.monotonic() + PATIENCE_S
        while not is_enough(frames) and time.monotonic() < deadline:
            if (frame := reader.receive(0.1)) is not None:
                frames.append(frame)
        reader.close()
        return frames

    return await asyncio.to_thread(collect)


def count(frames: list[Frame], camera_id: str) -> int:
    return sum(bool(frame.payload) and frame.header.camera_id == camera_id for frame in frames)


def links(frames: list[Frame], camera_id: str) -> set[str]:
    return {frame.header.link for frame in frames if frame.header.camera_id == camera_id}


def decoded(frame: Frame) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    pixels = cv2.imdecode(np.frombuffer(frame.payload, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    return pixels.astype(np.uint8, copy=False)


async def test_program_runs_alone_and_says_when_it_is_ready(tmp_path: Path) -> None:
    """`python -m security_video capture` prints one ready line, publishes pictures, and ends cleanly at SIGTERM."""
    config = written(tmp_path, {"cam-1": "testcard:1?fps=20", "cam-2": "testcard:2?fps=20"})
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "security_video", "capture", "--config", str(config)),
        stdout=asyncio.subprocess.PIPE,
        cwd=REPOSITORY,
    )
    assert program.stdout is not None
    assert json.loads(await program.stdout.readline()) == {"ready": "capture", "cameras": 2}
    frames = await read(tmp_path, lambda frames: min(count(frames, "cam-1"), count(frames, "cam-2")) >= 5)
    program.send_signal(signal.SIGTERM)
    output = await program.stdout.read()
    assert (await program.wait(), output) == (0, b"")
    assert all(read_card(decoded(frame)) for frame in frames if frame.payload)
    assert list(frames_of(tmp_path).iterdir()) == []


async def test_every_picture_of_the_clip_passes(tmp_path: Path, shared_data: Path) -> None:
    """A recording goes through capture, bus and reader: all 795 pictures, each whole and in order, none twice."""
    async with capturing(tmp_path, {"clip": f"file:{shared_data / CLIP}?loop=no&speed=readers"}):
        frames = await read(tmp_path, lambda frames: count(frames, "clip") >= 795 and "ended" in links(frames, "clip"))
    pictures = [frame for frame in frames if frame.payload]
    assert [frame.header.seq for frame in pictures] == list(range(795))
    assert {decoded(frame).shape for frame in pictures} == {(360, 480, 3)}
    ages_ms = sorted(frame.header.age_s(frame.received_ns) * 1000 for frame in pictures)
    print(f"clip: {len(pictures)} pictures, age p50 {ages_ms[397]:.1f} ms, p99 {ages_ms[787]:.1f} ms")


async def test_no_picture_of_the_pattern_is_torn(tmp_path: Path) -> None:
    """Numbers read from the pixels are those of the headers' order: no picture is torn, repeated or out of turn."""
    async with capturing(tmp_path, {f"cam-{n}": f"testcard:{n}?fps=25&size=320x180" for n in range(4)}, rate_hz=25):
        frames = await read(tmp_path, lambda frames: min(count(frames, f"cam-{n}") for n in range(4)) >= 40)
    for name in {frame.header.camera_id for frame in frames}:
        cards = [read_card(decoded(frame)) for frame in frames if frame.payload and frame.header.camera_id == name]
        numbers = [card[0] for card in cards if card]
        assert len(numbers) == len(cards)
        assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(
    ("fault", "link"), [(Fault.REFUSE, "refused"), (Fault.HANG, "timed_out"), (Fault.NOISE, "not_video")]
)
async def test_sick_camera_is_named_and_heals(tmp_path: Path, fault: Fault, link: str) -> None:
    """A camera that refuses, hangs or sends noise is named so, its neighbour goes on, and it heals."""
    camera = IpCamera(Lens(width=320, height=180, fps=20))
    await camera.start()
    await camera.set_fault(fault)
    sources = {"sick": camera.rtsp_url, "well": "testcard:1?fps=20&size=320x180"}
    options = {"open_timeout_s": 1.0, "read_timeout_s": 1.0, "retry_longest_s": 0.5}
    async with capturing(tmp_path, sources, **options):
        frames = await read(tmp_path, lambda frames: link in links(frames, "sick") and count(frames, "well") >= 20)
        assert link in links(frames, "sick")
        assert count(frames, "sick") == 0
        await camera.set_fault(Fault.NONE)
        frames = await read(tmp_path, lambda frames: count(frames, "sick") >= 5)
    await camera.stop()
    assert count(frames, "sick") >= 5


async def test_hanging_camera_hangs_alone(tmp_path: Path) -> None:
    """While a call to one camera hangs, the cameras beside it in the same process are shown as if nothing were."""
    camera = IpCamera(Lens(width=320, height=180, fps=20))
    await camera.start()
    await camera.set_fault(Fault.HANG)
    sources = {"sick": camera.rtsp_url, "well": "testcard:1?fps=20&size=320x180"}
    async with capturing(tmp_path, sources, open_timeout_s=60.0):
        frames = await read(tmp_path, lambda frames: count(frames, "well") >= 40)
    await camera.stop()
    assert count(frames, "well") >= 40
    assert links(frames, "sick") == {"connecting"}


async def test_reconnection_begins_a_new_epoch(tmp_path: Path) -> None:
    """After a cut the camera is called again, and its pictures say that they belong to a new connection."""
    camera = IpCamera(Lens(width=320, height=180, fps=20))
    await camera.start()
    async with capturing(tmp_path, {"cam": camera.mjpeg_url}, retry_longest_s=0.3):
        before = await read(tmp_path, lambda frames: count(frames, "cam") >= 3)
        await camera.hang_up()
        first = max(frame.header.epoch for frame in before if frame.payload)
        after = await read(
            tmp_path, lambda frames: any(frame.payload and frame.header.epoch > first for frame in frames)
        )
    await camera.stop()
    assert max(frame.header.epoch for frame in after if frame.payload) > first


async def test_killed_process_is_started_again_and_others_go_on(tmp_path: Path) -> None:
    """SIGKILL of one capture process costs its cameras a moment, and the cameras of the other process nothing."""
    sources = {"a": "testcard:1?fps=20&size=320x180", "b": "testcard:2?fps=20&size=320x180"}
    async with capturing(tmp_path, sources, cameras_per_process=1) as service:
        before = await read(tmp_path, lambda frames: min(count(frames, "a"), count(frames, "b")) >= 2)
        epochs = {frame.header.camera_id: frame.header.epoch for frame in before if frame.payload}
        os.kill(service.processes()[0].pid, signal.SIGKILL)
        after = await read(tmp_path, lambda frames: new_epoch(frames, "a", epochs) and count(frames, "b") >= 2)
    assert new_epoch(after, "a", epochs)
    assert not new_epoch(after, "b", epochs)
    assert service.processes() == []


async def test_process_that_says_nothing_is_killed_and_started_again(tmp_path: Path) -> None:
    """A capture process that hangs as a whole is noticed by its silence, killed by force and replaced."""
    async with capturing(tmp_path, {"a": "testcard:1?fps=20&size=320x180"}, stuck_after_s=2.5) as service:
        before = await read(tmp_path, lambda frames: count(frames, "a") >= 2)
        stopped = service.processes()[0].pid
        os.kill(stopped, signal.SIGSTOP)
        epochs = {"a": before[-1].header.epoch}
        after = await read(tmp_path, lambda frames: new_epoch(frames, "a", epochs))
        assert service.processes()[0].pid != stopped
    assert new_epoch(after, "a", epochs)


def new_epoch(frames: list[Frame], camera_id: str, epochs: dict[str, int]) -> bool:
    own = [frame.header.epoch for frame in frames if frame.payload and frame.header.camera_id == camera_id]
    return bool(own) and max(own) > epochs[camera_id]


async def test_changed_list_of_cameras_is_followed(tmp_path: Path) -> None:
    """A camera that is added, changed or removed in the list is started, called again or stopped; others go on."""
    async with capturing(tmp_path, {"a": "testcard:1?fps=20", "b": "testcard:2?fps=20"}, roster_poll_s=0.2):
        await read(tmp_path, lambda frames: min(count(frames, "a"), count(frames, "b")) >= 2)
        written(tmp_path, {"a": "testcard:1?fps=20", "c": "testcard:3?fps=20"}, roster_poll_s=0.2)
        await read(tmp_path, lambda frames: count(frames, "c") >= 1)
        seen = await read(tmp_path, lambda frames: count(frames, "a") >= 10 and count(frames, "c") >= 10)
    by_camera = Counter(frame.header.camera_id for frame in seen)
    assert by_camera["b"] <= 1
    assert min(by_camera["a"], by_camera["c"]) >= 10


async def test_capture_process_does_not_outlive_its_supervisor(tmp_path: Path) -> None:
    """When the supervisor is killed, its capture processes see the end of their input and go too."""
    config = written(tmp_path, {"a": "testcard:1"})
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "security_video", "capture", "--config", str(config)),
        stdout=asyncio.subprocess.PIPE,
        cwd=REPOSITORY,
    )
    assert program.stdout is not None
    await program.stdout.readline()
    socket = next(frames_of(tmp_path).iterdir())
    program.kill()
    await program.wait()
    deadline = time.monotonic() + PATIENCE_S
    while socket.exists() and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    assert not socket.exists()


def test_cameras_keep_their_process() -> None:
    """A camera stays where it is when others come and go; new ones fill gaps before a process is added."""
    plans = [a_plan(name) for name in "abcd"]
    first = place(plans[:3], [], 2)
    assert [[plan.camera_id for plan in share] for share in first] == [["a", "b"], ["c"]]
    held = [{"a", "b"}, {"c"}]
    assert [[plan.camera_id for plan in share] for share in place([plans[1], *plans[2:]], held, 2)] == [
        ["b", "d"],
        ["c"],
    ]


def test_no_camera_needs_one_idle_process() -> None:
    """Without cameras there is still one process, so that the first camera finds it ready."""
    assert place([], [], 8) == [[]]


async def test_list_that_cannot_be_read_ends_the_start(tmp_path: Path) -> None:
    """A supervisor that cannot read its cameras says so instead of running without them."""

    async def broken() -> Sequence[CameraPlan]:
        return from_file(tmp_path / "none.toml", AREA)

    roster: Roster = broken
    service = CaptureService(VideoSettings(), None, frames_of(tmp_path), roster)
    with pytest.raises(Exception, match=r"none\.toml"):
        await service.start()
    await service.stop()
