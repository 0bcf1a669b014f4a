"""The command-line shell of every program: verbs, `--config`, errors in one line with their cure."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.model.errors import LinliError

EXIT_REFUSED = 2


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb: `act` gets the parsed arguments and returns an exit code (or a coroutine of one)."""

    name: str
    help: str
    act: Callable[[argparse.Namespace], "int | Awaitable[int | None] | None"]
    arguments: Callable[[argparse.ArgumentParser], None] = lambda _parser: None


def parser_of(program: str, about: str, verbs: Sequence[Verb]) -> argparse.ArgumentParser:
    """Return the argparse parser of `program`, every verb with `--config FILE`."""
    parser = argparse.ArgumentParser(prog=program, description=about)
    commands = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in verbs:
        command = commands.add_parser(verb.name, help=verb.help, description=verb.help)
        command.add_argument("--config", type=Path, default=None, help="settings file (TOML)")
        verb.arguments(command)
        command.set_defaults(act=verb.act)
    return parser


def run(program: str, about: str, verbs: Sequence[Verb], arguments: Sequence[str] | None = None) -> int:
    """Parse, act, and return the exit code; a LinliError becomes one line on standard error and code 2."""
    options = parser_of(program, about, verbs).parse_args(arguments)
    try:
        outcome = options.act(options)
        if isinstance(outcome, Awaitable):
            outcome = asyncio.run(_await(outcome))
    except LinliError as error:
        sys.stderr.write(f"{program}: {error}\n")
        return EXIT_REFUSED
    except KeyboardInterrupt:
        return 130
    return outcome or 0


async def _await(outcome: Awaitable[int | None]) -> int | None:
    return await outcome
