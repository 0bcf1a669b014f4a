"""The one picture with all icons of a page, for boxes without SVG: its plan, and the address that says the plan.

Each icon has a row with two columns: at rest, and on the focused tile. The address carries the whole plan, so any
server can draw it at any time: `mark.56-shield.46.FFA392.35-…` (name, size, colour, stroke × 10).
"""

import re
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from gateway.model.errors import BadInput
from tv_apps.kit import icons

MARK: Final = "mark"
FOCUS_COLOUR: Final = "#12222B"
MAX_ICONS: Final = 40
MAX_SIZE: Final = 340
_ITEM: Final = re.compile(r"([a-z]+)\.(\d{1,3})\.([0-9A-F]{6})\.(\d{1,3})")


class Item(NamedTuple):
    """One icon of the sheet."""

    name: str
    size: int
    colour: str
    stroke: float


@dataclass(slots=True)
class Sprite:
    """The sheet of one page as it grows; equal icons share a row."""

    items: list[Item] = field(default_factory=list)

    def place(self, name: str, size: int, hue: str, stroke: float) -> int:
        """Add an icon (or find it) and return how far down the sheet it is."""
        item = Item(name, size, hue, stroke)
        if item not in self.items:
            self.items.append(item)
        return sum(each.size for each in self.items[: self.items.index(item)])

    @property
    def width(self) -> int:
        """Two columns of the largest icon."""
        return 2 * max((item.size for item in self.items), default=0)

    @property
    def height(self) -> int:
        return sum(item.size for item in self.items)

    @property
    def plan(self) -> str:
        """The plan as it stands in the address."""
        return "-".join(f"{i.name}.{i.size}.{i.colour.lstrip('#')}.{round(i.stroke * 10)}" for i in self.items)


def read_plan(plan: str) -> list[Item]:
    """Return the icons of a plan; raises BadInput (unknown_icon) for anything that we would not have written."""
    words = plan.split("-")
    items = [_item(word) for word in words[:MAX_ICONS]]
    if len(words) > MAX_ICONS or any(item.size > MAX_SIZE for item in items):
        raise BadInput("too much for one sheet of icons", reason="unknown_icon", place="icons")
    return items


def _item(word: str) -> Item:
    match = _ITEM.fullmatch(word)
    if match is None or (match[1] not in icons.ICONS and match[1] != MARK):
        raise BadInput("no such icon", reason="unknown_icon", place=f"icons: {word[:40]!r}")
    return Item(match[1], int(match[2]), f"#{match[3]}", int(match[4]) / 10)
