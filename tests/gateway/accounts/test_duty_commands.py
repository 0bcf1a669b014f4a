"""`duty list|add|remove|import` and `drill start|end|list` from the command line."""

import argparse
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.accounts import duty_commands
from gateway.model.errors import BadInput, Conflict
from gateway.runtime.clock import SystemClock
from gateway.store.pool import Database
from tests.kit import community

ZONE = "Asia/Shanghai"


@pytest.fixture
async def dsn(database_dsn: str) -> str:
    database = Database(database_dsn)
    await database.start()
    await community.register(database)
    await database.stop()
    return database_dsn


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(dest="verb", required=True)
    duty_commands.add_duty_arguments(verbs.add_parser("duty"))
    duty_commands.add_drill_arguments(verbs.add_parser("drill"))
    return parser.parse_args(words)


async def said(dsn: str, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert await duty_commands.run(dsn, ZONE, parsed(*words)) == code
    return capsys.readouterr().out


def wall(hours: float) -> str:
    return f"{SystemClock().now() + timedelta(hours=8 + hours):%Y-%m-%d %H:%M}"


async def test_a_shift_is_added_seen_and_removed(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The list tells who is on duty now by the community's clock, and where nobody is."""
    times = ("--begins", wall(-1), "--ends", wall(2))
    added = await said(dsn, capsys, "duty", "add", "周敏", "--area", community.AREA, "--phone", "13800000000", *times)
    shift_id = added.split(":")[0]
    later = ("--begins", wall(5), "--ends", wall(6), "--role", "supervisor")
    await said(dsn, capsys, "duty", "add", "李强", "--area", community.OTHER_AREA, *later)
    now, then, nobody = (await said(dsn, capsys, "duty", "list")).splitlines()
    assert now.startswith(f"{shift_id}\tnow\t{community.AREA}\t{wall(-1)}") and now.endswith("周敏\t13800000000")
    assert "\tlater\t" in then and nobody == f"nobody on duty now\t{community.OTHER_AREA}\t河西社区"
    assert await said(dsn, capsys, "duty", "remove", shift_id) == f"{shift_id}: removed\n"
    assert await said(dsn, capsys, "duty", "list", "--area", community.AREA) == ""


async def test_an_import_names_each_line_that_it_refuses(
    dsn: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Code 2 and nothing stored where a line is bad; with --partial the others are stored."""
    file = tmp_path / "roster.csv"
    good = f"{community.AREA},周敏,,operator,{wall(0)},{wall(8)}"
    file.write_text(f"area_id,person,phone,role,begins,ends\n{good}\n{community.AREA},李强,,king,{wall(0)},{wall(8)}\n")
    out = await said(dsn, capsys, "duty", "import", str(file), code=2)
    assert out == "line 3: bad_role: king\n0 added, 1 refused\n"
    assert await said(dsn, capsys, "duty", "list") == ""
    assert "1 added, 1 refused" in await said(dsn, capsys, "duty", "import", str(file), "--partial", code=2)
    assert "周敏" in await said(dsn, capsys, "duty", "list")
    with pytest.raises(BadInput):
        await said(dsn, capsys, "duty", "import", str(tmp_path / "nothing.csv"))


async def test_a_drill_is_started_seen_and_ended(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A second one is refused while the first runs; an ended one is over."""
    started = await said(dsn, capsys, "drill", "start", community.AREA, "--minutes", "30", "--note", "夏季演练")
    drill_id = started.split(":")[0]
    assert "\trunning\t" in await said(dsn, capsys, "drill", "list")
    with pytest.raises(Conflict):
        await said(dsn, capsys, "drill", "start", community.AREA, "--note", "again")
    assert await said(dsn, capsys, "drill", "end", drill_id) == f"{drill_id}: ended\n"
    assert "\tover\t" in await said(dsn, capsys, "drill", "list", "--area", community.AREA)
