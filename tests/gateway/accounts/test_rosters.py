"""Rosters and drills changed by people: their own areas alone, all or nothing, every change on record."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from gateway.accounts.drill_book import DrillBook
from gateway.accounts.roster_lines import Line
from gateway.accounts.rosters import Rosters
from gateway.accounts.sessions import Accounts
from gateway.model.errors import BadInput, Conflict, NotFound
from gateway.model.people import Person
from gateway.model.registry import Area
from gateway.store import drills, duty, registry
from gateway.store.pool import Database
from tests.kit.clock import FakeClock
from tests.kit.community import AREA, OTHER_AREA, registered

STREET = "110105001000"
CHIEF = Person("p-chief", "chief", "陈队", frozenset({"supervisor"}), AREA)
STREET_CHIEF = Person("p-street", "street", "街道", frozenset({"supervisor"}), STREET)
HEADER = "area_id,person,phone,role,begins,ends\n"


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    async with registered(database_dsn) as one:
        async with one.transaction() as connection:
            await registry.put_area(connection, Area(STREET, "双井街道", "Shuangjing"))
        yield one


@pytest.fixture
def accounts(database: Database, clock: FakeClock) -> Accounts:
    return Accounts(database, clock)


@pytest.fixture
def rosters(database: Database, accounts: Accounts, clock: FakeClock) -> Rosters:
    return Rosters(database, accounts, clock, "Asia/Shanghai")


@pytest.fixture
def book(database: Database, accounts: Accounts, clock: FakeClock) -> DrillBook:
    return DrillBook(database, accounts, clock)


def line(
    person: str = "周敏", begins: str = "2026-07-20 08:00", ends: str = "2026-07-20 20:00", area: str = AREA
) -> Line:
    return Line(2, area, person, "", "operator", begins, ends)


def csv_of(*lines: Line) -> bytes:
    rows = [f"{one.area_id},{one.person},{one.phone},{one.role},{one.begins},{one.ends}" for one in lines]
    return (HEADER + "\n".join(rows)).encode()


async def shifts(database: Database, clock: FakeClock) -> list[str]:
    found = await duty.list_shifts(database, "1101", clock.now() - timedelta(days=9), clock.now() + timedelta(days=9))
    return [one.person_name for one in found]


async def test_a_shift_is_added_and_removed_in_a_name(database: Database, rosters: Rosters, accounts: Accounts) -> None:
    """Both are in the audit trail with person, address and what it was."""
    shift = await rosters.add(line(), by=CHIEF, address="10.0.0.8")
    await rosters.remove(shift.shift_id, by=CHIEF, address="10.0.0.9")
    removed, added = await accounts.audit(shift.shift_id)
    assert [(one.action, one.person_name, one.address) for one in (added, removed)] == [
        ("shift_added", "chief", "10.0.0.8"),
        ("shift_removed", "chief", "10.0.0.9"),
    ]
    assert added.details == removed.details
    assert added.details["person"] == "周敏"
    with pytest.raises(NotFound):
        await rosters.remove(shift.shift_id, by=CHIEF)


@pytest.mark.parametrize(
    ("area", "reason"), [(OTHER_AREA, "elsewhere"), ("110105001999", "elsewhere"), (STREET, "elsewhere")]
)
async def test_nobody_writes_another_areas_roster(
    database: Database, rosters: Rosters, clock: FakeClock, area: str, reason: str
) -> None:
    """Neither the neighbour's nor the street's; nothing is stored."""
    with pytest.raises(BadInput) as caught:
        await rosters.add(line(area=area), by=CHIEF)
    assert caught.value.reason == reason
    assert await shifts(database, clock) == []


async def test_an_area_that_is_not_registered_keeps_no_roster(rosters: Rosters) -> None:
    """An unknown area inside one's own is named as unknown."""
    with pytest.raises(BadInput) as caught:
        await rosters.add(line(area="110105001999"), by=STREET_CHIEF)
    assert caught.value.reason == "unknown_area"


async def test_nobody_is_on_duty_twice_at_once(rosters: Rosters) -> None:
    """The same person in the same area at the same time is a slip; the next shift and a colleague are none."""
    await rosters.add(line(), by=CHIEF)
    with pytest.raises(BadInput) as caught:
        await rosters.add(line(begins="2026-07-20 19:59", ends="2026-07-21 08:00"), by=CHIEF)
    assert caught.value.reason == "already_on_duty"
    await rosters.add(line(begins="2026-07-20 20:00", ends="2026-07-21 08:00"), by=CHIEF)
    await rosters.add(line("李强"), by=CHIEF)


async def test_a_file_with_one_bad_line_changes_nothing(
    database: Database, rosters: Rosters, accounts: Accounts, clock: FakeClock
) -> None:
    """Every bad line is named with its reason, and not one of the good ones is stored or on record."""
    raw = csv_of(line(), line("李强", ends="2026-07-20 07:00"), line("吴桐", area=OTHER_AREA), line())
    result = await rosters.import_csv(raw, by=CHIEF)
    assert result.added == []
    assert [(one.number, one.reason) for one in result.refused] == [
        (3, "ends_before_begin"),
        (4, "elsewhere"),
        (5, "already_on_duty"),
    ]
    assert await shifts(database, clock) == []
    assert await accounts.audit() == []


async def test_the_good_lines_are_taken_when_somebody_asks_for_it(
    database: Database, rosters: Rosters, accounts: Accounts, clock: FakeClock
) -> None:
    """With `partial` the good ones are stored, each on record, and the file too; a second import doubles nothing."""
    raw = csv_of(line(), line("李强", ends="2026-07-20 07:00"), line("吴桐"))
    result = await rosters.import_csv(raw, by=CHIEF, partial=True)
    assert [one.person_name for one in result.added] == ["周敏", "吴桐"]
    assert sorted(await shifts(database, clock)) == ["吴桐", "周敏"]
    trail = await accounts.audit()
    assert [one.action for one in trail] == ["roster_imported", "shift_added", "shift_added"]
    assert trail[0].details == {"added": 2, "refused": 1, "lines": [3]}
    again = await rosters.import_csv(raw, by=CHIEF, partial=True)
    assert [one.reason for one in again.refused] == ["already_on_duty", "ends_before_begin", "already_on_duty"]
    assert sorted(await shifts(database, clock)) == ["吴桐", "周敏"]


async def test_a_drill_is_begun_and_ended_on_record(
    database: Database, book: DrillBook, accounts: Accounts, clock: FakeClock
) -> None:
    """It runs from now on, ends at once, and both are in the audit trail with their names."""
    drill = await book.start(AREA, 60, " 夏季演练 ", by=CHIEF, address="10.0.0.8")
    assert drill.ends_at - clock.now() == timedelta(hours=1)
    assert await drills.active_drill(database, AREA, clock.now()) == drill.drill_id
    clock.advance(60)
    await book.end(drill.drill_id, by=STREET_CHIEF, address="10.0.0.9")
    assert await drills.active_drill(database, AREA, clock.now()) is None
    ended, started = await accounts.audit(drill.drill_id)
    assert (started.action, started.person_name, started.details["note"]) == ("drill_started", "chief", "夏季演练")
    assert (ended.action, ended.person_name, ended.address) == ("drill_ended", "street", "10.0.0.9")
    with pytest.raises(Conflict):
        await book.end(drill.drill_id, by=CHIEF)
    with pytest.raises(NotFound):
        await book.end("no such", by=CHIEF)


@pytest.mark.parametrize(
    ("minutes", "note", "reason"),
    [(0, "x", "bad_minutes"), (241, "x", "bad_minutes"), (60, " ", "missing_note"), (60, "x" * 201, "missing_note")],
)
async def test_a_drill_has_a_reason_and_an_end(book: DrillBook, minutes: int, note: str, reason: str) -> None:
    """A forgotten drill would hide real alarms from the outside world: four hours are the most."""
    with pytest.raises(BadInput) as caught:
        await book.start(AREA, minutes, note, by=CHIEF)
    assert caught.value.reason == reason


async def test_drills_do_not_lie_over_each_other(book: DrillBook, clock: FakeClock) -> None:
    """While the street's drill runs, a community of it begins none: ending one must mean that it is over."""
    await book.start(STREET, 240, "街道演练", by=STREET_CHIEF)
    with pytest.raises(Conflict):
        await book.start(AREA, 10, "小区演练", by=CHIEF)
    clock.advance(4 * 3600)
    await book.start(AREA, 10, "小区演练", by=CHIEF)
    with pytest.raises(NotFound):
        await book.start("110105001999", 10, "x", by=STREET_CHIEF)
