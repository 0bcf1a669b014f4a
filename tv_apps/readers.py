"""From the database to what pages show: every view of a television, read in one place, in local time."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from gateway.model.alarms import short_number
from gateway.model.notices import Notice, Section
from gateway.runtime.clock import Clock
from gateway.store.content import ContentStore, Count, Reader
from gateway.store.tv import Box, DailySum, HomeAlarm, LatestValue, Source, TvStore
from tv_apps.pages import air, electricity, home, my_home, safety

ENERGY: Final = "energy_wh"
WH_PER_KWH: Final = 1000
NEWS_SECTIONS: Final = (Section.NOTICES,)
ALARM_LINES: Final = 40
#: A day whose last reading is this near to midnight is over.
DAY_END: Final = timedelta(minutes=15)

#: Metric → words in Chinese and English with {} for the figure; only these are shown beside a device's name.
READABLE: Final = {
    "temp": ("{:.1f}°", "{:.1f}°"),
    "humidity": ("湿度 {:.0f}%", "{:.0f}% RH"),
    "battery": ("电量 {:.0f}%", "battery {:.0f}%"),
    "power_w": ("{:.0f} 瓦", "{:.0f} W"),
}


class Readers:
    """Reads views; `zone` is the community's wall clock."""

    def __init__(self, tv: TvStore, content: ContentStore, clock: Clock, zone: tzinfo) -> None:
        self._tv = tv
        self._content = content
        self._clock = clock
        self._zone = zone

    def now(self) -> datetime:
        """The community's wall clock."""
        return self._clock.now().astimezone(self._zone)

    def reader(self, box: Box) -> Reader:
        """Return who reads notices on this television."""
        return Reader(box.household_id, box.area_id, self.now().date())

    async def home(self, box: Box, *, zh: bool) -> home.HomeView:
        """Return what is new and how the air is."""
        reader = self.reader(box)
        count = await self._content.count(reader, NEWS_SECTIONS)
        newest = await self._content.page(reader, NEWS_SECTIONS, limit=8) if count.unread else ()
        unread = [home.NewNotice(n.title, n.published_on) for n in newest if not n.is_read][:2]
        view = await self.air(box)
        found = air.quality(view) if view and self.now() - view.updated_at <= air.FRESH else None
        word = "" if found is None else found.word if zh else found.word_en
        return home.HomeView(count.unread, unread, word, await self._temperature(box))

    async def _temperature(self, box: Box) -> str:
        """Return the air station's newest temperature, empty where it is old or nobody measures it."""
        station = await self._tv.air_station(box.area_id, "temp")
        value = await self._tv.latest_value(station.device_id, "temp") if station else None
        if value is None or self._clock.now() - value[1] > air.FRESH:
            return ""
        return f"{value[0]:.0f}°"

    async def air(self, box: Box) -> air.AirView | None:
        """Return the last 24 hours of the nearest air station; None where there is none."""
        station = await self._tv.air_station(box.area_id, "pm2_5")
        if station is None:
            return None
        end = station.latest_at.replace(minute=0, second=0, microsecond=0)
        first = end - timedelta(hours=air.HOURS - 1)
        means = await self._tv.hourly_means(station.device_id, air.METRICS, first, end + timedelta(hours=1))
        by_hour = {(mean.metric, mean.hour): mean.mean for mean in means}
        moments = [first + timedelta(hours=hour) for hour in range(air.HOURS)]
        hourly = {metric: tuple(by_hour.get((metric, moment)) for moment in moments) for metric in air.METRICS}
        at = station.latest_at.astimezone(self._zone)
        return air.AirView(station.name, end.astimezone(self._zone), at, hourly)

    async def electricity(self, box: Box, week: date | None) -> electricity.ElectricityView | None:
        """Return two weeks of the household's meter, the second beginning on Monday `week` (none: the newest)."""
        meter = await self._tv.meter(box.household_id, ENERGY)
        if meter is None:
            return None
        newest = meter.latest_at.astimezone(self._zone)
        last_monday = monday_of(newest.date())
        monday = monday_of(week) if week else last_monday
        since, until = self._midnight(monday - timedelta(days=14)), self._midnight(monday + timedelta(days=7))
        sums = await self._tv.daily_sums(meter, since, until, self._offset_min())
        by_day = {each.day: each for each in sums}
        return electricity.ElectricityView(
            this=_week(monday, by_day),
            last=_week(monday - timedelta(days=7), by_day),
            meter=meter.name,
            updated_at=newest,
            earlier=any(each.day < monday for each in sums),
            later=monday < last_monday,
            so_far=await self._so_far(meter, newest) if monday == last_monday else None,
        )

    async def _so_far(self, meter: Source, newest: datetime) -> tuple[int, float] | None:
        """Return what was used a week ago on the newest day up to its last reading; None once that day is over."""
        if newest.astimezone(self._zone) >= self._midnight(newest.date() + timedelta(days=1)) - DAY_END:
            return None
        day = newest.date() - timedelta(days=7)
        until = newest - timedelta(days=7) + timedelta(seconds=1)
        sums = await self._tv.daily_sums(meter, self._midnight(day), until, self._offset_min())
        return (day.weekday(), sums[0].total / WH_PER_KWH) if sums else None

    def _offset_min(self) -> int:
        return int((self.now().utcoffset() or timedelta()).total_seconds() // 60)

    def _midnight(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=self._zone)

    async def my_home(self, box: Box, *, zh: bool) -> my_home.MyHomeView:
        """Return the household's devices and the two figures of its tiles."""
        devices = await self._tv.devices(box.household_id)
        latest = await self._tv.latest_values(box.household_id)
        lines = [
            my_home.DeviceLine(
                each.name or each.device_id,
                each.kind,
                each.presence,
                each.presence_at.astimezone(self._zone) if each.presence_at else None,
                _value_words([value for value in latest if value.device_id == each.device_id], zh=zh),
            )
            for each in devices
        ]
        return my_home.MyHomeView(await self._electricity_words(box, zh=zh), await self._air_words(box, zh=zh), lines)

    async def _electricity_words(self, box: Box, *, zh: bool) -> str:
        view = await self.electricity(box, None)
        if view is None:
            return ""
        total = sum(value for value in view.this.days if value is not None)
        is_now = view.this.monday == monday_of(self.now().date())
        if zh:
            return f"{'这周' if is_now else '最近一周'} {total:.1f} 度"
        return f"{total:.1f} kWh {'this week' if is_now else 'in the last week'}"

    async def _air_words(self, box: Box, *, zh: bool) -> str:
        view = await self.air(box)
        found = air.quality(view) if view else None
        if view is None or found is None:
            return ""
        if self.now() - view.updated_at > air.FRESH:
            return f"{view.updated_at:%m-%d} {found.word}" if zh else f"{found.word_en} on {view.updated_at:%d %b}"
        return f"{found.word}，指数 {found.aqi}" if zh else f"{found.word_en}, index {found.aqi}"

    async def alarms(self, box: Box) -> list[safety.AlarmLine]:
        """Return the household's own alarms, newest first."""
        return [self._alarm_line(each) for each in await self._tv.alarms(box.household_id, ALARM_LINES)]

    def _alarm_line(self, alarm: HomeAlarm) -> safety.AlarmLine:
        return safety.AlarmLine(
            alarm.alarm_id,
            short_number(alarm.alarm_no),
            alarm.kind,
            alarm.state,
            alarm.raised_at.astimezone(self._zone),
            alarm.acknowledged_name or "",
            alarm.cancelled_at is not None,
        )

    async def notices(self, box: Box, sections: Sequence[Section], limit: int, offset: int) -> tuple[Notice, ...]:
        """Return one page of some sections."""
        return await self._content.page(self.reader(box), sections, limit=limit, offset=offset)

    async def count(self, box: Box, sections: Sequence[Section]) -> Count:
        """Return how many notices some sections have for this television."""
        return await self._content.count(self.reader(box), sections)

    async def notice(self, box: Box, notice_id: str) -> Notice | None:
        """Return one notice and remember that the household has opened it."""
        found = await self._content.find(self.reader(box), notice_id)
        if found is not None and not found.is_read:
            await self._content.mark_read(self.reader(box), notice_id, self._clock.now())
        return found


def monday_of(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def _week(monday: date, by_day: "dict[date, DailySum]") -> electricity.WeekUse:
    days = [by_day.get(monday + timedelta(days=number)) for number in range(7)]
    return electricity.WeekUse(monday, tuple(each.total / WH_PER_KWH if each else None for each in days))


def _value_words(latest: Sequence[LatestValue], *, zh: bool) -> str:
    words = []
    for metric, (words_zh, words_en) in READABLE.items():
        value = next((each.value for each in latest if each.metric == metric), None)
        if value is not None:
            words.append((words_zh if zh else words_en).format(value))
    return "，".join(words[:2]) if zh else ", ".join(words[:2])
