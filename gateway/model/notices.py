"""What offices say: notices with their source, number and validity, and short messages for one television."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

#: A summary is read in one glance.
SUMMARY_CHARACTERS = 60


class Section(StrEnum):
    """Where a notice stands in the portal; the digit keys of the remote open them."""

    SAFETY = "safety"
    GOVERNMENT = "government"
    SERVICES = "services"
    BILLS = "bills"
    NOTICES = "notices"
    HEALTH = "health"
    HOME = "home"
    CULTURE = "culture"
    FARMING = "farming"
    LIBRARY = "library"


@dataclass(frozen=True, slots=True)
class Notice:
    """One publication, read by every area inside `area_id`; `body` is its paragraphs as plain text.

    `summary` has at most 60 characters. `valid_until` is the last day on which it is shown; None is for ever.
    """

    notice_id: str
    area_id: str
    section: Section
    title: str
    body: tuple[str, ...]
    source_unit: str
    published_on: date
    summary: str = ""
    doc_number: str = ""
    contact: str = ""
    valid_until: date | None = None
    is_read: bool = False


@dataclass(frozen=True, slots=True)
class TvMessage:
    """A few words shown over whatever a household's television shows, until somebody presses a key.

    `level` is 1 (gravest) to 4; `source` says who speaks. The same `message_id` again is the same message.
    """

    message_id: str
    household_id: str
    title: str
    source: str
    created_at: datetime
    expires_at: datetime
    body: str = ""
    level: int = 4
