"""Every page of the portal with sample views, in every text size, tier and language: what the gates look at."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, timezone

from gateway.model.notices import Notice, Section
from tv_apps import box_profiles
from tv_apps.kit import alarm_words, script
from tv_apps.kit.look import Language, Look, TextSize, Tier
from tv_apps.kit.page import Frame, Page, assemble
from tv_apps.pages import air, alarm, bills, electricity, home, more, my_home, notices, safety

BEIJING = timezone(timedelta(hours=8))
NOW = datetime(2026, 7, 19, 19, 42, tzinfo=BEIJING)
VALUES = {
    "short_no": "0719-042", "operator": "周敏", "time": "19:42:29", "home": "3号楼 2单元 501", "tries": "5",
    "dispatched_to": "保安赵勇", "why": "没有登记", "next_after_s": "30", "next_to": "柳湾镇", "escalated_to": "柳湾镇",
}  # fmt: skip
BODY = (
    "各位居民：",
    "因主管道检修，7月21日（周二）上午8时到下午5时，3号楼、4号楼、5号楼停水。请您提前用盆、桶存好生活用水，关好水龙头。",
    "刚来水时可能有点发黄，放一两分钟就清了。家里有老人、病人需要帮忙提水的，请打社区电话，网格员和志愿者会上门。" * 4,
)


def frame(look: Look) -> Frame:
    """A television of the demo's first household at 19:42 on a Sunday."""
    return Frame(
        look, NOW, int(NOW.astimezone(UTC).timestamp() * 1000), "stb-0301", "3号楼 2单元 501",
        look.say("柳湾社区", "Liuwan"), box_profiles.profile("keyboard").keys, script.address(),
    )  # fmt: skip


def notice(number: int, *, title: str = "7月21日 3、4、5号楼停水检修的通知") -> Notice:
    return Notice(
        f"n-{number}", "110105001001", Section.NOTICES, title, BODY, "柳湾社区居委会", date(2026, 7, 19 - number),
        doc_number="柳社〔2026〕31号", contact="0000-662 1200", valid_until=date(2026, 7, 22), is_read=number > 1,
    )  # fmt: skip


LONG_TITLE = "关于印发朝阳区高清交互数字电视网络推广普及工作方案的通知（第二次征求各街道办事处地区办事处意见稿）"
HOURS: tuple[float | None, ...] = (
    12, 15, 18, 22, 30, 41, 55, 60, 52, None, None, None, None, None, 35, None, 28, 24, 20, 18, 17, 16, 18, 21,
)  # fmt: skip
AIR = air.AirView(
    "柳湾空气站", NOW.replace(minute=0), NOW - timedelta(minutes=20),
    {"pm2_5": HOURS, "pm10": HOURS, "no2": HOURS, "o3": HOURS, "so2": HOURS, "co": tuple((v or 0) * 20 for v in HOURS)},
)  # fmt: skip
WEEK = electricity.ElectricityView(
    electricity.WeekUse(date(2026, 7, 13), (5.6, 5.1, 4.8, 5.0, 5.3, 6.1, 4.5)),
    electricity.WeekUse(date(2026, 7, 6), (5.9, 5.7, 5.5, 5.6, 5.8, 6.4, 5.6)),
    "电表", NOW.replace(hour=18, minute=0), earlier=True,
)  # fmt: skip
DEVICES = tuple(
    my_home.DeviceLine(f"卧室温湿度 {number}", "sensor", presence, NOW, "21.4°，湿度 46%")
    for number, presence in enumerate(my_home.PRESENCE)
)
ALARMS = tuple(
    safety.AlarmLine(f"A{n}", f"0719-{n:03}", "sos", state, NOW, "周敏" if n else "", is_cancelled=n == 2)
    for n, state in enumerate(safety.STATES)
)


def _home_view(look: Look) -> home.HomeView:
    new = [home.NewNotice("7月21日停水检修，请提前存水", NOW.date())]
    new.append(home.NewNotice("周三上午免费测血压，在活动室，带上身份证", NOW.date() - timedelta(days=1)))
    return home.HomeView(12, new, look.say("轻度污染", "lightly polluted"), "-12°")


def _list(frame: Frame, total: int, page: int = 1) -> Page:
    found = [notice(n, title=LONG_TITLE if n % 2 else "停水通知") for n in range(min(total, 5))]
    return notices.draw_list(frame, notices.NoticeList("通知公告", found, "/tv/s/5", page, total, "/tv/home?f=t4"))


def _stranger(frame: Frame) -> Page:
    return more.draw_stranger(frame)


PAGES: dict[str, Callable[[Frame], Page]] = {
    "home": lambda f: home.draw(f, _home_view(f.look)),
    "home_quiet": lambda f: home.draw(f, home.HomeView(0, ())),
    "safety": lambda f: safety.draw(f, 3),
    "alarms": lambda f: safety.draw_history(f, ALARMS),
    "alarms_none": lambda f: safety.draw_history(f, ()),
    "list": lambda f: _list(f, 23),
    "list_last": lambda f: _list(f, 3),
    "list_empty": lambda f: _list(f, 0),
    "notice": lambda f: notices.draw(f, notice(0), page=1, back="/tv/s/5?p=1&f=r0"),
    "notice_middle": lambda f: notices.draw(f, notice(0), page=2, back="/tv/s/5?p=1&f=r0"),
    "notice_long_title": lambda f: notices.draw(f, notice(0, title=LONG_TITLE), page=1, back="/tv/s/2"),
    "bills": lambda f: bills.draw(f, electricity="这周 36.4 度", notices=2),
    "my_home": lambda f: my_home.draw(f, my_home.MyHomeView("这周 36.4 度", "优，指数 22", DEVICES)),
    "devices": lambda f: my_home.draw_devices(f, my_home.MyHomeView("", "", DEVICES)),
    "electricity": lambda f: electricity.draw(f, WEEK, chart_address="/tv/my/electricity.png?week=2026-07-13"),
    "electricity_none": lambda f: electricity.draw(f, None, chart_address=""),
    "air": lambda f: air.draw(f, AIR, chart_address="/tv/air.png"),
    "air_none": lambda f: air.draw(f, None, chart_address=""),
    "alarm_ask": alarm.draw_ask,
    "alarm_record": lambda f: alarm.draw_record(f, "按键报警　已办完", [("警情号", "0719-042"), ("值班员", "周敏")]),
    "more": lambda f: more.draw(f, store_href="/tv/apps"),
    "keys": lambda f: more.draw_keys(
        f, [("keyboard", "电脑键盘（浏览器）"), ("gehua-ipanel", "北京歌华（iPanel）")], "keyboard"
    ),
    "help": more.draw_help,
    "live": more.draw_live,
    "stranger": _stranger,
    "gone": lambda f: more.draw_trouble(f, is_gone=True),
    "trouble": lambda f: more.draw_trouble(f, is_gone=False),
}


def _alarm_page(screen: str, values: Mapping[str, str]) -> Callable[[Frame], Page]:
    may_cancel = screen in {"recorded", "arrived", "escalated", "acknowledged", "dispatched"}
    return lambda f: alarm.draw_state(f, "01J0000000000000000000000", screen, values, may_cancel=may_cancel)


for _screen in alarm_words.ZH:
    if _screen not in {"hold", "ask"}:
        PAGES[f"alarm_{_screen}"] = _alarm_page(_screen, VALUES)


PAGES["alarm_drill"] = _alarm_page("escalated", {**VALUES, "drill": "True", "escalated_to": "幸福路街道"})


def looks() -> Iterator[Look]:
    """Every combination of text size, language and tier."""
    for size in TextSize:
        for language in Language:
            for tier in Tier:
                yield Look(size, language, tier)


def html_of(name: str, look: Look) -> str:
    """The HTML of one page for one look."""
    its = frame(look)
    return assemble(PAGES[name](its), its).html
