"""Checkpoints on disk: signed, chained, synced, copied; and what is done to them is named."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.alarms.audit import checkpoint_file, checkpoints, seal
from gateway.alarms.audit.checkpoint_file import CheckpointFile
from gateway.alarms.audit.checkpoints import Log
from gateway.alarms.audit.seal import Seal
from gateway.model.errors import ConfigurationError

AT = "2026-07-19T20:00:00+00:00"


@pytest.fixture
def own(tmp_path: Path) -> Seal:
    return seal.read_or_make(tmp_path / "secrets" / "audit.key")


@pytest.fixture
def file(tmp_path: Path) -> CheckpointFile:
    return CheckpointFile(tmp_path / "audit")


def digest(number: int) -> bytes:
    return number.to_bytes(32, "big")


def sign(file: CheckpointFile, own: Seal, *seqs: int) -> list[str]:
    return [file.append({"110105001001": (seq, digest(seq))}, AT, own)[0].name for seq in seqs]


def judged(file: CheckpointFile, own: Seal, expected: dict[int, str] | None = None) -> Log:
    return checkpoints.examine(checkpoint_file.lines_of(file.path), {own.key_id: own.public}, expected or {})


def said(log: Log) -> list[str]:
    return [fault.sentence for fault in log.faults.kept]


def test_a_line_says_what_the_documents_promise(file: CheckpointFile, own: Seal) -> None:
    """Number, time, heads, the hash of the line before, key and signature, one JSON object a line."""
    names = sign(file, own, 3, 7)
    first, second = (json.loads(line) for line in file.path.read_text().splitlines())
    assert list(first) == ["number", "at", "heads", "previous", "key", "signature"]
    assert (first["number"], first["at"], first["previous"]) == (1, AT, "0" * 64)
    assert second["heads"] == {"110105001001": [7, digest(7).hex()]}
    assert names[0] == f"1:{second['previous']}"
    log = judged(file, own)
    assert (log.count, log.signed, said(log)) == (2, 2, [])
    assert [mark.seq for mark in log.marks.of("110105001001")] == [3, 7]


def test_the_key_is_for_its_owner_alone_and_the_public_one_lies_beside(file: CheckpointFile, tmp_path: Path) -> None:
    """The private key has mode 0600 and is made once; a key that others can read is refused."""
    path = tmp_path / "secrets" / "audit.key"
    own = seal.read_or_make(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert seal.read_or_make(path).key_id == own.key_id
    sign(file, own, 1)
    assert list(seal.read_public(file.folder / "audit.pub")) == [own.key_id]
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="others can read"):
        seal.read_or_make(path)


def test_after_a_lost_key_both_keys_are_published(file: CheckpointFile, own: Seal, tmp_path: Path) -> None:
    """A new key goes on where the old one ended, and the old lines are still recognised."""
    sign(file, own, 1)
    other = seal.read_or_make(tmp_path / "secrets" / "new.key")
    sign(file, other, 2)
    keys = seal.read_public(file.folder / "audit.pub")
    assert set(keys) == {own.key_id, other.key_id}
    assert checkpoints.examine(checkpoint_file.lines_of(file.path), keys, {}).faults.total == 0
    assert said(judged(file, own)) == [
        f"checkpoints: line 2: checkpoint 2 is signed by key {other.key_id}, which was not given"
    ]


def _forge_head(lines: list[str]) -> None:
    document = json.loads(lines[1])
    document["heads"]["110105001001"][0] = 9
    lines[1] = json.dumps(document, separators=(",", ":"))


def _forge_signature(lines: list[str]) -> None:
    document = json.loads(lines[1])
    document["signature"] = json.loads(lines[0])["signature"]
    lines[1] = json.dumps(document, separators=(",", ":"))


def _spoil(lines: list[str]) -> None:
    lines[1] = lines[1][:-2]


def _space(lines: list[str]) -> None:
    lines[1] = lines[1].replace(":", ": ", 1)


def _remove(lines: list[str]) -> None:
    del lines[1]


def _remove_first(lines: list[str]) -> None:
    del lines[0]


def _exchange(lines: list[str]) -> None:
    lines[1], lines[2] = lines[2], lines[1]


@pytest.mark.parametrize(
    ("deed", "sentence"),
    [
        (_forge_head, "line 2: the signature of checkpoint 2 is forged, or its content was changed"),
        (_forge_signature, "line 2: the signature of checkpoint 2 is forged, or its content was changed"),
        (_spoil, "line 2: this is no checkpoint"),
        (_space, "line 2: this checkpoint is not written as one"),
        (_remove, "line 2: it is checkpoint 3 where 2 should be: lines are missing or were exchanged"),
        (_remove_first, "line 1: it is checkpoint 2 where 1 should be: lines are missing or were exchanged"),
        (_exchange, "line 2: it is checkpoint 3 where 2 should be: lines are missing or were exchanged"),
    ],
)
def test_a_changed_file_is_named(
    file: CheckpointFile, own: Seal, deed: Callable[[list[str]], None], sentence: str
) -> None:
    """Whatever was done to a line, the line is named and how."""
    sign(file, own, 1, 2, 3, 4)
    lines = file.path.read_text().splitlines()
    deed(lines)
    file.path.write_text("".join(f"{line}\n" for line in lines))
    assert said(judged(file, own))[0] == f"checkpoints: {sentence}"


def test_a_forged_line_says_nothing_about_the_ledger(file: CheckpointFile, own: Seal, tmp_path: Path) -> None:
    """What is signed by a stranger is a fault of the file, and no mark of a chain."""
    sign(file, own, 1)
    stranger = seal.read_or_make(tmp_path / "stranger.key")
    sign(file, stranger, 2)
    assert [mark.seq for mark in judged(file, own).marks.of("110105001001")] == [1]


def test_a_file_that_was_cut_is_found_by_what_was_written_down(file: CheckpointFile, own: Seal) -> None:
    """A whole line less is no fault of the rest; number and hash of a later line are."""
    names = sign(file, own, 1, 2, 3)
    lines = file.path.read_bytes().splitlines(keepends=True)
    file.path.write_bytes(b"".join(lines[:2]))
    assert said(judged(file, own)) == []
    number, _, anchor = names[2].partition(":")
    assert said(judged(file, own, {int(number): anchor})) == [
        "checkpoints: the file ends with checkpoint 2, but 3 was expected: it was cut off"
    ]
    assert "is not the one with hash" in said(judged(file, own, {2: anchor}))[0]


def test_a_running_notary_notices_that_its_file_was_cut(file: CheckpointFile, own: Seal) -> None:
    """The next line goes on from what was signed, so that the cut stays visible in the file."""
    sign(file, own, 1, 2, 3)
    file.path.write_bytes(b"".join(file.path.read_bytes().splitlines(keepends=True)[:1]))
    newest, was_cut = file.append({"110105001001": (4, digest(4))}, AT, own)
    assert was_cut
    assert newest.number == 4
    assert "it is checkpoint 4 where 2 should be" in said(judged(file, own))[0]


def test_a_line_that_a_crash_has_torn_is_taken_away(file: CheckpointFile, own: Seal) -> None:
    """What was never synced to its end is no fault, and the next line stands whole."""
    sign(file, own, 1)
    whole = file.path.read_bytes()
    file.path.write_bytes(whole + whole[: len(whole) // 2])
    assert said(judged(file, own)) == []
    again = CheckpointFile(file.folder)
    newest = again.look()
    assert newest is not None
    assert newest.number == 1
    sign(again, own, 2)
    log = judged(again, own)
    assert (log.count, said(log)) == (2, [])


def test_the_same_heads_are_signed_once(file: CheckpointFile, own: Seal) -> None:
    """A start that finds nothing new adds no line."""
    assert sign(file, own, 1, 1) == sign(CheckpointFile(file.folder), own, 1) * 2


def test_copies_follow_byte_for_byte_and_catch_up(tmp_path: Path, own: Seal) -> None:
    """A copy that was away gets everything that it missed; the folder itself must exist."""
    mount = tmp_path / "mount"
    file = CheckpointFile(tmp_path / "audit", [mount])
    sign(file, own, 1)
    with pytest.raises(FileNotFoundError):
        file.copy()
    assert not mount.exists()
    mount.mkdir()
    sign(file, own, 2)
    file.copy()
    sign(file, own, 3)
    file.copy()
    assert (mount / checkpoint_file.NAME).read_bytes() == file.path.read_bytes()
    assert own.key_id in seal.read_public(mount / checkpoint_file.PUBLIC_KEY)


def test_a_copy_that_says_something_else_is_left_alone(tmp_path: Path, own: Seal) -> None:
    """A copy is evidence: where it differs it is named and not written over."""
    mount = tmp_path / "mount"
    mount.mkdir()
    file = CheckpointFile(tmp_path / "audit", [mount])
    sign(file, own, 1, 2)
    file.copy()
    copy = (mount / checkpoint_file.NAME).read_bytes()
    file.path.write_bytes(file.path.read_bytes().splitlines(keepends=True)[0])
    with pytest.raises(ConfigurationError, match="it says something else"):
        file.copy()
    assert (mount / checkpoint_file.NAME).read_bytes() == copy
