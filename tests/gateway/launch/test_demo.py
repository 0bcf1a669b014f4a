"""`linli demo` as a whole: what it prints, what it survives, what it leaves."""

import os
import signal
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.kit.stack import Demo, running_demo

pytestmark = pytest.mark.flow

KEYS = {"tv", "desk", "developer", "api", "mqtt", "database", "users", "households", "cameras"}


@pytest.fixture(scope="module")
def own_demo() -> Iterator[Demo]:
    """A demo of this file's own: it is hurt and killed."""
    with running_demo() as running:
        yield running


def _wait(is_so: Callable[[], bool], patience_s: float = 20.0) -> None:
    deadline = time.monotonic() + patience_s
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address + "healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _program(demo: Demo, words: str) -> psutil.Process | None:
    return next((child for child in demo.programs() if words in _command(child)), None)


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def test_one_line_tells_everything(own_demo: Demo) -> None:
    """The JSON line has exactly the promised keys, and every address in it answers."""
    facts = own_demo.facts
    assert set(facts) == KEYS
    assert set(facts["users"]) == {"operator", "supervisor", "official"}
    assert all(set(user) == {"name", "password"} for user in facts["users"].values())
    assert all(set(home) == {"id", "name", "tv_url"} for home in facts["households"])
    assert len(facts["households"]) == 8
    assert len(facts["cameras"]) == 8
    for name in ("tv", "desk", "developer", "api"):
        assert _answers(facts[name]), name
    host, port = facts["mqtt"].removeprefix("mqtt://").split(":")
    with socket.create_connection((host, int(port)), timeout=2):
        pass


def test_tv_addresses_open_the_households_own_pages(own_demo: Demo) -> None:
    """Every household's TV address leads to a page of that household."""
    for home in own_demo.facts["households"]:
        box = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with box.open(home["tv_url"], timeout=5) as answer:
            assert answer.status == 200
            assert home["name"] in answer.read().decode()


def test_secrets_are_for_us_alone(own_demo: Demo) -> None:
    """Nobody else on the machine can read passwords, the database or its socket."""
    data = own_demo.folder / "data"
    for path in (data, data / "linli.toml", data / "secrets", data / "database", data / "run"):
        assert path.stat().st_mode & 0o077 == 0, path
    for path in (data / "secrets").iterdir():
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("words", ["gateway run", "security_video desk", "gateway.launch.broker", "bin/postgres"])
def test_killed_program_comes_back_while_others_go_on(own_demo: Demo, words: str) -> None:
    """SIGKILL of any one program or server: it is back with a new pid, all others keep theirs."""
    victim = _program(own_demo, words)
    assert victim is not None
    direct = {child.pid for child in psutil.Process(own_demo.process.pid).children()}
    victim.kill()
    _wait(lambda: (found := _program(own_demo, words)) is not None and found.pid != victim.pid)
    _wait(lambda: all(_answers(own_demo.facts[name]) for name in ("desk", "api", "tv")))
    now = {child.pid for child in psutil.Process(own_demo.process.pid).children()}
    assert direct - now == {victim.pid}


def test_signal_stops_everything_within_five_seconds(tmp_path: Path) -> None:
    """SIGINT ends the launcher with code 0 in five seconds, and nothing of the demo is left."""
    with running_demo() as demo:
        pids = [process.pid for process in demo.programs()]
        took_s = demo.stop(signal.SIGINT)
        assert demo.process.returncode == 0
        assert took_s < 5
        assert demo.left_over() == []
        assert not any(psutil.pid_exists(pid) for pid in pids)


def test_nothing_survives_a_killed_launcher() -> None:
    """SIGKILL of `linli` itself takes all programs, both servers and the cameras' workers with it."""
    with running_demo() as demo:
        os.kill(demo.process.pid, signal.SIGKILL)
        demo.process.wait(5)
        _wait(lambda: demo.left_over() == [])
