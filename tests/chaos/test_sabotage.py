"""The sabotaged programs: every part that is broken still exists under its name."""

import subprocess
import sys

from tests.chaos.controls import CONTROLS, plan_of
from tests.chaos.sabotage import SABOTAGES
from tests.kit.servers import REPOSITORY

BREAK_ALL = "from tests.chaos import sabotage as s; [deed() for deed in s.SABOTAGES.values()]"


def test_every_sabotage_finds_what_it_breaks() -> None:
    """A part of the product that was renamed ends a sabotage with an error instead of leaving it without effect."""
    done = subprocess.run([sys.executable, "-c", BREAK_ALL], cwd=REPOSITORY, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_control_a_renamed_part_is_noticed() -> None:
    """A sabotage of something that is not there is an error."""
    program = "from tests.chaos import sabotage as s; s._put(s.Entry, closed=None)"
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, check=False)
    assert b"has no closed" in done.stderr


def test_there_are_seven_controls_and_each_breaks_one_program() -> None:
    """Both plans of a control have the same seed; they differ in the broken program and the database's options."""
    assert {control.name for control in CONTROLS} == set(SABOTAGES) - {"honest"}
    assert len(CONTROLS) == 7
    for control in CONTROLS:
        honest, broken = (plan_of(control, 5, is_sabotaged=is_sabotaged) for is_sabotaged in (False, True))
        assert honest.seed == broken.seed == 5
        assert control.name not in (*honest.gateway_command, *honest.devices_command)
        assert (*broken.gateway_command, *broken.devices_command).count(control.name) == 1
