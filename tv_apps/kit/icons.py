"""The 55 icons and the mark, drawn by hand on a 48-unit grid: stroked paths, one colour, no fills."""

from collections.abc import Mapping
from typing import Final

#: Absolute SVG path commands M L H V C A Z only, so that the rasteriser can be small.
ICONS: Final[Mapping[str, str]] = {
    "shield": "M24 5 40 11V23C40 33 33 40 24 44 15 40 8 33 8 23V11Z M17 24 22.5 29.5 32 19.5",
    "gov": "M6 18 24 7 42 18Z M11 24V35 M19.7 24V35 M28.3 24V35 M37 24V35 M6 41H42",
    "guide": (
        "M18 10H13A4 4 0 0 0 9 14V39A4 4 0 0 0 13 43H35A4 4 0 0 0 39 39V14A4 4 0 0 0 35 10H30 M18 7H30V14H18Z"
        " M16.5 27 22 32.5 32 22"
    ),
    "pay": "M24 6A18 18 0 1 0 24 42 18 18 0 1 0 24 6Z M17 14 24 23.5 31 14 M24 23.5V35 M17.5 24.5H30.5 M17.5 30H30.5",
    "notice": "M7 20V28H13L31 38V10L13 20Z M37 18A9 9 0 0 1 37 30 M16 29.5 18.5 41H23.5",
    "health": (
        "M24 41.5C11 32 5 25.5 5 17.5 5 11.5 9.5 7 15 7 19 7 22.3 9.3 24 12.8 25.7 9.3 29 7 33 7 38.5 7 43 11.5"
        " 43 17.5 43 25.5 37 32 24 41.5Z M12 23H19L22 17.5 26 28.5 29 23H36"
    ),
    "home": "M5 23 24 7 43 23 M10.5 19V41.5H37.5V19 M26 19.5 19.5 29.5H28L21.5 38",
    "flag": "M11 44V6 M11 8C18 4 25 12 39 8V26C25 30 18 22 11 26",
    "sprout": (
        "M24 43V24 M24 27C13 27 8 19 8 9 18 9 24 16 24 27Z M24 31C24 22 30 16.5 41 16.5 41 25.5 34.5 31 24 31Z"
        " M14 43H34"
    ),
    "book": "M24 13C19 9 12 8 5 9V38C12 37 19 38 24 42 29 38 36 37 43 38V9C36 8 29 9 24 13Z M24 13V42",
    "siren": "M12 35V26A12 12 0 0 1 36 26V35 M7 35H41V42H7Z M24 4V8.5 M7.5 11 11 14.5 M40.5 11 37 14.5 M24 21V28",
    "more": "M8 8H20V20H8Z M28 8H40V20H28Z M8 28H20V40H8Z M34 28V40 M28 34H40",
    "cloud": "M15 39A9 9 0 0 1 14 21 11.5 11.5 0 0 1 36 20 9.6 9.6 0 0 1 35 39Z M30 8.2A8 8 0 0 1 42 14",
    "leaf": "M9 39C6 20 18 8 41 8 42 30 30 42 12 35 M9 41C14 30 20 24 29 19",
    "speaker": "M7 19V29H14L24 37V11L14 19Z M31 18A8 8 0 0 1 31 30 M36.5 12.5A16 16 0 0 1 36.5 35.5",
    "muted": "M7 19V29H14L24 37V11L14 19Z M31 19 41 29 M41 19 31 29",
    "phone": "M15 5H33A3 3 0 0 1 36 8V40A3 3 0 0 1 33 43H15A3 3 0 0 1 12 40V8A3 3 0 0 1 15 5Z M21.5 36.5H26.5",
    "call": (
        "M10 6H17L21 16 16 20C18.5 25.5 22.5 29.5 28 32L32 27 42 31V38C42 40.5 40 42 38 42 20 41 7 28 6 10 6 8"
        " 7.5 6 10 6Z"
    ),
    "video": "M8 13H28A3 3 0 0 1 31 16V32A3 3 0 0 1 28 35H8A3 3 0 0 1 5 32V16A3 3 0 0 1 8 13Z M31 22 43 15V33L31 26Z",
    "intercom": (
        "M9 6H39A3 3 0 0 1 42 9V33A3 3 0 0 1 39 36H25L16 44V36H9A3 3 0 0 1 6 33V9A3 3 0 0 1 9 6Z M24 12A5 5 0 1 0"
        " 24 22 5 5 0 1 0 24 12Z M14 31C16 26.5 20 25 24 25 28 25 32 26.5 34 31"
    ),
    "camera": "M6 11 33 6 36 19 9 25Z M36 10.5 42 9.4 M20 23V33H8 M8 26V42",
    "mic": "M24 5A6 6 0 0 1 30 11V22A6 6 0 0 1 18 22V11A6 6 0 0 1 24 5Z M10 21A14 14 0 0 0 38 21 M24 35V43 M16 43H32",
    "check": "M9 25 19.5 36 39 13",
    "cross": "M12 12 36 36 M36 12 12 36",
    "clock": "M24 6A18 18 0 1 0 24 42 18 18 0 1 0 24 6Z M24 13V24L32 29",
    "hourglass": (
        "M13 6H35 M13 42H35 M15 6C15 16 21 20 24 24 27 20 33 16 33 6 M15 42C15 32 21 28 24 24 27 28 33 32 33 42"
    ),
    "lock": "M11 21H37V42H11Z M16 21V14A8 8 0 0 1 32 14V21 M24 29V34",
    "pause": "M16 9V39 M32 9V39",
    "play": "M14 8 38 24 14 40Z",
    "eyeoff": "M5 24C10 15 16.5 11 24 11 31.5 11 38 15 43 24 38 33 31.5 37 24 37 16.5 37 10 33 5 24Z M9 41 39 7",
    "unplug": "M17 6V16 M31 6V16 M11 16H37V22A13 13 0 0 1 27 34.5 M20 34A13 13 0 0 1 11 22V16 M24 44V38 M6 42 42 6",
    "freeze": "M24 5V43 M7.5 14.5 40.5 33.5 M40.5 14.5 7.5 33.5 M18 8 24 13 30 8 M18 40 24 35 30 40",
    "warn": "M24 6 44 41H4Z M24 19V29 M24 35V35.2",
    "info": "M24 6A18 18 0 1 0 24 42 18 18 0 1 0 24 6Z M24 22V34 M24 14.5V14.7",
    "search": "M20 7A13 13 0 1 0 20 33 13 13 0 1 0 20 7Z M30 30 42 42",
    "user": "M24 6A9 9 0 1 0 24 24 9 9 0 1 0 24 6Z M7 42C9 33 15 29 24 29 33 29 39 33 41 42",
    "users": (
        "M18 9A7.5 7.5 0 1 0 18 24 7.5 7.5 0 1 0 18 9Z M4 40C6 32 11 29 18 29 25 29 30 32 32 40 M31 10A7 7 0 0 1"
        " 31 23.5 M36 29.5C40 31 43 34.5 44 40"
    ),
    "pin": (
        "M24 44C15 33 10 26.5 10 19A14 14 0 0 1 38 19C38 26.5 33 33 24 44Z M24 14A5 5 0 1 0 24 24 5 5 0 1 0 24 14Z"
    ),
    "board": "M6 8H42V34H6Z M18 42H30 M24 34V42",
    "grid": "M6 8H20V21H6Z M28 8H42V21H28Z M6 27H20V40H6Z M28 27H42V40H28Z",
    "film": "M6 9H42V39H6Z M14 9V39 M34 9V39 M6 24H42",
    "chart": "M7 6V41H43 M15 34V26 M24 34V15 M33 34V20",
    "download": "M24 6V30 M13 20 24 31 35 20 M7 41H41",
    "expand": "M8 18V8H18 M30 8H40V18 M40 30V40H30 M18 40H8V30",
    "back": "M18 9 6 21H30A12 12 0 0 1 30 41H18",
    "rewind": "M24 10 9 24 24 38Z M41 10 26 24 41 38Z",
    "link": "M20 28 28 20 M17 21 11 27A8 8 0 0 0 22 38L28 31 M20 17 26 11A8 8 0 0 1 37 22L31 28",
    "doc": "M12 5H29L38 14V43H12Z M29 5V14H38 M19 23H31 M19 31H31",
    "swap": "M8 16H38L30 8 M40 32H10L18 40",
    "car": "M6 31V24L11 22 15 13H33L37 22 42 24V31Z M13 31V36 M35 31V36 M12 22H37",
    "bus": (
        "M9 8H39A2 2 0 0 1 41 10V36H7V10A2 2 0 0 1 9 8Z M7 25H41 M13 36V41 M35 36V41 M13.5 30.5H14 M34 30.5H34.5"
        " M24 8V25"
    ),
    "music": "M18 38V10L40 6V33 M18 38A6 6 0 1 1 12 32 6 6 0 0 1 18 38Z M40 33A6 6 0 1 1 34 27 6 6 0 0 1 40 33Z",
    "box": "M24 5 42 14V34L24 43 6 34V14Z M6 14 24 23 42 14 M24 23V43",
    "up": "M24 40V9 M11 22 24 9 37 22",
    "right": "M18 8 34 24 18 40",
}

STROKE: Final = 3.5

#: Two houses overlap; what they share is a third, lit house. Polygons with their colours, in a box of 5,6 54×54.
MARK: Final[tuple[tuple[str, str], ...]] = (
    ("5,29 23,11 41,29 41,55 5,55", "#4FA3A5"),
    ("23,29 41,11 59,29 59,55 23,55", "#2F7A83"),
    ("23,29 32,20 41,29 41,55 23,55", "#FFC861"),
)


def icon_svg(name: str, size: int, stroke: float = STROKE) -> str:
    """Return an icon as inline SVG in the colour of the text around it; presentation attributes only."""
    return (
        f'<svg width="{size}" height="{size}" viewBox="0 0 48 48"><path d="{ICONS[name]}" fill="none" '
        f'stroke="currentColor" stroke-width="{stroke:g}" stroke-linecap="round" stroke-linejoin="round"/></svg>'
    )


def mark_svg(size: int) -> str:
    """Return the mark as inline SVG."""
    polygons = "".join(f'<polygon points="{points}" fill="{fill}"/>' for points, fill in MARK)
    return f'<svg width="{size}" height="{size}" viewBox="5 6 54 54">{polygons}</svg>'
