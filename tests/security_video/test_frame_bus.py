import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from gateway.contract.frames import FrameHeader
from gateway.model.errors import ConfigurationError, Unavailable
from gateway.runtime import metrics
from security_video.frame_bus import FramePublisher, FrameReader, address_of, socket_folder

JPEG = b"\xff\xd8 a picture \xff\xd9"
PATIENCE_S = 10.0

DEAD_READER = """
import sys, time
from pathlib import Path
from security_video.frame_bus import FrameReader
reader = FrameReader(Path(sys.argv[1]), 2)
while reader.receive(1) is None: pass
print("read", flush=True)
time.sleep(600)
"""


def a_header(camera_id: str = "cam-1", seq: int = 0, epoch: int = 1, encoding: str = "jpeg") -> FrameHeader:
    return FrameHeader(camera_id, epoch, seq, time.time_ns(), 0, 640, 360, encoding)


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[FramePublisher]:
    publisher = FramePublisher(tmp_path / "f", "one")
    publisher.start()
    yield publisher
    publisher.stop()


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[FrameReader]:
    reader = FrameReader(tmp_path / "f")
    yield reader
    reader.close()


def read_until(reader: FrameReader, seq: int) -> list[int]:
    """Return the numbers of the pictures that came, up to number `seq`."""
    seqs: list[int] = []
    deadline = time.monotonic() + PATIENCE_S
    while (not seqs or seqs[-1] < seq) and time.monotonic() < deadline:
        if (frame := reader.receive(0.2)) is not None and frame.payload:
            seqs.append(frame.header.seq)
    return seqs


def wait_for_readers(publisher: FramePublisher, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while publisher.statistics()["readers"] != count and time.monotonic() < deadline:
        time.sleep(0.02)
    assert publisher.statistics()["readers"] == count


def test_picture_arrives_as_it_was_offered(publisher: FramePublisher, reader: FrameReader) -> None:
    """A picture comes out of the bus byte for byte, with its header and both clocks."""
    publisher.offer(a_header(seq=3), JPEG)
    frame = next(frame for _ in range(50) if (frame := reader.receive(0.2)))
    assert (frame.header.camera_id, frame.header.seq, frame.payload) == ("cam-1", 3, JPEG)
    assert frame.header.captured_ns <= frame.header.published_ns <= frame.received_ns


def test_fast_reader_misses_nothing_beside_a_slow_and_a_dead_one(tmp_path: Path, publisher: FramePublisher) -> None:
    """A reader that keeps up gets every picture, while one takes its time and another one has stopped for good."""
    dead = subprocess.Popen(
        [sys.executable, "-c", DEAD_READER, str(tmp_path / "f")], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    publisher.offer(a_header(seq=0), JPEG)
    assert dead.stdout is not None
    assert dead.stdout.readline() == b"read\n"
    slow_seqs: list[int] = []
    fast, quit_slow = FrameReader(tmp_path / "f"), threading.Event()
    slow = threading.Thread(target=read_slowly, args=(tmp_path / "f", slow_seqs, quit_slow))
    slow.start()
    read_until(fast, 0)
    wait_for_readers(publisher, 3)
    seqs: list[int] = []
    for seq in range(1, 301):
        publisher.offer(a_header(seq=seq), JPEG * 1000)
        seqs += read_until(fast, seq)
    quit_slow.set()
    slow.join()
    fast.close()
    dead.kill()
    dead.wait()
    if dead.stdout:
        dead.stdout.close()
    assert seqs == list(range(1, 301))
    assert 0 < len(slow_seqs) < 300
    assert slow_seqs == sorted(slow_seqs)


def read_slowly(folder: Path, seqs: list[int], quit_slow: threading.Event) -> None:
    reader = FrameReader(folder, 1)
    while not quit_slow.is_set():
        if (frame := reader.receive(0.05)) is not None:
            seqs.append(frame.header.seq)
            time.sleep(0.02)
    reader.close()


def test_reader_that_pauses_finds_the_newest_picture(publisher: FramePublisher, tmp_path: Path) -> None:
    """After a pause at most a window of old pictures comes, and behind it the newest, however many were made."""
    reader = FrameReader(tmp_path / "f", window=2)
    publisher.offer(a_header(seq=0), JPEG)
    read_until(reader, 0)
    for seq in range(1, 501):
        publisher.offer(a_header(seq=seq), JPEG)
    seqs = read_until(reader, 500)
    reader.close()
    assert seqs[-1] == 500
    assert len(seqs) <= 4
    assert reader.received.skipped >= 496


def test_publisher_that_starts_again_is_found_again(tmp_path: Path, reader: FrameReader) -> None:
    """Readers come back to a publisher that was started again, and see its new epoch."""
    for epoch in (1, 2):
        publisher = FramePublisher(tmp_path / "f", "one")
        publisher.start()
        publisher.offer(a_header(seq=0, epoch=epoch), JPEG)
        frame = next(frame for _ in range(100) if (frame := reader.receive(0.1)))
        publisher.stop()
        assert frame.header.epoch == epoch


def test_publishers_that_start_later_are_read_too(
    tmp_path: Path, publisher: FramePublisher, reader: FrameReader
) -> None:
    """One reader reads all publishers of a folder, whenever they appear."""
    publisher.offer(a_header("cam-1"), JPEG)
    other = FramePublisher(tmp_path / "f", "two")
    other.start()
    other.offer(a_header("cam-2"), JPEG)
    seen = {frame.header.camera_id for _ in range(50) if (frame := reader.receive(0.1))}
    other.stop()
    assert seen == {"cam-1", "cam-2"}


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ([b"{}", JPEG], "missing_field"),
        ([b"not json", JPEG], "broken_json"),
        ([b"x"], "bad_frame_parts"),
        ([a_header(seq=9).encode(), JPEG[:-2]], "torn_picture"),
        ([a_header(seq=9).encode(), b"GIF89a"], "torn_picture"),
        ([a_header(seq=9, encoding="bgr").encode(), JPEG], "unknown_encoding"),
    ],
)
def test_bad_message_is_counted_and_the_next_good_one_passes(tmp_path: Path, parts: list[bytes], reason: str) -> None:
    """Something that is not a whole picture with a header is refused by its reason, and changes nothing else."""
    folder = socket_folder(tmp_path / "f")
    before = metrics.dropped_count("frame_bus", reason)
    with zmq.Context() as context, context.socket(zmq.ROUTER) as router:
        router.bind(address_of(folder, "evil"))
        reader = FrameReader(folder)
        sender = threading.Thread(target=answer_open, args=(router, parts))
        sender.start()
        frame = next(frame for _ in range(60) if (frame := reader.receive(0.1)))
        sender.join()
        reader.close()
    assert frame.header.seq == 1
    assert reader.received.refused == 1
    assert metrics.dropped_count("frame_bus", reason) == before + 1


def answer_open(router: "zmq.Socket[bytes]", parts: list[bytes]) -> None:
    name = router.recv_multipart()[0]
    for message in (parts, [a_header(seq=1).encode(), JPEG]):
        router.send_multipart([name, *message])


def test_older_picture_after_a_newer_one_is_refused(publisher: FramePublisher, reader: FrameReader) -> None:
    """Pictures of one camera only ever get newer for a reader; a repeated number is not shown again."""
    publisher.offer(a_header(seq=5), JPEG)
    assert read_until(reader, 5) == [5]
    publisher.offer(a_header(seq=4), JPEG)
    publisher.offer(a_header("cam-2", seq=6), JPEG)
    assert read_until(reader, 6) == [6]
    assert reader.received.refused == 1


@pytest.mark.parametrize(
    "message", [b"", b"junk", b'{"op":"open","n":100000}', b'{"op":"sing","n":1}', b'{"op":"open","n":true}']
)
def test_reader_that_talks_nonsense_is_ignored(
    tmp_path: Path, publisher: FramePublisher, reader: FrameReader, message: bytes
) -> None:
    """What is not a reader's wish is counted, and the other readers do not notice."""
    with zmq.Context() as context, context.socket(zmq.DEALER) as dealer:
        dealer.setsockopt(zmq.LINGER, 0)
        dealer.connect(address_of(tmp_path / "f", "one"))
        dealer.send(message)
        publisher.offer(a_header(seq=1), JPEG)
        assert read_until(reader, 1) == [1]
    assert publisher.statistics()["readers"] == 1


def test_socket_folder_is_private(tmp_path: Path) -> None:
    """Only the owner of the processes can reach the pictures."""
    (tmp_path / "f").mkdir(mode=0o755)
    assert socket_folder(tmp_path / "f").stat().st_mode & 0o777 == 0o700


def test_socket_is_gone_after_the_end(tmp_path: Path) -> None:
    """A publisher that ends leaves no socket behind; ending twice is fine."""
    publisher = FramePublisher(tmp_path / "f", "one")
    publisher.stop()
    publisher.start()
    publisher.stop()
    publisher.stop()
    assert list((tmp_path / "f").iterdir()) == []


def test_path_that_is_too_long_is_refused_with_a_cure(tmp_path: Path) -> None:
    """A socket path that the system would cut is refused before anything starts."""
    with pytest.raises(ConfigurationError, match="data_dir"):
        FramePublisher(tmp_path / ("x" * 120), "one")


def test_address_that_cannot_be_bound_is_said(tmp_path: Path) -> None:
    """A publisher that cannot listen says so at its start."""
    (tmp_path / "f" / "one.ipc").mkdir(parents=True)
    with pytest.raises(Unavailable, match="cannot be bound"):
        FramePublisher(tmp_path / "f", "one").start()


def test_recording_waits_for_its_reader(publisher: FramePublisher, reader: FrameReader) -> None:
    """A picture is taken once every reader was sent it; without readers it is not."""
    publisher.offer(a_header(seq=0), JPEG)
    assert not publisher.wait_taken("cam-1", 0.05)
    read_until(reader, 0)
    assert publisher.wait_taken("cam-1", PATIENCE_S)


def test_offers_from_many_cameras_at_once_never_put_the_publisher_to_sleep(
    publisher: FramePublisher, reader: FrameReader
) -> None:
    """Eight cameras offer at the same moments for seconds; the reader is served all the time, not once a second."""
    rounds, cameras = 60, [f"cam-{number}" for number in range(8)]

    def offer_always(camera_id: str) -> None:
        for seq in range(rounds):
            publisher.offer(a_header(camera_id, seq), JPEG)
            time.sleep(0.05)

    threads = [threading.Thread(target=offer_always, args=(camera_id,)) for camera_id in cameras]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        reader.receive(0.05)
    for thread in threads:
        thread.join()
    assert reader.received.frames > rounds * len(cameras) / 2


def test_a_reader_without_publishers_waits_and_does_not_spin(tmp_path: Path) -> None:
    """With no camera at all the desk's thread sleeps until it looks again."""
    reader = FrameReader(tmp_path)
    used_s, calls = time.thread_time(), 0
    begun = time.monotonic()
    while time.monotonic() - begun < 0.5:
        assert reader.receive(0.2) is None
        calls += 1
    reader.close()
    assert calls <= 10
    assert time.thread_time() - used_s < 0.25
