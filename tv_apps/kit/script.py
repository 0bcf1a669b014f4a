"""The one script of every page: three files in order, without comments and indentation, under its own digest.

What the box runs is what stands in `static/`: no names are shortened and nothing is rewritten.
"""

import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import Final

PARTS: Final = ("keys.js", "focus.js", "alarm.js")


@cache
def source() -> str:
    """Return the script as it is sent."""
    folder = files("tv_apps.kit") / "static"
    lines = [line.strip() for part in PARTS for line in (folder / part).read_text(encoding="utf-8").splitlines()]
    text = "\n".join(line for line in lines if line and not line.startswith("//"))
    return re.sub(r"(?<=[;,{])\n|\n(?=\})", "", text) + "\n"


@cache
def address() -> str:
    """Return the address of the script; it changes with every change of its text."""
    return f"/tv/tv.{hashlib.sha256(source().encode()).hexdigest()[:12]}.js"
