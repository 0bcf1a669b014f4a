import itertools
import threading

import cv2
import numpy as np
import pytest

from security_video.sources.testcard import CardPainter, PatternSource, read_card


@pytest.mark.parametrize("size", [(640, 360), (480, 270), (1280, 720), (352, 288)])
@pytest.mark.parametrize("quality", [95, 50])
def test_card_is_read_back_after_jpeg(size: tuple[int, int], quality: int) -> None:
    """Frame number and clock survive JPEG at every size and quality that tiles use."""
    card = CardPainter(3, "3号楼", *size).draw(123456, 1_795_000_000_123_000_000)
    jpeg = cv2.imencode(".jpg", card, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    picture = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
    assert picture is not None
    assert read_card(picture.astype(np.uint8)) == (123456, 1_795_000_000_123)


def test_torn_card_is_not_read() -> None:
    """A picture that is half one frame and half the next has no valid card: tearing is seen."""
    card = CardPainter(1, "", 640, 360)
    one, other = card.draw(1000, 10**18), card.draw(1001, 10**18 + 10**8)
    torn = one.copy()
    torn[60:] = other[60:]
    assert read_card(one) is not None
    assert read_card(torn) is None


def test_cameras_look_different() -> None:
    """Two test cards are two streets, so that a mixed-up tile is seen by people too."""
    assert np.any(CardPainter(1, "", 640, 360).draw(0, 0) != CardPainter(2, "", 640, 360).draw(0, 0))


def pictures(count: int, **options: object) -> list[tuple[int, int] | None]:
    source = PatternSource(1, fps=200, width=320, height=180, **options)  # type: ignore[arg-type]
    return [read_card(picture.pixels) for picture in itertools.islice(source.pictures(), count)]


def test_source_counts_its_pictures() -> None:
    """Each picture of the pattern carries the number after the one before."""
    assert [card[0] for card in pictures(5) if card] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("fault", "numbers"), [("freeze", {1}), ("dark", set()), ("covered", set())])
def test_source_can_fall_ill(fault: str, numbers: set[int]) -> None:
    """The pattern imitates a camera that freezes, goes dark or is covered after a while."""
    cards = pictures(6, fault=fault, after_s=0.005)
    assert cards[0] is not None
    assert cards[0][0] == 0
    assert {card[0] for card in cards[1:] if card} == numbers


def test_source_stops_when_it_is_told() -> None:
    """A stopped source ends, also while it waits for its next picture."""
    stop = threading.Event()
    source = PatternSource(1, fps=0.01, stop=stop)
    seen = iter(source.pictures())
    next(seen)
    stop.set()
    assert next(seen, None) is None
