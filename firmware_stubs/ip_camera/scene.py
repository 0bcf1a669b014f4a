"""What the imitated camera sees: the test pattern of the contract, or the pictures of a clip."""

from collections.abc import Iterator
from itertools import count

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from firmware_stubs.clock import Clock
from gateway.contract import testcard

Pixels = NDArray[np.uint8]


def pattern(width: int, height: int, clock: Clock) -> Iterator[Pixels]:
    """Yield test cards for ever: picture number and clock as cells, a block that wanders below them."""
    ground = _ground(width, height)
    boxes = [_box(cell, width, height) for cell in testcard.cells()[: testcard.COLUMNS * testcard.ROWS]]
    for number in count():
        picture = ground.copy()
        bits = testcard.encode(number, int(clock.now().timestamp() * 1000))
        for (left, top, right, bottom), bit in zip(boxes, bits, strict=True):
            picture[top:bottom, left:right] = 255 if bit else 0
        x, side = (number * 7) % width, height // 6
        cv2.rectangle(picture, (x, height // 2), (x + side, height // 2 + side), (97, 200, 255), -1)
        origin = (width // 20, int(height * 0.92))
        cv2.putText(picture, f"{number:06d}", origin, cv2.FONT_HERSHEY_DUPLEX, height / 260, (227, 239, 244), 1)
        yield picture


def clip(path: str, width: int, height: int) -> Iterator[Pixels]:
    """Yield the pictures of a video file, resized, again and again."""
    while True:
        with av.open(path) as container:
            for frame in container.decode(video=0):
                picture = frame.to_ndarray(format="bgr24", width=width, height=height)
                yield np.asarray(picture, np.uint8)


def darkness(width: int, height: int) -> Pixels:
    """Return what a camera with its cap on sees."""
    return np.full((height, width, 3), 5, np.uint8)


def jpeg(picture: Pixels) -> bytes:
    """Return the picture as JPEG."""
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()


def _ground(width: int, height: int) -> Pixels:
    rows = np.linspace(40, 110, height, dtype=np.uint8)[:, None, None]
    ground = np.ascontiguousarray(np.broadcast_to(rows, (height, width, 3)))
    for cell in testcard.cells():
        if cell.bit < 0:
            left, top, right, bottom = _box(cell, width, height)
            ground[top:bottom, left:right] = 255 if cell.is_white_guard else 0
    return ground


def _box(cell: testcard.Cell, width: int, height: int) -> tuple[int, int, int, int]:
    sides = cell.left * width, cell.top * height, cell.right * width, cell.bottom * height
    left, top, right, bottom = (round(side) for side in sides)
    return left, top, right, bottom
