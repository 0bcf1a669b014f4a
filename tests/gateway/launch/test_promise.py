import asyncio
import contextlib
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.launch.main import main
from gateway.store import duty
from gateway.store.duty import Shift
from tests.kit.community import AREA, registered

SECRET = "sesame-sesame-sesame"


def checked(folder: Path, text: str, capsys: pytest.CaptureFixture[str], *, dsn: str = "") -> list[str]:
    """Return the lines of `linli check` about the promise."""
    file = folder / "linli.toml"
    file.write_text(f'[node]\ndata_dir = "{folder}"\narea_id = "{AREA}"\n[database]\ndsn = "{dsn}"\n{text}\n')
    main(["check", "--config", str(file)])
    return capsys.readouterr().out.splitlines()


@contextlib.contextmanager
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def hook(port: int) -> str:
    return f'[hooks]\nwebhooks = [{{ name = "phone", url = "http://127.0.0.1:{port}/token", secret = "{SECRET}" }}]\n'


def test_the_chain_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """When an alarm goes where stands in the answer; times that do not rise are refused with their names."""
    lines = checked(tmp_path, "[escalation]\ndistrict_s = 45", capsys)
    (line,) = [line for line in lines if "escalation" in line]
    assert line.startswith("✓ escalation: other desks after 5 s, street after 30 s, district after 45 s")
    (line,) = checked(tmp_path, "[escalation]\ndistrict_s = 20", capsys)
    assert line.startswith("✗ settings: ") and "must rise" in line


def test_hooks_are_knocked_at_and_told_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], free_port: int
) -> None:
    """A target that takes connections is well, another is not, and no line shows a path or a secret."""
    assert any(line.startswith("✓ hooks: none") for line in checked(tmp_path, "", capsys))
    with listening() as port:
        lines = checked(tmp_path, hook(port), capsys)
        assert f"✓ hook phone: http://127.0.0.1:{port} takes a connection" in lines
    lines = checked(tmp_path, hook(free_port), capsys)
    assert any(line.startswith(f"✗ hook phone: http://127.0.0.1:{free_port} does not answer") for line in lines)
    said = "\n".join(checked(tmp_path, '[hooks]\nnotify = ["json://h/token", "pigeon://h/token"]', capsys))
    assert "✓ hook json-" in said and "✗ hook pigeon-" in said
    assert "token" not in said and SECRET not in said


def test_a_roster_without_anybody_on_duty_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], database_dsn: str
) -> None:
    """No roster is a fact, a shift of now is a name, a roster with nobody in it is a fault."""

    async def add(begins_at: datetime) -> None:
        async with registered(database_dsn) as database, database.transaction() as connection:
            for shift in await duty.list_shifts(connection, AREA, begins_at - timedelta(days=9), begins_at):
                await duty.remove_shift(connection, shift.shift_id)
            until = begins_at + timedelta(hours=12)
            await duty.add_shifts(connection, [Shift(str(begins_at), AREA, "周敏", "", "operator", begins_at, until)])

    assert any("roster: none is kept" in line for line in checked(tmp_path, "", capsys, dsn=database_dsn))
    asyncio.run(add(datetime.now(UTC) + timedelta(hours=3)))
    lines = checked(tmp_path, "", capsys, dsn=database_dsn)
    assert any(line.startswith("✗ roster: ") and f"nobody is on duty now in {AREA}" in line for line in lines)
    asyncio.run(add(datetime.now(UTC) - timedelta(hours=3)))
    assert any(f"✓ roster: {AREA}: 周敏" in line for line in checked(tmp_path, "", capsys, dsn=database_dsn))
