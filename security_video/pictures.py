"""What is done to a picture before it leaves capture: masks, size, JPEG, and four measures of what it shows."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.model.errors import BadInput
from security_video.health import Look
from security_video.sources.picture import Picture, Pixels

#: Corners as fractions of width and height.
Polygon = Sequence[tuple[float, float]]

#: A masked area is one flat colour: mosaic and blur can be undone in part, this cannot.
MASK_COLOUR = (58, 50, 40)

THUMB = (160, 90)
#: Two thumbnails are the same picture when no point differs by more than this (JPEG and H.264 of one and the same
#: picture stay below; a person of a few points in the distance does not).
STILL_DIFFERENCE = 6
#: ... and when their mean difference is below this; measured: H.264 at 500 kbit/s moves a still picture by 0.5.
STILL_MEAN_DIFFERENCE = 0.6


@dataclass(frozen=True, slots=True)
class Jpeg:
    """An encoded picture and its size in pixels."""

    data: bytes
    width: int
    height: int


def encode(picture: Picture, masks: Sequence[Polygon], *, most_width: int, quality: int) -> Jpeg:
    """Return the picture as JPEG: masked, no wider than `most_width`; the camera's own JPEG where it may stay as it is.

    Raises BadInput (`not_encodable`) where OpenCV cannot encode the pixels.
    """
    height, width = picture.pixels.shape[:2]
    if picture.jpeg and not masks and width <= most_width:
        return Jpeg(picture.jpeg, width, height)
    pixels = _fit(masked(picture.pixels, masks), most_width)
    is_done, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not is_done:
        raise BadInput("picture cannot be encoded", reason="not_encodable")
    return Jpeg(data.tobytes(), pixels.shape[1], pixels.shape[0])


def masked(pixels: Pixels, masks: Sequence[Polygon]) -> Pixels:
    """Return the pixels with every polygon of `masks` filled; the original is left as it is."""
    if not masks:
        return pixels
    height, width = pixels.shape[:2]
    covered = pixels.copy()
    scale = np.array([width, height], np.float64)
    cv2.fillPoly(covered, [np.rint(np.array(mask) * scale).astype(np.int32) for mask in masks], MASK_COLOUR)
    return covered


def _fit(pixels: Pixels, most_width: int) -> Pixels:
    height, width = pixels.shape[:2]
    if width <= most_width:
        return pixels
    size = most_width, max(1, round(height * most_width / width))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


class Watch:
    """Measures the pictures of one camera, one after the other, and knows since when they have not changed."""

    def __init__(self) -> None:
        self._reference: NDArray[np.uint8] | None = None
        self._still_since_ns = 0

    def look(self, picture: Picture) -> Look:
        """Return the measures of the camera's next picture."""
        small = cv2.resize(picture.pixels, THUMB, interpolation=cv2.INTER_AREA)
        luma = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
        if self._reference is None or _differ(self._reference, luma):
            self._reference, self._still_since_ns = luma, picture.captured_ns
        mean, spread = cv2.meanStdDev(luma)
        detail = cv2.Laplacian(luma, cv2.CV_32F).var()
        still_s = max(0, picture.captured_ns - self._still_since_ns) / 1e9
        return Look(float(mean[0][0]), float(spread[0][0]), float(detail), still_s)


def _differ(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    difference = cv2.absdiff(one, other)
    return bool(difference.max() > STILL_DIFFERENCE) or float(difference.mean()) > STILL_MEAN_DIFFERENCE
