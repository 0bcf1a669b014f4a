"""A device's memory survives what happens to devices."""

import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from firmware_stubs import log
from firmware_stubs.journal import FILE_NAME, Journal
from gateway.model.errors import Conflict

NOW = datetime(2026, 11, 20, 2, 14, tzinfo=UTC)


def _open(folder: Path, *, later_s: float = 0) -> Journal:
    return Journal.open(folder, NOW + timedelta(seconds=later_s))


def test_an_event_is_on_disk_before_it_may_be_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`record` returns after write and fsync, in this order."""
    journal = _open(tmp_path)
    synced: list[bytes] = []
    monkeypatch.setattr(os, "fsync", lambda _descriptor: synced.append((tmp_path / FILE_NAME).read_bytes()))
    event = journal.record("sos_pressed", NOW, {"held_ms": 2100})
    assert len(synced) == 1
    assert event.event_id.encode() in synced[0]
    journal.close()


def test_a_new_journal_syncs_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file whose name is not on disk is lost with its content, so the folder is synced as well."""
    synced: list[bool] = []
    real = os.fsync

    def note(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().is_dir())
        real(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    _open(tmp_path).close()
    assert synced == [False, True]


def test_an_unsettled_event_survives_a_restart_with_its_identity(tmp_path: Path) -> None:
    """After a restart the same event is there with the same id, boot and seq."""
    journal = _open(tmp_path)
    event = journal.record("sos_pressed", NOW, {"held_ms": 2100})
    journal.close()
    again = _open(tmp_path, later_s=1)
    assert again.pending == (event,)
    again.close()


def test_a_settled_event_is_forgotten(tmp_path: Path) -> None:
    """A receipt ends it, now and after a restart; a second receipt is nothing new."""
    journal = _open(tmp_path)
    event = journal.record("sos_pressed", NOW, {})
    other = journal.record("cancelled", NOW, {})
    assert journal.settle(event.event_id, "recorded", "A20261120-0007")
    assert not journal.settle(event.event_id, "recorded", "A20261120-0007")
    journal.close()
    again = _open(tmp_path, later_s=1)
    assert again.pending == (other,)
    again.close()


@pytest.mark.parametrize("lost", [1, 2, 20, 60])
def test_a_torn_last_line_costs_only_itself(tmp_path: Path, lost: int) -> None:
    """A power cut in the middle of a write loses that write; what was whole stays, and writing goes on."""
    journal = _open(tmp_path)
    event = journal.record("sos_pressed", NOW, {})
    journal.record("cancelled", NOW, {})
    journal.close()
    path = tmp_path / FILE_NAME
    path.write_bytes(path.read_bytes()[: -lost - 1])
    before = log.DROPPED["torn_journal_line"]
    again = _open(tmp_path, later_s=1)
    assert again.pending == (event,)
    assert log.DROPPED["torn_journal_line"] == before + 1
    new = again.record("sos_pressed", NOW, {})
    again.close()
    third = _open(tmp_path, later_s=2)
    assert third.pending == (event, new)
    third.close()


def test_noise_in_the_middle_costs_only_its_line(tmp_path: Path) -> None:
    """A broken line between good ones is counted and passed over."""
    journal = _open(tmp_path)
    first = journal.record("sos_pressed", NOW, {})
    journal.close()
    with (tmp_path / FILE_NAME).open("ab") as file:
        file.write(b"\x00\xff{{{\n[]\n" + b'{"op":"event","id":7}\n')
    again = _open(tmp_path, later_s=1)
    assert again.pending == (first,)
    again.close()


def test_boots_only_rise_even_when_the_memory_was_lost(tmp_path: Path) -> None:
    """A device whose flash was wiped starts above every boot that it may have had before."""
    journal = _open(tmp_path)
    first = journal.boot
    journal.close()
    (tmp_path / FILE_NAME).unlink()
    wiped = _open(tmp_path, later_s=1)
    assert wiped.boot > first
    wiped.close()
    clock_went_back = _open(tmp_path, later_s=-1_000_000)
    assert clock_went_back.boot > wiped.boot
    clock_went_back.close()


def test_two_processes_cannot_be_the_same_device(tmp_path: Path) -> None:
    """The second opener is refused, and may open when the first has closed."""
    journal = _open(tmp_path)
    with pytest.raises(Conflict):
        _open(tmp_path)
    journal.record("sos_pressed", NOW, {})
    with pytest.raises(Conflict):
        _open(tmp_path)
    journal.close()
    journal.close()
    _open(tmp_path, later_s=1).close()


def test_the_journal_does_not_grow_for_ever(tmp_path: Path) -> None:
    """Settled events are gone from the file after the next opening."""
    journal = _open(tmp_path)
    for _ in range(50):
        journal.settle(journal.record("sos_pressed", NOW, {}).event_id, "recorded", "1")
    journal.close()
    before = (tmp_path / FILE_NAME).stat().st_size
    _open(tmp_path, later_s=1).close()
    assert (tmp_path / FILE_NAME).stat().st_size < before / 50


def test_a_full_disk_does_not_stop_an_alarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event is pending and counted; when there is room again, the half line costs nothing that comes after it."""
    journal = _open(tmp_path)
    real = os.write

    def write_half(descriptor: int, line: bytes) -> int:
        real(descriptor, line[: len(line) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    before = log.DROPPED["journal_not_written"]
    with monkeypatch.context() as full:
        full.setattr(os, "write", write_half)
        lost = journal.record("sos_pressed", NOW, {})
    assert journal.pending == (lost,)
    assert log.DROPPED["journal_not_written"] == before + 1
    kept = journal.record("cancelled", NOW, {})
    journal.close()
    again = _open(tmp_path, later_s=1)
    assert again.pending == (kept,)
    again.close()
