"""One screen of a mini-app as a whole television page: header, body, key bar, way back."""

from dataclasses import dataclass
from typing import Final

from tv_apps.kit import measure
from tv_apps.kit.page import Frame, Page, header
from tv_apps.kit.stage import Hint, KeyCap, Stage
from tv_apps.miniapps.address import Addresses, Drawn, Here
from tv_apps.miniapps.application import App
from tv_apps.miniapps.binding import Bound, Complaint
from tv_apps.miniapps.drawing import draw

STORE: Final = "/tv/apps"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A page ready to be assembled, how many screens it has, and what did not fit or was not there."""

    page: Page
    parts: int
    complaints: tuple[Complaint, ...]


def addresses_of(app_id: str, root: str = "/tv/app") -> Addresses:
    return Addresses(f"{root}/{app_id}")


def render(app: App, here: Here, frame: Frame, addresses: Addresses) -> Rendered | None:
    """Draw one screen; None when the app has no such page or row. `here.back` is overridden by the app's own tree."""
    bound = app.bound(here.page, here.row, frame.area_name)
    if bound is None:
        return None
    back = back_of(app, here, addresses) or here.back
    here = Here(here.page, here.row, here.part, here.at, back)
    stage = Stage(frame.look)
    title, trail = bound.title.text, "" if here.page == app.manifest.home else app.manifest.name
    header(stage, frame, title, trail)
    drawn = draw(stage, bound, here, addresses, app.pictures)
    stage.key_bar(_hints(stage, bound))
    page = Page(title, stage, back, focus=stage.focus)
    page.up, page.down = _turn(drawn, here, addresses, -1), _turn(drawn, here, addresses, 1)
    return Rendered(page, drawn.parts, (*bound.complaints, *_title_complaints(stage, bound, trail), *drawn.complaints))


def _title_complaints(stage: Stage, bound: Bound, trail: str) -> tuple[Complaint, ...]:
    """Complain about a title that would be cut: it has the room between the way here and the date."""
    size, clock = stage.look.type.title.size, stage.look.type.lead.size
    room = 1206 - round(clock * 2.9) - 20 - 142
    if stage.look.is_standard:
        room -= 240 + (measure.width(trail, 28) + 42 if trail else 0)
    if measure.width(bound.title.text, size) <= room:
        return ()
    facts = {"text": measure.cut(bound.title.text, 24, 400), "limit": str(room // size)}
    return (Complaint(bound.title.path, "text_too_long", facts),)


def back_of(app: App, here: Here, addresses: Addresses) -> str:
    """Return where BACK leads: up the app's tree, to the row it was opened from; "" from its first page."""
    parent = app.parent(here.page)
    if not parent:
        return ""
    rows = app.pages[parent].rows
    came_from_row = here.row is not None and rows is not None and rows.link == here.page
    return addresses.page(parent, at=here.row if came_from_row else None)


def _hints(stage: Stage, bound: Bound) -> list[Hint]:
    say = stage.look.say
    opens = bound.ok.text if bound.ok else say("打开", "Open")
    hints = [Hint(KeyCap(say("返回", "Back")), say("上一页", "Back"))]
    if [target.name for target in stage.targets] != ["back"]:
        hints.append(Hint(KeyCap(say("确定", "OK"), "lamp"), opens))
    hints.append(Hint(KeyCap(say("红", "Red"), "red"), say("报警", "Alarm")))
    hints.append(Hint(KeyCap(say("黄", "Yellow"), "yellow"), say("大字", "Text size")))
    return hints


def _turn(drawn: Drawn, here: Here, addresses: Addresses, by: int) -> str:
    """Return the screen before or after, which an arrow opens where no focusable lies that way."""
    part = drawn.part + by
    return addresses.page(here.page, here.row, part=part) if 0 <= part < drawn.parts else ""
