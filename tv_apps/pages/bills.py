"""生活缴费 and 办事: what is connected today, and the notices about it; nothing is offered that cannot be done."""

from tv_apps.kit.page import Frame, Page, header
from tv_apps.kit.stage import Press, Stage
from tv_apps.pages import lists, tiles


def draw(frame: Frame, *, electricity: str, notices: int, focus: str = "") -> Page:
    """Return the page; `electricity` is the figure of the newest week, empty without a meter."""
    stage = Stage(frame.look)
    say = frame.look.say
    title = say("生活缴费", "Bills")
    header(stage, frame, title)
    fact = say(f"{notices} 条", f"{notices}") if notices else say("还没有内容", "nothing yet")
    entries = (
        tiles.Tile(
            "m0", say("用电", "Electricity"), electricity or say("还没有电表的数", "no meter yet"), "chart", "mint",
            Press("/tv/my/electricity"),
        ),
        tiles.Tile("m1", say("缴费通知", "About bills"), fact, "pay", "mint", Press("/tv/list/bills")),
    )  # fmt: skip
    tiles.draw(stage, entries, height=168)
    lists.draw_keys(stage, is_list=True)
    return Page(title, stage, "/tv/home?f=t3", focus=focus)
