"""From a checked address to a source that is ready to be called."""

import threading
from dataclasses import dataclass

from security_video.sources.address import Address, Kind, size_of
from security_video.sources.folder import FolderSource
from security_video.sources.mjpeg import MjpegSource
from security_video.sources.picture import Source
from security_video.sources.stream import FileSource, RtspSource
from security_video.sources.testcard import PatternSource


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a network camera may stay silent while it is called, and afterwards."""

    open_s: float = 5.0
    read_s: float = 5.0


def open_source(address: Address, name: str, patience: Patience, stop: threading.Event) -> Source:
    """Return the source of `address`; `name` is drawn into test cards, `stop` wakes sources that wait for a picture."""
    match address.kind:
        case Kind.TESTCARD:
            return _testcard(address, name, stop)
        case Kind.FILE:
            speed = address.options.get("speed", "1")
            is_looped = address.options.get("loop", "yes") == "yes"
            return FileSource(address.target, is_looped, 0.0 if speed == "readers" else float(speed), stop)
        case Kind.FOLDER:
            is_looped = address.options.get("loop", "yes") == "yes"
            return FolderSource(address.target, address.number("fps", 1.0), is_looped, stop)
        case Kind.RTSP:
            return RtspSource(address.target, address.without_secrets(), patience.open_s, patience.read_s)
        case Kind.MJPEG:
            return MjpegSource(address.target, address.without_secrets(), patience.open_s, patience.read_s)


def _testcard(address: Address, name: str, stop: threading.Event) -> Source:
    width, height = size_of(address.options.get("size", "")) or (640, 360)
    return PatternSource(
        int(address.target),
        name,
        fps=address.number("fps", 10.0),
        width=width,
        height=height,
        fault=address.options.get("fault", ""),
        after_s=address.number("after", 0.0),
        stop=stop,
    )
