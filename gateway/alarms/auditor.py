"""The independent auditor: looks whether every escalation came at its time, and raises an alarm itself where not.

It runs in another program than the engine and shares no query and no decision with it. It waits for a second look
before it raises anything (a clock may have been set), and for some seconds after a start or an outage, in which the
engine catches up too. What it must remember is in the database: killed and started again, it goes on with the same
incident.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from pydantic import Field

from gateway.alarms.overdue import (
    ALARMING,
    DELIVERY_STUCK,
    ENGINE_DEAD,
    KINDS,
    OUTSIDE_REFUSES,
    Deed,
    Finding,
    Patience,
    deed_of,
    findings_of,
)
from gateway.contract.times import to_ms
from gateway.model.alarms import Alarm, Receipt
from gateway.model.errors import Unavailable
from gateway.model.ids import area_prefix
from gateway.model.people import PLATFORM, Person
from gateway.runtime import logs, metrics
from gateway.runtime.clock import Clock
from gateway.runtime.service import KeptRunning, Statistics, keep_running
from gateway.runtime.settings import Section
from gateway.store import oversight
from gateway.store.pool import Database

log = logs.get(__name__)

#: What the history says when it is over; people of the community read it.
END_NOTE: Final[Mapping[str, str]] = {ENGINE_DEAD: "升级恢复正常", DELIVERY_STUCK: "消息恢复发送"}
#: A look this many times older than the pause between two is no knowledge any more.
_STALE_LOOKS: Final = 5

_FOUND = metrics.gauge("linli_audit_findings", "Things overdue at the auditor's last look.", ("kind",))
_BLIND = metrics.counter("linli_audit_blind", "Looks at which the auditor could not read the database.")


class AuditorSettings(Section, section="auditor"):
    """The desk's own eye on the escalation engine: when it believes that the engine is dead."""

    look_every_s: float = Field(2.0, gt=0, le=60, description="Pause between two looks.")
    slack_s: float = Field(10.0, gt=0, description="An escalation may be this late; two looks later there is an alarm.")
    unsent_s: float = Field(60.0, gt=0, description="A receipt or an outside message may wait this long.")
    grace_s: float = Field(20.0, ge=0, description="No alarm so soon after a start, or after the database was away.")

    @property
    def patience(self) -> Patience:
        """How long something may be missing."""
        return Patience(self.slack_s, self.unsent_s)


SECTIONS: Final[Sequence[type[Section]]] = (AuditorSettings,)


class Alarming(Protocol):
    """The two things that the auditor does: AlarmLedger."""

    async def raise_platform_alarm(
        self, kind: str, area_id: str, reference: str, details: Mapping[str, object]
    ) -> Receipt:
        """Raise an alarm once for each `reference`."""
        ...

    async def add_note(self, alarm_id: str, text: str, *, by: Person) -> Alarm:
        """Add a line to its history."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the desk's top bar shows: `level` is good, poor, lost or unknown; `count` how many things are overdue."""

    level: str
    why: str
    count: int = 0


class Auditor:
    """Looks again and again at the alarms of one area and below; a service."""

    def __init__(
        self, database: Database, ledger: Alarming, clock: Clock, *, area_id: str, settings: AuditorSettings
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._clock = clock
        self._area_id = area_id
        self._settings = settings
        self._looking: KeptRunning = keep_running("auditor", self._look_always)
        self._findings: tuple[Finding, ...] = ()
        self._seen_before: frozenset[str] = frozenset()
        self._raised: dict[str, str] = {}
        self._looked_s: float | None = None
        self._sees_since_s: float | None = None

    async def start(self) -> None:
        await self._looking.start()

    async def stop(self) -> None:
        await self._looking.stop()

    def statistics(self) -> Statistics:
        return {"findings": len(self._findings), "level": self.verdict().level, **self._looking.statistics()}

    def findings(self) -> tuple[Finding, ...]:
        """Return what was overdue at the last look, the oldest first; old news where `verdict` is unknown."""
        return self._findings

    def verdict(self) -> Verdict:
        """Return what is known now; unknown where the last look is too long ago."""
        if self._looked_s is None:
            return Verdict("unknown", "not_looked_yet")
        if self._is_stale() or self._sees_since_s is None:
            return Verdict("unknown", "auditor_blind")
        counts = Counter(finding.kind for finding in self._findings)
        for kind, level in ((ENGINE_DEAD, "lost"), (DELIVERY_STUCK, "lost"), (OUTSIDE_REFUSES, "poor")):
            if counts[kind]:
                return Verdict(level, kind, counts[kind])
        return Verdict("good", "escalation_on_time")

    async def _look_always(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(self._settings.look_every_s)

    async def look(self) -> None:
        """Look once and do what follows. The database away is no finding: nothing is known then."""
        try:
            findings = await self._read()
        except Unavailable as error:
            _BLIND.inc()
            log.warning("auditor_blind", error=str(error))
            self._sees_since_s, self._seen_before = None, frozenset()
            return
        self._note_look()
        self._findings = findings
        before, self._seen_before = self._seen_before, frozenset(finding.kind for finding in findings)
        self._say(before, self._seen_before)
        if self._has_seen_long_enough():
            await self._act(confirmed=before & self._seen_before, gone=frozenset(ALARMING) - self._seen_before)

    def _note_look(self) -> None:
        if self._sees_since_s is None or self._is_stale():
            self._sees_since_s = self._clock.monotonic_s()
        self._looked_s = self._clock.monotonic_s()

    def _is_stale(self) -> bool:
        longest_s = _STALE_LOOKS * self._settings.look_every_s
        return self._looked_s is not None and self._clock.monotonic_s() - self._looked_s > longest_s

    def _has_seen_long_enough(self) -> bool:
        since_s = self._sees_since_s
        return since_s is not None and self._clock.monotonic_s() - since_s >= self._settings.grace_s

    def _say(self, before: frozenset[str], seen: frozenset[str]) -> None:
        for kind in KINDS:
            _FOUND.labels(kind).set(sum(finding.kind == kind for finding in self._findings))
        for kind in sorted(seen - before):
            oldest = self._oldest(kind)
            log.error("audit_finding", kind=kind, subject=oldest.subject, since=oldest.since.isoformat())
        for kind in sorted(before - seen):
            log.info("audit_finding_ended", kind=kind)

    async def _act(self, *, confirmed: frozenset[str], gone: frozenset[str]) -> None:
        for kind in ALARMING:
            if kind not in confirmed | gone:
                continue
            incident = await oversight.find_incident(self._database, kind, self._area_id)
            deed = deed_of(is_found=kind in confirmed, incident=incident)
            if deed is Deed.RAISE:
                await self._raise(kind)
            elif deed is Deed.NOTE_END and incident is not None:
                await self._ledger.add_note(incident.alarm_id, END_NOTE[kind], by=PLATFORM)

    async def _read(self) -> tuple[Finding, ...]:
        now, patience, prefix = self._clock.now(), self._settings.patience, area_prefix(self._area_id)
        timers_before = now - timedelta(seconds=patience.slack_s)
        unsent_before = now - timedelta(seconds=patience.unsent_s)
        return findings_of(
            now,
            patience,
            await oversight.list_waiting(self._database, prefix),
            await oversight.list_open_timers(self._database, prefix, timers_before),
            await oversight.list_unsent(self._database, prefix, unsent_before),
        )

    async def _raise(self, kind: str) -> None:
        oldest = self._oldest(kind)
        if self._raised.get(kind) == oldest.reference:
            return  # people have resolved that alarm; the dot in the top bar goes on saying it
        details = {
            "subject": oldest.subject,
            "since": to_ms(oldest.since),
            "count": sum(finding.kind == kind for finding in self._findings),
        }
        await self._ledger.raise_platform_alarm(kind, self._area_id, oldest.reference, details)
        self._raised[kind] = oldest.reference

    def _oldest(self, kind: str) -> Finding:
        return next(finding for finding in self._findings if finding.kind == kind)
