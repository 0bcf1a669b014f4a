"""The nemesis: chooses faults by a seed and their weights, has them done, and writes down what was done and when.

A fault that cannot be done now (its victim is dead already) is not counted, and another one is chosen; a kind that can
never be done here (a tool is not installed) is left out by name.
"""

import asyncio
import json
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TextIO

from tests.chaos.faults import Details, Kind, NotNow
from tests.chaos.history import Fault
from tests.chaos.world import World

WELL_EVERY_S: Final = 0.2
#: A database that runs and answers nothing for so long is ended, as an operator would end it.
HUNG_AFTER_S: Final = 20.0
#: A world that has not come back after so long is written down as it is; the checker sees what that means.
WELL_PATIENCE_S: Final = 45.0
#: After a choice that could not be done.
AGAIN_S: Final = 0.05
#: A world that has not been well for so long is left alone until it has had a breath: what is never up shows nothing.
EXHAUSTED_S: Final = 6.0
BREATH_S: Final = 2.0


class Nemesis:
    """Runs faults as the plan says; `faults` are those that were done and have healed."""

    def __init__(self, world: World, kinds: Sequence[Kind]) -> None:
        plan = world.plan
        self._world = world
        self._rng = random.Random(f"{plan.seed}:nemesis")
        chosen = [kind for kind in kinds if plan.kinds is None or kind.name in plan.kinds]
        self.lacking = {kind.name: why for kind in chosen if (why := kind.lacking(world))}
        self._kinds = [kind for kind in chosen if kind.name not in self.lacking]
        self._tasks: set[asyncio.Task[None]] = set()
        self._well_since_s = self._last_well_s = time.monotonic()
        self._is_exhausted = False
        self.done = 0
        self.faults: list[Fault] = []

    async def run(self, log_path: Path) -> None:
        """Do faults for as long, or as many, as the plan says; returns when the last one has healed."""
        plan = self._world.plan
        deadline = time.monotonic() + (plan.minutes * 60 if plan.minutes is not None else float("inf"))
        most = plan.faults if plan.faults is not None else float("inf")
        watching = asyncio.create_task(self._watch(), name="fault-watch")
        with log_path.open("a") as log:
            try:
                while self.done < most and time.monotonic() < deadline and self._kinds:
                    pause_s = await self._begin(log)
                    await asyncio.sleep(max(0.0, min(pause_s, deadline - time.monotonic())))
                await asyncio.gather(*self._tasks)
            finally:
                for task in (watching, *self._tasks):
                    task.cancel()
                await asyncio.gather(watching, *self._tasks, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            asked_s = time.monotonic()
            if await self._world.is_well():
                self._last_well_s = asked_s
            else:
                self._well_since_s = time.monotonic()
            await asyncio.sleep(WELL_EVERY_S)

    async def _begin(self, log: TextIO) -> float:
        """Begin one fault, unless the world needs a breath; return how long to wait."""
        if self._needs_breath():
            return WELL_EVERY_S
        kind = self._rng.choices(self._kinds, [kind.weight for kind in self._kinds])[0]
        task = asyncio.create_task(self._do(kind, log), name=f"fault-{kind.name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.sleep(0)
        if task.done():  # its victim was not there
            task.result()
            return AGAIN_S
        return self._world.plan.pace_s * self._rng.uniform(0.4, 1.6)

    def _needs_breath(self) -> bool:
        self._is_exhausted = self._is_exhausted or time.monotonic() - self._last_well_s > EXHAUSTED_S
        if self._is_exhausted and self._last_well_s - self._well_since_s >= BREATH_S:
            self._is_exhausted = False
        return self._is_exhausted

    async def _do(self, kind: Kind, log: TextIO) -> None:
        """Do it, wait until the world is well again, and write both down."""
        begun, begun_s = datetime.now(UTC), time.monotonic()
        try:
            details = await kind.deed(self._world, self._rng)
        except (NotNow, ProcessLookupError):
            return
        self.done += 1
        _write(log, {"kind": kind.name, "phase": "done", **_moment(begun, begun_s), **details})
        done_s = time.monotonic()
        while self._last_well_s <= done_s and time.monotonic() < done_s + WELL_PATIENCE_S:
            await asyncio.sleep(WELL_EVERY_S)
            if time.monotonic() > done_s + HUNG_AFTER_S:
                await self._world.end_hung_database()
        self.faults.append(Fault(kind.name, begun, datetime.now(UTC), dict(details)))
        _write(log, {"kind": kind.name, "phase": "healed", **_moment(datetime.now(UTC), time.monotonic())})


def _moment(wall: datetime, monotonic_s: float) -> Details:
    return {"wall": wall.isoformat(timespec="milliseconds"), "monotonic_s": round(monotonic_s, 3)}


def _write(log: TextIO, facts: Details) -> None:
    log.write(json.dumps(facts) + "\n")
    log.flush()
