"""The address of a camera: `testcard:1`, `file:PATH`, `folder:PATH`, `rtsp://…`, `http://…`, with checked options.

Options stand behind a question mark, as in `file:clip.avi?loop=no&speed=2`. For network cameras the question mark
belongs to the camera, so they have no options here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from gateway.model.errors import BadInput


class Kind(StrEnum):
    """The kinds of sources."""

    TESTCARD = "testcard"
    FILE = "file"
    FOLDER = "folder"
    RTSP = "rtsp"
    MJPEG = "http"


@dataclass(frozen=True, slots=True)
class Address:
    """A checked address; `target` is a number, a path or a URL, `options` only hold known keys."""

    kind: Kind
    target: str
    options: Mapping[str, str]

    def without_secrets(self) -> str:
        """Return the address as it may be logged: user and password left out."""
        if self.kind not in {Kind.RTSP, Kind.MJPEG}:
            return f"{self.kind.value}:{self.target}"
        parts = urlsplit(self.target)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"

    def number(self, key: str, default: float) -> float:
        """Return an option that was checked to be a number."""
        return float(self.options.get(key, default))


OPTIONS: Final[Mapping[Kind, Mapping[str, str]]] = {
    Kind.TESTCARD: {"fps": "number", "size": "size", "fault": "fault", "after": "number"},
    Kind.FILE: {"loop": "yes/no", "speed": "speed"},
    Kind.FOLDER: {"loop": "yes/no", "fps": "number"},
    Kind.RTSP: {},
    Kind.MJPEG: {},
}
FAULTS: Final = ("freeze", "dark", "covered")

_SCHEMES: Final = {
    "testcard": Kind.TESTCARD, "file": Kind.FILE, "folder": Kind.FOLDER,
    "rtsp": Kind.RTSP, "rtsps": Kind.RTSP, "http": Kind.MJPEG, "https": Kind.MJPEG,
}  # fmt: skip


def parse_address(text: str, base: Path | None = None) -> Address:
    """Return the checked address; relative paths are taken from `base`.

    Raises BadInput (`unknown_source`, `bad_source_option`, `missing_host`) naming the text and the cure.
    """
    scheme, colon, rest = text.partition(":")
    kind = _SCHEMES.get(scheme.lower()) if colon else None
    if kind is None:
        raise _refused("unknown_source", text, f"Begin it with one of: {', '.join(sorted(_SCHEMES))}.")
    if kind in {Kind.RTSP, Kind.MJPEG}:
        return Address(kind, _checked_url(text), {})
    target, _, query = rest.partition("?")
    options = _checked_options(kind, query, text)
    if kind is Kind.TESTCARD:
        return Address(kind, _checked_number(target, text), options)
    return Address(kind, str((base or Path()) / target), options)


def _checked_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError as error:
        raise _refused("missing_host", text, "Write it like rtsp://host:554/path.") from error
    if not has_host:
        raise _refused("missing_host", text, "Write it like rtsp://host:554/path.")
    return text


def _checked_number(target: str, text: str) -> str:
    if not (target.isascii() and target.isdigit() and len(target) <= 4):
        raise _refused("unknown_source", text, "Write testcard:1, with a number of at most four digits.")
    return target


def _checked_options(kind: Kind, query: str, text: str) -> Mapping[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    for key, value in options.items():
        form = OPTIONS[kind].get(key)
        if form is None or not _fits(form, value):
            known = ", ".join(f"{name} ({shape})" for name, shape in OPTIONS[kind].items())
            raise _refused("bad_source_option", text, f"{key}={value} is not understood; known: {known}.")
    return options


def _fits(form: str, value: str) -> bool:
    match form:
        case "yes/no":
            return value in {"yes", "no"}
        case "fault":
            return value in FAULTS
        case "size":
            return size_of(value) is not None
        case "speed":
            return value == "readers" or _is_positive(value)
        case _:
            return _is_positive(value)


def _is_positive(value: str) -> bool:
    try:
        return 0 < float(value) <= 1000
    except ValueError:
        return False


def size_of(value: str) -> tuple[int, int] | None:
    """Return (width, height) of `640x360`, or None where it is not an even size between 64 and 4096."""
    width, _, height = value.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        return None
    size = int(width), int(height)
    return size if all(64 <= side <= 4096 and side % 2 == 0 for side in size) else None


def _refused(reason: str, text: str, cure: str) -> BadInput:
    shown = text if "@" not in text else text.partition(":")[0] + "://…"
    return BadInput("camera source is not understood", reason=reason, place=repr(shown), cure=cure)
