"""A ledger with a little history on a real database, and its intruder: a superuser whom no trigger stops."""

from collections.abc import Sequence
from pathlib import Path

from gateway.alarms.audit import checkpoint_file, checkpoints, seal
from gateway.alarms.audit.checkpoint_file import CheckpointFile
from gateway.alarms.audit.checkpoints import Log
from gateway.alarms.audit.commands import Findings, examine
from gateway.alarms.ledger import AlarmLedger
from gateway.model.alarms import Action, Outcome, Press, Verdict
from gateway.model.ids import new_ulid
from gateway.store import audit
from gateway.store.pool import Database
from tests.kit.clock import FakeClock
from tests.kit.community import OPERATOR, OTHER_AREA, SECOND

#: Events of the community's stream that `written` makes, and of the other area's.
EVENTS = 12
OTHER_EVENTS = 1
#: Makes every chain's head agree with the rows that are left.
SET_HEAD = """
update alarm_chains c set (seq, hash) =
       (select stream_seq, hash from alarm_events e where e.stream = c.stream order by stream_seq desc limit 1)"""


async def written(database: Database, clock: FakeClock) -> AlarmLedger:
    """Three alarms: one worked through to its end by two people, one pressed twice, one of another area."""
    ledger = AlarmLedger(database, clock)
    first = await pressed(ledger, clock, "sos-0301", 1)
    steps = [
        (Action.ACKNOWLEDGE, OPERATOR, {}),
        (Action.VERIFY, OPERATOR, {"verdict": Verdict.TRUE}),
        (Action.DISPATCH, OPERATOR, {"dispatched_to": "巡逻一组"}),
        (Action.ARRIVE, OPERATOR, {}),
        (Action.RESOLVE, OPERATOR, {"outcome": Outcome.TRUE, "note": "摔倒，已送医"}),
        (Action.CLOSE, SECOND, {}),
    ]
    await ledger.confirm_rendered(first, desk="desk-1", by=OPERATOR)
    for action, by, said in steps:
        clock.advance(7)
        version = (await ledger.alarm(first)).version
        await ledger.step(first, action, by=by, version=version, **said)  # type: ignore[arg-type]
    second = await pressed(ledger, clock, "stb-0302", 1)
    await pressed(ledger, clock, "stb-0302", 2)
    await ledger.add_note(second, "对讲无人应答", by=OPERATOR)
    await ledger.confirm_rendered(second, desk="desk-1", by=OPERATOR)
    await ledger.raise_platform_alarm("camera_dark", OTHER_AREA, "cam-9", {"camera": "cam-9"})
    return ledger


async def pressed(ledger: AlarmLedger, clock: FakeClock, device_id: str, seq: int) -> str:
    """Press a key and return the alarm."""
    clock.advance(1)
    press = Press(device_id, 1, seq, "sos", "mqtt", new_ulid(clock.now()), clock.now())
    return (await ledger.raise_alarm(press)).alarm_id


async def as_intruder(database: Database, *statements: str) -> None:
    """Change the tables as a superuser does who leaves no trigger switched off behind."""
    async with database.transaction() as connection:
        await connection.execute("set local session_replication_role = replica")
        for statement in statements:
            await connection.execute(statement)


class Archive:
    """Checkpoints of a database in a folder, signed when the test says so."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self.file = CheckpointFile(folder)
        self.seal = seal.read_or_make(folder / "secrets" / "audit.key")

    async def sign(self) -> str:
        """Sign the heads and return the line's name, number and hash."""
        newest, _ = self.file.append(await audit.heads(self._database), "2026-07-19T20:00:00+00:00", self.seal)
        return newest.name

    def log(self, *expected: str) -> Log:
        """Read and judge the file."""
        lines = checkpoint_file.lines_of(self.file.path) if self.file.path.exists() else []
        keys = {self.seal.key_id: self.seal.public}
        wanted = {int(number): anchor for number, _, anchor in (text.partition(":") for text in expected)}
        return checkpoints.examine(lines, keys, wanted)

    async def examine(self) -> Findings:
        """Examine the database with what the checkpoints have seen."""
        return await examine(self._database, self.log().marks)


def named(findings: Findings) -> list[tuple[str, str, int]]:
    """Return kind, stream and number of every fault of the chains, in the order of the report."""
    chains = [fault for fault in findings.faults.kept if fault.kind not in {"alarm", "guard"}]
    return [(fault.kind.value, fault.stream, fault.seq) for fault in chains]


def sentences(findings: Findings) -> Sequence[str]:
    return [fault.sentence for fault in findings.faults.kept]
