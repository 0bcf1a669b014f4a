"""Which cameras there are: from the registry, or from a cameras file, each with a checked address.

[[camera]]
id = "cam-01"
name = "小区东门"
source = "rtsp://10.0.0.11/stream2"
masks = [[[0.0, 0.0], [0.3, 0.0], [0.3, 0.4]]]      # polygons in fractions of the picture, covered before all else
"""

import re
import tomllib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from gateway.contract import codec
from gateway.model.errors import BadInput, ConfigurationError
from gateway.model.ids import CameraId, is_area_id
from gateway.runtime import logs, metrics
from gateway.runtime.settings import Settings
from gateway.store import registry
from gateway.store.pool import Database
from security_video.settings import VideoSettings
from security_video.sources.address import parse_address

log = logs.get(__name__)

Mask = tuple[tuple[float, float], ...]
Roster = Callable[[], Awaitable[Sequence["CameraPlan"]]]

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_KEYS: Final = ("id", "name", "source", "area_id", "masks")


@dataclass(frozen=True, slots=True)
class CameraPlan:
    """One camera as capture needs it; `source` was checked, relative paths are already absolute."""

    camera_id: CameraId
    name: str
    area_id: str
    source: str
    masks: tuple[Mask, ...] = ()


def encode_plans(plans: Sequence[CameraPlan]) -> bytes:
    """Return the plans as one line of JSON."""
    return codec.encode([asdict(plan) for plan in plans])


def decode_plans(line: bytes) -> tuple[CameraPlan, ...]:
    """Return the plans that `encode_plans` wrote."""
    rows: Any = codec.parse(line)
    return tuple(CameraPlan(**{**row, "masks": _masks(row["masks"])}) for row in rows)


def roster_of(settings: Settings, database: Database) -> Roster:
    """Return how to read the list of cameras: from the file of [video] sources, or else from the registry."""
    video, area_id = settings.of(VideoSettings), settings.node.area_id
    base = settings.path.parent if settings.path else Path()

    async def read() -> Sequence[CameraPlan]:
        return from_file(base / video.sources, area_id) if video.sources else await from_registry(database, area_id)

    return read


async def from_registry(database: Database, area_id: str) -> tuple[CameraPlan, ...]:
    """Return the enabled cameras inside `area_id`; one with a bad address is left out, said and counted."""
    plans = []
    for camera in await registry.cameras(database, area_id):
        try:
            parse_address(camera.source)
        except BadInput as error:
            metrics.dropped("capture", error.reason)
            log.error("camera_left_out", camera=camera.camera_id, error=str(error))
        else:
            plans.append(CameraPlan(CameraId(camera.camera_id), camera.name, camera.area_id, camera.source))
    return tuple(plans)


def from_file(path: Path, area_id: str) -> tuple[CameraPlan, ...]:
    """Return the cameras of a cameras file; `area_id` is that of cameras that name none.

    Raises ConfigurationError naming file:line, camera, key and cure.
    """
    text = _read(path)
    try:
        tables = tomllib.loads(text).get("camera", [])
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        place = f"{path}:{found[1] if found else text.count(chr(10)) + 1}"
        raise ConfigurationError(f"not TOML: {error}", place=place, cure="Correct that line.") from error
    if not isinstance(tables, list) or not tables:
        raise ConfigurationError("no camera in the file", place=f"{path}:1", cure="Begin one with [[camera]].")
    plans = [_Entry(path, text, number, table).plan(area_id) for number, table in enumerate(tables)]
    for number, plan in enumerate(plans):
        if plan.camera_id in {other.camera_id for other in plans[:number]}:
            raise _Entry(path, text, number, tables[number]).wrong("id", "is used twice", "Give it an id of its own.")
    return tuple(plans)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        cure = "Name an existing file in [video] sources."
        raise ConfigurationError(f"cameras file cannot be read: {reason}", place=str(path), cure=cure) from error


@dataclass(frozen=True, slots=True)
class _Entry:
    """One `[[camera]]` of a file while it is checked."""

    path: Path
    text: str
    number: int
    table: Mapping[str, Any]

    def plan(self, area_id: str) -> CameraPlan:
        for key in self.table:
            if key not in _KEYS:
                raise self.wrong(key, "is not known", f"Known: {', '.join(_KEYS)}.")
        camera_id = self._text("id")
        if not _ID.fullmatch(camera_id):
            raise self.wrong("id", f"{camera_id!r} is not an id", "Use up to 64 letters, digits, '.', '_', ':', '-'.")
        area = self._text("area_id", area_id)
        if not is_area_id(area):
            raise self.wrong("area_id", f"{area!r} is not an area", "Write the 12 digits of the community.")
        return CameraPlan(CameraId(camera_id), self._text("name", camera_id), area, self._source(), self._polygons())

    def _source(self) -> str:
        source = self._text("source")
        try:
            address = parse_address(source, self.path.parent)
        except BadInput as error:
            raise self.wrong("source", error.message, error.cure) from error
        if address.kind.value not in {"file", "folder"}:
            return source
        query = source.partition("?")[2]
        return f"{address.kind.value}:{Path(address.target).resolve()}" + (f"?{query}" if query else "")

    def _polygons(self) -> tuple[Mask, ...]:
        cure = "Write polygons as [[[x, y], [x, y], [x, y]], …] with x and y from 0 to 1."
        try:
            masks = _masks(self.table.get("masks", []))
        except (TypeError, ValueError) as error:
            raise self.wrong("masks", "is not a list of polygons", cure) from error
        if any(len(mask) < 3 or not all(0 <= side <= 1 for point in mask for side in point) for mask in masks):
            raise self.wrong("masks", "has a polygon outside the picture or with fewer than three corners", cure)
        return masks

    def _text(self, key: str, default: str = "") -> str:
        value = self.table.get(key, default)
        if not isinstance(value, str) or not value:
            raise self.wrong(key, "must be a text that is not empty", f'Write {key} = "…".')
        return value

    def wrong(self, key: str, message: str, cure: str) -> ConfigurationError:
        place = f"{self.path}:{self._line(key)} [[camera]] {self.number + 1}"
        return ConfigurationError(f"{key} {message}", place=place, cure=cure)

    def _line(self, key: str) -> int:
        """Return the line of `key` in this table, or of the table's head where the key is not written."""
        lines = self.text.splitlines()
        heads = [number for number, line in enumerate(lines, 1) if re.match(r"\s*\[\[\s*camera\s*\]\]", line)]
        first = heads[self.number] if self.number < len(heads) else 1
        last = heads[self.number + 1] if self.number + 1 < len(heads) else len(lines) + 1
        for number in range(first, last):
            if re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", lines[number - 1]):
                return number
        return first


def _masks(raw: Any) -> tuple[Mask, ...]:
    return tuple(tuple((float(x), float(y)) for x, y in mask) for mask in raw)
