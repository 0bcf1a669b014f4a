"""What a household asks for and no screen of it may show: `household silent` of `python -m gateway`."""

import argparse
import re
import sys
from typing import Final

from gateway.accounts.sessions import Accounts
from gateway.model.errors import BadInput, NotFound
from gateway.model.people import PLATFORM
from gateway.runtime.clock import SystemClock
from gateway.store import registry
from gateway.store.pool import Database

HELP: Final = "set or remove the digits that raise a silent alarm on a household's television"

_DIGITS: Final = re.compile(r"[0-9]{4,8}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Put the sub-verbs of `household` on `parser`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    silent = actions.add_parser("silent", help="digits that call for help and change nothing on the screen")
    silent.add_argument("household", help="household id")
    silent.add_argument("digits", help="4 to 8 digits, or `none`")


async def run(dsn: str, options: argparse.Namespace) -> int:
    """Do what `add_arguments` understood, on the database at `dsn`. Raises LinliError."""
    digits = "" if options.digits == "none" else options.digits
    if digits and not _DIGITS.fullmatch(digits):
        cure = "Choose digits that nobody presses by chance, or say `none`."
        raise BadInput("the sequence has 4 to 8 digits", reason="bad_format", place="digits", cure=cure)
    database = Database(dsn, max_size=2, program="linli-household")
    await database.start()
    try:
        if not await registry.write_silent_keys(database, options.household, digits):
            raise NotFound("no such household", place=options.household, cure="Register the community first.")
        # The trail says that it was changed, never to what.
        await Accounts(database, SystemClock()).record(
            PLATFORM, "changed_silent_keys", f"household:{options.household}"
        )
    finally:
        await database.stop()
    sys.stdout.write(f"{options.household}: {'set' if digits else 'removed'}\n")
    return 0
