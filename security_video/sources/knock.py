"""One RTSP OPTIONS before the demultiplexer: tells a camera that refuses from one that hangs or talks nonsense."""

import socket
from urllib.parse import urlsplit

from security_video.health import Link
from security_video.sources.picture import CameraFailed

RTSP_PORT = 554


def knock(url: str, place: str, timeout_s: float) -> None:
    """Return when something at `url` answers as an RTSP server does; raises CameraFailed with the reason otherwise."""
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or RTSP_PORT)
    try:
        with socket.create_connection(address, timeout=timeout_s) as line:
            target = f"rtsp://{parts.hostname}:{address[1]}{parts.path}"
            line.sendall(f"OPTIONS {target} RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: linli\r\n\r\n".encode())
            answer = _read_some(line, 5)
    except OSError as error:
        raise unreachable(error, place) from error
    if not answer:
        raise CameraFailed(Link.LOST, "camera closed the connection without a word", place=place)
    if answer != b"RTSP/":
        raise CameraFailed(
            Link.NOT_VIDEO,
            "what answers there is not RTSP",
            place=place,
            cure="Check the port in the camera's address.",
        )


def unreachable(error: OSError, place: str) -> CameraFailed:
    """Return the CameraFailed that says what `error` of a socket means."""
    if isinstance(error, TimeoutError):
        return CameraFailed(Link.TIMED_OUT, "camera does not answer", place=place, cure="Check its cable and power.")
    if isinstance(error, ConnectionRefusedError | socket.gaierror) or not isinstance(error, ConnectionError):
        reason = error.strerror or "connection refused"
        return CameraFailed(Link.REFUSED, reason, place=place, cure="Check the camera's address, and that it is on.")
    return CameraFailed(Link.LOST, "connection to the camera broke", place=place)


def _read_some(line: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size and (more := line.recv(size - len(received))):
        received += more
    return received
