"""Milliseconds since the epoch, as the wire counts time, and aware UTC datetimes, as the code does."""

from datetime import UTC, datetime, timedelta

from gateway.contract.limits import END_YEAR, FIRST_YEAR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_ms(moment: datetime) -> int:
    """Return whole milliseconds since the epoch; parts of a millisecond are cut off."""
    return (moment - _EPOCH) // _MILLISECOND


def from_ms(milliseconds: int) -> datetime:
    """Return the aware UTC moment, exact to the millisecond.

    Raises:
        OverflowError: the moment lies outside the calendar; check against `FIRST_MS` and `END_MS` first.
    """
    return _EPOCH + milliseconds * _MILLISECOND


def from_any_ms(milliseconds: int) -> datetime:
    """Return the moment of any number; one outside the calendar is its first or last moment.

    A day is left at both ends, so that every time zone can show it.
    """
    return from_ms(min(max(milliseconds, CALENDAR_FIRST_MS), CALENDAR_LAST_MS))


#: A timestamp of the wire lies in `FIRST_MS <= ts < END_MS`.
FIRST_MS = to_ms(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC))
END_MS = to_ms(datetime(END_YEAR, 1, 1, tzinfo=UTC))
#: What a wrong clock may say and we still keep: the second day of the year 1 to the last but one of 9999.
CALENDAR_FIRST_MS = to_ms(datetime(1, 1, 2, tzinfo=UTC))
CALENDAR_LAST_MS = to_ms(datetime(9999, 12, 30, tzinfo=UTC))
