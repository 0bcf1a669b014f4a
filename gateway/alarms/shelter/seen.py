"""Which unrecorded presses a desk has shown: written by the desk, followed by the programs whose spool holds them."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from gateway.alarms.shelter.lines import Line, LineFile, LineReader
from gateway.alarms.shelter.spool import FOLDER, Key
from gateway.contract import codec
from gateway.runtime import logs, metrics
from gateway.runtime.clock import from_ms, to_ms

log = logs.get(__name__)

SEEN_FOLDER: Final = "seen"
SUFFIX: Final = ".seen"
WORTH_CLEARING_BYTES: Final = 100_000


class SeenWriter:
    """One desk's file. Methods block on the disk."""

    def __init__(self, data_dir: Path, desk: str) -> None:
        self._file = LineFile(data_dir / FOLDER / SEEN_FOLDER / f"{desk}{SUFFIX}")

    def open(self) -> None:
        """Begin anew. ConfigurationError where another process writes it."""
        kept = self._file.open()
        self._file.begin_anew([codec.encode(line) for line in kept if line.get("op") == "seen"])

    def append(self, shown: Mapping[Key, str], at: datetime) -> None:
        """Note presses with the seat that showed each; Unavailable where the disk refuses."""
        if self._file.is_sick:
            self._file.begin_anew()
        for number, (key, seat) in enumerate(shown.items(), 1):
            line = {"op": "seen", "device": key[0], "boot": key[1], "seq": key[2], "seat": seat, "at": to_ms(at)}
            self._file.append(line, must_last=number == len(shown))

    def clear(self) -> None:
        """Begin anew where it has become long; only while nothing is unrecorded."""
        if self._file.size_bytes > WORTH_CLEARING_BYTES:
            self._file.begin_anew()

    def close(self) -> None:
        self._file.close()


class SeenReader:
    """Follows the files of all desks of this node."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER / SEEN_FOLDER
        self._readers: dict[Path, LineReader] = {}

    def read(self) -> dict[Key, datetime]:
        """Return what has been shown since the last time, and when first."""
        found: dict[Key, datetime] = {}
        for path in self._folder.glob(f"*{SUFFIX}"):
            reader = self._readers.setdefault(path, LineReader(path))
            for line in reader.read()[1]:
                if line.get("op") == "seen" and (key := _key_of(line)) is not None:
                    found.setdefault(key, from_ms(line["at"]))
        return found


def _key_of(line: Line) -> Key | None:
    try:
        return str(line["device"]), int(line["boot"]), int(line["seq"])
    except (KeyError, TypeError, ValueError) as error:
        metrics.dropped("spool", "unclear_seen_line")
        log.warning("unclear_seen_line", error=str(error))
        return None
