import asyncio
import itertools
import shutil
import struct
import threading
from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_stubs.ip_camera.camera import IpCamera
from firmware_stubs.ip_camera.rtp import (
    MOST_PAYLOAD,
    AccessUnit,
    Packetizer,
    describe,
    fragments,
    interleaved,
    split_annex_b,
)
from firmware_stubs.ip_camera.rtsp import Conversation, parse_request
from firmware_stubs.ip_camera.sensor import Fault, Lens
from security_video.health import Link
from security_video.sources.mjpeg import MjpegSource
from security_video.sources.picture import CameraFailed, Source
from security_video.sources.stream import RtspSource
from security_video.sources.testcard import read_card

SPS, PPS, IDR = b"\x67\x42\xc0\x1e\x00", b"\x68\xce", b"\x65" + bytes(range(200))
SDP = describe([SPS, PPS, IDR], 10)
URL = "rtsp://127.0.0.1:8554/stream"

Call = Callable[[IpCamera], Source]


def by_rtsp(camera: IpCamera) -> Source:
    return RtspSource(camera.rtsp_url, "rtsp", 1.0, 1.0)


def by_mjpeg(camera: IpCamera) -> Source:
    return MjpegSource(camera.mjpeg_url, "mjpeg", 1.0, 1.0)


@pytest.fixture
async def camera() -> AsyncIterator[IpCamera]:
    camera = IpCamera(Lens(width=320, height=180, fps=20))
    await camera.start()
    yield camera
    await camera.stop()


async def cards(source: Source, count: int) -> list[tuple[int, int] | None]:
    pictures = await asyncio.to_thread(lambda: list(itertools.islice(source.pictures(), count)))
    return [read_card(picture.pixels) for picture in pictures]


async def failure(source: Source) -> CameraFailed:
    def exhaust() -> None:
        for _ in source.pictures():
            pass

    with pytest.raises(CameraFailed) as failed:
        await asyncio.to_thread(exhaust)
    return failed.value


@given(st.binary(min_size=1, max_size=5 * MOST_PAYLOAD))
def test_fragments_make_the_unit_again(unit: bytes) -> None:
    """A NAL unit of any length fits its packets and can be put together again without loss."""
    pieces = list(fragments(unit))
    assert all(len(piece) <= MOST_PAYLOAD for piece in pieces)
    if len(pieces) == 1:
        assert pieces == [unit]
    else:
        assert bytes((pieces[0][0] & 0xE0 | pieces[0][1] & 0x1F,)) + b"".join(piece[2:] for piece in pieces) == unit
        marks = [(piece[1] >> 7, piece[1] >> 6 & 1) for piece in pieces]
        assert marks == [(1, 0), *[(0, 0)] * (len(pieces) - 2), (0, 1)]


def test_last_packet_of_a_picture_is_marked() -> None:
    """All packets of a picture carry its time, numbers go up by one, and only the last has the marker."""
    picture = AccessUnit([SPS, PPS, IDR * 40], 9000)
    packets = list(Packetizer(ssrc=7, sequence=65534).packets(picture))
    heads = [struct.unpack("!BBHII", packet[:12]) for packet in packets]
    assert [head[1] >> 7 for head in heads] == [0] * (len(packets) - 1) + [1]
    assert [head[2] for head in heads] == [(65534 + number) & 0xFFFF for number in range(len(packets))]
    assert {(head[3], head[4]) for head in heads} == {(9000, 7)}


def test_packets_travel_with_channel_and_length() -> None:
    """Inside an RTSP connection a packet is preceded by a dollar sign, its channel and its length."""
    assert interleaved(b"abc", 2) == b"$\x02\x00\x03abc"


def test_start_codes_of_both_lengths_are_understood() -> None:
    """Three-byte and four-byte start codes separate the units of an encoder's output."""
    assert split_annex_b(b"\0\0\0\1\x67\x42\0\0\1\x68\xce\0\0\1\x65\x11") == [b"\x67\x42", b"\x68\xce", b"\x65\x11"]


def test_description_carries_the_parameter_sets() -> None:
    """The SDP names profile and level and carries both parameter sets."""
    assert "profile-level-id=42C01E" in SDP
    assert "sprop-parameter-sets=Z0LAHgA=,aM4=" in SDP


def talked(*requests: str) -> list[int]:
    """Return the status of each answer; {session} stands for the session that the camera gave."""
    talk, session, statuses = Conversation("/stream", SDP), "", []
    for text in requests:
        request = parse_request(text.replace("{session}", session).replace("\n", "\r\n").encode())
        assert request is not None
        answer = talk.answer(request)
        session = answer.headers.get("Session", session).partition(";")[0]
        statuses.append(answer.status)
    return statuses


TCP = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"


def test_whole_conversation_succeeds() -> None:
    """OPTIONS, DESCRIBE, SETUP, PLAY, keeping alive and TEARDOWN are all answered with 200."""
    assert (
        talked(
            f"OPTIONS {URL} RTSP/1.0\nCSeq: 1\n",
            f"DESCRIBE {URL} RTSP/1.0\nCSeq: 2\n",
            f"SETUP {URL}/track1 RTSP/1.0\nCSeq: 3\n{TCP}\n",
            f"PLAY {URL}/ RTSP/1.0\nCSeq: 4\nSession: {{session}}\n",
            f"GET_PARAMETER {URL} RTSP/1.0\nCSeq: 5\nSession: {{session}}\n",
            f"TEARDOWN {URL} RTSP/1.0\nCSeq: 6\nSession: {{session}}\n",
        )
        == [200] * 6
    )


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        (f"PLAY {URL} RTSP/1.0\nCSeq: 1\n", 455),
        (f"DESCRIBE {URL}er RTSP/1.0\nCSeq: 1\n", 404),
        (f"SETUP {URL} RTSP/1.0\nCSeq: 1\nTransport: RTP/AVP;unicast;client_port=5000-5001\n", 461),
        (f"RECORD {URL} RTSP/1.0\nCSeq: 1\n", 501),
        (f"OPTIONS {URL} RTSP/1.0\n", 400),
        (f"OPTIONS {URL} RTSP/2.0\nCSeq: 1\n", 505),
    ],
)
def test_wrong_request_has_its_own_status(request_text: str, status: int) -> None:
    """What the camera cannot do is refused with the status that the standard has for it."""
    assert talked(request_text) == [status]


def test_foreign_session_is_refused() -> None:
    """A session that the camera did not give opens nothing."""
    assert talked(f"SETUP {URL} RTSP/1.0\nCSeq: 1\n{TCP}\n", f"PLAY {URL} RTSP/1.0\nCSeq: 2\nSession: x\n") == [
        200,
        454,
    ]


@pytest.mark.parametrize("head", [b"", b"nonsense\r\n\r\n", b"\xff\xfe RTSP\r\n\r\n"])
def test_noise_is_no_request(head: bytes) -> None:
    """Bytes that are no request are told apart from requests."""
    assert parse_request(head) is None


@pytest.mark.parametrize("call", [by_rtsp, by_mjpeg])
async def test_pictures_carry_their_numbers(camera: IpCamera, call: Call) -> None:
    """Pictures come over both roads, each with a later number, read back from the pixels."""
    numbers = [card[0] for card in await cards(call(camera), 6) if card]
    assert len(numbers) == 6
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("call", [by_rtsp, by_mjpeg])
@pytest.mark.parametrize(
    ("fault", "link"),
    [(Fault.REFUSE, Link.REFUSED), (Fault.HANG, Link.TIMED_OUT), (Fault.NOISE, Link.NOT_VIDEO)],
)
async def test_fault_has_its_own_word_and_heals(camera: IpCamera, call: Call, fault: Fault, link: Link) -> None:
    """A camera that refuses, hangs or sends noise is told apart, and works again once it is mended."""
    await camera.set_fault(fault)
    assert (await failure(call(camera))).link is link
    await camera.set_fault(Fault.NONE)
    assert len(await cards(call(camera), 2)) == 2


@pytest.mark.parametrize("call", [by_rtsp, by_mjpeg])
async def test_line_that_falls_silent_times_out(camera: IpCamera, call: Call) -> None:
    """A camera that stops sending on an open line is noticed within the read timeout."""
    watching = asyncio.create_task(failure(call(camera)))
    await asyncio.sleep(1.5)
    await camera.set_fault(Fault.HANG)
    assert (await watching).link is Link.TIMED_OUT


@pytest.mark.parametrize("call", [by_rtsp, by_mjpeg])
async def test_line_that_is_cut_is_lost(camera: IpCamera, call: Call) -> None:
    """A connection that breaks is a loss, not a picture that stands still."""
    watching = asyncio.create_task(failure(call(camera)))
    await asyncio.sleep(1.5)
    await camera.hang_up()
    assert (await watching).link is Link.LOST


async def test_frozen_camera_repeats_one_picture(camera: IpCamera) -> None:
    """A frozen camera goes on sending, always the same picture."""
    await camera.set_fault(Fault.FREEZE)
    await asyncio.sleep(0.2)
    assert len({card[0] for card in await cards(by_mjpeg(camera), 5) if card}) == 1


async def test_dark_camera_is_dark(camera: IpCamera) -> None:
    """A camera with its cap on sends black pictures."""
    await camera.set_fault(Fault.DARK)
    await asyncio.sleep(0.2)
    pictures = await asyncio.to_thread(lambda: list(itertools.islice(by_rtsp(camera).pictures(), 2)))
    assert all(picture.pixels.mean() < 10 for picture in pictures)


async def test_several_viewers_see_the_same(camera: IpCamera) -> None:
    """Viewers that come at different times all begin with a whole picture."""
    numbers = await asyncio.gather(*(cards(by_rtsp(camera), 3) for _ in range(3)))
    assert all(card is not None for seen in numbers for card in seen)


async def test_strangers_read_the_stream_too(camera: IpCamera) -> None:
    """FFmpeg's own ffprobe finds H.264 of the right size and counts its pictures."""
    if shutil.which("ffprobe") is None:
        pytest.skip("ffprobe is not here (Debian package ffmpeg)")
    wanted = "stream=codec_name,width,height,nb_read_frames"
    probe = await asyncio.create_subprocess_exec(
        *("ffprobe", "-v", "error", "-rtsp_transport", "tcp", "-count_frames", "-read_intervals", "%+1"),
        *("-show_entries", wanted, "-of", "csv=p=0", camera.rtsp_url),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await probe.communicate()
    codec, width, height, count = output.decode().strip().split(",")
    assert (codec, width, height) == ("h264", "320", "180")
    assert int(count) > 10


async def test_stopping_twice_and_before_the_start_is_fine() -> None:
    """A camera may be stopped at any time and leaves no thread behind."""
    camera = IpCamera()
    await camera.stop()
    await camera.start()
    await camera.stop()
    await camera.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "ip-camera"]
