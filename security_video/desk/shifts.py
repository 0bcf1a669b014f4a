"""When a shift began, by the community's wall clock: nights 20:00 to 08:00, days between. Pure."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

NIGHT_BEGINS = time(20)
DAY_BEGINS = time(8)


def shift_at(now: datetime, zone: ZoneInfo) -> tuple[str, datetime]:
    """Return (`night` or `day`, when it began) for the moment `now` (aware)."""
    local = now.astimezone(zone)
    today = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if local.time() >= NIGHT_BEGINS:
        return "night", today.replace(hour=NIGHT_BEGINS.hour)
    if local.time() < DAY_BEGINS:
        return "night", (today - timedelta(days=1)).replace(hour=NIGHT_BEGINS.hour)
    return "day", today.replace(hour=DAY_BEGINS.hour)
