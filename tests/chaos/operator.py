"""The desk of a chaos run: an operator who confirms and works on alarms, and the desk's standby escalator.

`python -m tests.chaos.operator FILE SEED FOLDER`. What happens to an alarm is decided by the seed and the alarm's
number: most are seen and closed within seconds, some are left to the street, some are signed and then forgotten, and
some are touched by two people at the same moment. Everything goes through the ledger, straight to the database.
"""

import argparse
import asyncio
import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from gateway.alarms.escalator import STANDBY_LAG_S, Escalator
from gateway.alarms.ledger import AlarmLedger
from gateway.model.alarms import Action, Alarm, AlarmState, Outcome, Verdict
from gateway.model.errors import LinliError
from gateway.model.people import Person
from gateway.runtime import logs
from gateway.runtime.clock import SystemClock
from gateway.runtime.service import running
from gateway.runtime.settings import load
from gateway.store.pool import Database
from tests.chaos.devices import QUIET
from tests.kit.community import AREA, OPERATOR, SECOND

log = logs.get(__name__)

LOOK_EVERY_S = 0.25
#: How long an alarm waits for each step, as shares of alarms: prompt, slow, and left alone for a round.
TEMPERS = ((0.6, 0.2, 1.2), (0.25, 1.0, 3.5), (0.15, 6.0, 14.0))
RACE_SHARE = 0.2
NOTE = "已到现场查看"


@dataclass(frozen=True, slots=True)
class Move:
    """What is done to an alarm in one state."""

    action: Action
    verdict: Verdict | None = None
    outcome: Outcome | None = None
    dispatched_to: str = ""
    note: str = ""


MOVES: dict[AlarmState, tuple[Move, ...]] = {
    AlarmState.RAISED: (Move(Action.RENDER), Move(Action.RENDER), Move(Action.ACKNOWLEDGE)),
    AlarmState.NOTIFIED: (Move(Action.ACKNOWLEDGE),),
    AlarmState.ACKNOWLEDGED: (Move(Action.VERIFY, Verdict.TRUE), Move(Action.VERIFY, Verdict.FALSE)),
    AlarmState.VERIFIED: (
        Move(Action.DISPATCH, dispatched_to="保安"),
        Move(Action.RESOLVE, outcome=Outcome.FALSE, note=NOTE),
    ),
    AlarmState.DISPATCHED: (Move(Action.ARRIVE), Move(Action.RESOLVE, outcome=Outcome.TRUE, note=NOTE)),
    AlarmState.ON_SCENE: (Move(Action.RESOLVE, outcome=Outcome.TRUE, note=NOTE),),
    AlarmState.RESOLVED: (Move(Action.CLOSE, note=NOTE),),
}


class Desk:
    """Looks at the open alarms again and again and does what is due with each."""

    def __init__(self, ledger: AlarmLedger, seed: str, folder: Path) -> None:
        self._ledger = ledger
        self._seed = seed
        self._folder = folder
        self._seen_s: dict[tuple[str, AlarmState, int], float] = {}

    async def work(self) -> None:
        """Work until cancelled; an error of the platform is met again at the next look."""
        while True:
            try:
                if not (self._folder / QUIET).exists():
                    await self._look()
            except LinliError as error:
                log.info("operator_waits", error=str(error))
            await asyncio.sleep(LOOK_EVERY_S)

    async def _look(self) -> None:
        for alarm in await self._ledger.open_alarms(AREA):
            rng = random.Random(f"{self._seed}:{alarm.alarm_no}:{alarm.state}")
            since_s = self._seen_s.setdefault((alarm.alarm_id, alarm.state, alarm.escalation_level), time.monotonic())
            if time.monotonic() - since_s >= _patience_s(rng):
                await self._act(alarm, rng)

    async def _act(self, alarm: Alarm, rng: random.Random) -> None:
        move = rng.choice(MOVES[alarm.state])
        people = [OPERATOR, SECOND] if rng.random() < RACE_SHARE else [rng.choice((OPERATOR, SECOND))]
        if alarm.state is AlarmState.RESOLVED:
            people = [SECOND if alarm.resolved_by == OPERATOR.person_id else OPERATOR]
        done = await asyncio.gather(*(self._do(alarm, move, by) for by in people), return_exceptions=True)
        for refused in done:
            if isinstance(refused, LinliError):
                log.info("operator_refused", alarm_no=alarm.alarm_no, action=move.action, error=str(refused))
            elif isinstance(refused, BaseException):
                raise refused

    async def _do(self, alarm: Alarm, move: Move, by: Person) -> None:
        if move.action is Action.RENDER:
            await self._ledger.confirm_rendered(alarm.alarm_id, desk="chaos-1", by=by)
            return
        await self._ledger.step(
            alarm.alarm_id, move.action, by=by, version=alarm.version, note=move.note, verdict=move.verdict,
            dispatched_to=move.dispatched_to, outcome=move.outcome,
        )  # fmt: skip


def _patience_s(rng: random.Random) -> float:
    share = rng.random()
    for part, least_s, most_s in TEMPERS:
        share -= part
        if share < 0:
            return rng.uniform(least_s, most_s)
    return TEMPERS[0][1]


async def run(file: Path, seed: str, folder: Path) -> None:
    """Stand by and work until SIGTERM."""
    settings = load(file)
    logs.configure("chaos-desk", "INFO")
    clock = SystemClock()
    database = Database(settings.database.dsn, max_size=4, program="linli-chaos-desk")
    ledger = AlarmLedger(database, clock, time_zone=settings.node.time_zone, delays=settings.delays)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with running([database, Escalator(ledger, clock, lag_s=STANDBY_LAG_S)]):
        working = asyncio.create_task(Desk(ledger, seed, folder).work())
        ended = asyncio.create_task(stopped.wait())
        await asyncio.wait({working, ended}, return_when=asyncio.FIRST_COMPLETED)
        for task in (working, ended):
            task.cancel()
        await asyncio.gather(working, ended, return_exceptions=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="An operator and a standby for a chaos run.")
    parser.add_argument("file", type=Path)
    parser.add_argument("seed")
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    asyncio.run(run(given.file, given.seed, given.folder))


if __name__ == "__main__":
    main()
