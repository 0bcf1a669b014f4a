"""The smoke run: a hundred faults with fixed seeds, on Debian's servers, and no alarm is lost or doubled."""

import json
import shutil
from pathlib import Path

import psutil
import pytest

from tests.chaos.__main__ import figures
from tests.chaos.checker import check
from tests.chaos.run import run_all
from tests.chaos.world import Plan
from tests.conftest import lacking
from tests.kit import servers

FAULTS_EACH = 50
PACE_S = 1.2
#: Kinds of faults that fifty draws must have met, or the weights have gone wrong.
LEAST_KINDS = 10


@pytest.mark.flow
@pytest.mark.parametrize("seed", [1, 2])
async def test_fifty_faults_lose_and_double_nothing(seed: int, tmp_path: Path) -> None:
    """Every press that was receipted is in the ledger once; after healing every press is; nothing else is found."""
    if not (servers.DEBIAN_POSTGRESQL / "postgres").exists() or not shutil.which("mosquitto_passwd"):
        lacking("Mosquitto or PostgreSQL 15", "mosquitto, postgresql")
    plan = Plan(seed=seed, faults=FAULTS_EACH, pace_s=PACE_S, devices=12, press_every_s=3.0, folder=tmp_path)
    outcome = await run_all(plan)
    verdict = check(outcome.history)
    print(json.dumps(figures(plan, outcome, verdict)))
    assert list(verdict.findings()) == []
    assert verdict.n_faults >= FAULTS_EACH
    assert len({fault.kind for fault in outcome.history.faults}) >= LEAST_KINDS
    assert sum(one.kind == "sos_pressed" for one in outcome.history.attempts) > FAULTS_EACH
    assert not _left(tmp_path)


def _left(folder: Path) -> list[str]:
    """Return the programs that still run on this world's folder."""
    return [
        " ".join(process.info["cmdline"])
        for process in psutil.process_iter(["cmdline"])
        if any(str(folder) in word for word in process.info["cmdline"] or ())
    ]
