"""The dots of the top bar: each one a fact that was just looked up, never a hope."""

import asyncio
import contextlib
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from gateway.alarms.auditor import Verdict
from gateway.model.errors import Unavailable
from gateway.model.ids import area_prefix, is_within
from gateway.model.people import Person
from gateway.runtime.clock import Clock, to_ms
from gateway.runtime.service import Statistics, keep_running
from gateway.store import desk, drills, duty
from gateway.store.drills import Drill
from gateway.store.pool import Database
from security_video.desk.shapes import DrillLine, StatusItem

LOOK_EVERY_S: Final = 3.0
PATIENCE_S: Final = 2.0
SLOW_DATABASE_S: Final = 0.5
LEAST_FREE_SHARE: Final = 0.05

GOOD, POOR, LOST, UNKNOWN = "good", "poor", "lost", "unknown"

#: Tells (cameras with a fresh picture, cameras in all).
CountVideo = Callable[[], tuple[int, int]]
#: Tells what the auditor thinks of the escalation engine.
JudgeEscalation = Callable[[], Verdict]


@dataclass(frozen=True, slots=True)
class Places:
    """Where the facts are: the gateway's health page (empty: nobody said), and the folder that must not fill up."""

    gateway_url: str
    data_dir: Path


class StatusWatch:
    """Looks every few seconds at the ledger, the gateway, the cameras and the disk; a service."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        places: Places,
        count_video: CountVideo,
        *,
        judge_escalation: JudgeEscalation,
        area_id: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._places = places
        self._count_video = count_video
        self._judge_escalation = judge_escalation
        self._area_id = area_id
        self._unmanned: Sequence[tuple[str, str]] = ()
        self._drills: Sequence[Drill] = ()
        self._keeper = keep_running("desk_status", self._look_always)
        self._items: dict[str, StatusItem] = {
            key: StatusItem(key, UNKNOWN, "not_looked_yet") for key in ("alarms", "messages", "storage")
        }

    async def start(self) -> None:
        await self._keeper.start()

    async def stop(self) -> None:
        await self._keeper.stop()

    def statistics(self) -> Statistics:
        return {item.key: item.level for item in self.items()}

    def items(self) -> tuple[StatusItem, ...]:
        """Return the newest facts, in the order of the top bar; some are looked up at the moment of asking."""
        known = self._items
        return (known["alarms"], self._escalation(), known["messages"], self._video(), known["storage"])

    def unmanned_for(self, person: Person) -> tuple[str, ...]:
        """Return the names of areas that keep a roster and have nobody on duty, for a supervisor of them."""
        if not person.has_role("supervisor"):
            return ()
        return tuple(name or area_id for area_id, name in self._unmanned if person.may_see(area_id))

    def drills_for(self, person: Person) -> tuple[DrillLine, ...]:
        """Return the drills that run now where this person looks."""
        now = self._clock.now()
        return tuple(
            DrillLine(one.area_name, to_ms(one.ends_at), one.note)
            for one in self._drills
            if one.runs(now) and (person.may_see(one.area_id) or is_within(person.area_id, one.area_id))
        )

    async def _look_always(self) -> None:
        timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
        async with aiohttp.ClientSession(timeout=timeout) as client:
            while True:
                await self._look("alarms", self._ask_database())
                await self._look_around()
                await self._look("messages", self._ask_gateway(client))
                await self._look("storage", self._ask_disk())
                await asyncio.sleep(LOOK_EVERY_S)

    async def _look(self, key: str, asking: Awaitable[StatusItem]) -> None:
        self._items[key] = await asking

    async def _look_around(self) -> None:
        """Read who is missing and what is practised; away from the database the last known facts stay."""
        with contextlib.suppress(Unavailable):
            self._unmanned = await duty.gaps(self._database, area_prefix(self._area_id), self._clock.now())
            self._drills = await drills.list_drills(self._database, self._area_id)

    async def _ask_database(self) -> StatusItem:
        began_s = self._clock.monotonic_s()
        try:
            await desk.ping(self._database)
        except Unavailable:
            return StatusItem("alarms", LOST, "database_away")
        is_slow = self._clock.monotonic_s() - began_s > SLOW_DATABASE_S
        return StatusItem("alarms", POOR, "database_slow") if is_slow else StatusItem("alarms", GOOD, "ledger_reads")

    async def _ask_gateway(self, client: aiohttp.ClientSession) -> StatusItem:
        if not self._places.gateway_url:
            return StatusItem("messages", UNKNOWN, "gateway_not_named")
        try:
            async with client.get(f"{self._places.gateway_url.rstrip('/')}/api/v1/health") as answer:
                is_well = answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return StatusItem("messages", LOST, "gateway_away")
        return StatusItem("messages", GOOD, "gateway_well") if is_well else StatusItem("messages", POOR, "gateway_ill")

    async def _ask_disk(self) -> StatusItem:
        try:
            usage = await asyncio.to_thread(shutil.disk_usage, self._places.data_dir)
        except OSError:
            return StatusItem("storage", LOST, "folder_gone")
        free = usage.free / usage.total
        return StatusItem("storage", GOOD if free > LEAST_FREE_SHARE else POOR, "disk", f"{100 - free * 100:.0f}%")

    def _escalation(self) -> StatusItem:
        verdict = self._judge_escalation()
        return StatusItem("escalation", verdict.level, verdict.why, str(verdict.count or ""))

    def _video(self) -> StatusItem:
        live, total = self._count_video()
        if total == 0:
            return StatusItem("video", UNKNOWN, "no_cameras")
        level = GOOD if live == total else POOR if live else LOST
        return StatusItem("video", level, "video", f"{live}/{total}")
