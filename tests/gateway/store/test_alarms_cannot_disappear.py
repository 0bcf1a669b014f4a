"""Nothing takes an alarm away or makes another one of it: the database refuses, and no statement of ours tries."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.alarms.ledger import AlarmLedger
from gateway.model.alarms import Action, Outcome, Press, Verdict
from gateway.model.errors import BadInput
from gateway.store.pool import Database
from tests.house_rules.tree import PROGRAMS, REPOSITORY
from tests.kit.clock import FakeClock
from tests.kit.community import OPERATOR, SECOND, registered

TABLES = ("alarms", "alarm_events", "alarm_presses")
TAKES_AWAY = re.compile(
    rf"\b(?:delete\s+from|truncate(?:\s+table)?)\s+(?:only\s+)?(?:{'|'.join(TABLES)})\b", re.IGNORECASE
)

#: What an alarm is, and a value that it is not.
IDENTITY = {
    "alarm_id": "'another'",
    "alarm_no": "'A20200101-0001'",
    "device_id": "'stb-0302'",
    "boot": "99",
    "seq": "99",
    "event_id": "'another'",
    "area_id": "'110105001002'",
    "household_id": "null",
    "kind": "'tamper'",
    "source": "'nobody'",
    "raised_at": "raised_at + interval '1 day'",
    "device_at": "device_at + interval '1 day'",
    "is_silent": "not is_silent",
}
#: Every column of the history and of the presses, and a change to it.
HISTORY = (
    "alarm_id",
    "version",
    "kind",
    "at",
    "by_id",
    "by_name",
    "from_state",
    "to_state",
    "details",
    "prev_hash",
    "hash",
)
PRESSES = ("device_id", "boot", "seq", "event_id", "alarm_id", "kind", "source", "device_at", "recorded_at")


@pytest.fixture
async def ledger(database_dsn: str, clock: FakeClock) -> AsyncIterator[AlarmLedger]:
    """A ledger with one open alarm (seq 1) and one closed one (seq 2)."""
    async with registered(database_dsn) as database:
        one = AlarmLedger(database, clock)
        await one.raise_alarm(press(1, "sos", clock))
        closed = (await one.raise_alarm(press(2, "tamper", clock))).alarm_id
        await one.step(closed, Action.ACKNOWLEDGE, by=OPERATOR, version=1)
        await one.step(closed, Action.VERIFY, by=OPERATOR, version=2, verdict=Verdict.FALSE)
        await one.step(closed, Action.RESOLVE, by=OPERATOR, version=3, outcome=Outcome.FALSE)
        clock.advance(5)
        await one.step(closed, Action.CLOSE, by=SECOND, version=4, note="误报")
        yield one


@pytest.fixture
async def database(database_dsn: str, ledger: AlarmLedger) -> AsyncIterator[Database]:
    """The same database as the programs open it: their own role, no rights of their own."""
    one = Database(database_dsn)
    await one.start()
    yield one
    await one.stop()


def press(seq: int, kind: str, clock: FakeClock) -> Press:
    at = clock.now() - timedelta(seconds=1)
    return Press("stb-0301", boot=1, seq=seq, kind=kind, source="mqtt", event_id=f"event-{seq}", device_at=at)


async def everything(database: Database) -> list[tuple[object, ...]]:
    """Return every row of the three tables."""
    rows = [await database.fetch(f"select * from {table} order by 1, 2, 3") for table in TABLES]
    return [tuple(row) for table in rows for row in table]


async def refused(database: Database, statement: str, because: str = "") -> None:
    """Run a statement that must fail in the database itself, for this reason, and leave everything as it was."""
    before = await everything(database)
    assert len(before) >= 8
    with pytest.raises(BadInput) as caught:
        await database.execute(statement)
    assert caught.value.reason == "refused_by_database"
    assert because in str(caught.value)
    assert await everything(database) == before


@pytest.mark.parametrize("table", TABLES)
async def test_no_row_is_deleted(database: Database, table: str) -> None:
    """DELETE is refused, of all rows, of one, and with a join."""
    await refused(database, f"delete from {table}", "append-only")
    await refused(database, f"delete from {table} where ctid = (select min(ctid) from {table})", "append-only")
    await refused(database, f"with gone as (delete from {table} returning *) select count(*) from gone", "append-only")


@pytest.mark.parametrize("table", TABLES)
async def test_no_table_is_emptied(database: Database, table: str) -> None:
    """TRUNCATE is refused, also where it is told to take everything that refers to the table with it."""
    await refused(database, f"truncate {table} cascade", "append-only")
    await refused(database, f"truncate {', '.join(TABLES)} cascade", "append-only")


@pytest.mark.parametrize("column", IDENTITY)
async def test_what_an_alarm_is_does_not_change(database: Database, column: str) -> None:
    """No column of its identity can be written anew, not even with a version that rises."""
    await refused(
        database, f"update alarms set {column} = {IDENTITY[column]}, version = version + 1 where state <> 'closed'"
    )


@pytest.mark.parametrize("change", ["state = 'verified'", "version = version - 1, level = 4", "level = 4"])
async def test_a_change_without_a_new_version_is_refused(database: Database, change: str) -> None:
    """Whoever changes an open alarm raises its version, so that two owners notice each other."""
    await refused(database, f"update alarms set {change} where state <> 'closed'")


async def test_presses_are_never_counted_down(database: Database) -> None:
    """A household that pressed twice has pressed twice."""
    await refused(
        database, "update alarms set press_count = press_count - 1, version = version + 1 where state <> 'closed'"
    )


@pytest.mark.parametrize(
    "change", ["outcome = 'true'", "state = 'raised'", "details = '{}'", "closed_by = 'nobody'", "evidence = '[1]'"]
)
async def test_a_closed_alarm_stays_as_it_is(database: Database, change: str) -> None:
    """Neither its outcome nor its state nor anything else, whatever the version says."""
    await refused(database, f"update alarms set {change}, version = version + 1 where state = 'closed'")


@pytest.mark.parametrize("column", HISTORY)
async def test_history_is_not_rewritten(database: Database, column: str) -> None:
    """No column of a line of the history can be written, not even with its own value."""
    await refused(database, f"update alarm_events set {column} = {column}")


@pytest.mark.parametrize("column", PRESSES)
async def test_presses_are_not_rewritten(database: Database, column: str) -> None:
    """No column of a press can be written, not even with its own value."""
    await refused(database, f"update alarm_presses set {column} = {column}")


async def test_control_the_work_itself_is_possible(database: Database) -> None:
    """What is refused above is refused for its own sake: an open alarm can be worked on with a new version."""
    done = await database.execute("update alarms set state = 'notified', version = version + 1 where state <> 'closed'")
    assert done == "UPDATE 1"


def takers(root: Path, folders: tuple[str, ...]) -> list[str]:
    """Return every file of the product that holds a statement which takes alarms away."""
    files = [
        path for folder in folders for path in (root / folder).rglob("*") if path.suffix in {".sql", ".py", ".toml"}
    ]
    return sorted(str(path.relative_to(root)) for path in files if TAKES_AWAY.search(path.read_text(encoding="utf-8")))


def test_no_statement_of_ours_takes_alarms_away() -> None:
    """Neither a named query nor a migration nor any other line of a program deletes from the three tables."""
    assert (REPOSITORY / "gateway/store/sql/queries/alarms.sql").is_file()
    assert takers(REPOSITORY, PROGRAMS) == []


def test_control_a_statement_that_does_is_found(tmp_path: Path) -> None:
    """Over two lines, in capitals and in a migration it is found; a word in a sentence is not."""
    (tmp_path / "gateway").mkdir()
    for name, text in {
        "a.sql": "-- name: purge\nDELETE\n  FROM alarm_events where at < $1",
        "b.py": 'SQL = "truncate table alarms"',
        "c.sql": "delete from alarm_numbers; -- never delete alarms",
    }.items():
        (tmp_path / "gateway" / name).write_text(text)
    assert takers(tmp_path, ("gateway",)) == ["gateway/a.sql", "gateway/b.py"]
