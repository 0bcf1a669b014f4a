"""Presses that no ledger has yet: read from the spools of this node, shown to people, told to be seen.

Neither the database nor the broker is on this road. A row stays until the ledger has the press and the board has read
the ledger since, so that nothing is missing in between and nothing stands there twice.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from gateway.alarms.shelter.lines import Line, LineReader
from gateway.alarms.shelter.seen import SeenWriter
from gateway.alarms.shelter.spool import FOLDER, SUFFIX, Kept, Key, kept_of
from gateway.model.alarms import LEVEL_OF_KIND, Alarm, AlarmState, Cancellation, Press
from gateway.model.errors import ConfigurationError, Unavailable
from gateway.model.ids import is_within
from gateway.model.people import Person
from gateway.model.registry import Device, Household
from gateway.runtime import logs, metrics
from gateway.runtime.clock import Clock
from gateway.runtime.service import Statistics, keep_running
from gateway.store import registry
from gateway.store.desk import Face
from gateway.store.feed import Feed
from gateway.store.pool import Database
from security_video.desk.alarm_rows import AlarmRow, alarm_row
from security_video.desk.board import Board, has_come_to

log = logs.get(__name__)

PREFIX: Final = "unrecorded:"
STATE: Final = "unrecorded"
POLL_S: Final = 0.15
REFRESH_S: Final = 30.0
#: More rows than this help nobody; the rest follow as these leave.
MOST_ROWS: Final = 200
DEFAULT_LEVEL: Final = 2
MOST_DESKS: Final = 8


@dataclass(slots=True)
class _Waiting:
    face: Face
    files: set[Path] = field(default_factory=set)


class Names:
    """Whose a device is, as the registry said last; a service. It is asked while the database is away."""

    def __init__(self, database: Database, area_id: str) -> None:
        self._database = database
        self._area_id = area_id
        self._keeper = keep_running("desk_names", self._follow)
        self._devices: Mapping[str, Device] = {}
        self._homes: Mapping[str, Household] = {}
        self._areas: dict[str, str] = {}

    async def start(self) -> None:
        with contextlib.suppress(Unavailable):
            await self._load()
        await self._keeper.start()

    async def stop(self) -> None:
        await self._keeper.stop()

    def statistics(self) -> Statistics:
        return {"names": len(self._devices)}

    async def _follow(self) -> None:
        async for _ in Feed(self._database, "linli_registry").changes(REFRESH_S):
            with contextlib.suppress(Unavailable):
                await self._load()

    async def _load(self) -> None:
        devices = await registry.devices(self._database, self._area_id)
        homes = await registry.households(self._database, self._area_id)
        self._devices = {device.device_id: device for device in devices}
        self._homes = {home.household_id: home for home in homes}
        for area_id in {device.area_id for device in devices} - self._areas.keys():
            area = await registry.area(self._database, area_id)
            self._areas[area_id] = area.name if area else ""

    def household_of(self, device_id: str) -> str | None:
        """Return the household of a device, None for a device without one or unknown."""
        device = self._devices.get(device_id)
        return device.household_id if device else None

    def face_of(self, kept: Kept, press: Press) -> Face:
        """Return an unrecorded press as an alarm without a number; an unknown device is called by its id."""
        device = self._devices.get(press.device_id)
        home = self._homes.get(device.household_id or "") if device else None
        area_id = kept.area_id or (device.area_id if device else self._area_id)
        alarm = _alarm_of(press, kept, area_id, home.household_id if home else None)
        return Face(
            alarm,
            home.address if home else press.device_id,
            home.resident_name if home else "",
            device.name if device else press.device_id,
            device.kind if device else "",
            self._areas.get(area_id, ""),
        )


class Unrecorded:
    """Follows the spools of one node; a service."""

    def __init__(self, names: Names, board: Board, clock: Clock, data_dir: Path, area_id: str) -> None:
        self._names = names
        self._board = board
        self._clock = clock
        self._data_dir = data_dir
        self._area_id = area_id
        self._readers: dict[Path, LineReader] = {}
        self._waiting: dict[Key, _Waiting] = {}
        self._settled: dict[Key, str] = {}
        self._shown: dict[Key, str] = {}
        self._written: set[Key] = set()
        self._seen: SeenWriter | None = None
        self._release_now = asyncio.Event()
        self._following = keep_running("desk_unrecorded", self._follow)
        self._releasing = keep_running("desk_unrecorded_release", self._release)

    async def start(self) -> None:
        await asyncio.to_thread(self._open_seen)
        await self._following.start()
        await self._releasing.start()

    async def stop(self) -> None:
        await self._releasing.stop()
        await self._following.stop()
        if self._seen is not None:
            self._seen.close()

    def statistics(self) -> Statistics:
        return {"unrecorded": len(self._waiting), "settled": len(self._settled), "shown": len(self._written)}

    def rows_for(self, person: Person) -> list[AlarmRow]:
        """Return the rows of what `person` may see and the board does not show already, oldest first."""
        rows: list[AlarmRow] = []
        if not self._waiting:
            return rows
        recorded = self._board.presses()
        for key, waiting in self._waiting.items():
            if has_come_to(person, waiting.face.alarm) and key not in recorded:
                rows.append(_row_of(waiting.face))
            if len(rows) == MOST_ROWS:
                metrics.dropped("desk", "unrecorded_row_waits")
                break
        return rows

    def note_rendered(self, alarm_ids: Iterable[str], seat: str) -> None:
        """Take note that a person's screen shows these rows; it is on the disk a moment later."""
        for alarm_id in alarm_ids:
            key = _key_of(alarm_id)
            if key in self._waiting and key not in self._written:
                self._shown.setdefault(key, seat)

    def _open_seen(self) -> None:
        for number in range(1, MOST_DESKS + 1):
            writer = SeenWriter(self._data_dir, f"desk-{number}")
            try:
                writer.open()
            except ConfigurationError:
                continue
            except (OSError, Unavailable) as error:
                log.error("seen_file_away", error=str(error))
                return
            self._seen = writer
            return

    async def _follow(self) -> None:
        while True:
            await self._write_shown()
            if self._read():
                self._board.call_viewers()
            if self._settled:
                self._release_now.set()
            await asyncio.sleep(POLL_S)

    async def _write_shown(self) -> None:
        if self._seen is None:
            return
        if not self._waiting and self._written:
            self._written.clear()
            await asyncio.to_thread(self._seen.clear)
        shown, self._shown = self._shown, {}
        if not shown:
            return
        try:
            await asyncio.to_thread(self._seen.append, shown, self._clock.now())
            self._written |= shown.keys()
        except Unavailable as error:
            metrics.dropped("desk", "seen_not_written")
            log.error("seen_not_written", presses=len(shown), error=str(error))

    def _read(self) -> bool:
        """Read what the spools have to say; tell whether anything has changed for a page."""
        has_changed = False
        for path in sorted((self._data_dir / FOLDER).glob(f"*{SUFFIX}")):
            self._readers.setdefault(path, LineReader(path))
        for path, reader in self._readers.items():
            is_anew, lines = reader.read()
            before = {key for key, waiting in self._waiting.items() if path in waiting.files} if is_anew else set()
            for line in lines:
                has_changed |= self._take(path, line)
            if is_anew:
                still = {_line_key(line) for line in lines if line.get("op") == "press"}
                for key in before - still:
                    has_changed |= self._settle(key, "")
        return has_changed

    def _take(self, path: Path, line: Line) -> bool:
        try:
            if line["op"] == "settled":
                return self._settle(_line_key(line), str(line["alarm"]))
            if line["op"] in {"press", "cancel"}:
                return self._show(path, kept_of(line))
        except (KeyError, TypeError, ValueError) as error:
            metrics.dropped("desk", "unclear_spool_line")
            log.error("unclear_spool_line", path=str(path), error=str(error))
        return False

    def _show(self, path: Path, kept: Kept) -> bool:
        if isinstance(kept.said, Cancellation):
            return self._cross_out(kept)
        if not isinstance(kept.said, Press):
            return False
        face = self._names.face_of(kept, kept.said)
        if not is_within(face.alarm.area_id, self._area_id):
            return False
        is_new = kept.key not in self._waiting
        self._waiting.setdefault(kept.key, _Waiting(face)).files.add(path)
        if is_new:
            log.warning("unrecorded_alarm", device=kept.said.device_id, boot=kept.said.boot, seq=kept.said.seq)
        return is_new

    def _cross_out(self, kept: Kept) -> bool:
        """Mark the household's newest unrecorded press as taken back; nothing is removed."""
        device_id = kept.said.device_id
        home = self._names.household_of(device_id)
        for waiting in reversed(self._waiting.values()):
            alarm = waiting.face.alarm
            is_own = alarm.device_id == device_id or (home is not None and alarm.household_id == home)
            if is_own and not alarm.is_silent and alarm.cancelled_by_user_at is None:
                after = replace(alarm, cancelled_by_user_at=kept.spooled_at, version=alarm.version + 1)
                waiting.face = replace(waiting.face, alarm=after)
                return True
        return False

    def _settle(self, key: Key, alarm_id: str) -> bool:
        if key not in self._waiting:
            return False
        self._settled[key] = alarm_id
        return True

    async def _release(self) -> None:
        """Let go what the ledger has, once the board has read it from there."""
        while True:
            await self._release_now.wait()
            self._release_now.clear()
            settled = dict(self._settled)
            if not await self._board.look_at([alarm_id for alarm_id in settled.values() if alarm_id]):
                continue
            for key in settled:
                self._settled.pop(key, None)
                self._waiting.pop(key, None)
            self._board.call_viewers()


def _key_of(alarm_id: str) -> Key:
    device_id, _, rest = alarm_id.removeprefix(PREFIX).partition(":")
    boot, _, seq = rest.partition(":")
    return (device_id, int(boot), int(seq)) if boot.isdecimal() and seq.isdecimal() else ("", 0, 0)


def _line_key(line: Line) -> Key:
    return line["device"], line["boot"], line["seq"]


def _row_of(face: Face) -> AlarmRow:
    return replace(alarm_row(face), state=STATE, no="", actions=())


def _alarm_of(press: Press, kept: Kept, area_id: str, household_id: str | None) -> Alarm:
    return Alarm(
        alarm_id=f"{PREFIX}{press.device_id}:{press.boot}:{press.seq}",
        alarm_no=f"A{kept.spooled_at:%Y%m%d}-0000",
        device_id=press.device_id,
        boot=press.boot,
        seq=press.seq,
        event_id=press.event_id,
        household_id=household_id,
        area_id=area_id,
        kind=press.kind,
        level=press.level or LEVEL_OF_KIND.get(press.kind, DEFAULT_LEVEL),
        state=AlarmState.RAISED,
        version=0,
        source=press.source,
        raised_at=kept.spooled_at,
        device_at=press.device_at,
        notified_at=None,
        acknowledged_at=None,
        acknowledged_by=None,
        acknowledged_name=None,
        verdict=None,
        verified_at=None,
        dispatched_at=None,
        dispatched_to=None,
        on_scene_at=None,
        resolved_at=None,
        outcome=None,
        closed_at=None,
        closed_by=None,
        cancelled_by_user_at=None,
        press_count=1,
        details=press.details,
        late_by_s=press.late_by_s,
        suspicion=press.suspicion,
        is_clock_wrong=press.is_clock_wrong,
        is_silent=press.is_silent,
        spooled_at=kept.spooled_at,
    )
