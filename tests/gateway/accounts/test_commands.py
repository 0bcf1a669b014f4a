"""`person add|list|password|disable` from the command line."""

import argparse

import pytest

from gateway.accounts import commands
from gateway.accounts.sessions import Accounts
from gateway.model.errors import Unauthenticated
from gateway.runtime.clock import SystemClock
from gateway.store.pool import Database


def _parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    commands.add_arguments(parser)
    return parser.parse_args(words)


async def _run(dsn: str, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert await commands.run(dsn, _parsed(*words)) == 0
    return capsys.readouterr().out


async def test_added_person_signs_in_with_the_printed_password(
    database_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`person add` prints a one-time password that works until `person disable`."""
    said = await _run(database_dsn, capsys, "add", "wang", "--role", "operator", "--area", "110105001001")
    password = said.split()[-1]
    database = Database(database_dsn)
    await database.start()
    accounts = Accounts(database, SystemClock())
    ticket = await accounts.login("wang", password, address="::1")
    assert ticket.session.must_change_password
    assert "wang\topen\toperator" in await _run(database_dsn, capsys, "list")
    await _run(database_dsn, capsys, "disable", "wang")
    with pytest.raises(Unauthenticated):
        await accounts.login("wang", password, address="::1")
    await database.stop()
