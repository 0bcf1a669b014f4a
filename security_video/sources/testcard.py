"""The test pattern: a street at night with frame number and clock, for people as digits, for programs as cells."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np

from gateway.contract import testcard
from gateway.runtime.clock import monotonic_ns, wall_ns
from security_video.sources.picture import Picture, Pixels
from security_video.sources.scene import DARK_WINDOW, GLOW, LAMP, PAPER, street
from security_video.sources.timing import Pace

MOST_FRAMES = 2**32
#: A cell counts as white from here on; JPEG moves black and white by far less.
WHITE_FROM = 128


@dataclass(frozen=True, slots=True)
class PatternSource:
    """A camera that is only arithmetic; `fault` (freeze, dark, covered) sets in `after_s` seconds after the start."""

    number: int
    name: str = ""
    fps: float = 10.0
    width: int = 640
    height: int = 360
    fault: str = ""
    after_s: float = 0.0
    stop: threading.Event = field(default_factory=threading.Event)

    waits_for_readers = False

    def pictures(self) -> Iterator[Picture]:
        """Yield pictures at `fps` until stopped."""
        card, pace, frozen = CardPainter(self.number, self.name, self.width, self.height), Pace(1.0), None
        for frame_no in range(MOST_FRAMES):
            self.stop.wait(pace.wait_s(frame_no / self.fps, monotonic_ns() / 1e9))
            if self.stop.is_set():
                return
            captured_ns = wall_ns()
            if self.fault and frame_no / self.fps >= self.after_s:
                frozen = spoilt(card.draw(frame_no, captured_ns), self.fault) if frozen is None else frozen
            yield Picture(card.draw(frame_no, captured_ns) if frozen is None else frozen, captured_ns)


class CardPainter:
    """Draws the pattern of one camera; the scene is drawn once, the rest per picture."""

    def __init__(self, number: int, name: str, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._scene = street(number, width, height)
        self._title(name or f"{number:02d}")
        self._guard()
        left, top, right, bottom = _data_area(width, height)
        self._cells = slice(top, bottom), slice(left, right)
        self._cells_size = right - left, bottom - top

    def draw(self, frame_no: int, captured_ns: int) -> Pixels:
        """Return one picture, height x width x 3, blue-green-red."""
        picture = self._scene.copy()
        bits = np.array(testcard.encode(frame_no, captured_ns // 1_000_000), np.uint8) * 255
        grid = cv2.resize(
            bits.reshape(testcard.ROWS, testcard.COLUMNS), self._cells_size, interpolation=cv2.INTER_NEAREST_EXACT
        )
        picture[self._cells] = grid[:, :, None]
        self._mover(picture, frame_no)
        self._digits(picture, frame_no, captured_ns)
        return picture

    def _title(self, name: str) -> None:
        origin = int(self.width * 0.05), int(self.height * 0.42)
        if hasattr(cv2, "FontFace"):
            cv2.putText(self._scene, name, origin, PAPER, cv2.FontFace("uni"), max(12, self.height // 13))
        else:
            cv2.putText(self._scene, name, origin, cv2.FONT_HERSHEY_DUPLEX, self.height / 420, PAPER, 1, cv2.LINE_AA)

    def _guard(self) -> None:
        for cell in testcard.cells():
            if cell.bit < 0:
                corner = round(cell.left * self.width), round(cell.top * self.height)
                other = round(cell.right * self.width) - 1, round(cell.bottom * self.height) - 1
                cv2.rectangle(self._scene, corner, other, (255, 255, 255) if cell.is_white_guard else (0, 0, 0), -1)

    def _mover(self, picture: Pixels, frame_no: int) -> None:
        """A car with its lights on crosses in 90 pictures: a picture that stands still is seen from across the room."""
        x = int((frame_no % 90) / 90 * (self.width * 1.2) - self.width * 0.1)
        y, unit = int(self.height * 0.83), max(2, self.height // 40)
        cv2.rectangle(picture, (x, y), (x + 9 * unit, y + 3 * unit), GLOW, -1)
        cv2.rectangle(picture, (x + 2 * unit, y - 2 * unit), (x + 7 * unit, y), GLOW, -1)
        for wheel in (x + 2 * unit, x + 7 * unit):
            cv2.circle(picture, (wheel, y + 3 * unit), unit, DARK_WINDOW, -1)
        beam = np.array([(x + 9 * unit, y + unit), (x + 15 * unit, y - unit), (x + 15 * unit, y + 4 * unit)], np.int32)
        cv2.fillPoly(picture, [beam], LAMP)

    def _digits(self, picture: Pixels, frame_no: int, captured_ns: int) -> None:
        seconds = captured_ns // 1_000_000_000
        clock = f"{seconds // 3600 % 24:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d} UTC"
        text = f"{frame_no:06d}   {clock}"
        origin = int(self.width * 0.52), int(self.height * 0.42)
        cv2.putText(picture, text, origin, cv2.FONT_HERSHEY_DUPLEX, self.height / 480, LAMP, 1, cv2.LINE_AA)


def spoilt(picture: Pixels, fault: str) -> Pixels:
    """Return the picture as a camera with `fault` shows it; `freeze` is the picture itself, kept by the caller."""
    if fault == "dark":
        return np.full_like(picture, 4)
    if fault == "covered":
        return np.full_like(picture, 96)
    return picture


def read_card(picture: Pixels) -> tuple[int, int] | None:
    """Return (frame number, milliseconds) read from a picture's pixels, or None where no intact card is in it."""
    height, width = picture.shape[:2]
    bits = []
    for cell in testcard.cells()[: testcard.COLUMNS * testcard.ROWS]:
        x, y = cell.center
        bits.append(bool(picture[int(y * height), int(x * width)].mean() >= WHITE_FROM))
    return testcard.decode(bits)


def _data_area(width: int, height: int) -> tuple[int, int, int, int]:
    data = [cell for cell in testcard.cells() if cell.bit >= 0]
    first, last = data[0], data[-1]
    return round(first.left * width), round(first.top * height), round(last.right * width), round(last.bottom * height)
