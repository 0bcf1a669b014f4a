"""An electricity meter and the household behind it: use in each ten minutes, the same for the same seed."""

import math
import random
from datetime import UTC, datetime, timedelta
from typing import Final

from gateway.contract.meta import Part, Property
from gateway.contract.times import to_ms

STEP: Final = timedelta(minutes=10)
STEP_MS: Final = 600_000
LOCAL: Final = timedelta(hours=8)

PARTS: Final = {
    "supply": Part(
        "进线",
        {
            "energy_wh": Property("float", "十分钟用电", "Wh", "0:"),
            "lights_wh": Property("float", "照明用电", "Wh", "0:"),
            "power_w": Property("float", "功率", "W", "0:"),
        },
    )
}

#: Share of the day's use in each local hour: breakfast, noon, a long evening.
_HOURS: Final = (2, 2, 2, 2, 2, 3, 5, 7, 5, 4, 4, 6, 7, 4, 3, 3, 4, 7, 10, 11, 10, 8, 5, 3)


def energy_wh(household_seed: str, at: datetime) -> float:
    """Return what the household used in the ten minutes that end at `at`: 5 to about 250 Wh."""
    index = to_ms(at) // STEP_MS
    chance = random.Random(f"{household_seed}/{index}")
    local = at.astimezone(UTC) + LOCAL - STEP
    habit = 0.8 + random.Random(household_seed).random() * 0.7
    weekend = 1.15 if local.weekday() >= 5 else 1.0
    today = 0.85 + random.Random(f"{household_seed}/{local.date()}").random() * 0.35
    usual = 9.0 * _HOURS[local.hour] * habit * weekend * today / 2
    kettle = 90.0 if chance.random() < _HOURS[local.hour] / 160 else 0.0
    return round(5.0 + usual * chance.uniform(0.7, 1.3) + kettle, 1)


def power_w(household_seed: str, at: datetime) -> float:
    """Return the power of this moment, which wanders around the interval's mean."""
    mean_w = energy_wh(household_seed, at) * 6
    wave = math.sin(to_ms(at) / 47_000)
    return round(mean_w * (1 + 0.12 * wave), 1)
