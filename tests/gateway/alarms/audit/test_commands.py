"""The audit against an intruder who is the database's superuser: every deed is named with its row."""

import asyncio
import concurrent.futures
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.alarms.audit.commands import examine
from gateway.alarms.ledger import AlarmLedger
from gateway.store.migrate import migrate, migrations
from gateway.store.pool import Database
from tests.kit import servers
from tests.kit.clock import FakeClock
from tests.kit.community import AREA, OTHER_AREA, registered
from tests.kit.ledgers import EVENTS, OTHER_EVENTS, SET_HEAD, Archive, as_intruder, named, pressed, sentences, written

TABLES = ("alarms", "alarm_presses", "alarm_chains", "alarm_events")


@pytest.fixture(scope="module")
def shared_dsn(debian_postgresql: servers.Postgres) -> Iterator[str]:
    """A database with the little history of tests/kit/ledgers.py, and a copy of its tables."""
    dsn = debian_postgresql.create("audited", template="linli_template")

    async def write() -> None:
        async with registered(dsn) as database:
            await written(database, FakeClock())
            await database.execute("create schema kept")
            for table in TABLES:
                await database.execute(f"create table kept.{table} as table {table}")

    with concurrent.futures.ThreadPoolExecutor(1) as thread:  # a loop of its own, beside pytest-asyncio's
        thread.submit(lambda: asyncio.run(write())).result()
    yield dsn
    debian_postgresql.drop("audited")


@pytest.fixture
async def database(shared_dsn: str) -> AsyncIterator[Database]:
    """The shared history; what an intruder does to its rows is undone afterwards."""
    database = Database(shared_dsn, max_size=2)
    await database.start()
    yield database
    undo = (f"insert into {table} overriding system value select * from kept.{table}" for table in TABLES)
    await as_intruder(database, *(f"delete from {table}" for table in TABLES), *undo)
    await database.stop()


@pytest.fixture
async def own_database(database_dsn: str, clock: FakeClock) -> AsyncIterator[Database]:
    """The same history in a database of its own, for intruders who change the schema too."""
    async with registered(database_dsn) as database:
        await written(database, clock)
        yield database


@pytest.fixture
async def archive(database: Database, tmp_path: Path) -> Archive:
    """Checkpoints outside of it; one was signed after the history."""
    archive = Archive(database, tmp_path)
    await archive.sign()
    return archive


#: The chain's function and its hashing, as an intruder knows them: SHA-256 has no secret.
REHASH = """
do $$
declare
    e alarm_events; before bytea; place bigint := {place};
begin
    before := coalesce((select hash from alarm_events where stream = '{stream}' and stream_seq < {first}
                         order by stream_seq desc limit 1), decode(repeat('00', 32), 'hex'));
    for e in select * from alarm_events where stream = '{stream}' and stream_seq between {first} and {last}
             order by stream_seq loop
        e.stream_seq := coalesce(place, e.stream_seq);
        place := place + 1;
        update alarm_events
           set stream_seq = e.stream_seq, prev_hash = before,
               hash = sha256(before || convert_to(alarm_event_text(e), 'UTF8'))
         where event_id = e.event_id
        returning hash into before;
    end loop;
end $$"""


def rehash(first: int, last: int = 10_000, place: str = "null") -> str:
    return REHASH.format(stream=AREA, first=first, last=last, place=place)


async def test_an_untouched_ledger_is_whole(any_database_dsn: str, clock: FakeClock, tmp_path: Path) -> None:
    """Every event, stream and alarm is read, and nothing is found, with and without checkpoints."""
    async with registered(any_database_dsn) as database:
        await written(database, clock)
        archive = Archive(database, tmp_path)
        await archive.sign()
        for findings in (await examine(database), await archive.examine()):
            assert sentences(findings) == []
            assert (findings.events, findings.streams, findings.alarms) == (EVENTS + OTHER_EVENTS, 2, 3)
        assert archive.log().faults.total == 0


@pytest.mark.parametrize(
    "change",
    [
        "version = version + 1",
        "kind = 'cancelled'",
        "at = at + interval '1 microsecond'",
        "by_id = 'p-li'",
        "by_name = '李强'",
        "from_state = 'notified'",
        "to_state = 'closed'",
        "alarm_id = (select max(alarm_id) from alarms)",
        """details = '{"verdict": "false"}'""",
        """details = details || '{"note": "nothing to see"}'""",
        "details = '7'",
    ],
)
@pytest.mark.parametrize("seq", [1, 4, EVENTS])
async def test_a_changed_column_is_named(database: Database, change: str, seq: int) -> None:
    """Whatever column of a row is changed, first, middle or last: exactly that row is named as flipped."""
    await as_intruder(database, f"update alarm_events set {change} where stream = '{AREA}' and stream_seq = {seq}")
    findings = await examine(database)
    assert named(findings) == [("flipped", AREA, seq)]
    assert "was changed: its content does not give its hash" in sentences(findings)[0]


@pytest.mark.parametrize("column", ["hash", "prev_hash"])
@pytest.mark.parametrize("seq", [1, 4, EVENTS])
async def test_a_changed_hash_is_named(database: Database, column: str, seq: int) -> None:
    """A row whose hash columns were changed is told from one whose content was."""
    await as_intruder(
        database,
        f"update alarm_events set {column} = sha256('else') where stream = '{AREA}' and stream_seq = {seq}",
    )
    findings = await examine(database)
    assert named(findings) == [("flipped", AREA, seq)]
    assert "hash" in sentences(findings)[0] and "its content does not give" not in sentences(findings)[0]


@pytest.mark.parametrize("seq", [1, 4, EVENTS])
async def test_a_row_that_was_given_another_number_is_named(database: Database, seq: int) -> None:
    """A row that stands at another number is recognised as the one that is missing."""
    await as_intruder(
        database, f"update alarm_events set stream_seq = 77 where stream = '{AREA}' and stream_seq = {seq}"
    )
    findings = await examine(database)
    assert named(findings) == [("reordered", AREA, 77)]
    assert f"was written as row {seq}" in sentences(findings)[0]


async def test_a_row_that_was_put_into_another_stream_is_named(database: Database) -> None:
    """A row with another area's name is missing in its own chain and a stranger in the other."""
    await as_intruder(database, f"update alarm_events set stream = '{OTHER_AREA}' where stream_seq = 4")
    findings = await examine(database)
    assert named(findings) == [("removed", AREA, 4), ("forged", OTHER_AREA, 4)]
    assert any("has 1 events in the chain of another area" in sentence for sentence in sentences(findings))


async def test_event_numbers_that_were_exchanged_are_named(own_database: Database) -> None:
    """event_id stands in no hash; that its order is not the chain's is seen within an alarm."""
    await as_intruder(
        own_database,
        "alter table alarm_events alter event_id drop identity",
        "update alarm_events set event_id = 900 where event_id = 3",
    )
    assert any("event_id does not rise" in sentence for sentence in sentences(await examine(own_database)))


@pytest.mark.parametrize(("first", "last"), [(1, 1), (4, 4), (4, 6), (1, 8)])
async def test_removed_rows_are_named(database: Database, first: int, last: int) -> None:
    """Rows that were taken away leave a gap with their numbers."""
    await as_intruder(
        database, f"delete from alarm_events where stream = '{AREA}' and stream_seq between {first} and {last}"
    )
    findings = await examine(database)
    assert named(findings) == [("removed", AREA, first)]
    rows = f"row {first} is" if first == last else f"rows {first} to {last} are"
    assert sentences(findings)[0] == f"{AREA}: {rows} missing"


@pytest.mark.parametrize("is_head_adjusted", [False, True])
@pytest.mark.parametrize("seq", [1, 4, EVENTS - 1])
async def test_renumbering_does_not_hide_a_removed_row(database: Database, seq: int, is_head_adjusted: bool) -> None:
    """After a removal the later rows were moved up: the row that is missing is named all the same."""
    await as_intruder(
        database,
        f"delete from alarm_events where stream = '{AREA}' and stream_seq = {seq}",
        *(
            f"update alarm_events set stream_seq = {later - 1} where stream = '{AREA}' and stream_seq = {later}"
            for later in range(seq + 1, EVENTS + 1)
        ),
        *([SET_HEAD] if is_head_adjusted else []),
    )
    findings = await examine(database)
    assert named(findings) == [("removed", AREA, seq)]
    assert f"row {seq} is missing: the rows from {seq} on were renumbered" in sentences(findings)[0]


@pytest.mark.parametrize(("one", "other"), [(3, 9), (4, 5), (1, 2), (EVENTS - 1, EVENTS), (1, EVENTS)])
async def test_exchanged_rows_are_named(database: Database, one: int, other: int) -> None:
    """Two rows that have exchanged their numbers are both named with where they belong."""
    await as_intruder(
        database,
        f"update alarm_events set stream_seq = -1 where stream = '{AREA}' and stream_seq = {one}",
        f"update alarm_events set stream_seq = {one} where stream = '{AREA}' and stream_seq = {other}",
        f"update alarm_events set stream_seq = {other} where stream = '{AREA}' and stream_seq = -1",
    )
    findings = await examine(database)
    assert named(findings) == [("reordered", AREA, one), ("reordered", AREA, other)]
    assert f"was written as row {other}" in sentences(findings)[0]


async def test_exchanged_contents_are_named(database: Database) -> None:
    """Two rows that keep number and hashes and have exchanged all else hold each other's content."""
    columns = "alarm_id, version, kind, at, by_id, by_name, from_state, to_state, details"
    kept = f"(select {columns} from kept where stream_seq = %s)"
    take = f"update alarm_events set ({columns}) = {kept} where stream_seq = %s"
    await as_intruder(
        database,
        f"create temp table kept on commit drop as select * from alarm_events where stream = '{AREA}'",
        f"{take % (9, 3)} and stream = '{AREA}'",
        f"{take % (3, 9)} and stream = '{AREA}'",
    )
    findings = await examine(database)
    assert named(findings) == [("reordered", AREA, 3), ("reordered", AREA, 9)]
    assert "holds what was written as row 9" in sentences(findings)[0]


async def test_a_cut_tail_is_seen_by_the_head(database: Database) -> None:
    """Rows missing at the end are known to the chain's head."""
    await as_intruder(database, f"delete from alarm_events where stream = '{AREA}' and stream_seq > 10")
    findings = await examine(database)
    assert named(findings) == [("truncated", AREA, 11)]
    assert "rows 11 to 12 are missing at the end: the head of the chain stands at 12" in sentences(findings)[0]


async def test_a_cut_tail_with_its_head_is_seen_by_checkpoints_only(database: Database, archive: Archive) -> None:
    """Where the head was adjusted too, the database says nothing, and the checkpoint says what it has seen."""
    cut = f"delete from alarm_events where stream = '{AREA}' and stream_seq > 10"
    await as_intruder(database, cut, SET_HEAD)
    assert named(await examine(database)) == []
    findings = await archive.examine()
    assert named(findings) == [("truncated", AREA, 11)]
    assert "checkpoint 1 has seen row 12" in sentences(findings)[0]


async def test_a_cut_tail_with_its_checkpoints_is_seen_by_what_was_written_down(
    database: Database, archive: Archive, clock: FakeClock
) -> None:
    """Where the checkpoints were cut as well, number and hash from the log of that day find it."""
    whole = archive.file.path.read_bytes()
    await pressed(AlarmLedger(database, clock), clock, "sos-0301", 9)
    expected = await archive.sign()
    archive.file.path.write_bytes(whole)
    cut = f"delete from alarm_events where stream = '{AREA}' and stream_seq > {EVENTS}"
    await as_intruder(database, cut, SET_HEAD)
    assert named(await archive.examine()) == []
    assert archive.log().faults.total == 0
    (fault,) = archive.log(expected).faults.kept
    assert "ends with checkpoint 1, but 2 was expected: it was cut off" in fault.sentence


async def test_a_chain_that_is_gone_is_seen(database: Database, archive: Archive) -> None:
    """An area whose events are all gone is named, by the head, and without it by the checkpoints."""
    gone = f"delete from alarm_events where stream = '{OTHER_AREA}'"
    await as_intruder(database, gone)
    assert named(await examine(database)) == [("stream_removed", OTHER_AREA, 1)]
    await as_intruder(database, f"delete from alarm_chains where stream = '{OTHER_AREA}'")
    assert named(await examine(database)) == []
    findings = await archive.examine()
    assert named(findings) == [("stream_removed", OTHER_AREA, 1)]
    assert "checkpoint 1 has seen row 1" in sentences(findings)[0]


async def test_the_removed_history_of_an_alarm_is_seen(database: Database) -> None:
    """An alarm without a history is named beside the rows that are missing in the chain."""
    await as_intruder(
        database, "delete from alarm_events where alarm_id = (select alarm_id from alarm_events where event_id = 9)"
    )
    findings = await examine(database)
    assert named(findings) == [("truncated", AREA, 9)]
    assert sum("has no history at all" in sentence for sentence in sentences(findings)) == 1


async def test_a_removed_alarm_is_seen(database: Database) -> None:
    """A history that speaks of an alarm that is not there is named."""
    await as_intruder(database, "delete from alarms where alarm_id = (select alarm_id from alarm_events limit 1)")
    assert any("is gone from the table; 8 events" in sentence for sentence in sentences(await examine(database)))


@pytest.mark.parametrize("is_checkpoint_between", [False, True])
async def test_a_chain_that_was_written_anew_is_seen_by_checkpoints(
    database: Database, archive: Archive, clock: FakeClock, is_checkpoint_between: bool
) -> None:
    """From the middle on every hash was computed anew: the chain is whole in itself, and not what was signed."""
    if is_checkpoint_between:
        await pressed(AlarmLedger(database, clock), clock, "sos-0301", 9)
        await archive.sign()
    tampered = """update alarm_events set details = '{"verdict": "false"}' where stream_seq = 4"""
    await as_intruder(database, tampered, rehash(4), SET_HEAD)
    assert named(await examine(database)) == []
    findings = await archive.examine()
    assert named(findings) == [("rewritten", AREA, EVENTS)]
    assert "is not the one that checkpoint 1 has seen" in sentences(findings)[0]
    assert ("1 more checkpoints disagree" in sentences(findings)[0]) is is_checkpoint_between


async def test_a_chain_that_was_shortened_and_written_anew_is_seen_by_checkpoints(
    database: Database, archive: Archive
) -> None:
    """A row taken out and the rest renumbered and hashed anew: what checkpoints have seen is missing at the end."""
    gone = f"delete from alarm_events where stream = '{AREA}' and stream_seq = 4"
    await as_intruder(database, gone, rehash(5, place="4"), SET_HEAD)
    assert named(await examine(database)) == []
    assert named(await archive.examine()) == [("truncated", AREA, EVENTS)]


async def test_rows_that_were_written_anew_in_the_middle_are_seen(database: Database) -> None:
    """Some rows with new hashes: the next one was chained to another row than the one that stands there now."""
    tampered = f"update alarm_events set by_name = '李强' where stream = '{AREA}' and stream_seq = 4"
    await as_intruder(database, tampered, rehash(4, 6))
    findings = await examine(database)
    assert named(findings) == [("rewritten", AREA, 6)]
    assert "the next row was chained to another" in sentences(findings)[0]


FORGED = """
insert into alarm_events
    (event_id, alarm_id, version, kind, at, by_id, by_name, details, stream, stream_seq, prev_hash, hash)
overriding system value
select {event_id}, alarm_id, 99, 'note', at, 'p-li', '李强', '{{}}', stream, {seq}, {prev}, sha256('nobody')
  from alarm_events where stream = '110105001001' and stream_seq = {beside}"""


async def test_a_forged_row_behind_the_end_is_seen(database: Database) -> None:
    """A row that was put behind the last one is known to no head."""
    await as_intruder(database, FORGED.format(event_id=1000, seq=EVENTS + 1, prev="hash", beside=EVENTS))
    assert named(await examine(database)) == [("forged", AREA, EVENTS + 1)]


async def test_a_forged_row_between_renumbered_ones_is_seen(database: Database) -> None:
    """Later rows made room for a row that no neighbour knows: it is named, and they are not."""
    await as_intruder(
        database,
        *(
            f"update alarm_events set stream_seq = {later + 1} where stream = '{AREA}' and stream_seq = {later}"
            for later in range(EVENTS, 4, -1)
        ),
        FORGED.format(event_id=1000, seq=5, prev="hash", beside=4),
    )
    findings = await examine(database)
    assert named(findings) == [("forged", AREA, 5)]
    assert "row 5 put in: the rows from 6 on were renumbered" in sentences(findings)[0]


@pytest.mark.parametrize("is_hashed", [False, True])
@pytest.mark.parametrize("event_id", [-1, 1000])
async def test_a_second_row_of_one_number_is_seen(own_database: Database, is_hashed: bool, event_id: int) -> None:
    """Two rows claim one place: the one that the neighbours know is the true one, whichever comes first."""
    hashed = "update alarm_events e set hash = sha256(prev_hash || convert_to(alarm_event_text(e), 'UTF8'))"
    await as_intruder(
        own_database,
        "alter table alarm_events drop constraint alarm_events_stream_stream_seq_key",
        FORGED.format(event_id=event_id, seq=5, prev="prev_hash", beside=5),
        *([f"{hashed} where version = 99"] if is_hashed else []),
    )
    findings = await examine(own_database)
    assert named(findings) == [("forged", AREA, 5)]
    assert f"(event {event_id}," in sentences(findings)[0]


async def test_a_row_that_was_replaced_by_a_stranger_is_seen(database: Database) -> None:
    """Content and hashes of a row were all replaced: it fits nobody."""
    await as_intruder(
        database,
        "update alarm_events set kind = 'note', prev_hash = sha256('a'), hash = sha256('b') where stream_seq = 5",
    )
    assert named(await examine(database)) == [("forged", AREA, 5)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("delete from alarm_chains where stream = '110105001001'", "the head of the chain is missing"),
        ("update alarm_chains set hash = sha256('x') where stream = '110105001001'", "has another hash than row 12"),
    ],
)
async def test_a_changed_head_is_seen(database: Database, change: str, said: str) -> None:
    """The head of a chain that was removed or changed is named as such, and no row is."""
    await as_intruder(database, change)
    findings = await examine(database)
    assert [kind for kind, _, _ in named(findings)] == ["head"]
    assert said in sentences(findings)[0]


async def test_a_head_that_was_set_back_is_known_by_the_checkpoints(database: Database, archive: Archive) -> None:
    """A checkpoint that has seen later rows tells a head that was set back from rows that were put in."""
    back = f"update alarm_chains set seq = 3 where stream = '{AREA}'"
    await as_intruder(database, back)
    assert named(await examine(database)) == [("forged", AREA, EVENTS)]
    findings = await archive.examine()
    assert named(findings) == [("head", AREA, 3)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("state = 'closed'", "is closed in the table and notified by its history"),
        ("version = version + 1", "has version 5, its history ends with 4"),
        ("press_count = press_count - 1", "counts 1 presses, 2 are kept, its history tells 2"),
        ("outcome = 'false'", "says outcome = 'false', its history says None"),
        ("acknowledged_name = '李强'", "says acknowledged_name = '李强', its history says None"),
        ("level = 4", "says level = 4, its history says 1"),
        ("household_id = null", "says household_id = None, its history says 'hh-0302'"),
    ],
)
async def test_an_alarm_that_was_changed_alone_is_seen(database: Database, change: str, said: str) -> None:
    """The chain is whole; the row of the alarm says something else than its history."""
    await as_intruder(database, f"update alarms set {change} where device_id = 'stb-0302'")
    findings = await examine(database)
    assert [fault.kind.value for fault in findings.faults.kept] == ["alarm"]
    assert said in sentences(findings)[0]


async def test_a_press_that_was_put_in_is_seen(database: Database) -> None:
    """A press with its count raised is one more than the history tells."""
    await as_intruder(
        database,
        "insert into alarm_presses select device_id, boot, 99, 'x', alarm_id, kind, source, device_at, recorded_at"
        "  from alarm_presses where device_id = 'stb-0302' and seq = 1",
        "update alarms set press_count = press_count + 1 where device_id = 'stb-0302'",
    )
    assert any("3 presses, 3 are kept, its history tells 2" in said for said in sentences(await examine(database)))


async def test_a_guard_that_is_switched_off_is_seen(own_database: Database) -> None:
    """An intruder who leaves a trigger switched off is told by it."""
    await own_database.execute("alter table alarm_events disable trigger alarm_events_append_only")
    await own_database.execute("drop trigger alarms_no_delete on alarms")
    assert sentences(await examine(own_database)) == [
        "alarm_events: the trigger alarm_events_append_only is switched off or gone; rows can be changed",
        "alarms: the trigger alarms_no_delete is switched off or gone; rows can be changed",
    ]


async def test_several_deeds_are_told_apart(database: Database) -> None:
    """A change, a removal and a cut in one chain are three faults."""
    await as_intruder(
        database,
        "update alarm_events set by_id = 'x' where stream_seq = 2",
        f"delete from alarm_events where stream = '{AREA}' and stream_seq in (5, 6, 12)",
    )
    assert sorted(named(await examine(database))) == [
        ("flipped", AREA, 2),
        ("removed", AREA, 5),
        ("truncated", AREA, 12),
    ]


async def test_rows_from_before_the_chain_are_chained_and_whole(
    debian_postgresql: servers.Postgres,
) -> None:
    """A database of the schema before the chain is chained by the migration, and verifies whole."""
    dsn = debian_postgresql.create("before_the_chain")
    database = Database(dsn, max_size=2)
    await database.start()
    try:
        old = [one for one in migrations() if one.number < 10]
        for one in old:
            await database.execute(one.sql)
        await database.execute(
            "create table migrations (number int primary key, name text not null, digest text not null,"
            " applied_at timestamptz not null default now())"
        )
        await database.executemany(
            "insert into migrations (number, name, digest) values ($1, $2, $3)",
            [(one.number, one.name, one.digest) for one in old],
        )
        await _write_old_alarms(database)
        assert "0010_harden_alarms" in await migrate(database)
        findings = await examine(database)
        assert (findings.events, findings.streams, sentences(findings)) == (6, 2, [])
        await as_intruder(database, "update alarm_events set by_name = 'x' where event_id = 3")
        assert [kind for kind, _, _ in named(await examine(database))] == ["flipped"]
    finally:
        await database.stop()
        debian_postgresql.drop("before_the_chain")


async def _write_old_alarms(database: Database) -> None:
    await database.execute("insert into areas (area_id, name) values ('110105001001', 'A'), ('110105001002', 'B')")
    for number, area in enumerate((AREA, OTHER_AREA), 1):
        await database.execute(
            "insert into alarms (alarm_id, alarm_no, device_id, boot, seq, event_id, area_id, kind, level, state,"
            " version, source, raised_at, device_at, acknowledged_by, acknowledged_name)"
            " values ($1, $1, 'd', 1, $2, 'e', $3, 'sos', 1, 'acknowledged', 3, 'mqtt', now(), now(), 'p', '周敏')",
            *(f"A{number}", number, area),
        )
        await database.execute(
            "insert into alarm_presses values ('d', 1, $2, 'e', $1, 'sos', 'mqtt', now(), now())", f"A{number}", number
        )
    for version, (kind, before, after, details) in enumerate(
        [
            ("raised", None, "raised", {}),
            ("rendered", "raised", "notified", {"desk": "1"}),
            ("acknowledged", "notified", "acknowledged", {"acknowledged_by": "p", "acknowledged_name": "周敏"}),
        ],
        1,
    ):
        for number in (1, 2):
            await database.execute(
                "insert into alarm_events (alarm_id, version, kind, at, by_id, by_name, from_state, to_state, details)"
                " values ($1, $2, $3, now(), 'p', '周敏', $4, $5, $6)",
                *(f"A{number}", version, kind, before, after, details),
            )


async def test_a_hundred_writers_leave_a_chain_without_a_gap(database_dsn: str, clock: FakeClock) -> None:
    """A hundred presses of a hundred devices at once, each with its steps: one chain, gapless and whole."""
    async with registered(database_dsn) as database:
        await database.execute(
            "insert into devices (device_id, area_id, kind, name)"
            " select 'crowd-' || n, '110105001001', 'button', 'x' from generate_series(1, 100) n"
        )
        ledger = AlarmLedger(database, clock)

        async def write(number: int) -> None:
            alarm_id = await pressed(ledger, clock, f"crowd-{number}", 1)
            await pressed(ledger, clock, f"crowd-{number}", 2)
            assert alarm_id

        await asyncio.gather(*(write(number) for number in range(1, 101)))
        findings = await examine(database)
        assert sentences(findings) == []
        assert findings.events == await database.fetchval("select max(stream_seq) from alarm_events") == 200
