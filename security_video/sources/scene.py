"""The evening street behind a test card: sky, houses with lit windows, a road; drawn once per camera."""

import random

import cv2
import numpy as np

from security_video.sources.picture import Pixels

# Blue-green-red, from the platform's own tokens: night, panel, line, lamp, glow, paper, mist.
NIGHT = (30, 23, 12)
DUSK = (88, 62, 40)
WALLS = ((64, 52, 29), (72, 58, 38), (56, 47, 27), (80, 66, 46))
DARK_WINDOW = (44, 36, 20)
LAMP = (97, 200, 255)
GLOW = (200, 237, 255)
PAPER = (227, 239, 244)
MIST = (203, 196, 180)
ROAD = (47, 38, 22)
KERB = (102, 88, 58)


def street(number: int, width: int, height: int) -> Pixels:
    """Return the scene of camera `number`, height x width x 3; the same number always gives the same street."""
    dice = random.Random(number)
    scene = _sky(width, height)
    ground = int(height * 0.80)
    left = -dice.randint(0, width // 8)
    while left < width:
        left += _house(scene, dice, left, ground)
    cv2.rectangle(scene, (0, ground), (width, height), ROAD, -1)
    cv2.line(scene, (0, ground), (width, ground), KERB, max(1, height // 180))
    for start in range(-(number % 5) * width // 50, width, width // 10):
        middle = int(height * 0.90)
        cv2.rectangle(scene, (start, middle), (start + width // 22, middle + max(1, height // 120)), KERB, -1)
    return scene


def _sky(width: int, height: int) -> Pixels:
    ramp = np.linspace(0, 1, height)[:, None, None]
    sky = np.asarray(NIGHT) * (1 - ramp) + np.asarray(DUSK) * ramp
    return np.ascontiguousarray(np.broadcast_to(sky, (height, width, 3)), dtype=np.uint8)


def _house(scene: Pixels, dice: random.Random, left: int, ground: int) -> int:
    height, width = scene.shape[:2]
    wide = int(width * dice.uniform(0.14, 0.22))
    top = int(ground - height * dice.uniform(0.14, 0.32))
    cv2.rectangle(scene, (left, top), (left + wide, ground), WALLS[dice.randrange(len(WALLS))], -1)
    _windows(scene, dice, (left, top, left + wide, ground))
    return wide + dice.randint(0, width // 28)


def _windows(scene: Pixels, dice: random.Random, house: tuple[int, int, int, int]) -> None:
    left, top, right, ground = house
    side = max(3, scene.shape[0] // 30)
    for y in range(top + side, ground - side, 2 * side):
        for x in range(left + side, right - side, 2 * side):
            colour = dice.choice((LAMP, GLOW, DARK_WINDOW, DARK_WINDOW, DARK_WINDOW))
            cv2.rectangle(scene, (x, y), (x + side - 2, y + side), colour, -1)
