"""Signs what the ledger's chains have come to, outside the database, and notices when it changes behind a signature."""

import asyncio
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from gateway.alarms.audit import seal
from gateway.alarms.audit.checkpoint_file import CheckpointFile
from gateway.alarms.audit.checkpoints import Checkpoint, Heads
from gateway.model.errors import LinliError, Unavailable
from gateway.runtime import logs, metrics
from gateway.runtime.clock import Clock
from gateway.runtime.service import Statistics, keep_running
from gateway.runtime.settings import NodeSettings, Section
from gateway.store import audit
from gateway.store.pool import Database

log = logs.get(__name__)

LAST_WORD_S: Final = 1.5

_SIGNED = metrics.counter("linli_checkpoints", "Checkpoints of the alarm ledger that were signed and synced.")
_FAILED = metrics.counter("linli_checkpoint_failures", "Checkpoints or copies of them that could not be written.")
_CHANGED = metrics.counter("linli_ledger_changed", "Rows of the alarm ledger that are not what a checkpoint has seen.")


def _folders(said: object) -> object:
    return [part for part in said.split(os.pathsep) if part] if isinstance(said, str) else said


class AuditSettings(Section, section="audit"):
    """Signed checkpoints of the alarm ledger, for `linli audit verify`."""

    checkpoint_s: float = Field(
        60.0, gt=0, description="How often the chains' heads are signed when they have changed."
    )
    folder: str = Field("", description="Folder of checkpoints.jsonl and audit.pub; empty: audit in the data folder.")
    copies: Annotated[tuple[Path, ...], BeforeValidator(_folders)] = Field(
        (), description="Folders that must exist and get a copy, such as a mount of another machine."
    )

    def place(self, node: NodeSettings) -> Path:
        """Return the folder of the checkpoints."""
        return Path(self.folder) if self.folder else node.data_dir / "audit"


SECTIONS: Final[Sequence[type[Section]]] = (AuditSettings,)


def key_file(node: NodeSettings) -> Path:
    """Return where the private key is."""
    return node.secrets_dir / "audit.key"


class Notary:
    """Signs the heads at the start, whenever they have changed, and at an orderly stop; a service.

    What cannot be written is logged, counted and tried again; the gateway goes on.
    """

    def __init__(self, database: Database, clock: Clock, settings: AuditSettings, node: NodeSettings) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._key_file = key_file(node)
        self._file = CheckpointFile(settings.place(node), settings.copies)
        self._loop = keep_running("notary", self._run)
        self._seen: dict[str, tuple[int, bytes]] = {}
        self._told_on: date | None = None
        self._is_running, self._is_fresh = False, True
        self._failures = 0
        self._state = "waiting"
        self._found = ""

    async def start(self) -> None:
        self._is_running = True
        await self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()
        if not self._is_running:
            return
        self._is_running = False
        try:
            async with asyncio.timeout(LAST_WORD_S):
                await self.sign()
        except (LinliError, TimeoutError) as error:
            log.warning("last_checkpoint_missed", error=str(error) or "no answer in time")
        if self._file.newest is not None:
            self._tell(self._file.newest)

    def statistics(self) -> Statistics:
        newest = self._file.newest
        return {
            "state": self._found or self._state,
            "checkpoint": newest.number if newest else 0,
            "anchor": newest.anchor.hex() if newest else "",
            "failures": self._failures,
        }

    async def _run(self) -> None:
        while True:
            await self.sign()
            await asyncio.sleep(self._settings.checkpoint_s)

    async def sign(self) -> None:
        """Look at the heads once and sign those that have changed. Raises Unavailable while the database is away."""
        heads = await audit.heads(self._database)
        try:
            if self._is_fresh:
                self._seen = await asyncio.to_thread(self._remember)
            await self._compare()
            changed = {stream: head for stream, head in heads.items() if self._seen.get(stream) != head}
            await self._write(heads if self._is_fresh else changed)
            await asyncio.to_thread(self._file.copy)
        except Unavailable:
            raise
        except (OSError, LinliError) as error:
            self._fail(error)
            return
        self._state, self._seen, self._is_fresh = "ok", dict(heads), False
        newest = self._file.newest
        if newest is not None and self._told_on != self._clock.now().date():
            self._tell(newest)

    def _remember(self) -> dict[str, tuple[int, bytes]]:
        """Return what the newest line on disk says: the ledger must still say it."""
        return dict(newest.heads) if (newest := self._file.look()) else {}

    async def _write(self, heads: Heads) -> None:
        if not heads and self._file.newest is not None:
            return
        before = self._file.newest
        newest, was_cut = await asyncio.to_thread(self._append, heads, self._clock.now().isoformat())
        if newest is not before:
            _SIGNED.inc()
        if was_cut:
            self._found = "checkpoints were cut off"
            _CHANGED.inc()
            log.error("checkpoints_were_cut", file=str(self._file.path), newest=newest.name)

    def _append(self, heads: Heads, at: str) -> tuple[Checkpoint, bool]:
        return self._file.append(heads, at, seal.read_or_make(self._key_file))

    async def _compare(self) -> None:
        """Say loudly where a row is not what was signed before; once for each time that it happens."""
        places = {stream: seq for stream, (seq, _) in self._seen.items()}
        standing = await audit.hashes_at(self._database, places) if places else {}
        for stream, (seq, digest) in self._seen.items():
            if standing.get(stream) != digest:
                self._found = "the ledger was changed"
                _CHANGED.inc()
                cure = "Keep the database as it is and run `linli audit verify`."
                log.error("ledger_changed_behind_checkpoint", stream=stream, seq=seq, cure=cure)

    def _fail(self, error: Exception) -> None:
        self._failures += 1
        self._state = f"failing: {error}"
        _FAILED.inc()
        again_in_s = self._settings.checkpoint_s
        log.error("checkpoint_failed", error=str(error), file=str(self._file.path), again_in_s=again_in_s)

    def _tell(self, newest: Checkpoint) -> None:
        """Say the anchor, so that a log that is kept elsewhere holds one for every day."""
        self._told_on = self._clock.now().date()
        facts = {"number": newest.number, "hash": newest.anchor.hex(), "signed_at": newest.at}
        log.info("checkpoint_signed", expect=newest.name, **facts)
