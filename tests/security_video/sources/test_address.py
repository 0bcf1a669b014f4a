from pathlib import Path

import pytest

from gateway.model.errors import BadInput
from security_video.sources.address import Kind, parse_address, size_of


@pytest.mark.parametrize(
    ("text", "kind", "target"),
    [
        ("testcard:1", Kind.TESTCARD, "1"),
        ("testcard:12?fps=25&size=1280x720&fault=freeze&after=5", Kind.TESTCARD, "12"),
        ("file:clip.avi", Kind.FILE, "/base/clip.avi"),
        ("file:/abs/clip.avi?loop=no&speed=readers", Kind.FILE, "/abs/clip.avi"),
        ("folder:shots?fps=2.5", Kind.FOLDER, "/base/shots"),
        ("rtsp://10.0.0.1/stream2?channel=1", Kind.RTSP, "rtsp://10.0.0.1/stream2?channel=1"),
        ("HTTP://cam:8080/mjpeg", Kind.MJPEG, "HTTP://cam:8080/mjpeg"),
    ],
)
def test_address_of_every_kind_is_understood(text: str, kind: Kind, target: str) -> None:
    """Every kind of camera has one way to be written; relative paths start at the file that names them."""
    address = parse_address(text, Path("/base"))
    assert (address.kind, address.target) == (kind, target)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "unknown_source"),
        ("clip.avi", "unknown_source"),
        ("concat:a|b", "unknown_source"),
        ("testcard:one", "unknown_source"),
        ("testcard:1?fps=0", "bad_source_option"),
        ("testcard:1?fps=nan", "bad_source_option"),
        ("testcard:1?size=641x360", "bad_source_option"),
        ("testcard:1?fault=tired", "bad_source_option"),
        ("file:clip.avi?loop=maybe", "bad_source_option"),
        ("file:clip.avi?fps=5", "bad_source_option"),
        ("rtsp:///stream", "missing_host"),
        ("rtsp://host:99999/", "missing_host"),
        ("http://", "missing_host"),
    ],
)
def test_address_that_is_not_understood_says_why(text: str, reason: str) -> None:
    """A wrong address is refused with a reason and a cure, before anything is opened."""
    with pytest.raises(BadInput) as refused:
        parse_address(text)
    assert refused.value.reason == reason
    assert refused.value.cure


def test_password_is_never_shown() -> None:
    """Neither logs nor refusals show the password of a camera."""
    address = parse_address("rtsp://admin:hunter2@10.0.0.1:554/stream?x=hunter2")
    assert address.without_secrets() == "rtsp://10.0.0.1:554/stream"
    with pytest.raises(BadInput) as refused:
        parse_address("rtsp://admin:hunter2@:0/")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(("text", "size"), [("640x360", (640, 360)), ("63x64", None), ("x", None), ("5000x64", None)])
def test_sizes_are_even_and_reasonable(text: str, size: tuple[int, int] | None) -> None:
    """A picture's size is two even numbers between 64 and 4096."""
    assert size_of(text) == size
