"""The air quality index of HJ 633-2012, pure: concentrations to IAQI, AQI, level and main pollutant.

Units: µg/m³, but mg/m³ for CO. Particles use the 24-hour mean (the standard has no hourly limits for them), gases the
hourly mean. Between two limits the index rises in a straight line and is rounded up; above the last limit of SO2 (1 h)
and O3 (8 h) the standard gives no index.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

#: The index at each limit.
INDEX: Final = (0, 50, 100, 150, 200, 300, 400, 500)

#: Limits of each figure, in the order of INDEX (table 1 of the standard).
LIMITS: Final[Mapping[str, tuple[float, ...]]] = {
    "so2_24h": (0, 50, 150, 475, 800, 1600, 2100, 2620),
    "so2_1h": (0, 150, 500, 650, 800),
    "no2_24h": (0, 40, 80, 180, 280, 565, 750, 940),
    "no2_1h": (0, 100, 200, 700, 1200, 2340, 3090, 3840),
    "pm10_24h": (0, 50, 150, 250, 350, 420, 500, 600),
    "co_24h": (0, 2, 4, 14, 24, 36, 48, 60),
    "co_1h": (0, 5, 10, 35, 60, 90, 120, 150),
    "o3_1h": (0, 160, 200, 300, 400, 800, 1000, 1200),
    "o3_8h": (0, 100, 160, 215, 265, 800),
    "pm25_24h": (0, 35, 75, 115, 150, 250, 350, 500),
}

#: GB 3095-2012: a daily mean needs at least twenty hours.
HOURS_FOR_A_DAY: Final = 20

_LEVELS: Final = (
    (50, "优", "good"),
    (100, "良", "fair"),
    (150, "轻度污染", "lightly polluted"),
    (200, "中度污染", "polluted"),
    (300, "重度污染", "heavily polluted"),
)
_WORST: Final = ("严重污染", "severely polluted")


@dataclass(frozen=True, slots=True)
class AirQuality:
    """An index with its word in two languages; `main` are the pollutants that made it (none up to 50)."""

    aqi: int
    word: str
    word_en: str
    main: tuple[str, ...]
    indices: Mapping[str, int]


def index_of(figure: str, concentration: float) -> int | None:
    """Return the IAQI of one figure (`pm25_24h`, `o3_1h`, …); None below zero or where the standard gives none.

    Above the last limit of a figure that reaches 500 the index stays 500.
    """
    limits = LIMITS[figure]
    if not math.isfinite(concentration) or concentration < 0:
        return None
    if concentration > limits[-1]:
        return INDEX[-1] if len(limits) == len(INDEX) else None
    upper = next(i for i in range(1, len(limits)) if concentration <= limits[i])
    span = (INDEX[upper] - INDEX[upper - 1]) / (limits[upper] - limits[upper - 1])
    # A hundred-thousandth of an index less, so that a limit itself is not lifted over by binary fractions.
    return math.ceil(span * (concentration - limits[upper - 1]) + INDEX[upper - 1] - 1e-5)


def quality_of(figures: Mapping[str, float]) -> AirQuality | None:
    """Return the air quality from any of the figures; None where none of them gives an index."""
    indices = {name: index for name, value in figures.items() if (index := index_of(name, value)) is not None}
    if not indices:
        return None
    aqi = max(indices.values())
    main = tuple(name for name, index in indices.items() if index == aqi) if aqi > INDEX[1] else ()
    return AirQuality(aqi, *words_of(aqi), main, indices)


def words_of(aqi: int) -> tuple[str, str]:
    """Return the level of an index in Chinese and English."""
    return next(((zh, en) for limit, zh, en in _LEVELS if aqi <= limit), _WORST)
