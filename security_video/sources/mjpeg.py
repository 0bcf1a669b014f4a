"""HTTP MJPEG cameras: multipart/x-mixed-replace read with timeouts and limits; the camera's own JPEG is kept."""

import base64
import http.client
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import SplitResult, unquote, urlsplit

import cv2
import numpy as np

from gateway.runtime.clock import wall_ns
from security_video.health import Link
from security_video.sources.knock import unreachable
from security_video.sources.picture import CameraFailed, Picture

MOST_PICTURE_BYTES = 8 * 1024 * 1024
MOST_HEADER_LINES = 32
#: A camera may send a broken picture; one that sends nothing else is not a camera.
MOST_BROKEN_IN_A_ROW = 10

_CHECK_ADDRESS = "Check path, user name and password in the camera's address."


@dataclass(frozen=True, slots=True)
class MjpegSource:
    """A camera that answers one GET with JPEG pictures for ever."""

    url: str
    place: str
    open_timeout_s: float = 5.0
    read_timeout_s: float = 5.0

    waits_for_readers = False

    def pictures(self) -> Iterator[Picture]:
        """Connect and yield pictures as they arrive; the moment of capture is that of arrival."""
        parts = urlsplit(self.url)
        connection = _connection(parts, self.open_timeout_s)
        try:
            # The answer owns the socket from here on: closing the connection alone would leave it open.
            with self._called(connection, parts) as answer:
                yield from self._parts_of(answer)
        except OSError as error:
            raise unreachable(error, self.place) from error
        except HTTPException as error:
            raise self._not_video("what answers there is not HTTP") from error
        finally:
            connection.close()

    def _called(self, connection: HTTPConnection, parts: SplitResult) -> HTTPResponse:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", target, headers={"User-Agent": "linli", **_credentials(parts)})
        if connection.sock is not None:
            connection.sock.settimeout(self.read_timeout_s)
        answer = connection.getresponse()
        if answer.status != http.client.OK:
            answer.close()
            message = f"camera refused: {answer.status} {answer.reason}"
            raise CameraFailed(Link.REFUSED, message, place=self.place, cure=_CHECK_ADDRESS)
        return answer

    def _parts_of(self, answer: HTTPResponse) -> Iterator[Picture]:
        if not answer.headers.get_content_type().startswith("multipart/"):
            raise self._not_video(f"camera answers {answer.headers.get_content_type()}, not a stream of pictures")
        boundary = (answer.headers.get_param("boundary") or "").__str__().strip('"').removeprefix("--").encode()
        broken = 0
        while (jpeg := self._next_jpeg(answer, boundary)) is not None:
            captured_ns = wall_ns()
            pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) if jpeg else None
            broken = 0 if pixels is not None else broken + 1
            if broken > MOST_BROKEN_IN_A_ROW:
                raise self._not_video("camera sends something that is not JPEG")
            if pixels is not None:
                yield Picture(pixels.astype(np.uint8, copy=False), captured_ns, jpeg)
        raise CameraFailed(Link.LOST, "camera ended the stream", place=self.place)

    def _next_jpeg(self, answer: HTTPResponse, boundary: bytes) -> bytes | None:
        """Return the next part's body, or None where the stream ends."""
        if not _skip_to(answer, boundary):
            return None
        length = -1
        for _ in range(MOST_HEADER_LINES):
            name, _, value = answer.readline(1024).partition(b":")
            if not name.strip():
                break
            if name.strip().lower() == b"content-length" and value.strip().isdigit():
                length = int(value)
        if not 0 <= length <= MOST_PICTURE_BYTES:
            raise self._not_video("camera does not say how long its pictures are, or they are too long")
        jpeg = answer.read(length)
        return jpeg if len(jpeg) == length else None

    def _not_video(self, message: str) -> CameraFailed:
        return CameraFailed(Link.NOT_VIDEO, message, place=self.place, cure=_CHECK_ADDRESS)


def _connection(parts: SplitResult, timeout_s: float) -> HTTPConnection:
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return HTTPSConnection(parts.hostname or "", parts.port, timeout=timeout_s, context=context)
    return HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)


def _credentials(parts: SplitResult) -> dict[str, str]:
    if not parts.username:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def _skip_to(answer: HTTPResponse, boundary: bytes) -> bool:
    skipped = 0
    while skipped < MOST_PICTURE_BYTES:
        line = answer.readline(4096)
        if not line or line.startswith(b"--" + boundary + b"--"):
            return False
        if line.rstrip() == b"--" + boundary:
            return True
        skipped += len(line)
    return False
