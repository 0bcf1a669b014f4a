"""A folder of pictures in the order of their names, as a camera of `fps` pictures a second."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from gateway.runtime.clock import monotonic_ns, wall_ns
from security_video.health import Link
from security_video.sources.picture import CameraFailed, Picture
from security_video.sources.timing import Pace

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})


@dataclass(frozen=True, slots=True)
class FolderSource:
    """Pictures from disk; the folder is read again with every round, so pictures may come and go."""

    path: str
    fps: float = 1.0
    is_looped: bool = True
    stop: threading.Event = field(default_factory=threading.Event)

    waits_for_readers = False

    def pictures(self) -> Iterator[Picture]:
        """Yield the pictures at their pace; a file that is not a picture is CameraFailed, not a gap."""
        pace, shown = Pace(1.0), 0
        while not self.stop.is_set():
            for file in self._files():
                self.stop.wait(pace.wait_s(shown / self.fps, monotonic_ns() / 1e9))
                yield self._picture(file)
                shown += 1
            if not self.is_looped:
                return

    def _files(self) -> list[Path]:
        try:
            files = sorted(file for file in Path(self.path).iterdir() if file.suffix.lower() in SUFFIXES)
        except OSError as error:
            reason = f"folder cannot be read: {error.strerror}"
            raise CameraFailed(Link.REFUSED, reason, place=self.path, cure="Check path and rights.") from error
        if not files:
            raise CameraFailed(
                Link.NOT_VIDEO, "no picture in the folder", place=self.path, cure="Put JPEG or PNG there."
            )
        return files

    def _picture(self, file: Path) -> Picture:
        try:
            raw = file.read_bytes()
        except OSError as error:
            raise CameraFailed(Link.LOST, f"picture cannot be read: {error.strerror}", place=str(file)) from error
        pixels = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR) if raw else None
        if pixels is None:
            raise CameraFailed(Link.NOT_VIDEO, "file is not a picture", place=str(file), cure="Remove or replace it.")
        is_jpeg = raw[:2] == b"\xff\xd8"
        return Picture(pixels.astype(np.uint8, copy=False), wall_ns(), raw if is_jpeg else b"")
