"""Front door of the rules: run them, check a file, play its examples, replay days, show what was decided."""

import argparse
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.model.errors import ConfigurationError
from gateway.runtime import cli, logs
from gateway.runtime.clock import SteadyClock
from gateway.runtime.service import run_until_signal
from gateway.runtime.settings import Settings, load
from gateway.store.pool import Database
from gateway.store.rules import RuleStore
from gateway.store.timekeeper import Timekeeper
from iot_rules.rulefile.problems import RuleFileRefused
from iot_rules.rulefile.reader import RuleFile, read_rule_file
from iot_rules.rulefile.rehearsal import Rehearsal, rehearse
from iot_rules.rulefile.vocabulary import Vocabulary
from iot_rules.runner.replay import replay
from iot_rules.runner.rulebook import load_known
from iot_rules.runner.service import RuleRunner
from iot_rules.settings import PRESET, SECTIONS

FAILED = 1


def _settings(options: argparse.Namespace) -> Settings:
    settings = load(options.config, *SECTIONS)
    logs.configure("rules", settings.node.log_level)
    return settings


async def _run(options: argparse.Namespace) -> None:
    settings = _settings(options)
    database = Database(settings.database.dsn, max_size=5, program="linli-rules")
    clock = SteadyClock()
    runner = RuleRunner(settings, database, clock)
    await run_until_signal("rules", [database, Timekeeper(database, clock), runner], lambda: {"rules": runner.rules})


async def _vocabulary(options: argparse.Namespace) -> Vocabulary:
    """Return the words of the registry where a database is named, else those that are known without one."""
    settings = load(options.config, *SECTIONS)
    if not settings.database.dsn:
        return Vocabulary()
    database = Database(settings.database.dsn, program="linli-rules-check")
    await database.start()
    try:
        return (await load_known(database)).vocabulary
    finally:
        await database.stop()


async def _read(options: argparse.Namespace) -> RuleFile | None:
    """Read the file that was named; None after its problems have been printed."""
    path: Path = options.file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", place=str(path), cure="Name a file.") from error
    try:
        return read_rule_file(str(path), content, await _vocabulary(options))
    except RuleFileRefused as refused:
        for problem in refused.problems:
            print(problem)
        print(f"{path}: {len(refused.problems)} to cure; nothing of it runs")
        return None


async def _check(options: argparse.Namespace) -> int:
    file = await _read(options)
    if file is None:
        return FAILED
    print(f"{options.file}: {len(file.rules)} rules, {sum(map(len, file.examples.values()))} examples, no problems")
    return 0


async def _test(options: argparse.Namespace) -> int:
    file = await _read(options)
    if file is None:
        return FAILED
    rehearsals = list(rehearse(file))
    for one in rehearsals:
        _print_rehearsal(options.file, one)
    failed = sum(not one.passed for one in rehearsals)
    print(f"{len(rehearsals) - failed} of {len(rehearsals)} examples are as they say")
    return FAILED if failed else 0


def _print_rehearsal(path: Path, one: Rehearsal) -> None:
    print(f"{'ok  ' if one.passed else 'FAIL'} {one.rule_id}: {one.example.name}")
    if not one.passed:
        did = ", ".join(f"{done.at:%H:%M:%S} {done.deed}" for done in one.did if done.at) or "nothing"
        said = ", ".join(f"{then.at:%H:%M:%S} {then.deed}" if then.at else then.deed for then in one.example.then)
        print(f"     {path}:{one.example.line}: it did {did}; the example says {said or 'nothing'}")


async def _replay(options: argparse.Namespace) -> int:
    file = await _read(options)
    if file is None:
        return FAILED
    database = Database(load(options.config, *SECTIONS).database.dsn, program="linli-rules-replay")
    await database.start()
    try:
        known = await load_known(database)
        since, until = (_moment(text, file.zone) for text in (options.since, options.until))
        found = await replay(RuleStore(database), file.rules, (known.registry, known.vocabulary), since, until)
    finally:
        await database.stop()
    marked = [*(("+", one) for one in found.only_now), *(("-", one) for one in found.only_then)]
    for mark, one in sorted(marked, key=lambda pair: pair[1].due_at):
        local = one.due_at.astimezone(file.zone)
        print(f"{mark} {local:%Y-%m-%d %H:%M:%S} {one.rule_id} {one.device_id} {one.deed}")
    print(
        f"{len(found.both)} the same, {len(found.only_now)} only by this file (+), {len(found.only_then)} only then (-)"
    )
    return 0


def _moment(text: str, zone: ZoneInfo) -> datetime:
    """Return local time as people write it: 2026-01-15, or 2026-01-15T22:00."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(f"{text!r} is no time", cure="Write 2026-01-15 or 2026-01-15T22:00.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


async def _traces(options: argparse.Namespace) -> None:
    database = Database(_settings(options).database.dsn, program="linli-rules-traces")
    await database.start()
    try:
        for trace in await RuleStore(database).traces(options.rule, options.limit):
            when = trace.at.isoformat(timespec="seconds")
            print(f"{when} {trace.rule_id} v{trace.rule_version} {trace.device_id} {trace.outcome}", end="")
            print(f" late {trace.late_s:.1f} s, {trace.wishes} deeds, {dict(trace.detail)}")
    finally:
        await database.stop()


def main() -> int:
    """Run the command line and return the exit code."""

    def file(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path, nargs="?", default=PRESET, help="rule file (TOML)")

    def days(parser: argparse.ArgumentParser) -> None:
        file(parser)
        parser.add_argument("--from", dest="since", required=True, help="begin, local time: 2026-01-15T22:00")
        parser.add_argument("--to", dest="until", required=True, help="end, not included")

    def which(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--rule", default="", help="only this rule")
        parser.add_argument("--limit", type=int, default=50, help="how many, newest first")

    verbs = [
        cli.Verb("run", "run the rules until told to stop", _run),
        cli.Verb("check", "say what is wrong with a rule file, where, and how to cure it", _check, file),
        cli.Verb("test", "play the examples of a rule file in virtual time", _test, file),
        cli.Verb("replay", "what a rule file would have decided over recorded days, against what was", _replay, days),
        cli.Verb("traces", "show what rules decided and why", _traces, which),
    ]
    return cli.run("iot_rules", "Rules over devices.", verbs)


if __name__ == "__main__":
    sys.exit(main())
