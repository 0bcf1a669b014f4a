"""Windows of the day in a place's own time: night across midnight, Chinese workdays, dark by the sun."""

import math
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from zoneinfo import ZoneInfo

import holidays
from astral import Observer
from astral.sun import sun

#: Where the sun is asked for when a rule file names no place: Beijing.
DEFAULT_PLACE = (39.9, 116.4)
DEFAULT_ZONE = ZoneInfo("Asia/Shanghai")
DAY = timedelta(days=1)
_FIRST_TABLE_YEAR = 2001


class Days(StrEnum):
    """Which days a window may begin on; WORKDAYS and HOLIDAYS follow the State Council's calendar with 调休."""

    EVERY = "every"
    WORKDAYS = "workdays"
    HOLIDAYS = "holidays"


@cache
def _chinese_year(year: int) -> holidays.HolidayBase:
    return holidays.country_holidays("CN", years=year)


def is_workday(day: date) -> bool:
    """Return whether people work on `day` in China, made-up weekends (调休) included."""
    if day.year < _FIRST_TABLE_YEAR:
        return day.weekday() < 5
    return bool(_chinese_year(day.year).is_working_day(day))


@dataclass(frozen=True, slots=True)
class Edge:
    """One edge of a window: a time of the day, or the sun's rise or set with an offset."""

    at: time | None = None
    sun: str = ""
    offset: timedelta = timedelta()

    def on(self, day: date, window: "Window") -> datetime:
        """Return the moment of this edge on the local `day`, aware."""
        if self.at is not None:
            return datetime.combine(day, self.at, window.zone)
        return _sun_moment(self.sun, day, window.place, window.zone) + self.offset


@cache
def _sun_moment(which: str, day: date, place: tuple[float, float], zone: ZoneInfo) -> datetime:
    moment = sun(Observer(*place), date=day, tzinfo=zone)[which]
    return datetime.combine(day, moment.timetz()).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class Window:
    """The part of each day from `begin` to `end` (end exclusive); an end at or before the begin is on the next day.

    `days` looks at the day on which the window begins: the night of Friday belongs to Friday.
    """

    begin: Edge
    end: Edge
    days: Days = Days.EVERY
    zone: ZoneInfo = DEFAULT_ZONE
    place: tuple[float, float] = DEFAULT_PLACE

    def holds(self, moment: datetime) -> bool:
        """Return whether `moment` (aware) lies inside."""
        today = moment.astimezone(self.zone).date()
        return any(begin <= moment < end for begin, end in map(self._span, (today - DAY, today)) if begin)

    def next_change(self, moment: datetime) -> datetime:
        """Return the first edge after `moment`; at most a year is looked at, then that year's end is returned."""
        first = moment.astimezone(self.zone).date() - DAY
        for number in range(366):
            begin, end = self._span(first + number * DAY)
            if begin is None:
                continue
            for edge in (begin, end):
                if edge > moment:
                    return edge
        return moment + 366 * DAY

    def _span(self, day: date) -> tuple[datetime | None, datetime]:
        end = self.end.on(day, self)
        if not self._allows(day):
            return None, end
        begin = self.begin.on(day, self)
        return begin, end if end > begin else self.end.on(day + DAY, self)

    def _allows(self, day: date) -> bool:
        if self.days is Days.EVERY:
            return True
        return is_workday(day) == (self.days is Days.WORKDAYS)


def minutes_of(duration: timedelta) -> int:
    """Return whole minutes, rounded up, as a sentence on a screen says them."""
    return math.ceil(duration / timedelta(minutes=1))
