"""`make chaos`: real processes under a seeded nemesis; the last line of output is JSON, red ends with exit code 1.

Progress goes to standard error. Where an alarm was lost or doubled, the folder with all logs, journals and diaries is
kept and named.
"""

import argparse
import asyncio
import contextlib
import json
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from tests.chaos.checker import NO_FAULT, RULES, Verdict, check
from tests.chaos.faults import KINDS
from tests.chaos.history import History, Key
from tests.chaos.run import Outcome, run_all
from tests.chaos.world import Plan

#: Findings of each rule that are printed; the rest are counted.
MOST_SHOWN = 10


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, help="how long faults are done (20 where no --faults are given)")
    parser.add_argument("--faults", type=int, help="how many faults are done")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--servers", choices=("debian", "embedded"), default="debian")
    parser.add_argument("--pace", type=float, default=2.0, help="seconds from one fault to the next, on average")
    parser.add_argument("--devices", type=int, default=16)
    parser.add_argument("--kinds", type=lambda text: frozenset(text.split(",")), help="only these, by commas")
    parser.add_argument("--keep", type=Path, help="folder for logs, journals and diaries; kept")
    given = parser.parse_args(words)
    if given.minutes is None and given.faults is None:
        given.minutes = 20.0
    if unknown := (given.kinds or frozenset()) - {kind.name for kind in KINDS}:
        parser.error(f"no such kinds: {', '.join(sorted(unknown))}; there are {', '.join(kind.name for kind in KINDS)}")
    return given


def say(line: str) -> None:
    sys.stderr.write(f"chaos: {line}\n")
    sys.stderr.flush()


def figures(plan: Plan, outcome: Outcome, verdict: Verdict) -> dict[str, object]:
    """Return the bench's JSON object. `alarms` are presses that stood in a journal, not rows of the ledger."""
    history = outcome.history
    presses = {one.key: one.at for one in history.attempts if one.kind == "sos_pressed"}
    told: dict[Key, float] = {}
    for receipt in history.receipts:
        if receipt.is_final and receipt.key in presses and receipt.key not in told:
            told[receipt.key] = (receipt.at - presses[receipt.key]).total_seconds()
    waits = sorted(told[key] for key in told if _met_a_fault(history, presses, told, key))
    by_fault = {kind: one.document() for kind, one in verdict.by_fault.items()}
    under_fire = [one for kind, one in verdict.by_fault.items() if kind != NO_FAULT]
    return {
        "bench": "chaos",
        "servers": plan.servers,
        "seed": plan.seed,
        "minutes": plan.minutes,
        "faults": verdict.n_faults,
        "kinds": dict(sorted(Counter(fault.kind for fault in history.faults).items())),
        "left_out": outcome.lacking,
        "alarms": len(presses),
        "receipted": len(told),
        "incidents": len(history.alarms),
        **{rule: len(getattr(verdict, rule)) for rule in RULES},
        "bound_95": round(verdict.bound_95, 5) if verdict.bound_95 is not None else None,
        "bound_95_per_alarm": round(min(1.0, 3 / len(presses)), 6) if presses and not verdict.lost else None,
        "recover_p50_s": waits[len(waits) // 2] if waits else None,
        "recover_p99_s": waits[min(len(waits) - 1, int(0.99 * len(waits)))] if waits else None,
        "recover_max_s": max((one.max_s for one in under_fire), default=None),
        "counts": outcome.counts,
        "by_fault": by_fault,
    }


def _met_a_fault(history: History, presses: Mapping[Key, datetime], told: Mapping[Key, float], key: Key) -> bool:
    """Tell whether something was broken between the press and its receipt."""
    begun, ended = presses[key], presses[key] + timedelta(seconds=told[key])
    return any(fault.begun <= ended and fault.ended >= begun for fault in history.faults)


def tell(verdict: Verdict) -> None:
    """Print a table of the kinds of faults, and what was found, to standard error."""
    say(f"{'fault':<24}{'n':>5}{'presses':>9}{'p50 s':>8}{'p99 s':>8}{'max s':>8}")
    for kind, one in verdict.by_fault.items():
        say(f"{kind:<24}{one.faults:>5}{one.presses:>9}{one.p50_s:>8.2f}{one.p99_s:>8.2f}{one.max_s:>8.2f}")
    for rule in RULES:
        for sentence in getattr(verdict, rule)[:MOST_SHOWN]:
            say(f"RED {rule}: {sentence}")


def _stop(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def main(words: Sequence[str] | None = None) -> int:
    """Run, judge, print; 0 where nothing was found."""
    given = arguments(words)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job begins with it ignored
    signal.signal(signal.SIGTERM, _stop)
    folder = given.keep or Path(tempfile.mkdtemp(prefix="linli-chaos-"))
    plan = Plan(
        seed=given.seed, servers=given.servers, minutes=given.minutes, faults=given.faults, kinds=given.kinds,
        pace_s=given.pace, devices=given.devices, folder=folder, say=say,
    )  # fmt: skip
    is_kept = True
    try:
        outcome = asyncio.run(run_all(plan))
        verdict = check(outcome.history)
        is_kept = given.keep is not None or not verdict.is_green
    except KeyboardInterrupt:
        is_kept = given.keep is not None
        say("stopped by hand; nothing is said about the alarms")
        return 130
    finally:
        if not is_kept:
            shutil.rmtree(folder, ignore_errors=True)
    tell(verdict)
    if not verdict.is_green:
        say(f"everything that was written is in {folder}")
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(json.dumps(figures(plan, outcome, verdict)) + "\n")
        sys.stdout.flush()
    return 0 if verdict.is_green else 1


if __name__ == "__main__":
    sys.exit(main())
