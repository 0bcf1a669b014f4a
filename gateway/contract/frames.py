"""The header of one ZeroMQ video message: which picture this is, and when it was taken and sent."""

from dataclasses import dataclass, field
from typing import Self

from gateway.contract.codec import decode, encode_message
from gateway.contract.fields import ID_PATTERN, Choice, Flag, Text, Whole
from gateway.contract.limits import MAX_ID_CHARS
from gateway.contract.records import read_record, wire, write_record
from gateway.model.errors import BadInput

VERSION = 1
ENCODINGS = ("jpeg", "bgr", "h264", "h265", "none")
LINKS = ("connecting", "open", "refused", "timed_out", "not_video", "ended", "lost")

_NANOSECONDS = Whole(0, 2**63 - 1)


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """The first part of a two-part message; the second part is the picture (empty for encoding `none`).

    A header says what was measured (the connection, and four figures of the picture's brightness plane); what state
    the camera is in is for the reader to judge, who alone knows how long it has heard nothing.

    Clocks are nanoseconds since the epoch on the machine that captured; ages are differences of the two or, across
    machines, as good as those machines agree. `epoch` rises with every reconnection of the source and never falls,
    also not when the capturing process starts again; `seq` counts the pictures of an epoch from 0: a gap in `seq` is
    pictures that were skipped, never a reordering.
    """

    camera_id: str = field(metadata=wire("cam", Text(MAX_ID_CHARS, ID_PATTERN), "The camera."))
    epoch: int = field(metadata=wire("epoch", Whole(0), "Rises with every reconnection of the source."))
    seq: int = field(metadata=wire("seq", Whole(0), "Counts the pictures of an epoch."))
    captured_ns: int = field(metadata=wire("cap_ns", _NANOSECONDS, "When the picture was taken or received."))
    published_ns: int = field(metadata=wire("pub_ns", _NANOSECONDS, "When this message was sent."))
    width: int = field(metadata=wire("w", Whole(0, 16384), "Width in pixels."))
    height: int = field(metadata=wire("h", Whole(0, 16384), "Height in pixels."))
    encoding: str = field(metadata=wire("enc", Choice(ENCODINGS), "What the second part is."))
    key: bool = field(default=True, metadata=wire("key", Flag(), "It can be shown without an earlier picture."))
    link: str = field(default="open", metadata=wire("link", Choice(LINKS), "The connection to the camera."))
    luma: int = field(default=0, metadata=wire("luma", Whole(0, 255), "Mean brightness."))
    spread: int = field(default=0, metadata=wire("spread", Whole(0, 255), "Standard deviation of the brightness."))
    detail: int = field(default=0, metadata=wire("detail", Whole(0), "Variance of the brightness's Laplacian."))
    still_ms: int = field(
        default=0, metadata=wire("still", Whole(0), "How long pictures have come without a difference between them.")
    )
    v: int = field(default=VERSION, metadata=wire("v", Whole(1), "Version of this header."))

    def encode(self) -> bytes:
        """Return the header as JSON in UTF-8.

        Raises:
            BadInput: a field has a value that `decode` would refuse.
        """
        document: dict[str, object] = {"v": self.v, **write_record(self)}
        read_record(FrameHeader, document)
        return encode_message(document)

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Return the header of received bytes.

        Raises:
            BadInput: not a header; reason `unknown_version` when it is one of another version.
        """
        document = decode(payload)
        version = document.get("v", VERSION)
        if version != VERSION or isinstance(version, bool):
            raise BadInput("a frame header of another version", reason="unknown_version", place="$.v")
        return read_record(cls, document)

    def age_s(self, now_ns: int) -> float:
        """How old the picture is at `now_ns`, by the capturing machine's clock; never negative."""
        return max(0, now_ns - self.captured_ns) / 1e9
