"""`household silent` from the command line."""

import argparse

import pytest

from gateway.accounts import household_commands
from gateway.accounts.sessions import Accounts
from gateway.model.errors import BadInput, LinliError, NotFound
from gateway.runtime.clock import SystemClock
from gateway.store import registry
from tests.kit.community import HOME, registered


def _parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    household_commands.add_arguments(parser)
    return parser.parse_args(words)


async def test_digits_are_set_and_removed_and_nobody_reads_them_afterwards(
    database_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Set, changed, removed; the audit trail and the terminal say that, and never the digits."""
    async with registered(database_dsn) as database:
        for digits, kept in (("2580", "2580"), ("00000000", "00000000"), ("none", "")):
            assert await household_commands.run(database_dsn, _parsed("silent", HOME, digits)) == 0
            home = await registry.household(database, HOME)
            assert home is not None and home.silent_keys == kept
        trail = await Accounts(database, SystemClock()).audit(f"household:{HOME}")
        assert [entry.action for entry in trail] == ["changed_silent_keys"] * 3
        assert "2580" not in f"{trail}{capsys.readouterr().out}"


@pytest.mark.parametrize(
    ("household", "digits", "kind"),
    [(HOME, "123", BadInput), (HOME, "123456789", BadInput), (HOME, "12x4", BadInput), ("nobody", "2580", NotFound)],
)
async def test_a_mistake_is_named(database_dsn: str, household: str, digits: str, kind: type[LinliError]) -> None:
    """Too few, too many, no digits, no household: each is refused, and nothing is written."""
    async with registered(database_dsn) as database:
        with pytest.raises(kind):
            await household_commands.run(database_dsn, _parsed("silent", household, digits))
        home = await registry.household(database, HOME)
        assert home is not None and home.silent_keys == ""
