"""The notary as a service on a real ledger, and the audit from the command line."""

import argparse
import asyncio
import json
import logging
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway.alarms.audit import checkpoint_file, seal
from gateway.alarms.audit import commands as audit
from gateway.alarms.audit.notary import AuditSettings, Notary
from gateway.alarms.ledger import AlarmLedger
from gateway.model.errors import ConfigurationError, Unavailable
from gateway.runtime.settings import NodeSettings
from gateway.store.pool import Database
from tests.kit.clock import FakeClock
from tests.kit.community import AREA, OTHER_AREA, registered
from tests.kit.ledgers import EVENTS, OTHER_EVENTS, SET_HEAD, as_intruder, pressed, written


@pytest.fixture
async def database(database_dsn: str, clock: FakeClock) -> AsyncIterator[Database]:
    async with registered(database_dsn) as database:
        await written(database, clock)
        yield database


@pytest.fixture
def node(tmp_path: Path) -> NodeSettings:
    return NodeSettings(data_dir=tmp_path)


@pytest.fixture
async def notary(database: Database, clock: FakeClock, node: NodeSettings) -> AsyncIterator[Notary]:
    notary = Notary(database, clock, AuditSettings(checkpoint_s=0.02), node)
    yield notary
    await notary.stop()


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not what():
            await asyncio.sleep(0.01)


def lines(node: NodeSettings) -> list[dict[str, object]]:
    path = node.data_dir / "audit" / checkpoint_file.NAME
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


async def test_heads_are_signed_at_the_start_when_they_change_and_at_the_end(
    notary: Notary, database: Database, clock: FakeClock, node: NodeSettings
) -> None:
    """First all heads, then those that changed, nothing while nothing happens, and a last word at the stop."""
    await notary.start()
    await until(lambda: len(lines(node)) == 1)
    assert {stream: said[0] for stream, said in lines(node)[0]["heads"].items()} == {  # type: ignore[attr-defined]
        AREA: EVENTS,
        OTHER_AREA: OTHER_EVENTS,
    }
    await pressed(AlarmLedger(database, clock), clock, "sos-0301", 9)
    await until(lambda: len(lines(node)) == 2)
    assert list(lines(node)[1]["heads"]) == [AREA]  # type: ignore[call-overload]
    await asyncio.sleep(0.1)
    assert len(lines(node)) == 2
    assert notary.statistics()["state"] == "ok"
    assert notary.statistics()["checkpoint"] == 2


async def test_the_last_word_comes_at_the_stop(database: Database, clock: FakeClock, node: NodeSettings) -> None:
    """What was written since the last round is signed by an orderly stop."""
    slow = Notary(database, clock, AuditSettings(checkpoint_s=3600), node)
    await slow.start()
    await until(lambda: len(lines(node)) == 1)
    await pressed(AlarmLedger(database, clock), clock, "sos-0301", 9)
    await slow.stop()
    assert len(lines(node)) == 2
    await slow.stop()


async def test_a_start_that_finds_nothing_new_adds_no_line(
    database: Database, clock: FakeClock, node: NodeSettings
) -> None:
    """Restarts do not fill the file."""
    for _ in range(3):
        notary = Notary(database, clock, AuditSettings(checkpoint_s=3600), node)
        await notary.start()
        await until(lambda: notary.statistics()["state"] == "ok")  # noqa: B023  it is asked in its own round
        await notary.stop()
    assert len(lines(node)) == 1


async def test_the_anchor_is_logged_once_a_day(
    notary: Notary, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The log of each day holds number and hash of the newest checkpoint, also of a quiet day."""

    def told() -> list[str]:
        return [record.facts["expect"] for record in caplog.records if record.message == "checkpoint_signed"]  # type: ignore[attr-defined]

    caplog.set_level(logging.INFO)
    await notary.start()
    await until(lambda: len(told()) == 1)
    clock.advance(86_400)
    await until(lambda: len(told()) == 2)
    await asyncio.sleep(0.1)
    assert told()[0] == told()[1] == f"1:{notary.statistics()['anchor']}"


async def test_a_disk_that_refuses_is_loud_and_tried_again(
    notary: Notary, node: NodeSettings, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the folder cannot be written the gateway goes on, says so, and signs when it can."""
    in_the_way = node.data_dir / "audit"
    in_the_way.write_text("a file where the folder should be")
    await notary.start()
    await until(lambda: int(notary.statistics()["failures"]) > 1)
    assert str(notary.statistics()["state"]).startswith("failing")
    assert any(record.message == "checkpoint_failed" and record.levelno == logging.ERROR for record in caplog.records)
    in_the_way.unlink()
    await until(lambda: notary.statistics()["state"] == "ok")
    assert len(lines(node)) == 1


async def test_a_copy_that_is_not_mounted_is_loud_and_catches_up(
    database: Database, clock: FakeClock, node: NodeSettings, tmp_path: Path
) -> None:
    """The own file is signed all the same; the copy gets what it missed when its folder is there."""
    mount = tmp_path / "mount"
    notary = Notary(database, clock, AuditSettings(checkpoint_s=0.02, copies=(mount,)), node)
    await notary.start()
    await until(lambda: str(notary.statistics()["state"]).startswith("failing"))
    assert len(lines(node)) == 1
    mount.mkdir()
    await until(lambda: notary.statistics()["state"] == "ok")
    own = node.data_dir / "audit" / checkpoint_file.NAME
    assert (mount / checkpoint_file.NAME).read_bytes() == own.read_bytes()
    await notary.stop()


@pytest.mark.parametrize(
    "deed",
    [
        f"delete from alarm_events where stream = '{AREA}' and stream_seq > 5",
        f"update alarm_events set hash = sha256('anew') where stream = '{AREA}' and stream_seq = {EVENTS}",
    ],
)
@pytest.mark.parametrize("is_running", [True, False])
async def test_a_change_behind_a_checkpoint_is_noticed_within_a_round(
    database: Database, node: NodeSettings, caplog: pytest.LogCaptureFixture, deed: str, is_running: bool
) -> None:
    """What was signed must still stand: a running notary sees it in its next round, a stopped one at its start."""
    clock = FakeClock()
    notary = Notary(database, clock, AuditSettings(checkpoint_s=0.02), node)
    await notary.start()
    await until(lambda: notary.statistics()["state"] == "ok")
    if not is_running:
        await notary.stop()
    await as_intruder(database, deed, SET_HEAD)
    if not is_running:
        notary = Notary(database, clock, AuditSettings(checkpoint_s=0.02), node)
        await notary.start()
    await until(lambda: notary.statistics()["state"] == "the ledger was changed")
    assert any(record.message == "ledger_changed_behind_checkpoint" for record in caplog.records)
    await notary.stop()


# --- the command line -----------------------------------------------------------------------------------------------


async def ask(dsn: str, node: NodeSettings, *words: str) -> int:
    config = node.data_dir / "linli.toml"
    config.write_text(f'[node]\ndata_dir = "{node.data_dir}"\n[database]\ndsn = "{dsn}"\n')
    parser = argparse.ArgumentParser()
    audit.add_arguments(parser)
    return await audit.run(parser.parse_args([*words, "--config", str(config)]))


async def test_a_whole_ledger_is_0_and_a_changed_one_1(
    database: Database, database_dsn: str, node: NodeSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    """`audit checkpoint` prints an anchor; `audit verify` says what it has read, and every fault in a sentence."""
    assert await ask(database_dsn, node, "checkpoint") == 0
    anchor = capsys.readouterr().out.strip()
    assert await ask(database_dsn, node, "verify", "--expect", anchor) == 0
    read = f"{EVENTS + OTHER_EVENTS} events, 2 streams, 3 alarms, 1 checkpoints; newest checkpoint {anchor}\n"
    assert capsys.readouterr().out == f"whole: {read}"
    await as_intruder(database, "update alarm_events set by_name = '李强' where stream_seq = 4")
    assert await ask(database_dsn, node, "verify") == 1
    sentence, summary = capsys.readouterr().out.splitlines()
    assert sentence.startswith(f"{AREA}: row 4 (event 4, alarm ")
    assert f"{summary}\n" == f"1 faults: {read}"


async def test_the_answer_as_json(
    database: Database, database_dsn: str, node: NodeSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Programs get kind, stream, number and sentence of every fault."""
    await ask(database_dsn, node, "checkpoint")
    await as_intruder(database, f"delete from alarm_events where stream = '{AREA}' and stream_seq = 4")
    capsys.readouterr()
    assert await ask(database_dsn, node, "verify", "--json") == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["ok"], said["events"], said["total"]) == (False, EVENTS + OTHER_EVENTS - 1, 2)
    removed = {"kind": "removed", "sentence": f"{AREA}: row 4 is missing", "stream": AREA, "seq": 4}
    assert said["faults"][0] == removed
    assert said["faults"][1]["kind"] == "alarm"


async def test_without_checkpoints_a_whole_chain_cannot_be_verified(
    database_dsn: str, database: Database, node: NodeSettings
) -> None:
    """A chain that is whole in itself is not enough; one that is broken is broken all the same."""
    with pytest.raises(ConfigurationError, match="there are no checkpoints"):
        await ask(database_dsn, node, "verify")
    await as_intruder(database, "update alarm_events set by_name = '李强' where stream_seq = 4")
    assert await ask(database_dsn, node, "verify") == 1


async def test_removed_checkpoints_are_a_fault_where_one_was_expected(
    database_dsn: str, database: Database, node: NodeSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who has written an anchor down sees that the whole file was taken away."""
    await ask(database_dsn, node, "checkpoint")
    anchor = capsys.readouterr().out.strip()
    shutil.rmtree(node.data_dir / "audit")
    assert await ask(database_dsn, node, "verify", "--expect", anchor) == 1
    assert "the file ends with checkpoint 0, but 1 was expected" in capsys.readouterr().out


async def test_a_wrong_key_cannot_verify(
    database_dsn: str, database: Database, node: NodeSettings, tmp_path: Path
) -> None:
    """A public key that has signed nothing verifies nothing; with the right one from elsewhere it works."""
    await ask(database_dsn, node, "checkpoint")
    kept = tmp_path / "kept.pub"
    shutil.copy(node.data_dir / "audit" / "audit.pub", kept)
    other = tmp_path / "other.pub"
    other.write_bytes(seal.read_or_make(tmp_path / "other.key").public.pem)
    with pytest.raises(ConfigurationError, match="none of 1 checkpoints is signed by key"):
        await ask(database_dsn, node, "verify", "--public-key", str(other))
    assert await ask(database_dsn, node, "verify", "--public-key", str(kept)) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--dsn", "postgresql://linli:x@127.0.0.1:1/x"], "the database is away"),
        (["--expect", "7"], "this is not NUMBER:HASH"),
        (["--public-key", "/nowhere/audit.pub"], "no public key"),
    ],
)
async def test_what_cannot_be_asked_is_refused(
    database_dsn: str, database: Database, node: NodeSettings, words: list[str], said: str
) -> None:
    """A database that is away and wrong arguments are errors with their cure, not verdicts."""
    await ask(database_dsn, node, "checkpoint")
    with pytest.raises((ConfigurationError, Unavailable), match=said):
        await ask(database_dsn, node, "verify", *words)


async def test_a_wrong_password_is_refused(database_dsn: str, database: Database, node: NodeSettings) -> None:
    """The server's own refusals become an error with the place of the DSN."""
    await ask(database_dsn, node, "checkpoint")
    for dsn in (database_dsn.replace("linli:", "linli:wrong"), f"{database_dsn}x"):
        with pytest.raises(ConfigurationError, match="the database refuses"):
            await ask(database_dsn, node, "verify", "--dsn", dsn)
