"""The camera's inside: a thread that looks, encodes as H.264 and as JPEG, and tells the servers in the event loop."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import count

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from firmware_stubs.clock import Clock
from firmware_stubs.ip_camera import scene
from firmware_stubs.ip_camera.rtp import CLOCK_HZ, AccessUnit, split_annex_b


class Fault(StrEnum):
    """What can be wrong with a camera."""

    NONE = "none"
    REFUSE = "refuse"
    HANG = "hang"
    NOISE = "noise"
    FREEZE = "freeze"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Lens:
    """What is filmed, and how: `clip` is a video file, empty for the test pattern."""

    clip: str = ""
    width: int = 640
    height: int = 360
    fps: float = 10.0
    bit_rate: int = 800_000


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture, encoded twice."""

    unit: AccessUnit
    jpeg: bytes


class Sensor:
    """Films while somebody watches; `on_shot` is called in the event loop that called `start`."""

    def __init__(self, lens: Lens, clock: Clock, on_shot: Callable[[Shot], None]) -> None:
        self.lens = lens
        self.fault = Fault.NONE
        self._clock = clock
        self._on_shot = on_shot
        self._quit = threading.Event()
        self._is_key_wanted = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to film."""
        self._quit.clear()
        loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._film, args=(loop,), name="ip-camera", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; also before `start`, also twice."""
        self._quit.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()

    def want_key(self) -> None:
        """Make the next picture a keyframe, for a viewer that has just come."""
        self._is_key_wanted.set()

    def first_units(self) -> list[bytes]:
        """Return the NAL units of a first picture: parameter sets and a keyframe."""
        lens = self.lens
        frame = av.VideoFrame.from_ndarray(scene.darkness(lens.width, lens.height), format="bgr24")
        encoder = _encoder(lens)
        return split_annex_b(b"".join([*_encoded(encoder, frame, 0), *(bytes(packet) for packet in encoder.encode())]))

    def _film(self, loop: asyncio.AbstractEventLoop) -> None:
        lens, encoder, pictures = self.lens, _encoder(self.lens), self._pictures()
        begun_s = self._clock.monotonic_s()
        for number in count():
            due_s = begun_s + number / lens.fps
            if self._quit.wait(max(0.0, due_s - self._clock.monotonic_s())) or loop.is_closed():
                return
            picture = next(pictures)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            if self._is_key_wanted.is_set():
                self._is_key_wanted.clear()
                frame.pict_type = PictureType.I
            stream = b"".join(_encoded(encoder, frame, number))
            unit = AccessUnit(split_annex_b(stream), round(number * CLOCK_HZ / lens.fps))
            loop.call_soon_threadsafe(self._on_shot, Shot(unit, scene.jpeg(picture)))

    def _pictures(self) -> Iterator[scene.Pixels]:
        lens = self.lens
        seen = (
            scene.clip(lens.clip, lens.width, lens.height)
            if lens.clip
            else scene.pattern(lens.width, lens.height, self._clock)
        )
        last = scene.darkness(lens.width, lens.height)
        for number in count():
            if self.fault is not Fault.FREEZE or number == 0:
                last = next(seen)
            yield scene.darkness(lens.width, lens.height) if self.fault is Fault.DARK else last


def _encoder(lens: Lens) -> VideoCodecContext:
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = lens.width, lens.height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, CLOCK_HZ), Fraction(lens.fps).limit_denominator(1001)
    encoder.bit_rate, encoder.gop_size, encoder.thread_count = lens.bit_rate, max(1, round(lens.fps)), 1
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency"}
    return encoder


def _encoded(encoder: VideoCodecContext, frame: av.VideoFrame, number: int) -> Iterator[bytes]:
    rate = encoder.framerate or Fraction(1)
    ready = frame.reformat(format="yuv420p")
    ready.pts, ready.time_base = round(number * CLOCK_HZ / rate), Fraction(1, CLOCK_HZ)
    ready.pict_type = frame.pict_type
    for packet in encoder.encode(ready):
        yield bytes(packet)
