import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from security_video.health import Link
from security_video.sources.folder import FolderSource
from security_video.sources.picture import CameraFailed


def test_pictures_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    """A folder is a camera whose pictures come by name, again and again."""
    for number in (2, 0, 1):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((64, 64, 3), number * 60, np.uint8))
    (tmp_path / "notes.txt").write_text("not a picture")
    seen = itertools.islice(FolderSource(str(tmp_path), fps=500).pictures(), 5)
    assert [int(picture.pixels[0, 0, 0]) for picture in seen] == [0, 60, 120, 0, 60]


def test_jpeg_is_kept_as_it_is(tmp_path: Path) -> None:
    """A JPEG of the folder is handed on without being encoded again."""
    cv2.imwrite(str(tmp_path / "a.jpg"), np.zeros((64, 64, 3), np.uint8))
    picture = next(FolderSource(str(tmp_path)).pictures())
    assert picture.jpeg == (tmp_path / "a.jpg").read_bytes()


@pytest.mark.parametrize(("content", "link"), [(None, Link.NOT_VIDEO), (b"GIF", Link.NOT_VIDEO)])
def test_folder_without_pictures_is_said(tmp_path: Path, content: bytes | None, link: Link) -> None:
    """An empty folder and a broken picture are failures with a place, not silence."""
    if content is not None:
        (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(CameraFailed) as failed:
        next(FolderSource(str(tmp_path)).pictures())
    assert failed.value.link is link


def test_missing_folder_is_refused(tmp_path: Path) -> None:
    """A folder that is not there is a refusal."""
    with pytest.raises(CameraFailed) as failed:
        next(FolderSource(str(tmp_path / "none")).pictures())
    assert failed.value.link is Link.REFUSED
