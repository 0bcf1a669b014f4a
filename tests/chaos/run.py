"""One run from the first process to the history: disturb, heal, wait until every press is answered, read, stop."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import psutil

from tests.chaos import collect
from tests.chaos.faults import KINDS
from tests.chaos.history import History, RunSettings
from tests.chaos.nemesis import Nemesis
from tests.chaos.world import Plan, World, running_world

TELL_EVERY_S = 10.0
#: After the last step of the chain, and after a progress that nobody makes.
LAST_TIMER_S = 2.0
NEMESIS_LOG = "nemesis.jsonl"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A history, and what the run itself has to say: kinds that were left out, and how often things started again."""

    history: History
    lacking: dict[str, str]
    counts: dict[str, int] = field(default_factory=dict)


async def run(plan: Plan) -> History:
    """Return what a run of `plan` left behind."""
    return (await run_all(plan)).history


async def run_all(plan: Plan) -> Outcome:
    """Return the history of a run together with the run's own figures."""
    async with running_world(plan) as world:
        nemesis = Nemesis(world, KINDS)
        for name, why in nemesis.lacking.items():
            plan.say(f"left out: {name} ({why})")
        async with _telling(world, nemesis):
            await nemesis.run(world.folder / NEMESIS_LOG)
            settings = await _healed(world)
        await _stop_all_but_postgres(world)
        history = await collect.history(
            world.dsn, world.street_folder(), nemesis.faults, replace(settings, read_at=datetime.now(UTC))
        )
        return Outcome(history, nemesis.lacking, _counts(world))


async def _healed(world: World) -> RunSettings:
    """Mend everything, let nobody press, and wait until all is answered and every timer has had its time."""
    world.gateway.next_environments.clear()
    for wire in world.wires.values():
        wire.mend()
    world.be_quiet()
    quiet_at = datetime.now(UTC)
    await world.wait_well(world.plan.patience_s)
    if world.gateway.last_environment:  # its failpoint would end it once more
        with contextlib.suppress(ProcessLookupError):
            world.gateway.send(signal.SIGTERM)
        await asyncio.sleep(0.2)
        await world.wait_well(world.plan.patience_s)
    healed_at = datetime.now(UTC)
    deadline = time.monotonic() + world.plan.patience_s
    while time.monotonic() < deadline and collect.unsettled(world.street_folder()):
        await asyncio.sleep(0.5)
    await asyncio.sleep(world.plan.escalation.supervisor_s + LAST_TIMER_S)
    return RunSettings(world.plan.escalation, healed_at, quiet_at, datetime.now(UTC))


async def _stop_all_but_postgres(world: World) -> None:
    for name, child in world.children.items():
        if name != "postgres":
            await child.end()


@contextlib.asynccontextmanager
async def _telling(world: World, nemesis: Nemesis) -> AsyncIterator[None]:
    """Say a line now and then while the context lasts."""
    begun_s = time.monotonic()

    async def tell() -> None:
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            homes = world.street_folder()
            pressed, waiting = len(collect.attempts(homes)), len(collect.unsettled(homes))
            load = psutil.getloadavg()[0]
            world.plan.say(
                f"{time.monotonic() - begun_s:5.0f} s  {nemesis.done} faults, {pressed} events, "
                f"{waiting} unanswered, load {load:.1f}"
            )

    telling = asyncio.create_task(tell(), name="telling")
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


def _counts(world: World) -> dict[str, int]:
    found = {f"{child.name}_starts": child.counts["starts"] for child in world.children.values()}
    return {**found, "failpoints_hit": world.gateway.counts["killed_itself"], **world.counts}
