"""Accounts from the command line: `person add|list|password|disable` of `python -m gateway`."""

import argparse
import getpass
import sys
from collections.abc import Awaitable, Callable
from typing import Final

from gateway.accounts import passwords
from gateway.accounts.sessions import Accounts
from gateway.model.people import ROLES
from gateway.runtime.clock import SystemClock
from gateway.store.pool import Database

HELP: Final = "add, list, disable people or give them a new password"

Act = Callable[[Accounts, argparse.Namespace], Awaitable[None]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Put the sub-verbs of `person` on `parser`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="make a new account and print its one-time password")
    add.add_argument("name", help="login name: a-z 0-9 . _ -")
    add.add_argument("--role", action="append", required=True, choices=sorted(ROLES), help="may be given repeatedly")
    add.add_argument("--area", required=True, help="12-digit area; trailing zeros mean everything below")
    add.add_argument("--display-name", default="", help="name on screens")
    _add_password(add)
    password = actions.add_parser("password", help="give somebody a new password; ends their sessions")
    password.add_argument("name")
    _add_password(password)
    disable = actions.add_parser("disable", help="close an account and end its sessions")
    disable.add_argument("name")
    actions.add_parser("list", help="show all accounts")


def _add_password(parser: argparse.ArgumentParser) -> None:
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    choice.add_argument("--ask", action="store_true", help="ask for the password on the terminal")


async def run(dsn: str, options: argparse.Namespace) -> int:
    """Do what `add_arguments` understood, on the database at `dsn`. Raises LinliError."""
    database = Database(dsn, max_size=2, program="linli-person")
    await database.start()
    try:
        await _ACTIONS[options.action](Accounts(database, SystemClock()), options)
    finally:
        await database.stop()
    return 0


async def _add(accounts: Accounts, options: argparse.Namespace) -> None:
    password, is_ours = _password_of(options)
    await accounts.create_person(
        options.name,
        password,
        roles=options.role,
        area_id=options.area,
        display_name=options.display_name,
        must_change=is_ours,
    )
    _tell(options.name, password, is_ours=is_ours)


async def _set_password(accounts: Accounts, options: argparse.Namespace) -> None:
    password, is_ours = _password_of(options)
    await accounts.set_password(options.name, password, must_change=is_ours)
    _tell(options.name, password, is_ours=is_ours)


async def _disable(accounts: Accounts, options: argparse.Namespace) -> None:
    await accounts.disable(options.name)
    _say(f"{options.name}: disabled")


async def _list(accounts: Accounts, _options: argparse.Namespace) -> None:
    for account in await accounts.people():
        person, state = account.person, "disabled" if account.is_disabled else "open"
        _say(f"{person.name}\t{state}\t{','.join(sorted(person.roles))}\t{person.area_id}\t{person.display_name}")


_ACTIONS: Final[dict[str, Act]] = {"add": _add, "password": _set_password, "disable": _disable, "list": _list}


def _password_of(options: argparse.Namespace) -> tuple[str, bool]:
    """Return the password and whether it is a one-time password of ours."""
    if options.password_stdin:
        return sys.stdin.readline().rstrip("\n"), False
    if options.ask:
        return getpass.getpass("Password: "), False
    return passwords.one_time_password(), True


def _tell(name: str, password: str, *, is_ours: bool) -> None:
    _say(f"{name}: one-time password {password}" if is_ours else f"{name}: done")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
