"""One picture from a camera, the shape of a source of pictures, and how a source fails."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gateway.model.errors import Unavailable
from security_video.health import Link

#: Height x width x 3, blue-green-red, 8 bits.
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Picture:
    """Pixels and the wall-clock moment of their capture; `jpeg` is what the camera itself sent, if it sent JPEG."""

    pixels: Pixels
    captured_ns: int
    jpeg: bytes = b""


class CameraFailed(Unavailable):
    """The connection to a camera ended or never was; `link` says in one word how."""

    code = "camera_failed"

    def __init__(self, link: Link, message: str, *, place: str = "", cure: str = "") -> None:
        super().__init__(message, place=place, cure=cure)
        self.link = link


class Source(Protocol):
    """A camera that was addressed but not yet called; used by one thread."""

    @property
    def waits_for_readers(self) -> bool:
        """Whether pictures may be held until readers took them (a recording) instead of being overtaken (a camera)."""
        ...

    def pictures(self) -> Iterator[Picture]:
        """Connect and yield pictures in order; ends where a recording ends, raises CameraFailed for all else."""
        ...
