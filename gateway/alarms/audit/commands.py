"""`linli audit verify|checkpoint`: is the alarm ledger what was written? And one signed checkpoint, now."""

import argparse
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Final

from gateway.alarms.audit import agreement, checkpoint_file, checkpoints, seal
from gateway.alarms.audit.agreement import AlarmFacts
from gateway.alarms.audit.chain import StreamExaminer
from gateway.alarms.audit.checkpoint_file import CheckpointFile
from gateway.alarms.audit.faults import Faults
from gateway.alarms.audit.links import Head, Row
from gateway.alarms.audit.marks import Marks
from gateway.alarms.audit.notary import AuditSettings, key_file
from gateway.contract import codec
from gateway.model.errors import ConfigurationError
from gateway.runtime.clock import SystemClock
from gateway.runtime.settings import Settings, load
from gateway.store import audit
from gateway.store.audit import Snapshot
from gateway.store.pool import Database

HELP: Final = "the alarm ledger's hash chain: verify it against its checkpoints, or sign one now"
EXIT_WHOLE: Final = 0
EXIT_FAULTS: Final = 1


@dataclass(slots=True)
class Findings:
    """What was read of the ledger, and what is wrong with it."""

    events: int = 0
    streams: int = 0
    alarms: int = 0
    faults: Faults = field(default_factory=Faults)


async def examine(database: Database, marks: Marks | None = None) -> Findings:
    """Read the whole ledger as it is now and compare it with itself and with `marks`. Raises Unavailable."""
    found = Findings()
    async with audit.snapshot(database) as ledger:
        await _examine_chains(ledger, marks or Marks(), found)
        await _examine_alarms(ledger, found)
        for row in await ledger.idle_guards():
            found.faults.add(agreement.idle_guard(*row))
    return found


async def _examine_chains(ledger: Snapshot, marks: Marks, found: Findings) -> None:
    heads = {stream: Head(*head) for stream, head in (await ledger.heads()).items()}
    chains = _Chains(heads, marks, found)
    async for page in ledger.events():
        for stream, rows in groupby(page, itemgetter(0)):
            chains.of(stream).take(map(Row._make, rows))
        found.events += len(page)
    chains.finish()


class _Chains:
    """One examiner at a time: streams come one after the other, and those without a row at the end."""

    def __init__(self, heads: Mapping[str, Head], marks: Marks, found: Findings) -> None:
        self._heads, self._marks, self._found = heads, marks, found
        self._left = set(heads) | marks.streams
        self._stream = ""
        self._examiner: StreamExaminer | None = None

    def of(self, stream: str) -> StreamExaminer:
        """Return the examiner of `stream`; the one before has heard everything."""
        if self._examiner is None or stream != self._stream:
            self._end()
            self._stream, self._examiner = stream, self._new(stream)
            self._found.streams += 1
            self._left.discard(stream)
        return self._examiner

    def finish(self) -> None:
        """End the last one, and look at streams of which nothing is left."""
        self._end()
        for stream in sorted(self._left):
            self._new(stream).finish()

    def _new(self, stream: str) -> StreamExaminer:
        return StreamExaminer(stream, self._heads.get(stream), self._marks.of(stream), self._found.faults)

    def _end(self) -> None:
        if self._examiner is not None:
            self._examiner.finish()


async def _examine_alarms(ledger: Snapshot, found: Findings) -> None:
    async for page in ledger.alarms():
        found.alarms += len(page)
        for row in page:
            for fault in agreement.disagreements(AlarmFacts._make(row)):
                found.faults.add(fault)
    for row in await ledger.orphans():
        found.faults.add(agreement.orphan(*row))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Put the actions of `audit` on `parser`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    verify = actions.add_parser("verify", help="0: whole, 1: faults, 2: cannot be verified")
    verify.add_argument("--checkpoints", type=Path, help="file of checkpoints, also a copy of it")
    verify.add_argument("--public-key", type=Path, help="public key that you trust (default: beside the checkpoints)")
    verify.add_argument(
        "--expect", action="append", default=[], metavar="NUMBER:HASH", help="a checkpoint that must be in the file"
    )
    verify.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")
    checkpoint = actions.add_parser("checkpoint", help="sign the chains' heads now and print NUMBER:HASH")
    for action in (verify, checkpoint):
        action.add_argument("--config", type=Path, default=argparse.SUPPRESS, help="settings file (TOML)")
        action.add_argument("--dsn", default="", help="PostgreSQL DSN (default: [database] dsn)")


async def run(options: argparse.Namespace) -> int:
    """Do what `add_arguments` understood. Raises LinliError where it cannot be done."""
    usual = Path("linli.toml")
    settings = load(options.config or (usual if usual.exists() else None), AuditSettings)
    dsn = options.dsn or settings.database.dsn
    if not dsn:
        cure = "Name it with --dsn, or name the settings file that linli wrote into its data folder with --config."
        raise ConfigurationError("no database is named", place="[database] dsn", cure=cure)
    if options.action == "checkpoint":
        return await _sign(settings, dsn)
    return await _verify(options, settings, dsn)


async def _verify(options: argparse.Namespace, settings: Settings, dsn: str) -> int:
    path = options.checkpoints or settings.of(AuditSettings).place(settings.node) / checkpoint_file.NAME
    expected = dict(_anchor(text) for text in options.expect)
    # Read before the database: what a checkpoint has seen is there when the database is asked afterwards.
    log, unread = _read_log(path, options.public_key or path.parent / checkpoint_file.PUBLIC_KEY, expected)
    async with _connected(dsn) as database:
        found = await examine(database, log.marks)
    faults = [*log.faults.kept, *found.faults.kept]
    total = log.faults.total + found.faults.total
    if unread and not total:
        raise ConfigurationError(
            f"the chain is whole in itself, but {unread.message}: a cut end or a rewritten chain cannot be seen",
            place=unread.place,
            cure=unread.cure,
        )
    figures = {"events": found.events, "streams": found.streams, "alarms": found.alarms, "checkpoints": log.count}
    newest = log.newest.name if log.newest else ""
    if options.json:
        body = {"ok": not total, **figures, "newest": newest, "total": total, "faults": [f.document() for f in faults]}
        sys.stdout.write(codec.encode(body).decode() + "\n")
    else:
        lines = [fault.sentence for fault in faults]
        lines += [f"… and {total - len(faults)} more"] if total > len(faults) else []
        read = ", ".join(f"{count} {what}" for what, count in figures.items())
        lines += [
            f"{f'{total} faults' if total else 'whole'}: {read}{f'; newest checkpoint {newest}' if newest else ''}"
        ]
        sys.stdout.write("".join(f"{line}\n" for line in lines))
    return EXIT_FAULTS if total else EXIT_WHOLE


def _anchor(text: str) -> tuple[int, str]:
    number, colon, anchor = text.partition(":")
    if not (colon and number.isdecimal() and len(anchor) == 64):
        raise ConfigurationError(
            "this is not NUMBER:HASH", place=f"--expect {text}", cure="Copy `expect` of a line `checkpoint_signed`."
        )
    return int(number), anchor.lower()


def _read_log(
    path: Path, key_path: Path, expected: Mapping[int, str]
) -> tuple[checkpoints.Log, ConfigurationError | None]:
    """Return the judged file; beside it why there is none. Raises ConfigurationError where no key fits it."""
    if not path.exists():
        log = checkpoints.examine([], {}, expected)
        cure = "The gateway writes them; name the file with --checkpoints, or sign one with `linli audit checkpoint`."
        return log, ConfigurationError("there are no checkpoints", place=str(path), cure=cure)
    keys = seal.read_public(key_path)
    log = checkpoints.examine(checkpoint_file.lines_of(path), keys, expected)
    if log.count and not log.signed:
        raise ConfigurationError(
            f"none of {log.count} checkpoints is signed by key {', '.join(keys)}",
            place=str(path),
            cure="Name the right key with --public-key.",
        )
    return log, None


async def _sign(settings: Settings, dsn: str) -> int:
    own = settings.of(AuditSettings)
    file = CheckpointFile(own.place(settings.node), own.copies)
    async with _connected(dsn) as database:
        heads = await audit.heads(database)
    try:
        newest, _ = file.append(heads, SystemClock().now().isoformat(), seal.read_or_make(key_file(settings.node)))
        file.copy()
    except OSError as error:
        raise ConfigurationError(
            f"it cannot be written: {error}", place=str(file.path), cure="Free or mount it."
        ) from error
    sys.stdout.write(newest.name + "\n")
    return EXIT_WHOLE


@asynccontextmanager
async def _connected(dsn: str) -> AsyncIterator[Database]:
    database = Database(dsn, max_size=1, program="linli-audit")
    with audit.explained_refusals():
        await database.start()
        try:
            yield database
        finally:
            await database.stop()
