"""What one browser is sent next: tiles with credit, each at its pace, alarmed ones first; pure.

A tile has credit for a few pictures; the page gives it back when it has drawn one. So a slow browser or a slow line
gets fewer pictures, never older ones. Idle tiles are slow, selected ones faster, tiles of an open alarm as fast as the
camera. A tile that was sent nothing for `BEAT_S` is told its camera's health, so that a picture that stands still on
the screen never stands there unexplained.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

MOST_CREDIT = 4
FIRST_CREDIT = 2
MOST_TILES = 64
BEAT_S = 1.0
#: A picture may be sent this much before its time, so that a camera at exactly a tile's rate loses none.
EARLY_SHARE = 0.15

Version = tuple[int, int]


class Pace(StrEnum):
    """How closely somebody looks at a tile; the later, the closer."""

    IDLE = "idle"
    SELECTED = "selected"
    ALARMED = "alarmed"


_RANK = {Pace.ALARMED: 0, Pace.SELECTED: 1, Pace.IDLE: 2}


@dataclass(slots=True)
class Tile:
    """One camera on one page."""

    pace: Pace
    credit: int = FIRST_CREDIT
    sent: Version = (0, 0)
    sent_at_s: float = float("-inf")
    told: str = ""
    told_at_s: float = float("-inf")


class TileSet:
    """All tiles of one page; times are one monotonic clock's seconds."""

    def __init__(self, rates_hz: Mapping[Pace, float]) -> None:
        self._interval_s = {pace: 1 / rate_hz for pace, rate_hz in rates_hz.items()}
        self._tiles: dict[str, Tile] = {}

    def watch(self, wanted: Mapping[str, Pace]) -> None:
        """Make `wanted` the page's tiles; a tile that stays keeps its credit and what it was sent."""
        before = self._tiles
        self._tiles = {}
        for camera_id, pace in list(wanted.items())[:MOST_TILES]:
            tile = before.get(camera_id) or Tile(pace)
            tile.pace = pace
            self._tiles[camera_id] = tile

    def drop(self, camera_id: str) -> None:
        """Take one tile off the page."""
        self._tiles.pop(camera_id, None)

    def give(self, camera_id: str, credit: int) -> bool:
        """Give a tile credit, never more than MOST_CREDIT in all; False where the page has no such tile."""
        tile = self._tiles.get(camera_id)
        if tile is None:
            return False
        tile.credit = min(MOST_CREDIT, tile.credit + credit)
        return True

    def cameras(self) -> list[str]:
        return list(self._tiles)

    def next_picture(self, newest: Mapping[str, Version], now_s: float) -> str | None:
        """Return the tile that is sent a picture now: new, due and with credit; the most urgent, longest unsent one."""
        due = [
            (_RANK[tile.pace], tile.sent_at_s, camera_id)
            for camera_id, tile in self._tiles.items()
            if tile.credit and newest.get(camera_id, (0, 0)) > tile.sent and now_s >= self._due_s(tile)
        ]
        return min(due)[2] if due else None

    def note_picture(self, camera_id: str, version: Version, told: str, now_s: float) -> None:
        """Note that a tile was sent a picture with the state `told` in its header."""
        tile = self._tiles[camera_id]
        tile.credit -= 1
        tile.sent, tile.sent_at_s = version, now_s
        tile.told, tile.told_at_s = told, now_s

    def silent_tiles(self, states: Mapping[str, str], now_s: float) -> list[str]:
        """Return the tiles whose camera's state is news or that have heard nothing for BEAT_S."""
        return [
            camera_id
            for camera_id, tile in self._tiles.items()
            if camera_id in states and (states[camera_id] != tile.told or now_s - tile.told_at_s >= BEAT_S)
        ]

    def note_health(self, camera_id: str, told: str, now_s: float) -> None:
        """Note that a tile was told its camera's state."""
        tile = self._tiles[camera_id]
        tile.told, tile.told_at_s = told, now_s

    def wait_s(self, newest: Mapping[str, Version], now_s: float) -> float:
        """Return how long nothing will be due unless something new happens, at most BEAT_S."""
        waits = [BEAT_S]
        for camera_id, tile in self._tiles.items():
            waits.append(tile.told_at_s + BEAT_S - now_s)
            if tile.credit and newest.get(camera_id, (0, 0)) > tile.sent:
                waits.append(self._due_s(tile) - now_s)
        return max(0.0, min(waits))

    def _due_s(self, tile: Tile) -> float:
        return tile.sent_at_s + self._interval_s[tile.pace] * (1 - EARLY_SHARE)
