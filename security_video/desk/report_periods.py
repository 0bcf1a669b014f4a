"""Which alarms a report is about: this shift, today, or a month, by the community's wall clock. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from security_video.desk.shifts import shift_at

SHIFT_LENGTH = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A period from `since` up to but without `until`; `month`, `before` and `after` are `2026-07`, or empty."""

    kind: str
    since: datetime
    until: datetime
    is_running: bool
    month: str = ""
    before: str = ""
    after: str = ""

    @property
    def query(self) -> str:
        """How an address says this period."""
        return f"month={self.month}" if self.kind == "month" else f"period={self.kind}"


def chosen_period(period: str, month: str, now: datetime, zone: ZoneInfo) -> Chosen:
    """Return the period `shift` or `day` that runs now, else the month (`2026-07`; empty: this one)."""
    local = now.astimezone(zone)
    if period == "shift":
        _name, since = shift_at(now, zone)
        return Chosen("shift", since, since + SHIFT_LENGTH, is_running=True)
    if period == "day":
        since = local.replace(hour=0, minute=0, second=0, microsecond=0)
        return Chosen("day", since, _next_day(since), is_running=True)
    number = _number_of(month or f"{local:%Y-%m}")
    since, until = _first_of(number, zone), _first_of(number + 1, zone)
    is_running = since <= now < until
    after = "" if until > now else _text_of(number + 1)
    return Chosen("month", since, until, is_running, _text_of(number), _text_of(number - 1), after)


def _next_day(midnight: datetime) -> datetime:
    """The next midnight of the wall clock, also where a day has 23 hours."""
    return (midnight + timedelta(days=1)).replace(hour=0)


def _number_of(month: str) -> int:
    year, number = month.split("-")
    return int(year) * 12 + int(number) - 1


def _text_of(number: int) -> str:
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def _first_of(number: int, zone: ZoneInfo) -> datetime:
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=zone)
