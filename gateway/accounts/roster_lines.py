"""Lines of a duty roster as people write them, in a form or in a CSV file, and what is wrong with each. Pure."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from gateway.model.errors import BadInput
from gateway.model.ids import is_area_id

COLUMNS: Final = ("area_id", "person", "phone", "role", "begins", "ends")
LONGEST_SHIFT: Final = timedelta(days=7)
#: A year in a typing error is far away; a roster is made for some weeks.
OLDEST: Final = timedelta(days=62)
FARTHEST: Final = timedelta(days=400)
MAX_LINES: Final = 2000
MAX_BYTES: Final = 256 * 1024
MAX_NAME: Final = 60

_ROLES: Final[Mapping[str, str]] = MappingProxyType(
    {"operator": "operator", "supervisor": "supervisor", "值班员": "operator", "班长": "supervisor", "": "operator"}
)
_PHONE: Final = re.compile(r"[0-9+() -]{0,30}")
#: As we write it, as a browser's form sends it, and as a spreadsheet rewrites it.
_TIME: Final = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})[ T](\d{1,2}):(\d{2})(?::(\d{2}))?")


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it was written, every value still a text; `number` counts from 1 at the header."""

    number: int
    area_id: str
    person: str
    phone: str
    role: str
    begins: str
    ends: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A shift that can be, not yet stored."""

    area_id: str
    person_name: str
    phone: str
    role: str
    begins_at: datetime
    ends_at: datetime

    def meets(self, other: "Draft") -> bool:
        """Tell whether the same person is on duty in the same area at the same time."""
        is_same = (self.area_id, self.person_name) == (other.area_id, other.person_name)
        return is_same and self.begins_at < other.ends_at and other.begins_at < self.ends_at


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a line is not taken: `reason` is a stable word, `value` what stood there."""

    number: int
    reason: str
    value: str

    def error(self) -> BadInput:
        """Return it as an error for the one line of a form."""
        return BadInput(f"{self.value!r} cannot be taken", reason=self.reason, place=f"line {self.number}")


def read_csv(raw: bytes) -> list[Line]:
    """Return the lines of a CSV file: UTF-8 or what a Chinese spreadsheet writes, columns in any order.

    Raises BadInput where the file as a whole cannot be read; lines that say nothing are left out.
    """
    if len(raw) > MAX_BYTES:
        raise BadInput("this file is too large", reason="roster_too_large", place="file", cure="Import it in parts.")
    reader = csv.reader(io.StringIO(_text_of(raw), newline=""))
    header = [name.strip().lower() for name in next(reader, [])]
    if sorted(header) != sorted(COLUMNS):
        cure = f"The first line names the columns: {','.join(COLUMNS)}"
        raise BadInput("the columns are others", reason="roster_columns", place="line 1", cure=cure)
    lines = []
    for values in reader:
        if any(value.strip() for value in values):
            lines.append(_line_of(reader.line_num, header, values))
        if len(lines) > MAX_LINES:
            raise BadInput(
                f"more than {MAX_LINES} lines", reason="roster_too_large", place="file", cure="Import parts."
            )
    return lines


def _text_of(raw: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadInput("neither UTF-8 nor GB18030", reason="roster_encoding", place="file", cure="Save it as UTF-8.")


def _line_of(number: int, header: Sequence[str], values: Sequence[str]) -> Line:
    """A line with a value too few or too many keeps none of them: its times are empty, and it is refused."""
    if len(values) != len(header):
        return Line(number, "", ",".join(values)[:MAX_NAME], "", "", "", "")
    said = {name: value.strip() for name, value in zip(header, values, strict=True)}
    return Line(number, *(said[name] for name in COLUMNS))


def draft_of(line: Line, zone: ZoneInfo, now: datetime) -> Draft | Refused:
    """Return the shift that a line means, by the community's wall clock, or the first thing that is wrong with it."""
    begins_at, ends_at = _moment(line.begins, zone), _moment(line.ends, zone)
    role = _ROLES.get(line.role.lower())
    wrong = (
        (not is_area_id(line.area_id), "bad_area", line.area_id or line.person),
        (not 1 <= len(line.person) <= MAX_NAME, "bad_name", line.person[:80]),
        (_PHONE.fullmatch(line.phone) is None, "bad_phone", line.phone[:80]),
        (role is None, "bad_role", line.role[:80]),
        (begins_at is None, "bad_time", line.begins[:80]),
        (ends_at is None, "bad_time", line.ends[:80]),
    )
    for is_wrong, reason, value in wrong:
        if is_wrong:
            return Refused(line.number, reason, value)
    assert begins_at and ends_at and role  # noqa: S101, PT018  said above
    draft = Draft(line.area_id, line.person, line.phone, role, begins_at, ends_at)
    return _length_refused(line, draft, now) or draft


def _length_refused(line: Line, draft: Draft, now: datetime) -> Refused | None:
    if draft.ends_at <= draft.begins_at:
        return Refused(line.number, "ends_before_begin", f"{line.begins} – {line.ends}")
    if draft.ends_at - draft.begins_at > LONGEST_SHIFT:
        return Refused(line.number, "shift_too_long", f"{line.begins} – {line.ends}")
    if draft.ends_at < now - OLDEST or draft.begins_at > now + FARTHEST:
        return Refused(line.number, "too_far_away", f"{line.begins} – {line.ends}")
    return None


def _moment(text: str, zone: ZoneInfo) -> datetime | None:
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
        return datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)
    except ValueError:
        return None


def uncovered(
    covered: Sequence[tuple[datetime, datetime]], since: datetime, until: datetime
) -> list[tuple[datetime, datetime]]:
    """Return the times between `since` and `until` in which nobody is on duty; shifts in any order."""
    gaps, reached = [], since
    for begins_at, ends_at in sorted(covered):
        if begins_at >= until:
            break
        if begins_at > reached:
            gaps.append((reached, begins_at))
        reached = max(reached, ends_at)
    return [*gaps, (reached, until)] if reached < until else gaps
