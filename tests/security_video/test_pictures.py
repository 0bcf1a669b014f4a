import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from security_video.pictures import MASK_COLOUR, Watch, encode, masked
from security_video.sources.picture import Picture
from security_video.sources.stream import FileSource
from security_video.sources.testcard import CardPainter

SQUARE = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))


def a_picture(number: int = 0, *, jpeg: bytes = b"") -> Picture:
    return Picture(CardPainter(1, "", 640, 360).draw(number, 0), number * 100_000_000, jpeg)


def test_mask_covers_its_polygon_and_nothing_else() -> None:
    """Inside a mask there is one flat colour, outside nothing is touched, and the original stays whole."""
    picture = a_picture()
    before = picture.pixels.copy()
    covered = masked(picture.pixels, [SQUARE])
    assert np.all(covered[100:260, 170:470] == np.array(MASK_COLOUR))
    assert np.array_equal(covered[:80], picture.pixels[:80])
    assert np.array_equal(picture.pixels, before)


def test_mask_is_in_the_jpeg_also_where_the_camera_sent_its_own() -> None:
    """A camera's own JPEG is never handed on past a mask."""
    own = cv2.imencode(".jpg", a_picture().pixels)[1].tobytes()
    jpeg = encode(a_picture(jpeg=own), [SQUARE], most_width=640, quality=80)
    pixels = cv2.imdecode(np.frombuffer(jpeg.data, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    assert np.abs(pixels[120:240, 190:450].astype(int) - np.array(MASK_COLOUR)).max() < 12


def test_own_jpeg_is_handed_on_untouched() -> None:
    """What a camera sent as JPEG is not encoded a second time when nothing has to be changed."""
    own = cv2.imencode(".jpg", a_picture().pixels)[1].tobytes()
    assert encode(a_picture(jpeg=own), (), most_width=640, quality=80).data is own
    assert encode(a_picture(jpeg=own), (), most_width=320, quality=80).data is not own


def test_wide_picture_is_made_smaller_in_proportion() -> None:
    """Published pictures are no wider than asked and keep their shape."""
    jpeg = encode(a_picture(), (), most_width=320, quality=80)
    assert (jpeg.width, jpeg.height) == (320, 180)


def test_one_picture_over_and_over_grows_still() -> None:
    """The same picture again is still for as long as it has been coming, through JPEG's noise too."""
    watch, card = Watch(), a_picture()
    for number in range(6):
        noisy = cv2.imdecode(cv2.imencode(".jpg", card.pixels, [1, 80 + number * 2])[1], cv2.IMREAD_COLOR)
        assert noisy is not None
        look = watch.look(Picture(noisy.astype(np.uint8), number * 1_000_000_000))
    assert look.still_s == 5


def test_moving_pattern_is_never_still() -> None:
    """A picture that changes in a small place is not still."""
    watch = Watch()
    assert [watch.look(a_picture(number)).still_s for number in range(5)] == [0, 0, 0, 0, 0]


def test_street_of_the_clip_is_never_still(shared_data: Path) -> None:
    """A quiet street with few people is not mistaken for a frozen picture."""
    watch = Watch()
    clip = FileSource(str(shared_data / "video/pedestrians-480x360-10fps.avi"), is_looped=False, speed=0)
    every_s = [
        watch.look(Picture(picture.pixels, number * 100_000_000)).still_s
        for number, picture in enumerate(itertools.islice(clip.pictures(), 300))
    ]
    assert max(every_s) < 1


@pytest.mark.parametrize(("level", "is_dark"), [(4, True), (120, False)])
def test_flat_pictures_have_no_spread_and_no_detail(level: int, is_dark: bool) -> None:
    """A capped or covered lens is told by its brightness, its spread and its lack of detail."""
    look = Watch().look(Picture(np.full((360, 640, 3), level, np.uint8), 0))
    assert look.spread < 1
    assert look.detail < 1
    assert (look.luma < 18) is is_dark
