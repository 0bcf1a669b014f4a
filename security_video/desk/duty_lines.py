"""What the roster's page draws: who is there now, the week as a grid, and the gaps that come. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.accounts.roster_lines import uncovered
from gateway.store.duty import Shift

AHEAD = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Week:
    """Monday to Sunday by the wall clock; `before` and `after` are the Mondays beside it."""

    since: datetime
    until: datetime
    days: tuple[date, ...]
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One shift in a cell: its times by the wall clock, with the day where one would guess another."""

    shift: Shift
    begins: str
    ends: str
    is_now: bool


@dataclass(frozen=True, slots=True)
class AreaLine:
    """One area that keeps a roster: who is there now, when nobody will be, and the seven days of the week."""

    area_id: str
    name: str
    now: tuple[Entry, ...]
    gaps: tuple[tuple[str, str], ...]
    days: tuple[tuple[Entry, ...], ...]

    @property
    def is_empty(self) -> bool:
        """Tell whether nobody is on duty now."""
        return not self.now


def week_of(monday: str, now: datetime, zone: ZoneInfo) -> Week:
    """Return the week of a day (`2026-07-20`, empty: today)."""
    day = date.fromisoformat(monday) if monday else now.astimezone(zone).date()
    first = day - timedelta(days=day.weekday())
    days = tuple(first + timedelta(days=number) for number in range(7))
    since, until = (datetime(one.year, one.month, one.day, tzinfo=zone) for one in (first, first + timedelta(days=7)))
    return Week(since, until, days, str(first - timedelta(days=7)), str(first + timedelta(days=7)))


def area_lines(
    areas: Sequence[tuple[str, str]], shifts: Sequence[Shift], week: Week, now: datetime, zone: ZoneInfo
) -> tuple[AreaLine, ...]:
    """Return one line for each area with a roster, those where nobody is on duty now first."""
    by_area: Mapping[str, list[Shift]] = {area_id: [] for area_id, _ in areas}
    for shift in shifts:
        if shift.area_id in by_area:
            by_area[shift.area_id].append(shift)
    lines = [_line(area_id, name, by_area[area_id], (week, now, zone)) for area_id, name in areas]
    return tuple(sorted(lines, key=lambda line: (not line.is_empty, not line.gaps, line.area_id)))


def _line(area_id: str, name: str, shifts: Sequence[Shift], when: tuple[Week, datetime, ZoneInfo]) -> AreaLine:
    week, now, zone = when
    entries = [_entry(shift, now, zone, week.days[0]) for shift in shifts]
    free = uncovered([(one.begins_at, one.ends_at) for one in shifts], now, now + AHEAD)
    later = [(begins, ends) for begins, ends in free if begins > now]
    gaps = tuple((_short(begins, now, zone), _short(ends, begins, zone)) for begins, ends in later)
    days = tuple(tuple(one for one in entries if _shown_on(one.shift, week, zone) == day) for day in week.days)
    return AreaLine(area_id, name, tuple(one for one in entries if one.is_now), gaps, days)


def _entry(shift: Shift, now: datetime, zone: ZoneInfo, monday: date) -> Entry:
    begins, ends = shift.begins_at.astimezone(zone), shift.ends_at.astimezone(zone)
    is_near = (ends.date() - begins.date()).days <= 1
    until = f"{ends:%H:%M}" if is_near else f"{ends.month}/{ends.day} {ends:%H:%M}"
    since = f"{begins:%H:%M}" if begins.date() >= monday else f"{begins.month}/{begins.day} {begins:%H:%M}"
    return Entry(shift, since, until, shift.covers(now))


def _shown_on(shift: Shift, week: Week, zone: ZoneInfo) -> date | None:
    """The day on which a shift begins; one from before stands on Monday, one of another week nowhere."""
    if shift.ends_at <= week.since or shift.begins_at >= week.until:
        return None
    return max(shift.begins_at.astimezone(zone).date(), week.days[0])


def _short(moment: datetime, beside: datetime, zone: ZoneInfo) -> str:
    """`02:00`, with the day where it is another than that of the moment beside it."""
    local, day = moment.astimezone(zone), beside.astimezone(zone).date()
    return f"{local:%H:%M}" if local.date() == day else f"{local.month}/{local.day} {local:%H:%M}"
