"""The `linli` command: demo, up, check; and the verbs that the programs answer themselves."""

import argparse
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.launch import check, demo, programs, up
from gateway.model.errors import LinliError

EXIT_REFUSED: Final = 2
_ABOUT: Final = "Linli 邻里: smart-community platform. Try `linli demo` first."


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb of the command line."""

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


VERBS: Final = (
    Verb("demo", "a whole simulated community on this machine, until Ctrl-C", demo.add_arguments, demo.run),
    Verb("up", "the platform by linli.toml, until Ctrl-C", up.add_arguments, up.run),
    Verb("check", "would it run? settings, database, broker, ports, disk", check.add_arguments, check.run),
)
_DELEGATED_HELP: Final = {
    "app": "mini-apps: new, check, pack, sign, publish",
    "rules": "rule files: check, replay",
    "notices": "notices: import, list",
    "audit": "the alarm ledger: verify it against its checkpoints, sign one now",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; a refusal is one line on standard error and code 2."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0] in programs.DELEGATED:
        return _delegate(words)
    options = _parser().parse_args(words)
    try:
        outcome: int = options.run(options)
    except LinliError as error:
        sys.stderr.write(f"linli: {error}\n")
        return EXIT_REFUSED
    except KeyboardInterrupt:
        return 130
    return outcome


def _delegate(words: Sequence[str]) -> int:
    """Hand the verb and all that follows to the program that answers it."""
    package = programs.DELEGATED[words[0]]
    rest = words[1:] if package == "iot_rules" else words
    return subprocess.run([sys.executable, "-m", package, *rest], check=False).returncode


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="linli", description=_ABOUT)
    commands = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in VERBS:
        command = commands.add_parser(verb.name, help=verb.help, description=verb.help)
        verb.add_arguments(command)
        command.set_defaults(run=verb.run)
    for name, about in _DELEGATED_HELP.items():
        commands.add_parser(name, help=about, add_help=False)
    return parser


if __name__ == "__main__":
    sys.exit(main())
