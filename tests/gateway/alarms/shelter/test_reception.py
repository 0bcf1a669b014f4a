"""A reception on a real database behind a wire that can be cut, or hang as a stopped server does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gateway.alarms.ledger import AlarmLedger
from gateway.alarms.shelter.reception import Reception, Sheltered
from gateway.alarms.shelter.seen import SeenReader, SeenWriter
from gateway.alarms.shelter.spool import Kept, Key, Limits, Spool, spool_path
from gateway.model.alarms import Cancellation, Press, Receipt
from gateway.model.errors import Unavailable
from gateway.model.ids import new_ulid
from gateway.runtime.clock import SystemClock, from_ms, to_ms
from gateway.runtime.service import running
from gateway.store.events import DeviceEvent
from gateway.store.pool import Database
from tests.kit.community import AREA, registered
from tests.kit.wire import Wire

CLOCK = SystemClock()
PATIENCE_S = 20.0


@dataclass(slots=True)
class Desk:
    """The reception, the wire before its database, and a straight look at the database for the test."""

    reception: Reception
    wire: Wire
    spool: Spool
    straight: Database
    folder: Path
    told: list[Key] = field(default_factory=list)

    async def tell(self, kept: Kept, _at: datetime) -> None:
        self.told.append(kept.key)

    async def count(self, table: str) -> int:
        return int(await self.straight.fetchval(f"select count(*) from {table}"))

    async def until_drained(self) -> None:
        await until(lambda: _is(not len(self.spool)))


async def _is(fact: bool) -> bool:
    return fact


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():
            await asyncio.sleep(0.02)


def press(seq: int = 1, device: str = "sos-0301") -> Press:
    now = from_ms(to_ms(CLOCK.now()))  # as the wire says it
    return Press(device, 5, seq, "sos", "mqtt", new_ulid(now), now)


@asynccontextmanager
async def opened(dsn: str, folder: Path, limits: Limits | None = None) -> AsyncIterator[Desk]:
    """A reception with a patience of 0.4 s, whose connections hang no longer than 1 s."""
    async with registered(dsn) as straight, Wire(urlsplit(dsn).port or 5432) as wire:
        through = dsn.replace(f":{urlsplit(dsn).port}/", f":{wire.port}/")
        database = Database(through, max_size=6, hang_s=1.0)
        spool = Spool(spool_path(folder, "test"), limits)
        reception = Reception(
            database, AlarmLedger(database, CLOCK), spool, CLOCK, seen=SeenReader(folder), patience_s=0.4
        )
        desk = Desk(reception, wire, spool, straight, folder)
        reception.on_seen = desk.tell
        async with running([database, reception]):
            yield desk
            wire.mend()


@pytest.fixture
async def desk(database_dsn: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(database_dsn, tmp_path) as one:
        yield one


async def test_with_a_database_a_press_is_recorded_at_once(desk: Desk) -> None:
    """The spool is not touched."""
    taken = await desk.reception.raise_alarm(press())
    assert isinstance(taken, Receipt)
    assert (taken.is_new, len(desk.spool), await desk.count("alarms")) == (True, 0, 1)


@pytest.mark.parametrize("fault", ["black_hole", "cut"])
async def test_a_press_is_taken_in_without_the_database_and_recorded_once_when_it_is_back(
    desk: Desk, fault: str
) -> None:
    """Hanging or refused, the answer is the same: on the disk, not recorded; then one row with the moment of intake."""
    getattr(desk.wire, fault)()
    said = press()
    first = await desk.reception.raise_alarm(said, area_id=AREA)
    again = await desk.reception.raise_alarm(said, area_id=AREA)
    assert isinstance(first, Sheltered)
    assert first == again
    assert (len(desk.spool), await desk.count("alarms")) == (1, 0)
    desk.wire.mend()
    await desk.until_drained()
    row = await desk.straight.fetchrow("select spooled_at, press_count from alarms")
    assert row is not None
    assert row["press_count"] == 1
    # On a server that only hung, the first attempt may go through after all: then it did not come by the spool.
    assert row["spooled_at"] in ({first.spooled_at, None} if fault == "black_hole" else {first.spooled_at})
    assert await desk.count("alarm_presses") == 1
    assert isinstance(await desk.reception.raise_alarm(said), Receipt)
    assert await desk.count("alarm_presses") == 1


async def test_while_it_is_away_no_press_waits_for_the_database(desk: Desk) -> None:
    """The first one waits its patience; fifty more behind it take less than that together."""
    desk.wire.black_hole()
    await desk.reception.raise_alarm(press(1))
    before = asyncio.get_running_loop().time()
    for seq in range(2, 52):
        await desk.reception.raise_alarm(press(seq))
    taken_s = asyncio.get_running_loop().time() - before
    assert len(desk.spool) == 51
    assert taken_s < 50 * 0.4  # each with the patience of the first would take longer
    attempts = desk.reception.statistics()["attempts"]
    assert isinstance(attempts, int)
    assert attempts <= 4
    desk.wire.mend()
    await desk.until_drained()
    assert await desk.count("alarm_presses") == 51


async def test_no_more_than_a_few_attempts_hang_at_once(desk: Desk) -> None:
    """Twenty presses in the same moment on a hanging database: all are taken in, few connections are held."""
    desk.wire.black_hole()
    taken = await asyncio.gather(*(desk.reception.raise_alarm(press(seq)) for seq in range(1, 21)))
    assert all(isinstance(one, Sheltered) for one in taken)
    attempts = desk.reception.statistics()["attempts"]
    assert isinstance(attempts, int)
    assert attempts <= 4
    await until(lambda: _is(desk.reception.statistics()["attempts"] == 0))
    desk.wire.mend()
    await desk.until_drained()
    assert await desk.count("alarm_presses") == 20


async def test_a_commit_whose_outcome_is_unknown_is_repeated_and_there_is_one_row(desk: Desk) -> None:
    """The answer of the commit is lost on its way: the press goes to the spool and the ledger knows it already."""
    await desk.reception.raise_alarm(press(1, "stb-0302"))
    desk.wire.delay(0.15)  # the transaction gets through, slower than anybody waits for
    taken = await desk.reception.raise_alarm(press(1))
    assert isinstance(taken, Sheltered)
    desk.wire.mend()
    await desk.until_drained()
    assert await desk.straight.fetchval("select count(*) from alarm_presses where device_id = 'sos-0301'") == 1


async def test_a_cancellation_stays_behind_its_press(desk: Desk) -> None:
    """Both in the spool, or the press alone: the alarm is recorded first and then taken back."""
    desk.wire.cut()
    await desk.reception.raise_alarm(press(1))
    now = CLOCK.now()
    taken = await desk.reception.cancel(Cancellation("stb-0301", 5, 2, new_ulid(now), now, "https"))
    assert isinstance(taken, Sheltered)
    desk.wire.mend()
    await desk.until_drained()
    kinds = await desk.straight.fetch("select kind from alarm_events order by event_id")
    assert [row["kind"] for row in kinds] == ["raised", "cancelled"]


async def test_a_cancellation_that_overtook_its_press_waits_for_it(desk: Desk) -> None:
    """The press may come by another program's spool: what cannot be taken back yet is not given up at once."""
    desk.wire.cut()
    now = CLOCK.now()
    await desk.reception.cancel(Cancellation("sos-0301", 5, 2, new_ulid(now), now))
    desk.wire.mend()
    await until(lambda: _is(not desk.reception.is_away))
    await asyncio.sleep(0.3)
    assert len(desk.spool) == 1
    await AlarmLedger(desk.straight, CLOCK).raise_alarm(press(1))
    await desk.until_drained()
    assert await desk.straight.fetchval("select count(*) from alarms where cancelled_by_user_at is not null") == 1


async def test_another_event_does_not_stand_before_an_alarm(desk: Desk) -> None:
    """What a sensor says is kept in the same way and recorded with its receipt."""
    desk.wire.black_hole()
    now = CLOCK.now()
    event = DeviceEvent("smoke-0301", 2, 1, new_ulid(now), AREA, "smoke", now, now, {"level": 3})
    async with asyncio.timeout(PATIENCE_S):
        await desk.reception.note(event)
        assert isinstance(await desk.reception.raise_alarm(press()), Sheltered)
    desk.wire.mend()
    await desk.until_drained()
    assert (await desk.count("device_events"), await desk.count("alarms")) == (1, 1)
    assert await desk.straight.fetchval("select count(*) from outbox where device_id = 'smoke-0301'") == 1


async def test_what_an_earlier_run_left_is_recorded_once(database_dsn: str, tmp_path: Path) -> None:
    """The next start drains the spool, also what the ledger had got without its being noted."""
    left = Spool(spool_path(tmp_path, "test"))
    left.open()
    for seq in (1, 2, 3):
        left.append(press(seq), area_id=AREA, at=CLOCK.now())
    left.close()
    async with opened(database_dsn, tmp_path) as desk:
        await desk.until_drained()
        assert (await desk.count("alarms"), await desk.count("alarm_presses")) == (1, 3)


async def test_a_press_of_nobody_is_refused_and_does_not_stop_those_behind_it(desk: Desk) -> None:
    """A device that the registry does not know cannot be recorded: it leaves the spool, loudly, without a receipt."""
    desk.wire.cut()
    await desk.reception.raise_alarm(press(1, "nobody"))
    await desk.reception.raise_alarm(press(1))
    desk.wire.mend()
    await desk.until_drained()
    assert (await desk.count("alarm_presses"), await desk.count("outbox")) == (1, 1)
    assert desk.reception.statistics()["refused"] == 1


async def test_what_neither_ledger_nor_spool_takes_is_not_acknowledged(database_dsn: str, tmp_path: Path) -> None:
    """A full spool is Unavailable, so that the message comes again; when the database is back it is recorded."""
    async with opened(database_dsn, tmp_path, Limits(most=1)) as desk:
        desk.wire.cut()
        await desk.reception.raise_alarm(press(1))
        with pytest.raises(Unavailable, match="full"):
            await desk.reception.raise_alarm(press(2))
        desk.wire.mend()
        await desk.until_drained()
        assert isinstance(await desk.reception.raise_alarm(press(2)), Receipt)


async def test_a_desk_that_shows_it_is_told_to_the_box_once_and_again_when_asked(desk: Desk) -> None:
    """Seen is said once for each press, and once more when the device repeats it; a stranger's word does nothing."""
    desk.wire.cut()
    said = press(1)
    await desk.reception.raise_alarm(said)
    await desk.reception.raise_alarm(press(2))
    writer = SeenWriter(desk.folder, "desk-1")
    writer.open()
    writer.append({("sos-0301", 5, 1): "2", ("sos-0302", 5, 1): "2"}, CLOCK.now())
    writer.append({("sos-0301", 5, 1): "3"}, CLOCK.now())
    await until(lambda: _is(desk.told == [("sos-0301", 5, 1)]))
    await asyncio.sleep(0.5)
    taken = await desk.reception.raise_alarm(said)
    assert isinstance(taken, Sheltered)
    assert taken.is_seen
    await until(lambda: _is(desk.told == [("sos-0301", 5, 1)] * 2))
    writer.close()


async def test_a_server_without_connections_is_away_too(desk: Desk) -> None:
    """When nobody may connect any more, a press goes to the spool."""
    name = str(await desk.straight.fetchval("select current_database()"))
    other = Database(desk.straight.dsn.replace(f"/{name}", "/postgres"), max_size=1)
    async with running([other]):
        await other.execute(f'alter database "{name}" with allow_connections false')
        desk.wire.reset()
        taken = await desk.reception.raise_alarm(press())
        assert isinstance(taken, Sheltered)
        await other.execute(f'alter database "{name}" with allow_connections true')
    await desk.until_drained()
    assert await desk.count("alarms") == 1
