"""H.264 into RTP packets (RFC 6184, packetization-mode 1) and its SDP; pure.

A picture is an access unit: its NAL units in order. A unit that fits travels alone, a longer one in FU-A fragments; the
last packet of a picture carries the marker. Over RTSP/TCP each packet is preceded by `$`, channel and length.
"""

import base64
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

CLOCK_HZ = 90_000
PAYLOAD_TYPE = 96
#: Bytes of a packet behind the RTP header; fits an Ethernet frame with room for tunnels.
MOST_PAYLOAD = 1400

TYPE_MASK = 0x1F
IDR, SPS, PPS = 5, 7, 8
_FU_A = 28


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One encoded picture; `stamp` counts 1/90000 s."""

    units: Sequence[bytes]
    stamp: int

    @property
    def is_key(self) -> bool:
        return any(unit[0] & TYPE_MASK == IDR for unit in self.units)


@dataclass(slots=True)
class Packetizer:
    """Numbers the packets of one receiver."""

    ssrc: int
    sequence: int = 0

    def packets(self, picture: AccessUnit) -> Iterator[bytes]:
        """Yield the RTP packets of one picture."""
        payloads = [payload for unit in picture.units for payload in fragments(unit)]
        for number, payload in enumerate(payloads, 1):
            yield self._header(picture.stamp, is_last=number == len(payloads)) + payload

    def _header(self, stamp: int, *, is_last: bool) -> bytes:
        kind = PAYLOAD_TYPE | (0x80 if is_last else 0)
        header = struct.pack("!BBHII", 0x80, kind, self.sequence, stamp & 0xFFFFFFFF, self.ssrc)
        self.sequence = (self.sequence + 1) & 0xFFFF
        return header


def fragments(unit: bytes) -> Iterator[bytes]:
    """Yield the payloads that carry one NAL unit: itself, or FU-A fragments of it."""
    if len(unit) <= MOST_PAYLOAD:
        yield unit
        return
    indicator, kind = (unit[0] & 0xE0) | _FU_A, unit[0] & TYPE_MASK
    step = MOST_PAYLOAD - 2
    for start in range(1, len(unit), step):
        is_first, is_last = start == 1, start + step >= len(unit)
        yield bytes((indicator, is_first << 7 | is_last << 6 | kind)) + unit[start : start + step]


def interleaved(packet: bytes, channel: int) -> bytes:
    """Return an RTP packet as it travels inside an RTSP connection."""
    return struct.pack("!cBH", b"$", channel, len(packet)) + packet


def split_annex_b(stream: bytes) -> list[bytes]:
    """Return the NAL units between the start codes (three or four bytes) of an encoder's output."""
    parts = stream.replace(b"\x00\x00\x00\x01", b"\x00\x00\x01").split(b"\x00\x00\x01")
    return [part for part in parts if part]


def describe(units: Sequence[bytes], fps: float) -> str:
    """Return the SDP of a stream whose first picture has `units`, among them SPS and PPS."""
    parameters = [unit for unit in units if unit[0] & TYPE_MASK in {SPS, PPS}]
    level = next(unit[1:4].hex().upper() for unit in parameters if unit[0] & TYPE_MASK == SPS)
    sets = ",".join(base64.b64encode(unit).decode() for unit in parameters)
    lines = (
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=linli stub camera",
        "c=IN IP4 0.0.0.0",
        "t=0 0",
        "a=control:*",
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"a=rtpmap:{PAYLOAD_TYPE} H264/{CLOCK_HZ}",
        f"a=fmtp:{PAYLOAD_TYPE} packetization-mode=1;profile-level-id={level};sprop-parameter-sets={sets}",
        f"a=framerate:{fps:g}",
        "a=control:track1",
    )
    return "\r\n".join(lines) + "\r\n"
