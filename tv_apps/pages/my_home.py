"""我的家: electricity, air, and the devices of the household with whether they answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tv_apps.kit.page import Frame, Page, header
from tv_apps.kit.stage import Press, Stage
from tv_apps.pages import lists, tiles


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """One device: `presence` as stored, `since` local time, `value` what it measured last, ready to read."""

    name: str
    kind: str
    presence: str
    since: datetime | None
    value: str = ""


@dataclass(frozen=True, slots=True)
class MyHomeView:
    """What the household's tiles say; empty where there is nothing to say."""

    electricity: str
    air: str
    devices: Sequence[DeviceLine]


#: presence → Chinese, English, tint, icon. Only what is known: a device never heard is "not yet heard", not "fine".
PRESENCE: Final = {
    "online": ("正常", "working", "mint", "check"),
    "sleeping": ("休眠", "asleep", "mint", "check"),
    "init": ("启动中", "starting", "sky", "hourglass"),
    "offline": ("断线", "offline", "coral", "unplug"),
    "silent": ("没有消息", "silent", "coral", "unplug"),
    "unknown": ("还没收到消息", "not heard yet", "mist", "hourglass"),
}


def draw(frame: Frame, view: MyHomeView, *, focus: str = "") -> Page:
    """Return the page."""
    stage = Stage(frame.look)
    say = frame.look.say
    title = say("我的家", "My home")
    header(stage, frame, title)
    answering = sum(device.presence in {"online", "sleeping"} for device in view.devices)
    total = len(view.devices)
    devices = (
        say(f"{total} 个，{answering} 个正常", f"{answering} of {total} working")
        if total
        else say("还没有设备", "none yet")
    )
    entries = (
        tiles.Tile(
            "m0",
            say("用电", "Electricity"),
            view.electricity or say("还没有电表的数", "no meter yet"),
            "chart",
            "mint",
            Press("/tv/my/electricity"),
        ),
        tiles.Tile(
            "m1",
            say("社区空气", "Air outside"),
            view.air or say("附近还没有空气站", "no station yet"),
            "leaf",
            "mint",
            Press("/tv/air"),
        ),
        tiles.Tile("m2", say("家里的设备", "Devices"), devices, "home", "sky", Press("/tv/my/devices")),
        tiles.Tile(
            "m3",
            say("报警记录", "My alarms"),
            say("什么时候、谁受理的", "when, and who took it"),
            "siren",
            "coral",
            Press("/tv/my/alarms"),
        ),
    )
    tiles.draw(stage, entries, height=168)
    lists.draw_keys(stage, is_list=True)
    return Page(title, stage, "/tv/home?f=t6", focus=focus)


def draw_devices(frame: Frame, view: MyHomeView, *, page: int = 1) -> Page:
    """Return the list of devices."""
    say = frame.look.say
    per_page = lists.rows_per_page(frame.look.size, len(view.devices))
    pages = max(1, -(-len(view.devices) // per_page))
    page = min(page, pages)
    shown = view.devices[(page - 1) * per_page : page * per_page]
    return lists.draw(
        frame,
        lists.ListView(
            title=say("家里的设备", "Devices"),
            trail=say("我的家", "My home"),
            rows=[_row(frame, device) for device in shown],
            back="/tv/s/7?f=m2" if page == 1 else f"/tv/my/devices?p={page - 1}",
            empty=say("这个家还没有接入设备。", "No device is connected to this home yet."),
            next_href=f"/tv/my/devices?p={page + 1}" if page < pages else "",
            pages=say(f"第 {page} 页，共 {pages} 页", f"page {page} of {pages}"),
            icon="home",
        ),
    )


def _row(frame: Frame, device: DeviceLine) -> lists.Row:
    say = frame.look.say
    zh, en, tint, icon = PRESENCE.get(device.presence, PRESENCE["unknown"])
    state = say(zh, en)
    if device.presence in {"offline", "silent"} and device.since:
        state = say(f"{zh}，{device.since:%m-%d %H:%M} 起", f"{en} since {device.since:%d %b %H:%M}")
    words = f"{device.name}　{device.value}" if device.value else device.name
    return lists.Row(words, Press("/tv/my/devices"), state, icon=icon, tint=tint)
