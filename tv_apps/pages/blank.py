"""What stands where there is nothing yet: an icon and an honest sentence."""

from typing import Final

from tv_apps.kit import measure
from tv_apps.kit.focus import Box
from tv_apps.kit.stage import Ink, Skin, Stage

WHOLE: Final = Box(74, 184, 1132, 400)


def draw_blank(stage: Stage, words: str, icon: str = "info", box: Box = WHOLE) -> None:
    """Say on a quiet panel that there is nothing, and why."""
    stage.box(box, Skin("night1", radius=18))
    stage.icon(Box(box.x + box.w // 2 - 42, box.y + 50, 84, 84), icon, "mist", role="")
    type_ = stage.look.type
    size, line = min(type_.lead.size, 44), min(type_.lead.line, 66)
    lines = measure.wrap(words, size, min(box.w - 64, 900))[:3]
    ink = Ink(size, "paper", "center", line=line)
    stage.lines(Box(box.x + 16, box.y + 170, box.w - 32, line * len(lines)), lines, ink)
