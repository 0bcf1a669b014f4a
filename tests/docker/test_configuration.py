"""What docker/ says is what the code says."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from gateway.contract import topics
from gateway.launch import sections
from tests.kit.servers import REPOSITORY

DOCKER = REPOSITORY / "docker"


def compose() -> dict[str, dict[str, dict[str, object]]]:
    document: dict[str, dict[str, dict[str, object]]] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    return document


def test_the_access_rules_are_those_of_the_contract() -> None:
    """docker/acl.conf gives a device exactly the patterns that the topic table asks for."""
    lines = [line for line in (DOCKER / "acl.conf").read_text().splitlines() if line.startswith("pattern ")]
    assert sorted(lines) == sorted(topics.acl_patterns())


def test_compose_starts_each_program() -> None:
    """Every program of the star has its service, and each service runs a program that exists."""
    commands = [service["command"] for service in compose()["services"].values() if "command" in service]
    started = {command[2] for command in commands if isinstance(command, list)}
    assert started == {"gateway", "iot_rules", "tv_apps", "security_video"}
    assert all((REPOSITORY / program / "__main__.py").exists() for program in started)


def test_compose_keeps_secrets_out() -> None:
    """No password stands in compose.yaml or in the settings; the example holds none that could be real."""
    text = (DOCKER / "compose.yaml").read_text() + (DOCKER / "linli.toml").read_text()
    assert re.findall(r"(?im)^\s*\w*password\s*[:=]\s*(?!\$\{)\S+", text) == []
    values = re.findall(r"(?m)^\w+=(.*)$", (DOCKER / "env.example").read_text())
    assert all("change-me" in value for value in values)


def test_the_settings_are_known_to_the_programs() -> None:
    """docker/linli.toml holds only sections and keys that some program reads."""
    assert "sections known" in sections.check(DOCKER / "linli.toml")


def test_mounted_files_exist() -> None:
    """Each file that compose.yaml mounts is in docker/."""
    volumes = [volume for service in compose()["services"].values() for volume in _texts(service.get("volumes"))]
    mounted = {volume.split(":")[0] for volume in volumes if volume.startswith("./")}
    assert mounted
    assert [path for path in sorted(mounted) if not (DOCKER / path).exists()] == []


def test_the_spools_are_shared() -> None:
    """Gateway, television and desk see the same data folder: a press of the one is shown by the other."""
    data_dir = tomllib.loads((DOCKER / "linli.toml").read_text())["node"]["data_dir"]
    services = compose()["services"]
    mounts = {name: set(_texts(services[name].get("volumes"))) for name in ("gateway", "tv", "desk")}
    assert [name for name, mounted in mounts.items() if f"linli-data:{data_dir}" not in mounted] == []


def test_docker_accepts_the_file(tmp_path: Path) -> None:
    """Docker's own compose reads the file with the example's environment."""
    version = ["docker", "compose", "version"]
    if not shutil.which("docker") or subprocess.run(version, capture_output=True, check=False).returncode:
        pytest.skip("docker compose is not here")
    folder = tmp_path / "docker"
    shutil.copytree(DOCKER, folder)
    shutil.copy(folder / "env.example", folder / ".env")
    done = subprocess.run(
        ["docker", "compose", "-f", str(folder / "compose.yaml"), "config", "--quiet"],
        capture_output=True,
        env=os.environ,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()


def _texts(values: object) -> list[str]:
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
