from hypothesis import given
from hypothesis import strategies as st

from gateway.contract.frames import FrameHeader
from security_video.fanout import Fanout, Slot


def a_slot(camera_id: str, seq: int, payload: bytes = b"jpeg") -> Slot:
    return Slot(FrameHeader(camera_id, 1, seq, 0, 0, 1, 1, "jpeg" if payload else "none"), payload)


def opened(window: int = 4, *readers: bytes) -> Fanout:
    fanout = Fanout()
    for reader in readers or (b"desk",):
        fanout.open(reader, window, 0)
    return fanout


def taken(fanout: Fanout, reader: bytes = b"desk") -> list[tuple[str, int]]:
    slots = []
    while (slot := fanout.take(reader)) is not None:
        slots.append((slot.header.camera_id, slot.header.seq))
    return slots


def test_newest_picture_wins() -> None:
    """A reader that comes late is sent the newest picture, and never the ones before it."""
    fanout = opened()
    for seq in range(50):
        fanout.offer(a_slot("a", seq))
    assert taken(fanout) == [("a", 49)]
    assert fanout.counts.overtaken == 49


def test_reader_without_credit_is_sent_nothing() -> None:
    """No more pictures are on their way to a reader than its window."""
    fanout = opened(2)
    for number in range(5):
        fanout.offer(a_slot(f"cam-{number}", 0))
    assert len(taken(fanout)) == 2
    assert fanout.credit(b"desk", 1, 0)
    assert len(taken(fanout)) == 1


def test_credit_never_exceeds_the_window() -> None:
    """A reader cannot make itself a larger window by giving credit that it does not have."""
    fanout = opened(2)
    fanout.credit(b"desk", 200, 0)
    for number in range(5):
        fanout.offer(a_slot(f"cam-{number}", 0))
    assert len(taken(fanout)) == 2


def test_cameras_take_turns() -> None:
    """A camera with many pictures cannot keep another one from being served."""
    fanout = opened(1)
    served = []
    for seq in range(30):
        fanout.offer(a_slot("busy", seq))
        if seq % 10 == 0:
            fanout.offer(a_slot("calm", seq))
        served += taken(fanout)
        fanout.credit(b"desk", 1, 0)
    assert [camera for camera, _ in served].count("calm") == 3


def test_slow_reader_does_not_slow_a_fast_one() -> None:
    """A reader without credit changes nothing for the others."""
    fanout = opened(1, b"fast", b"dead")
    seen = []
    for seq in range(20):
        fanout.offer(a_slot("a", seq))
        seen += taken(fanout, b"fast")
        fanout.credit(b"fast", 1, 0)
    assert [seq for _, seq in seen] == list(range(20))
    assert [seq for _, seq in taken(fanout, b"dead")] == [19]


def test_state_does_not_take_the_place_of_a_picture() -> None:
    """What is known of a connection has a slot of its own beside the picture."""
    fanout = opened()
    fanout.offer(a_slot("a", 7))
    fanout.offer(a_slot("a", 1, payload=b""))
    assert len(taken(fanout)) == 2


def test_reader_that_opens_again_is_shown_everything() -> None:
    """Opening again gives full credit and all newest pictures, whatever was sent before."""
    fanout = opened(3)
    fanout.offer(a_slot("a", 0))
    fanout.offer(a_slot("b", 0))
    assert len(taken(fanout)) == 2
    fanout.open(b"desk", 3, 1)
    assert len(taken(fanout)) == 2


def test_silent_readers_are_named_and_forgotten_ones_have_no_credit() -> None:
    """A reader that has said nothing for too long is found, and its credit is refused once it is forgotten."""
    fanout = opened(1, b"alive", b"gone")
    fanout.credit(b"alive", 1, 30)
    assert fanout.silent(31, 20) == [b"gone"]
    assert fanout.close(b"gone")
    assert not fanout.credit(b"gone", 1, 32)


def test_recording_is_taken_only_when_somebody_took_it() -> None:
    """A picture counts as taken when there are readers and all of them were sent it."""
    fanout = Fanout()
    fanout.offer(a_slot("a", 0))
    assert not fanout.is_taken("a")
    fanout.open(b"desk", 1, 0)
    assert not fanout.is_taken("a")
    fanout.take(b"desk")
    assert fanout.is_taken("a")


def test_camera_that_is_taken_off_the_list_is_no_longer_sent() -> None:
    """Slots of a removed camera vanish also from the queues of readers."""
    fanout = opened()
    fanout.offer(a_slot("a", 0))
    fanout.offer(a_slot("b", 0))
    fanout.forget_camera("a")
    assert taken(fanout) == [("b", 0)]


@given(st.lists(st.tuples(st.sampled_from(["offer", "take", "credit"]), st.integers(0, 3)), max_size=200))
def test_every_reader_sees_each_camera_in_order_and_once(steps: list[tuple[str, int]]) -> None:
    """Whatever the order of offers, credit and sending, a reader's pictures of one camera only ever get newer."""
    fanout, seqs, seen, credit = opened(2), [0] * 4, [-1] * 4, 2
    for act, camera in steps:
        if act == "offer":
            seqs[camera] += 1
            fanout.offer(a_slot(str(camera), seqs[camera]))
        elif act == "credit":
            fanout.credit(b"desk", 1, 0)
            credit = min(2, credit + 1)
        elif (slot := fanout.take(b"desk")) is not None:
            number = int(slot.header.camera_id)
            assert slot.header.seq == seqs[number]
            assert slot.header.seq > seen[number]
            seen[number], credit = slot.header.seq, credit - 1
            assert credit >= 0
