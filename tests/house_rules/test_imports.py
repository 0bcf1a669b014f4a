"""The contracts of imports and the bans of calls do bite; `make check` runs them over the whole tree."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house_rules.tree import PROGRAMS, REPOSITORY

RUFF = Path(sys.executable).with_name("ruff")
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")


@pytest.fixture(scope="module")
def copied_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all Python files, so that a violation can be added without touching the tree."""
    root = tmp_path_factory.mktemp("tree")
    shutil.copy(REPOSITORY / "pyproject.toml", root)
    for program in PROGRAMS:
        shutil.copytree(REPOSITORY / program, root / program, ignore=_all_but_python)
    return root


def _all_but_python(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if not (Path(folder) / name).is_dir() and not name.endswith(".py")}


@pytest.mark.parametrize(
    ("place", "line", "contract"),
    [
        ("iot_rules/stray.py", "import tv_apps", "Star"),
        ("gateway/model/stray.py", "import gateway.store", "Inside gateway"),
        ("gateway/letters/__init__.py", "", "Inside gateway"),
        ("firmware_stubs/stray.py", "import gateway.store", "The outside world"),
        ("tv_apps/stray.py", "import asyncpg", "One home: SQL driver"),
        ("gateway/model/stray.py", "import time", "Decisions are pure"),
    ],
)
def test_control_a_forbidden_import_breaks_its_contract(
    copied_tree: Path, place: str, line: str, contract: str
) -> None:
    """An import that the architecture forbids breaks the contract that is meant for it."""
    stray = copied_tree / place
    stray.parent.mkdir(exist_ok=True)
    stray.write_text(f'"""Stray."""\n{line}\n')
    try:
        done = subprocess.run(
            [LINT_IMPORTS, "--no-cache"], cwd=copied_tree, capture_output=True, text=True, check=False
        )
    finally:
        shutil.rmtree(stray.parent) if stray.name == "__init__.py" else stray.unlink()
    assert done.returncode == 1, done.stdout
    broken = [name for name in done.stdout.splitlines() if name.endswith(" BROKEN")]
    assert any(name.startswith(contract) for name in broken), done.stdout


@pytest.mark.parametrize(
    "text",
    [
        "import time\n\nprint_at = time.time()\n",
        "import time\n\nprint_at = time.monotonic()\n",
        "import datetime\n\nNOW = datetime.datetime.now(datetime.UTC)\n",
        "import subprocess\n\nRUN = subprocess.run\n",
    ],
)
def test_control_a_clock_or_a_process_out_of_place_is_found(text: str) -> None:
    """Reading the machine's clock, or starting a process, is refused outside the one place for it."""
    command = [str(RUFF), "check", "--no-cache", "--select", "TID251", "--config", str(REPOSITORY / "pyproject.toml")]
    for place, is_allowed in (("tv_apps/pages/stray.py", False), ("tests/bench/stray.py", True)):
        done = subprocess.run(
            [*command, "--stdin-filename", str(REPOSITORY / place), "-"],
            input=text, text=True, capture_output=True, check=False, cwd=REPOSITORY,
        )  # fmt: skip
        assert (done.returncode == 0) is is_allowed, done.stdout
