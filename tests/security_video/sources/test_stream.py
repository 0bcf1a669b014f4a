import threading
from pathlib import Path

import pytest

from security_video.health import Link
from security_video.sources.picture import CameraFailed
from security_video.sources.stream import FileSource, RtspSource

CLIP = "video/pedestrians-480x360-10fps.avi"


def test_every_picture_of_a_clip_comes_once(shared_data: Path) -> None:
    """A recording gives all of its pictures, in order, and ends."""
    pictures = list(FileSource(str(shared_data / CLIP), is_looped=False, speed=0).pictures())
    assert len(pictures) == 795
    assert {picture.pixels.shape for picture in pictures} == {(360, 480, 3)}
    moments = [picture.captured_ns for picture in pictures]
    assert moments == sorted(moments)


def test_looped_clip_begins_again(shared_data: Path) -> None:
    """A looped recording goes on after its end until it is stopped."""
    stop = threading.Event()
    count = 0
    for count, _ in enumerate(FileSource(str(shared_data / CLIP), speed=1000, stop=stop).pictures(), 1):
        if count == 800:
            stop.set()
    assert count == 800


def test_missing_file_is_refused(tmp_path: Path) -> None:
    """A file that is not there is said with its path and a cure."""
    with pytest.raises(CameraFailed) as failed:
        next(FileSource(str(tmp_path / "no.avi")).pictures())
    assert failed.value.link is Link.REFUSED
    assert "no.avi" in str(failed.value)


def test_file_that_is_no_video_is_said_so(tmp_path: Path) -> None:
    """A file of something else is not video, and nothing else is guessed."""
    (tmp_path / "clip.avi").write_bytes(bytes(range(256)) * 40)
    with pytest.raises(CameraFailed) as failed:
        next(FileSource(str(tmp_path / "clip.avi")).pictures())
    assert failed.value.link is Link.NOT_VIDEO


def test_file_cannot_name_other_sources(tmp_path: Path) -> None:
    """A playlist is no recording: it is refused at once, and no address in it is opened."""
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n")
    with pytest.raises(CameraFailed) as failed:
        next(FileSource(str(tmp_path / "list.m3u8")).pictures())
    assert failed.value.link is Link.NOT_VIDEO


def test_port_without_camera_is_refused(free_port: int) -> None:
    """A port where nothing listens is a refusal, at once."""
    with pytest.raises(CameraFailed) as failed:
        next(RtspSource(f"rtsp://127.0.0.1:{free_port}/s", "rtsp://127.0.0.1/s").pictures())
    assert failed.value.link is Link.REFUSED
