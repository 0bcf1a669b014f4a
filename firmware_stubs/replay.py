"""Replays a CSV as a device's telemetry: the Beijing air stations' hours, or a home's ten minutes.

Every value of the file becomes one reading: `NA` and empty cells are left out. Times are shifted by whole days so that
the last row is not later than now; a shift keeps hours and so the shape of a day. A block (a day of air, six hours of
a home) is one history batch whose identity comes from the file, the shift and the block's place, so that a second run
on the same day adds nothing, and an interrupted run goes on where it was.
"""

import asyncio
import csv
import hashlib
import itertools
import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from firmware_stubs import log
from firmware_stubs.member import Member
from firmware_stubs.settings import StubSettings
from gateway.contract.fields import Scalar
from gateway.contract.messages import Sample, Telemetry
from gateway.contract.times import to_ms
from gateway.contract.topics import TopicKind
from gateway.model.errors import BadInput, Unavailable

_DAY: Final = timedelta(days=1)
_BEIJING: Final = timedelta(hours=8)
_MILLISECOND: Final = timedelta(milliseconds=1)
_GAP: Final = frozenset({"", "NA", "na", "NaN", "nan", "null"})
_WIND_DIRECTION: Final = "wind_direction"

_AIR: Final[Mapping[str, str]] = {
    "PM2.5": "pm2_5",
    "PM10": "pm10",
    "SO2": "so2",
    "NO2": "no2",
    "CO": "co",
    "O3": "o3",
    "TEMP": "temp",
    "PRES": "pressure",
    "DEWP": "dew_point",
    "RAIN": "rain",
    "wd": _WIND_DIRECTION,
    "WSPM": "wind_speed",
}
_HOME: Final[Mapping[str, str]] = {
    "Appliances": "energy_wh",
    "lights": "lights_wh",
    **{f"T{room}": f"t{room}" for room in range(1, 10)},
    **{f"RH_{room}": f"rh_{room}" for room in range(1, 10)},
    "T_out": "t_out",
    "Press_mm_hg": "press_mm_hg",
    "RH_out": "rh_out",
    "Windspeed": "windspeed",
    "Visibility": "visibility",
    "Tdewpoint": "tdewpoint",
}


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of file: its columns, and how long a block is. Times in both are taken as UTC+8 wall time."""

    name: str
    metrics: Mapping[str, str]
    block: timedelta


AIR: Final = Format("air", _AIR, timedelta(days=1))
HOME: Final = Format("home", _HOME, timedelta(hours=6))


@dataclass(frozen=True, slots=True)
class Row:
    """One row that could be read: its own time (not shifted) and its values without the gaps."""

    at: datetime
    values: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Recording:
    """A file that was read. `broken` counts rows that could not be; each of them was logged with its line."""

    format: Format
    digest: str
    rows: tuple[Row, ...]
    broken: int

    def last_days(self, days: int) -> "Recording":
        """The same recording, only the last `days` calendar days of it; 0 keeps all."""
        if days <= 0 or not self.rows:
            return self
        local = self.rows[-1].at + _BEIJING
        begin = datetime(local.year, local.month, local.day, tzinfo=UTC) - _DAY * (days - 1) - _BEIJING
        kept = tuple(row for row in self.rows if row.at >= begin)
        return Recording(self.format, self.digest, kept, self.broken)

    def shift(self, now: datetime) -> timedelta:
        """Return the whole days to add so that the last row comes as near to `now` as it can without passing it."""
        return (now - self.rows[-1].at) // _DAY * _DAY if self.rows else timedelta()


def read(path: Path) -> Recording:
    """Read a CSV of either kind.

    Raises:
        BadInput: reason `unreadable` or `unknown_columns`; a single broken row is counted, logged and left out.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"cannot be read: {error}", reason="unreadable", place=str(path), cure="Name a CSV file."
        ) from error
    reader = csv.DictReader(text.splitlines())
    kind = _format(set(reader.fieldnames or ()), path)
    rows: list[Row] = []
    broken = 0
    for line, cells in enumerate(reader, 2):
        try:
            rows.append(_row(kind, cells))
        except (ValueError, KeyError, TypeError) as error:
            broken += 1
            log.dropped("broken_row", place=f"{path}:{line}", why=str(error))
    return Recording(kind, hashlib.sha256(text.encode()).hexdigest(), tuple(sorted(rows, key=_time)), broken)


def batches(recording: Recording, device_id: str, shift: timedelta) -> Iterator[Telemetry]:
    """Yield the recording as history, one batch per block; see the module for their identity."""
    boot = _boot(recording.digest, device_id, shift)
    for block, rows in itertools.groupby(recording.rows, lambda row: _block(recording.format, row.at)):
        samples = tuple(Sample(row.at + shift, row.values) for row in rows if row.values)
        if samples:
            yield Telemetry(boot, block, history=True, samples=samples)


def live(recording: Recording, device_id: str, shift: timedelta) -> Iterator[Telemetry]:
    """Yield the recording as live samples, one message per row, with an identity of their own."""
    boot = _boot(recording.digest, f"{device_id}/live", shift)
    for row in recording.rows:
        if row.values:
            yield Telemetry.live(boot, to_ms(row.at) // 1000, row.at + shift, row.values)


async def tell(member: Member, path: Path, folder: Path, now: datetime, days: int) -> int:
    """Replay the last days of a file as a member's history; returns how many batches were sent."""
    recording = read(path).last_days(days)
    progress = Progress.load(folder, recording, "history", now)
    return await send_history(member, batches(recording, member.plan.device_id, progress.shift), progress)


def files_of(settings: StubSettings, members: Mapping[str, Member]) -> Mapping[str, Path]:
    """Say which members replay a file instead of inventing: the first air station and the first meter."""
    wanted = {"air_station": settings.village.air_csv, "meter": settings.village.home_csv}
    found: dict[str, Path] = {}
    for profile, path in wanted.items():
        first = next((name for name, member in members.items() if member.plan.profile_name == profile), None)
        if path and first is not None:
            found[first] = Path(path)
    return found


@dataclass(slots=True)
class Progress:
    """How far the replay of one file to one device got, and by how many days it is shifted; kept on disk.

    The shift of the first run stays, so that a second run, also on another day, repeats identities instead of telling
    the same past again a day later. Messages with `first <= seq <= last` are acknowledged.
    """

    path: Path
    shift: timedelta
    first: int = -1
    last: int = -1

    @classmethod
    def load(cls, folder: Path, recording: Recording, mode: str, now: datetime) -> "Progress":
        """Return what an earlier run left in `folder`, or a beginning; a note that cannot be read is a beginning."""
        path = folder / f"replay-{mode}-{recording.digest[:12]}.json"
        try:
            note = json.loads(path.read_text())
            return cls(path, timedelta(days=int(note["shift_days"])), int(note["first"]), int(note["last"]))
        except (OSError, ValueError, KeyError, TypeError):
            return cls(path, recording.shift(now))

    def rest(self, messages: Iterator[Telemetry]) -> Iterator[Telemetry]:
        """Leave out what is acknowledged; where this run begins earlier than the last one, everything is sent again."""
        for message in messages:
            if not 0 <= self.first <= message.seq:
                self.first, self.last = message.seq, -1
            if message.seq > self.last:
                yield message

    def advance(self, seq: int) -> None:
        """Note, on disk, that everything up to `seq` is acknowledged."""
        self.last = seq
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps({"shift_days": self.shift.days, "first": self.first, "last": seq}))
        with fresh.open("rb") as file:
            os.fsync(file.fileno())
        fresh.rename(self.path)


async def send_live(member: Member, messages: Iterator[Telemetry], speed: float, progress: Progress) -> int:
    """Send live samples, `speed` times as fast as life (0: at once), each after the PUBACK of the one before."""
    before: datetime | None = None
    count = 0
    for count, message in enumerate(progress.rest(messages), 1):
        at = message.samples[0].at
        if before is not None and speed > 0:
            await asyncio.sleep((at - before).total_seconds() / speed)
        await _surely(member, message)
        before = at
        if count % 10 == 0:
            progress.advance(message.seq)
        last = message.seq
    if count:
        progress.advance(last)
    return count


async def send_history(member: Member, messages: Iterator[Telemetry], progress: Progress) -> int:
    """Send batches in windows of a hundred, each window acknowledged before the next; returns how many were sent."""
    count = 0
    rest = progress.rest(messages)
    while window := list(itertools.islice(rest, 100)):
        count += await member.send_batches(window)
        progress.advance(window[-1].seq)
    return count


async def _surely(member: Member, message: Telemetry) -> None:
    while True:
        await member.device.connected.wait()
        try:
            await member.device.publish(TopicKind.UP_TELE, message)
            return
        except Unavailable:
            await asyncio.sleep(0.2)


def _time(row: Row) -> datetime:
    return row.at


def _block(kind: Format, at: datetime) -> int:
    return (to_ms(at + _BEIJING) * _MILLISECOND) // kind.block


def _boot(digest: str, device_id: str, shift: timedelta) -> int:
    """A boot from 2 to a million: below every live boot, the same for the same file, device and shift."""
    words = f"{digest}/{device_id}/{shift.days}"
    return 2 + int.from_bytes(hashlib.sha256(words.encode()).digest()[:8]) % 999_998


def _format(columns: set[str], path: Path) -> Format:
    for kind, times in ((AIR, {"year", "month", "day", "hour"}), (HOME, {"date"})):
        if times <= columns and columns & set(kind.metrics):
            return kind
    raise BadInput(
        "neither an air station's nor a home's columns",
        reason="unknown_columns",
        place=f"{path}:1",
        cure="An air file has year, month, day, hour, PM2.5 …; a home file has date, Appliances ….",
    )


def _row(kind: Format, cells: Mapping[str, str]) -> Row:
    if kind is AIR:
        parts = [int(cells[name]) for name in ("year", "month", "day", "hour")]
        local = datetime(parts[0], parts[1], parts[2], parts[3], tzinfo=UTC)
    else:
        local = _home_time(cells["date"])
    values = {
        metric: _value(metric, cells[column])
        for column, metric in kind.metrics.items()
        if column in cells and cells[column] not in _GAP
    }
    return Row(local - _BEIJING, values)


def _home_time(text: str) -> datetime:
    shape = "%Y/%m/%d %H:%M" if "/" in text else "%Y-%m-%d %H:%M:%S"
    return datetime.strptime(text, shape).replace(tzinfo=UTC)


def _value(metric: str, cell: str) -> Scalar:
    if metric == _WIND_DIRECTION:
        return cell
    number = float(cell)
    if not math.isfinite(number):
        raise ValueError(f"{cell} is no number")
    return number
