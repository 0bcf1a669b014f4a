"""Colours, text sizes, tiers and languages: how one television wants its pages.

Colours and steps are the design's tokens; contrast of every pair that is used is checked by the gates. Numbers are
pixels on the stage of 1280×720.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

STAGE: Final = (1280, 720)
#: Nothing readable outside; old sets cut 5 % off every edge.
SAFE: Final = (64, 36, 1216, 684)
#: Focusable boxes stay inside, so that the ring around them is still inside the safe area.
CONTENT: Final = (74, 46, 1206, 674)

COLOURS: Final[Mapping[str, str]] = {
    "night0": "#0C171E",
    "night1": "#14252F",
    "night2": "#1D343F",
    "night3": "#3A5866",
    "grid": "#24404D",
    "key": "#668693",
    "paper": "#F4EFE3",
    "mist": "#B4C4CB",
    "lamp": "#FFC861",
    "glow": "#FFEDC8",
    "ink": "#12222B",
    "umber": "#6B4A0E",
    "coral": "#FFA392",
    "mint": "#8FDDB8",
    "sky": "#93CBF5",
    "wheat": "#E9CF97",
    "red": "#BC332C",
    "ember": "#E2574B",
    "green": "#2E7A52",
    "yellow": "#F2C94C",
    "blue": "#2F6CB8",
    "l2": "#F08A24",
    "l3": "#FFD23F",
    "white": "#FFFFFF",
    "black": "#000000",
}


class TextSize(StrEnum):
    """The three sizes that the yellow key goes round."""

    STANDARD = "standard"
    LARGE = "large"
    XLARGE = "xlarge"

    @property
    def next(self) -> "TextSize":
        """The size that the yellow key chooses from here."""
        sizes = list(TextSize)
        return sizes[(sizes.index(self) + 1) % len(sizes)]


class Tier(StrEnum):
    """What a box can draw: F0 any box (PNG pictures), F1 inline SVG and more."""

    F0 = "f0"
    F1 = "f1"


class Language(StrEnum):
    """The two languages of the pages; Chinese is the first."""

    ZH = "zh"
    EN = "en"


class Step(NamedTuple):
    """Font size and line height."""

    size: int
    line: int


@dataclass(frozen=True, slots=True)
class Type:
    """The steps of one text size."""

    label: Step
    body: Step
    reading: Step
    tile: Step
    lead: Step
    title: Step
    document: Step
    state: Step


TYPES: Final[Mapping[TextSize, Type]] = {
    TextSize.STANDARD: Type(
        label=Step(24, 40), body=Step(28, 42), reading=Step(32, 49), tile=Step(32, 48),
        lead=Step(36, 58), title=Step(40, 56), document=Step(44, 68), state=Step(64, 88),
    ),
    TextSize.LARGE: Type(
        label=Step(30, 48), body=Step(36, 52), reading=Step(40, 60), tile=Step(44, 60),
        lead=Step(44, 66), title=Step(48, 64), document=Step(54, 76), state=Step(72, 96),
    ),
    TextSize.XLARGE: Type(
        label=Step(40, 56), body=Step(44, 64), reading=Step(48, 72), tile=Step(54, 76),
        lead=Step(54, 78), title=Step(54, 72), document=Step(60, 84), state=Step(72, 96),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """How one television wants its pages."""

    size: TextSize = TextSize.STANDARD
    language: Language = Language.ZH
    tier: Tier = Tier.F1

    @property
    def type(self) -> Type:
        """The text steps of this size."""
        return TYPES[self.size]

    @property
    def is_standard(self) -> bool:
        return self.size is TextSize.STANDARD

    def say(self, zh: str, en: str) -> str:
        """Return the words in the television's language."""
        return zh if self.language is Language.ZH else en


def colour(name: str) -> str:
    """Return the hex value of a token; a hex value stays itself."""
    return name if name.startswith("#") else COLOURS[name]
