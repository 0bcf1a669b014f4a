import os
import resource
import signal
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.alarms.shelter.lines import LineReader
from gateway.alarms.shelter.spool import Key, Limits, Said, Spool, kept_of, key_of, spool_path
from gateway.model.alarms import Cancellation, Press
from gateway.model.errors import ConfigurationError, Unavailable
from gateway.runtime import metrics
from gateway.store.events import DeviceEvent
from tests.kit.clock import BEGINNING
from tests.kit.community import AREA

EVENT_ID = "01M7XV6ZDPKD9KHX9YQ6DRNHBC"
TAKEN = BEGINNING + timedelta(seconds=3)
PRESS = Press(
    "sos-0301", 3, 1, "sos", "mqtt", EVENT_ID, BEGINNING, level=1, details={"held_ms": 2100}, late_by_s=42,
    suspicion="unsigned", is_clock_wrong=True, is_silent=True,
)  # fmt: skip
CANCELLATION = Cancellation("sos-0301", 3, 2, EVENT_ID, BEGINNING, "https")
EVENT = DeviceEvent("smoke-0301", 7, 1, EVENT_ID, AREA, "smoke", BEGINNING, TAKEN, {"level": 3})


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    one = opened(tmp_path)
    yield one
    one.close()


def opened(folder: Path, limits: Limits | None = None) -> Spool:
    spool = Spool(spool_path(folder, "gateway"), limits)
    spool.open()
    return spool


def press(seq: int) -> Press:
    return replace(PRESS, seq=seq)


def keep(spool: Spool, said: Said) -> bool:
    return spool.append(said, area_id=AREA, at=TAKEN)


def left(folder: Path) -> list[Key]:
    """What another run would find."""
    again = opened(folder)
    try:
        return again.pending()
    finally:
        again.close()


@pytest.mark.parametrize("said", [PRESS, CANCELLATION, EVENT])
def test_what_is_kept_comes_back_word_by_word(tmp_path: Path, said: Said) -> None:
    """After a restart a message is what it was, with the moment when it was taken in and the area of its device."""
    spool = opened(tmp_path)
    keep(spool, said)
    spool.close()
    again = opened(tmp_path)
    kept = again.find(key_of(said))
    again.close()
    assert kept is not None
    assert kept.said == (replace(said, spooled_at=TAKEN) if isinstance(said, Press) else said)
    assert (kept.area_id, kept.spooled_at) == (AREA, TAKEN)


def test_the_same_identity_is_kept_once(spool: Spool) -> None:
    """A repeated press adds nothing."""
    assert [keep(spool, PRESS), keep(spool, PRESS)] == [True, False]
    assert len(spool) == 1


def test_order_is_kept_and_what_is_settled_does_not_come_back(tmp_path: Path) -> None:
    """Oldest first, across a restart, without those that the ledger has."""
    spool = opened(tmp_path)
    for said in (press(1), press(3), CANCELLATION, press(4)):
        keep(spool, said)
    spool.settle(("sos-0301", 3, 1), "alarm-1")
    spool.close()
    assert left(tmp_path) == [("sos-0301", 3, 3), ("sos-0301", 3, 2), ("sos-0301", 3, 4)]


@pytest.mark.parametrize("cut", [2, 40, 150])
def test_a_torn_last_line_is_counted_and_the_rest_is_whole(tmp_path: Path, cut: int) -> None:
    """What a power cut tore was never promised; everything before it is there, and the next press is written whole."""
    spool = opened(tmp_path)
    keep(spool, press(1))
    keep(spool, press(2))
    spool.close()
    path = spool_path(tmp_path, "gateway")
    path.write_bytes(path.read_bytes()[:-cut])
    before = metrics.dropped_count("spool", "torn_line")
    again = opened(tmp_path)
    assert again.pending() == [("sos-0301", 3, 1)]
    assert metrics.dropped_count("spool", "torn_line") == before + 1
    keep(again, press(3))
    again.close()
    assert left(tmp_path) == [("sos-0301", 3, 1), ("sos-0301", 3, 3)]


@pytest.mark.parametrize("noise", [b"\x00\xff\n", b"[]\n", b'{"op":"press","device":"x","boot":1,"seq":1}\n', b"{}\n"])
def test_noise_in_the_file_is_no_reason_to_lose_the_rest(tmp_path: Path, noise: bytes) -> None:
    """A line that says nothing is left out."""
    spool = opened(tmp_path)
    keep(spool, press(1))
    spool.close()
    with spool_path(tmp_path, "gateway").open("ab") as file:
        file.write(noise)
    assert left(tmp_path) == [("sos-0301", 3, 1)]


def test_one_process_writes_it(spool: Spool, tmp_path: Path) -> None:
    """A second opener is refused and told why."""
    with pytest.raises(ConfigurationError, match="another process"):
        opened(tmp_path)


def test_a_full_spool_refuses_loudly(tmp_path: Path) -> None:
    """Beyond its limit nothing is taken silently; events leave half of the room to alarms."""
    spool = opened(tmp_path, Limits(most=4))
    events = [replace(EVENT, seq=seq) for seq in range(1, 4)]
    before = metrics.dropped_count("spool", "not_kept")
    assert [keep(spool, said) for said in events[:2]] == [True, True]
    with pytest.raises(Unavailable, match="full"):
        keep(spool, events[2])
    assert [keep(spool, press(seq)) for seq in (1, 2)] == [True, True]
    with pytest.raises(Unavailable, match="full"):
        keep(spool, press(3))
    assert metrics.dropped_count("spool", "not_kept") == before + 2
    spool.close()


def test_a_long_file_of_settled_lines_is_begun_anew_before_anything_is_refused(tmp_path: Path) -> None:
    """The limit is for what is pending: what the ledger has takes no room."""
    spool = opened(tmp_path, Limits(size_bytes=4000))
    for seq in range(1, 100):
        keep(spool, press(seq))
        if seq % 5:
            spool.settle(("sos-0301", 3, seq), f"alarm-{seq}")
        elif seq > 10:
            spool.settle(("sos-0301", 3, seq), "")
    assert spool.pending() == [("sos-0301", 3, 5), ("sos-0301", 3, 10)]
    assert spool.size_bytes < 5000
    spool.close()
    assert left(tmp_path) == [("sos-0301", 3, 5), ("sos-0301", 3, 10)]


def test_a_disk_that_refuses_is_said_and_the_file_stays_whole(tmp_path: Path) -> None:
    """With a full disk (a limit on file size here) a press is not taken; when there is room again the next one is."""
    spool = opened(tmp_path)
    keep(spool, press(1))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (spool.size_bytes + 10, hard))
        for _ in range(2):
            with pytest.raises(Unavailable, match="disk refuses"):
                keep(spool, press(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert not spool.has(("sos-0301", 3, 2))
    assert keep(spool, press(2))
    spool.close()
    assert left(tmp_path) == [("sos-0301", 3, 1), ("sos-0301", 3, 2)]


# --- those who follow -------------------------------------------------------------------------------------------------


def said_by(reader: LineReader) -> list[tuple[str, int]]:
    return [(line["op"], line.get("seq", 0)) for line in reader.read()[1]]


def test_a_follower_reads_what_comes_and_notices_a_new_file(tmp_path: Path) -> None:
    """Each line once, in order; after the file was begun anew, everything in it from the start."""
    reader = LineReader(spool_path(tmp_path, "gateway"))
    assert reader.read() == (False, ())
    spool = opened(tmp_path)
    keep(spool, press(1))
    assert said_by(reader) == [("begin", 0), ("press", 1)]
    assert reader.read() == (False, ())
    spool.settle(("sos-0301", 3, 1), "alarm-1")
    keep(spool, press(2))
    assert said_by(reader) == [("settled", 1), ("press", 2)]
    spool.close()
    again = opened(tmp_path)
    is_anew, lines = reader.read()
    assert (is_anew, [line["op"] for line in lines]) == (True, ["begin", "press"])
    assert kept_of(lines[1]).key == ("sos-0301", 3, 2)
    again.close()


def test_a_follower_does_not_read_half_a_line(tmp_path: Path) -> None:
    """What is being written is read when it is whole."""
    path = tmp_path / "one.spool"
    reader = LineReader(path)
    path.write_bytes(b'{"op":"begin","id":"a"}\n{"op":"pre')
    assert said_by(reader) == [("begin", 0)]
    with path.open("ab") as file:
        file.write(b'ss","seq":4}\n')
    assert said_by(reader) == [("press", 4)]


def test_what_is_taken_in_is_on_the_disk_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk has been asked to keep a press before anybody hears that it was taken, and a new file's folder too."""
    synced: list[tuple[bool, int]] = []
    really = os.fsync

    def note(descriptor: int) -> None:
        facts = os.fstat(descriptor)
        synced.append((stat.S_ISDIR(facts.st_mode), facts.st_size))
        really(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    spool = opened(tmp_path)
    assert [is_folder for is_folder, _ in synced] == [False, True]
    synced.clear()
    keep(spool, press(1))
    assert synced == [(False, spool_path(tmp_path, "gateway").stat().st_size)]
    spool.close()
