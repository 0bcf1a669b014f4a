"""The `linli` command line: what it refuses, and how it says so."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.launch import node, sections
from gateway.launch.main import main
from gateway.model.errors import ConfigurationError
from tests.kit.servers import REPOSITORY


def test_help_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    """`linli --help` shows what a newcomer can do."""
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    said = capsys.readouterr().out
    for verb in ("demo", "up", "check", "app", "rules", "notices", "audit"):
        assert verb in said


@pytest.mark.parametrize("verb", ["demo", "up"])
def test_taken_port_is_named_with_its_cure(
    verb: str, tmp_path: Path, free_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A port that is taken stops the start before anything runs, with the port's number and what to do."""
    config = tmp_path / "linli.toml"
    config.write_text(f'[node]\ndata_dir = "data"\n[mqtt]\nport = {free_port}\n')
    words = {
        "demo": ["demo", "--data-dir", str(tmp_path / "data"), "--port-base", str(free_port)],
        "up": ["up", "--config", str(config)],
    }[verb]
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port))
        other.listen()
        assert main(words) == 2
    said = capsys.readouterr().err
    assert f"port {free_port} is not free" in said
    assert "--port-base" in said or "change the port" in said
    assert not (tmp_path / "data" / "database").exists()


@pytest.mark.parametrize("base", ["80", "65530"])
def test_impossible_port_base_is_refused(base: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A port base without room for all ports is refused."""
    assert main(["demo", "--port-base", base]) == 2
    assert "Choose 1024 to 65000" in capsys.readouterr().err


def test_second_launcher_on_one_folder_is_refused(tmp_path: Path) -> None:
    """Two launchers never share a data folder; the error names the first one's process."""
    with (
        node.locked(tmp_path),
        pytest.raises(ConfigurationError, match=f"process {os.getpid()}"),
        node.locked(tmp_path),
    ):
        pass
    with node.locked(tmp_path):
        pass


def _config(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "linli.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[node]\n\n[desk]\nprot = 1\n", (":4", "port")),
        ("[dsek]\nport = 1\n", (":1", "desk")),
        ("[mqtt]\nport = 99999\n", (":2", "99999")),
        ("[village]\nreprot_s = 1\n", ("", "report_s")),
        ("[node\n", (":1", "Correct")),
    ],
)
@pytest.mark.parametrize("verb", ["check", "up"])
def test_unknown_words_in_the_settings_are_named(
    verb: str, text: str, told: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong section, key or value of any program is refused with file, line and the nearest known word."""
    path = _config(tmp_path, text)
    assert main([verb, "--config", str(path)]) == 2
    captured = capsys.readouterr()
    said = captured.out + captured.err
    line, cure = told
    assert f"{path}{line}" in said
    assert cure in said


def test_check_looks_at_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str], free_port: int) -> None:
    """`linli check` tells settings, database, broker, ports and disk, and fails on a database that is away."""
    ports = "".join(f"[{name}]\nport = 0\n" for name in ("api", "tv", "desk", "developer"))
    mqtt = f"[mqtt]\nport = {free_port}\n"
    known = {section.section for section in sections.known()}
    ports = "".join(f"[{name}]\nport = 0\n" for name in ("api",) if name in known)
    assert main(["check", "--config", str(_config(tmp_path, ports + mqtt))]) in {0, 2}
    said = capsys.readouterr().out
    for what in ("settings", "database", "broker", "ports", "disk"):
        assert f"{what}: " in said
    dsn = f"postgresql:///linli?host={tmp_path}&user=linli"
    away = _config(tmp_path, f'[database]\ndsn = "{dsn}"\n[mqtt]\nhost = "127.0.0.1"\nport = {free_port}\n')
    assert main(["check", "--config", str(away)]) == 2
    said = capsys.readouterr().out
    assert "✗ database: [database] dsn: the database does not answer" in said
    assert "✗ broker: " in said


def test_check_accepts_a_good_database(database_dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`linli check` says that a durable database is well."""
    main(["check", "--config", str(_config(tmp_path, f'[database]\ndsn = "{database_dsn}"\n'))])
    assert "✓ database: answers; fsync" in capsys.readouterr().out


def test_delegated_verb_reaches_its_program() -> None:
    """`linli rules …` is answered by the rules program with its own exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway.launch.main", "rules", "no-such-verb"],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "no-such-verb" in done.stderr or "iot_rules" in done.stderr


def test_signal_before_readiness_stops_everything(tmp_path: Path, free_port: int) -> None:
    """SIGTERM in the middle of the start ends the launcher with code 0 and leaves no process."""
    words = ["demo", "--json", "--data-dir", str(tmp_path / "data"), "--port-base", str(min(free_port, 64000))]
    with subprocess.Popen(
        [sys.executable, "-m", "gateway.launch.main", *words], cwd=REPOSITORY, stderr=subprocess.PIPE
    ) as launcher:
        assert launcher.stderr is not None
        while b"database" not in (line := launcher.stderr.readline()):
            assert line
        launcher.send_signal(signal.SIGTERM)
        assert launcher.wait(8) == 0
    found = subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True, text=True, check=False)
    assert found.stdout == ""
