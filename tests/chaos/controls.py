"""Seven programs with one promise broken each: the checker must turn red for every one, or it proves nothing.

`python -m tests.chaos.controls [NAME …] [--seed N]`: each plan is run twice with the same seed on real processes, once
with honest programs, which must be green, and once with the sabotaged ones, which must be red by the rule that watches
the broken promise. The last line of output is JSON; the exit code is 0 only when all are as they must be.

What exactly turns red, and why:

* A receipt before the commit, or a database that forgets, breaks the word that was given: `lost`. For the first, the
  gateway dies between receipt and commit and the broker's store is lost, since otherwise the broker would bring the
  message again and nobody would notice.
* A device that trusts a PUBACK has forgotten its event when the broker loses its store: `lost`.
* A new session with every connection, and an acknowledgement before the commit, lose nothing while devices repeat
  until they are receipted; the receipt is the promise. They break the second line of defence: what a broker that never
  died has acknowledged to a device that burns down right after. That is the rule `unkept`.
* Without the unique key a repetition after the commit becomes a second press: `duplicates`.
* Timers in memory die with their gateway, and nobody further up is asked: `late_escalations`.
"""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from gateway.alarms.failpoints import VARIABLE
from tests.chaos import collect
from tests.chaos.checker import Limits, Verdict, check
from tests.chaos.devices import BURN
from tests.chaos.faults import held_down
from tests.chaos.history import Fault, RunSettings
from tests.chaos.world import Plan, World, running_world

SEED = 11
LIMITS = Limits(slack_s=6.0, recovery_s=8.0)
PATIENCE_S = 30.0
#: How long lost presses are waited for after healing: longer than a device's longest pause before it connects again.
DRAIN_S = 25.0
#: From the last step of a chain that was cut off until the checker calls it missing.
LATE_S = 3.0
MOST_SHOWN = 3

Deed = Callable[[World], Awaitable[None]]


async def killed_at(world: World, failpoint: str) -> None:
    """Start the gateway anew with a failpoint, and return when it has killed itself there."""
    before = world.gateway.counts["killed_itself"]
    world.gateway.next_environments.append({VARIABLE: failpoint})
    world.gateway.send(signal.SIGKILL)
    async with asyncio.timeout(PATIENCE_S):
        while world.gateway.counts["killed_itself"] == before:
            await asyncio.sleep(0.02)


async def broker_forgets(world: World) -> None:
    async with held_down(world.children["broker"]):
        assert world.store is not None
        world.store.unlink(missing_ok=True)


async def die_before_commit(world: World) -> None:
    """The gateway dies with a press inserted and not committed, and the broker loses the message."""
    await killed_at(world, "after_insert_before_commit:3")
    await broker_forgets(world)


async def kill_postmaster(world: World) -> None:
    """PostgreSQL dies as a whole; what only its memory held is gone. Its background writer was asleep before."""
    family = world.children["postgres"].family()
    writers = [one for one in family if any("walwriter" in word for word in one.cmdline())]
    assert writers
    for one in writers:
        one.suspend()
    await asyncio.sleep(3.0)
    for one in (family[0], *world.children["postgres"].family()):
        with contextlib.suppress(psutil.Error):
            one.kill()


async def forget_while_gateway_is_down(world: World) -> None:
    """Presses wait at the broker for a gateway that is down, and the broker loses them."""
    async with held_down(world.gateway):
        await asyncio.sleep(3.0)
        await broker_forgets(world)


def set_fire(world: World) -> None:
    """From now on every device burns down right after its next PUBACK."""
    for box in world.boxes:
        (world.street_folder() / box.device_id / BURN).touch()


async def burn_while_gateway_is_down(world: World) -> None:
    """The broker acknowledges presses of devices that then burn down, and keeps them for a gateway that is away."""
    async with held_down(world.gateway):
        set_fire(world)
        await asyncio.sleep(3.0)


async def burn_before_commit(world: World) -> None:
    """The same, and the gateway that comes back dies before it has committed any of it."""
    set_fire(world)
    await killed_at(world, "after_insert_before_commit:1")


async def die_after_commit(world: World) -> None:
    """The gateway dies after the commit, before the broker knows: the press comes again."""
    await killed_at(world, "after_commit_before_puback:2")


async def die_before_due(world: World) -> None:
    """Nobody works any more, and the gateway dies while alarms wait for the next step of their chains."""
    world.be_quiet()
    async with held_down(world.gateway):
        await asyncio.sleep(1.0)


@dataclass(frozen=True, slots=True)
class Control:
    """One broken promise: who breaks it, what is done to the world then, and the rule that must notice."""

    name: str
    rule: str
    deed: Deed
    #: Words of the fault, as the checker reads them.
    kind: str
    program: str = "gateway"
    postgres_options: Sequence[str] = ()
    waits_s: float = 0.0


CONTROLS = (
    Control("receipt_before_commit", "lost", die_before_commit, "failpoint_gateway_broker"),
    Control(
        "asynchronous_commit", "lost", kill_postmaster, "kill_postmaster",
        postgres_options=("-c", "synchronous_commit=off"),
    ),
    Control("trust_puback", "lost", forget_while_gateway_is_down, "kill_gateway_broker", "devices"),
    Control("clean_start", "unkept", burn_while_gateway_is_down, "kill_gateway"),
    Control("automatic_puback", "unkept", burn_before_commit, "failpoint_gateway"),
    Control("no_unique_key", "duplicates", die_after_commit, "failpoint_gateway"),
    Control("timers_in_memory", "late_escalations", die_before_due, "kill_gateway", waits_s=LATE_S),
)  # fmt: skip


def command(sabotage: str, program: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "tests.chaos.sabotage", sabotage, program)


def plan_of(control: Control, seed: int, *, is_sabotaged: bool, keep: Path | None = None) -> Plan:
    """Return the plan of a control; both runs differ in the sabotage alone."""
    who = "sabotaged" if is_sabotaged else "honest"
    broken = {control.program: control.name} if is_sabotaged else {}
    return Plan(
        seed=seed,
        devices=6,
        press_every_s=1.5,
        gateway_command=command(broken.get("gateway", "honest"), "gateway"),
        devices_command=command(broken.get("devices", "honest"), "devices"),
        postgres_options=control.postgres_options if is_sabotaged else (),
        patience_s=PATIENCE_S,
        folder=keep / f"{control.name}-{who}" if keep else None,
    )


async def run(control: Control, plan: Plan) -> Verdict:
    """Run one plan, disturb it as the control says, heal it, and return the checker's verdict."""
    async with running_world(plan) as world:
        await _all_known(world)
        begun = datetime.now(UTC)
        await control.deed(world)
        await world.wait_well(PATIENCE_S)
        fault = Fault(control.kind, begun, datetime.now(UTC))
        settings = await _healed(world, control.waits_s)
        for name, child in world.children.items():
            if name != "postgres":
                await child.end()
        history = await collect.history(world.dsn, world.street_folder(), [fault], settings)
    return check(history, LIMITS)


async def _all_known(world: World) -> None:
    """Wait until every device has been told of one of its presses, so that all of them are there for what comes."""
    async with asyncio.timeout(PATIENCE_S):
        while len({one.device_id for one in collect.receipts(world.street_folder())}) < len(world.boxes):
            await asyncio.sleep(0.1)


async def _healed(world: World, waits_s: float) -> RunSettings:
    """Let nobody press, and wait until what can be answered is answered."""
    healed_at = datetime.now(UTC)
    world.be_quiet()
    deadline = time.monotonic() + DRAIN_S
    await asyncio.sleep(1.0)
    while time.monotonic() < deadline and collect.unsettled(world.street_folder()):
        await asyncio.sleep(0.25)
    if waits_s:
        await asyncio.sleep(world.plan.escalation.supervisor_s + LIMITS.slack_s + waits_s)
    return RunSettings(world.plan.escalation, healed_at, healed_at, datetime.now(UTC))


def say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


async def judge(control: Control, seed: int, keep: Path | None) -> tuple[bool, bool]:
    """Run a control both ways; return whether the honest programs were green and the sabotaged ones red."""
    honest = await _told(control, plan_of(control, seed, is_sabotaged=False, keep=keep), "honest")
    sabotaged = await _told(control, plan_of(control, seed, is_sabotaged=True, keep=keep), "sabotaged")
    return honest.is_green, control.rule in sabotaged.red


async def _told(control: Control, plan: Plan, who: str) -> Verdict:
    begun_s = time.monotonic()
    verdict = await run(control, plan)
    colour = f"red ({', '.join(verdict.red)})" if verdict.red else "green"
    took = f"{verdict.n_attempts} presses, {time.monotonic() - begun_s:.0f} s"
    say(f"{control.name:<22} {who:<10} {colour}; {took}")
    for finding in list(verdict.findings())[:MOST_SHOWN]:
        say(f"    {finding}")
    return verdict


async def run_all(names: Sequence[str], seed: int, keep: Path | None) -> dict[str, object]:
    """Run the named controls, or all, and return the figures."""
    chosen = [control for control in CONTROLS if not names or control.name in names]
    begun_s = time.monotonic()
    judged = [await judge(control, seed, keep) for control in chosen]
    return {
        "bench": "controls",
        "red": sum(is_red for _, is_red in judged),
        "of": len(chosen),
        "green": sum(is_green for is_green, _ in judged),
        "seed": seed,
        "seconds": round(time.monotonic() - begun_s),
    }


def main() -> int:
    """Run the controls, print the figures as JSON, and return the exit code."""
    parser = argparse.ArgumentParser(description="Sabotage that the checker must notice.")
    parser.add_argument("names", nargs="*", choices=[[], *(control.name for control in CONTROLS)])
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--keep", type=Path, default=None, help="folder for logs, journals and diaries; kept")
    given = parser.parse_args()
    figures = asyncio.run(run_all(given.names, given.seed, given.keep))
    print(json.dumps(figures))
    return 0 if figures["red"] == figures["green"] == figures["of"] else 1


if __name__ == "__main__":
    sys.exit(main())
