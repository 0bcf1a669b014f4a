"""Where the pages of an app are served, which screen of a page is meant, and what came out of drawing it."""

from dataclasses import dataclass
from urllib.parse import quote

from tv_apps.miniapps.binding import Complaint


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the pages and pictures of one app are served."""

    base: str

    def page(self, name: str, row: int | None = None, *, part: int = 0, at: int | None = None) -> str:
        """Return the address of a page, of one row of it, of a later screen, or of the screen that shows row `at`."""
        path = f"{self.base}/{quote(name)}" + ("" if row is None else f"/{row}")
        query = f"?p={part + 1}" if part else f"?at={at}" if at is not None else ""
        return path + query

    def picture(self, name: str) -> str:
        return f"{self.base}/files/{quote(name)}"


@dataclass(frozen=True, slots=True)
class Here:
    """Which screen of which page is drawn; `at` asks for the screen that shows this row and puts the focus there."""

    page: str
    row: int | None = None
    part: int = 0
    at: int | None = None
    back: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What came out: how many screens the page has, and what did not fit."""

    parts: int
    part: int
    complaints: tuple[Complaint, ...]
