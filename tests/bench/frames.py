"""How old camera pictures are when they are read, and what they cost; a slow and a dead reader stand beside.

`python -m tests.bench.frames [cameras] [pictures/s] [seconds]`: the real capture program decodes H.264 640x360, looks
at every picture, encodes JPEG and publishes; one reader here reads everything, one takes 100 ms a picture, one is
stopped. The yardstick is measured in the same run: raw one-to-one ZeroMQ (PUSH/PULL over ipc) with the same bytes,
paced as the cameras are and as fast as it goes; the latter also through our bus. The last line of output is JSON.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import psutil
import zmq

from gateway.contract.frames import FrameHeader
from security_video.frame_bus import FramePublisher, FrameReader
from security_video.settings import frames_dir
from security_video.sources.testcard import CardPainter

REPOSITORY = Path(__file__).parents[2]
CAMERAS, FPS, SECONDS = 8, 10.0, 10.0
CLIP_PICTURES = 200
FLOOD_S = 2.0
SLOW_READER_S = 0.1

BESIDE = """
import sys, time
from pathlib import Path
from security_video.frame_bus import FrameReader
reader = FrameReader(Path(sys.argv[1]))
while True:
    if reader.receive(1) is not None:
        print("read", flush=True)
        time.sleep(float(sys.argv[2]))
"""
RAW_SENDER = """
import sys, time, zmq
address, size, rate, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
socket = zmq.Context().socket(zmq.PUSH)
socket.setsockopt(zmq.SNDHWM, 64)
socket.connect(address)
payload, begun, sent = bytes(size), time.monotonic(), 0
while time.monotonic() - begun < seconds:
    if rate:
        time.sleep(max(0.0, begun + sent / rate - time.monotonic()))
    socket.send_multipart([time.time_ns().to_bytes(8, "big"), payload])
    sent += 1
socket.send_multipart([b"", b""])
socket.close(5000)
"""


@dataclass(frozen=True, slots=True)
class Ages:
    """Ages of what was read, in ms, sorted, and how long the reading took."""

    ages_ms: Sequence[float]
    seconds: float

    def quantile(self, share: float) -> float:
        return round(self.ages_ms[min(len(self.ages_ms) - 1, int(share * len(self.ages_ms)))], 2)

    @property
    def rate_hz(self) -> float:
        return len(self.ages_ms) / self.seconds


def make_clip(path: Path) -> None:
    """Write a clip of the test pattern as H.264, 10 pictures a second."""
    painter = CardPainter(1, "bench", 640, 360)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(10), options={"preset": "veryfast", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 640, 360, "yuv420p", 500_000
        for number in range(CLIP_PICTURES):
            frame = av.VideoFrame.from_ndarray(painter.draw(number, time.time_ns()), format="bgr24")
            for packet in [*stream.encode(frame), *(stream.encode() if number == CLIP_PICTURES - 1 else [])]:
                container.mux(packet)


def write_settings(folder: Path, cameras: int, fps: float) -> Path:
    """Write the settings of a capture program with `cameras` cameras that show the clip."""
    make_clip(folder / "clip.mp4")
    entries = [f'[[camera]]\nid = "cam-{n:02d}"\nsource = "file:clip.mp4?speed={fps / 10:g}"\n' for n in range(cameras)]
    (folder / "cameras.toml").write_text("".join(entries))
    config = folder / "linli.toml"
    config.write_text(f'[node]\ndata_dir = "{folder}/d"\n[video]\nsources = "cameras.toml"\nrate_hz = 60\n')
    return config


def read_for(reader: FrameReader, seconds: float) -> tuple[Ages, float]:
    """Read for a while; return the ages and the mean size of a picture in bytes."""
    ages_ms, size, begun = [], 0, time.monotonic()
    while time.monotonic() - begun < seconds:
        frame = reader.receive(0.1)
        if frame is not None and frame.payload:
            ages_ms.append((frame.received_ns - frame.header.captured_ns) / 1e6)
            size += len(frame.payload)
    return Ages(sorted(ages_ms), time.monotonic() - begun), size / max(1, len(ages_ms))


def beside(folder: Path, pause_s: float) -> subprocess.Popen[bytes]:
    """Start a reader that pauses after every picture, and wait until it has read one."""
    reader = subprocess.Popen(
        [sys.executable, "-c", BESIDE, str(folder), str(pause_s)], stdout=subprocess.PIPE, cwd=REPOSITORY
    )
    assert reader.stdout is not None
    reader.stdout.readline()
    return reader


def cpu_s(pid: int) -> float:
    """Return the processor seconds of a program and its children so far."""
    program = psutil.Process(pid)
    times = [process.cpu_times() for process in (program, *program.children(recursive=True))]
    return float(sum(one.user + one.system for one in times))


def through_capture(folder: Path, cameras: int, fps: float, seconds: float) -> tuple[Ages, float, float]:
    """Run the real program; return ages, share of one core, and the mean size of a picture."""
    config = write_settings(folder, cameras, fps)
    program = subprocess.Popen(
        [sys.executable, "-m", "security_video", "capture", "--config", str(config)],
        stdout=subprocess.PIPE,
        cwd=REPOSITORY,
    )
    assert program.stdout is not None
    program.stdout.readline()
    sockets = frames_dir(folder / "d" / "run")
    slow, dead = beside(sockets, SLOW_READER_S), beside(sockets, 0)
    dead.send_signal(signal.SIGSTOP)
    reader = FrameReader(sockets)
    read_for(reader, 1.0)
    before_s = cpu_s(program.pid)
    ages, size = read_for(reader, seconds)
    share = (cpu_s(program.pid) - before_s) / ages.seconds
    reader.close()
    for process in (slow, dead):
        process.kill()
        process.wait()
    program.terminate()
    program.wait()
    return ages, share, size


def through_raw_zmq(folder: Path, size: int, rate_hz: float, seconds: float) -> Ages:
    """Send the same bytes one-to-one without anything of ours; `rate_hz` 0 is as fast as it goes."""
    address = f"ipc://{folder}/raw"
    ages_ms = []
    with zmq.Context() as context, context.socket(zmq.PULL) as socket:
        socket.setsockopt(zmq.RCVHWM, 64)
        socket.bind(address)
        sender = subprocess.Popen(
            [sys.executable, "-c", RAW_SENDER, address, str(size), str(rate_hz), str(seconds)], cwd=REPOSITORY
        )
        first, _ = socket.recv_multipart()
        begun = time.monotonic()
        while first:
            ages_ms.append((time.time_ns() - int.from_bytes(first)) / 1e6)
            first, _ = socket.recv_multipart()
        sender.wait()
    return Ages(sorted(ages_ms), time.monotonic() - begun)


def flood_sender(folder: str, size: int, seconds: float) -> None:
    """Publish pictures of eight cameras as fast as the reader takes them."""
    publisher = FramePublisher(Path(folder), "flood")
    publisher.start()
    payload, begun = b"\xff\xd8" + bytes(size - 4) + b"\xff\xd9", time.monotonic()
    for seq in range(10**9):
        if time.monotonic() - begun > seconds:
            break
        for camera in range(8):
            publisher.offer(FrameHeader(f"cam-{camera}", 1, seq, time.time_ns(), 0, 640, 360, "jpeg"), payload)
        publisher.wait_taken("cam-7", 1.0)
    publisher.stop()


def through_bus(folder: Path, size: int, seconds: float) -> Ages:
    """Read what a publisher sends as fast as our bus goes."""
    call = f"from tests.bench.frames import flood_sender; flood_sender({str(folder)!r}, {size}, {seconds + 3})"
    sender = subprocess.Popen([sys.executable, "-c", call], cwd=REPOSITORY)
    reader = FrameReader(folder, window=32)
    while reader.receive(0.1) is None:
        pass
    ages, _ = read_for(reader, seconds)
    reader.close()
    sender.wait()
    return ages


def main(cameras: int = CAMERAS, fps: float = FPS, seconds: float = SECONDS) -> None:
    """Measure everything and print one line of JSON."""
    with tempfile.TemporaryDirectory(prefix="frames-") as name:
        folder = Path(name)
        ages, share, size = through_capture(folder, cameras, fps, seconds)
        print(f"capture: {len(ages.ages_ms)} pictures of {size:.0f} bytes, load {os.getloadavg()[0]:.1f}")
        raw = through_raw_zmq(folder, round(size), cameras * fps, seconds / 2)
        raw_flood = through_raw_zmq(folder, round(size), 0, FLOOD_S)
        bus_flood = through_bus(folder / "bus", round(size), FLOOD_S)
    facts = {
        "bench": "frames",
        "cameras": cameras,
        "fps": round(ages.rate_hz / cameras, 2),
        "age_p50_ms": ages.quantile(0.5),
        "age_p99_ms": ages.quantile(0.99),
        "cpu_core_share": round(share, 3),
        "picture_bytes": round(size),
        "readers_beside": ["slow", "dead"],
        "raw_age_p50_ms": raw.quantile(0.5),
        "raw_age_p99_ms": raw.quantile(0.99),
        "ratio_age_p99": round(ages.quantile(0.99) / max(raw.quantile(0.99), 0.01), 2),
        "bus_pictures_s": round(bus_flood.rate_hz),
        "raw_pictures_s": round(raw_flood.rate_hz),
        "ratio": round(bus_flood.rate_hz / raw_flood.rate_hz, 3),
    }
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    given = [float(text) for text in sys.argv[1:]] + [CAMERAS, FPS, SECONDS][len(sys.argv) - 1 :]
    main(int(given[0]), given[1], given[2])
