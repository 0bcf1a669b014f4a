"""Newest picture wins: one slot per camera, a credit window per reader, oldest request first; no socket in here.

High-water marks keep the oldest messages and CONFLATE keeps one message per pipe, not per camera, so neither can do
this. Here a picture that is overtaken before its reader has credit is never sent, memory holds one picture per camera
however slow a reader is, and a camera with many pictures cannot push another one out: after being served, it queues up
behind all cameras that have something new.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from gateway.contract.frames import FrameHeader


class Part(StrEnum):
    """A camera has two slots: its newest picture, and what is known of its connection."""

    PICTURE = "picture"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Key:
    """Names one slot."""

    camera_id: str
    part: Part


@dataclass(frozen=True, slots=True)
class Slot:
    """A message that is ready to be sent."""

    header: FrameHeader
    payload: bytes

    @property
    def key(self) -> Key:
        return Key(self.header.camera_id, Part.PICTURE if self.payload else Part.STATE)


@dataclass(slots=True)
class _Reader:
    window: int
    credit: int
    heard_at_s: float
    # Ordered: the slot that has waited longest comes first.
    due: dict[Key, None] = field(default_factory=dict)


@dataclass(slots=True)
class Counts:
    """What happened so far; `overtaken` counts per reader, pictures that a newer one replaced before it had credit."""

    offered: int = 0
    sent: int = 0
    overtaken: int = 0


class Fanout:
    """Who may be sent what; callers serialise their calls."""

    def __init__(self) -> None:
        self.counts = Counts()
        self._slots: dict[Key, Slot] = {}
        self._readers: dict[bytes, _Reader] = {}

    def offer(self, slot: Slot) -> None:
        """Put `slot` in the place of its predecessor and let every reader have it when its turn comes."""
        key = slot.key
        self._slots[key] = slot
        self.counts.offered += 1
        for reader in self._readers.values():
            self.counts.overtaken += key in reader.due
            reader.due.setdefault(key)

    def forget_camera(self, camera_id: str) -> None:
        """Drop the slots of a camera that was taken off the list."""
        for part in Part:
            key = Key(camera_id, part)
            self._slots.pop(key, None)
            for reader in self._readers.values():
                reader.due.pop(key, None)

    def open(self, name: bytes, window: int, now_s: float) -> None:
        """Begin or begin again with a reader: full credit, and everything that there is to see."""
        self._readers[name] = _Reader(window, window, now_s, dict.fromkeys(self._slots))

    def credit(self, name: bytes, count: int, now_s: float) -> bool:
        """Give a reader `count` more pictures, never beyond its window; False for a reader that is not known."""
        reader = self._readers.get(name)
        if reader is None:
            return False
        reader.credit = min(reader.window, reader.credit + count)
        reader.heard_at_s = now_s
        return True

    def close(self, name: bytes) -> bool:
        """Forget a reader; False if it was not known."""
        return self._readers.pop(name, None) is not None

    def silent(self, now_s: float, patience_s: float) -> list[bytes]:
        """Return the readers that have said nothing for longer than `patience_s`."""
        return [name for name, reader in self._readers.items() if now_s - reader.heard_at_s > patience_s]

    def readers(self) -> list[bytes]:
        return list(self._readers)

    def take(self, name: bytes) -> Slot | None:
        """Return the next message for a reader and charge it, or None: nothing new, no credit, or no such reader."""
        reader = self._readers.get(name)
        if reader is None or not reader.credit or not reader.due:
            return None
        key = next(iter(reader.due))
        del reader.due[key]
        reader.credit -= 1
        self.counts.sent += 1
        return self._slots[key]

    def is_taken(self, camera_id: str) -> bool:
        """Tell whether there are readers and all of them were sent the newest picture of the camera."""
        key = Key(camera_id, Part.PICTURE)
        return bool(self._readers) and all(key not in reader.due for reader in self._readers.values())
