"""The rule file as it runs: read against the registry, watched for changes, the last good one kept."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.contract.messages import Meta
from gateway.model.errors import BadInput, ConfigurationError
from gateway.runtime import logs, metrics
from gateway.runtime.clock import Clock
from gateway.store import registry
from gateway.store.pool import Database
from gateway.store.rules import RuleStore
from iot_rules.engine.registry import Registry
from iot_rules.rulefile.problems import RuleFileRefused
from iot_rules.rulefile.reader import RuleFile, read_rule_file
from iot_rules.rulefile.vocabulary import Vocabulary
from iot_rules.rules import Device, Rule

log = logs.get(__name__)

EVERYWHERE = "0" * 12

_REFUSED = metrics.gauge("linli_rule_file_problems", "Problems of the rule file as it now stands; 0 when it runs.")


@dataclass(frozen=True, slots=True)
class Known:
    """The registry as rules see it, and the words that it adds."""

    registry: Registry
    vocabulary: Vocabulary


async def load_known(database: Database) -> Known:
    """Return the devices of the registry and what they say of themselves; revoked ones are strangers."""
    devices = [
        Device(one.device_id, one.area_id, one.household_id, one.kind, one.name)
        for one in await registry.devices(database, EVERYWHERE)
        if one.revoked_at is None
    ]
    descriptions = []
    for device_id, document in await RuleStore(database).descriptions():
        try:
            descriptions.append(Meta.from_document(document))
        except BadInput as error:
            metrics.dropped("rules", "bad_description")
            log.warning("description_refused", device=device_id, error=str(error))
    return Known(Registry(devices), Vocabulary().with_registry(devices, descriptions))


class Rulebook:
    """The rules of one file; `read` returns new ones, or keeps the old ones and says why."""

    def __init__(self, path: Path, store: RuleStore, clock: Clock) -> None:
        self._path = path
        self._store = store
        self._clock = clock
        self._seen: tuple[int, int] | None = None
        self._running: RuleFile | None = None
        self.problems: tuple[str, ...] = ()

    @property
    def rules(self) -> Sequence[Rule]:
        """The rules that run."""
        return self._running.rules if self._running else ()

    def has_changed(self) -> bool:
        """Tell whether the file was written since it was last read; an absent file has not changed."""
        return self._stamp() not in {None, self._seen}

    async def read(self, vocabulary: Vocabulary) -> bool:
        """Read the file; True where its rules run now.

        A file that is refused, or cannot be read, leaves the rules that run; at the first time, those that ran last,
        as the database keeps them. Every problem goes to the log with its line and its cure.
        """
        self._seen = self._stamp()
        try:
            content = self._path.read_bytes()
            file = read_rule_file(self._path.name, content, vocabulary)
        except OSError as error:
            self._refuse([f"{self._path}: cannot be read: {error.strerror}. Name a rule file in [rules] file."])
        except RuleFileRefused as refused:
            self._refuse([str(one) for one in refused.problems])
        else:
            await self._take(file, content)
            return True
        if self._running is None:
            await self._fall_back(vocabulary)
        return False

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size

    def _refuse(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        _REFUSED.set(len(problems))
        metrics.dropped("rules", "rule_file_refused")
        for problem in problems:
            log.error("rule_file_refused", problem=problem)

    async def _take(self, file: RuleFile, content: bytes) -> None:
        digest = hashlib.sha256(content).hexdigest()
        text = content.decode("utf-8-sig")
        await self._store.put_rule_set(digest, str(self._path), text, self._clock.now())
        self._running, self.problems = file, ()
        _REFUSED.set(0)
        log.info("rules_loaded", file=str(self._path), rules=len(file.rules), digest=digest[:12])

    async def _fall_back(self, vocabulary: Vocabulary) -> None:
        kept = await self._store.last_rule_set()
        if kept is None:
            return
        name, text = kept
        try:
            self._running = read_rule_file(name, text.encode(), vocabulary)
        except ConfigurationError as error:
            log.error("last_rules_refused", error=str(error))
            return
        log.warning("last_rules_run", file=name, rules=len(self._running.rules))
