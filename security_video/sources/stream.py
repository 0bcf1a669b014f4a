"""RTSP streams and video files through PyAV: demultiplexed, decoded, each picture with its moment of capture."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import av
import av.error
import numpy as np
from av.codec.context import Flags
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from gateway.runtime.clock import monotonic_ns, wall_ns
from security_video.health import Link
from security_video.sources.knock import knock
from security_video.sources.picture import CameraFailed, Picture, Pixels
from security_video.sources.timing import CaptureClock, Pace

SECOND_NS = 1_000_000_000

#: Recordings only: a playlist, which could name other places and is retried for minutes, is no recording.
_FILE_ONLY = {
    "protocol_whitelist": "file",
    "format_whitelist": "asf,avi,flv,h264,hevc,matroska,mjpeg,mov,mpeg,mpegts,webm",
}
_RTSP_BY_TCP = {
    "rtsp_transport": "tcp",
    "fflags": "nobuffer",
    "flags": "low_delay",
    "analyzeduration": "500000",
    "probesize": "200000",
    "allowed_media_types": "video",
}


@dataclass(frozen=True, slots=True)
class RtspSource:
    """A network camera, called over TCP; every silence longer than a timeout ends in CameraFailed."""

    url: str
    place: str
    open_timeout_s: float = 5.0
    read_timeout_s: float = 5.0

    waits_for_readers = False

    def pictures(self) -> Iterator[Picture]:
        """Connect and yield pictures as they arrive."""
        if self.url.lower().startswith("rtsp:"):
            knock(self.url, self.place, self.open_timeout_s)
        clock, converter = CaptureClock(), _Converter()
        heard_ns = monotonic_ns()
        try:
            for frame in _frames(self.url, _RTSP_BY_TCP, (self.open_timeout_s, self.read_timeout_s)):
                heard_ns = monotonic_ns()
                captured_s = clock.captured_s(frame.time, wall_ns() / SECOND_NS)
                yield Picture(converter.pixels(frame), int(captured_s * SECOND_NS))
        except (av.error.FFmpegError, OSError) as error:
            raise self._failed(error, (monotonic_ns() - heard_ns) / SECOND_NS) from error
        raise CameraFailed(Link.LOST, "camera ended the stream", place=self.place)

    def _failed(self, error: Exception, silence_s: float) -> CameraFailed:
        if silence_s >= min(self.open_timeout_s, self.read_timeout_s) * 0.9:
            return CameraFailed(Link.TIMED_OUT, "camera fell silent", place=self.place)
        if isinstance(error, av.error.HTTPClientError):
            cure = "Check path, user name and password in the camera's address."
            return CameraFailed(Link.REFUSED, f"camera refused: {error.strerror}", place=self.place, cure=cure)
        if isinstance(error, av.error.InvalidDataError):
            return CameraFailed(Link.NOT_VIDEO, "camera sends something that is not video", place=self.place)
        return CameraFailed(Link.LOST, f"connection broke: {error}", place=self.place)


@dataclass(frozen=True, slots=True)
class FileSource:
    """A recording, played at `speed` times life or, at 0, as fast as its readers take it."""

    path: str
    is_looped: bool = True
    speed: float = 1.0
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def waits_for_readers(self) -> bool:
        return self.speed == 0

    def pictures(self) -> Iterator[Picture]:
        """Yield every picture of the recording, again and again if it is looped."""
        while True:
            yield from self._once()
            if not self.is_looped or self.stop.is_set():
                return

    def _once(self) -> Iterator[Picture]:
        pace, converter = Pace(self.speed), _Converter()
        try:
            for frame in _frames(self.path, _FILE_ONLY, None):
                self._wait(pace, frame)
                if self.stop.is_set():
                    return
                captured_ns = wall_ns()
                yield Picture(converter.pixels(frame), captured_ns)
        except (av.error.FFmpegError, OSError) as error:
            raise self._failed(error) from error

    def _wait(self, pace: Pace, frame: VideoFrame) -> None:
        if self.speed and frame.time is not None:
            self.stop.wait(pace.wait_s(frame.time, monotonic_ns() / SECOND_NS))

    def _failed(self, error: OSError | av.error.FFmpegError) -> CameraFailed:
        if isinstance(error, av.error.InvalidDataError | av.error.ArgumentError):
            return CameraFailed(Link.NOT_VIDEO, "file is not video", place=self.path, cure="Name a video file.")
        reason = f"file cannot be read: {error.strerror or error}"
        return CameraFailed(Link.REFUSED, reason, place=self.path, cure="Check path and rights.")


class _Converter:
    """Turns frames to blue-green-red; keeps FFmpeg's scaler, whose making costs more than its work."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def pixels(self, frame: VideoFrame) -> Pixels:
        return np.asarray(self._reformatter.reformat(frame, format="bgr24").to_ndarray(), np.uint8)


def _frames(url: str, options: dict[str, str], timeout_s: tuple[float, float] | None) -> Iterator[VideoFrame]:
    """Yield decoded frames; a damaged packet costs its own picture, the next keyframe heals the rest."""
    with av.open(url, options=options, timeout=timeout_s, metadata_errors="ignore") as container:
        if not container.streams.video:
            raise av.error.InvalidDataError(0, "no video stream", url)
        stream = container.streams.video[0]
        # One thread per camera: frame threads would add pictures of delay, and thousands of threads.
        stream.codec_context.thread_count = 1
        if timeout_s is not None:
            stream.codec_context.flags |= Flags.low_delay
        for packet in container.demux(stream):
            with contextlib.suppress(av.error.InvalidDataError):
                yield from packet.decode()
