"""The header of a video message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.contract.codec import encode
from gateway.contract.frames import ENCODINGS, LINKS, FrameHeader
from gateway.contract.limits import MAX_WHOLE
from gateway.model.errors import BadInput

WHOLE = st.integers(0, MAX_WHOLE)
NANOSECONDS = st.integers(0, 2**63 - 1)
SIZES = st.integers(0, 16384)
HEADERS = st.builds(
    FrameHeader, st.just("cam-08"), WHOLE, WHOLE, NANOSECONDS, NANOSECONDS, SIZES, SIZES,
    st.sampled_from(ENCODINGS), st.booleans(), st.sampled_from(LINKS),
)  # fmt: skip


@given(HEADERS)
def test_a_header_survives_the_journey(header: FrameHeader) -> None:
    """Nanoseconds come back to the last digit."""
    assert FrameHeader.decode(header.encode()) == header


@given(st.binary(max_size=100))
def test_noise_is_no_header(payload: bytes) -> None:
    """Noise on the bus is BadInput and nothing else."""
    with pytest.raises(BadInput):
        FrameHeader.decode(payload)


def test_a_header_of_another_version_is_refused() -> None:
    """A newer capture program and an older desk do not guess at each other."""
    with pytest.raises(BadInput) as caught:
        FrameHeader.decode(encode({"v": 2}))
    assert caught.value.reason == "unknown_version"


def test_the_age_is_measured_from_the_capture() -> None:
    """Age is now minus capture, and a clock that stepped back gives zero."""
    header = FrameHeader("cam-08", 0, 1, 1_000_000_000, 1_200_000_000, 640, 360, "jpeg")
    assert header.age_s(1_400_000_000) == pytest.approx(0.4)
    assert header.age_s(0) == 0
