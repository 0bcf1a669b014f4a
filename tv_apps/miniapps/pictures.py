"""Pictures in a package: kind, size in pixels, and whether a television will take them."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from tv_apps.miniapps.findings import Finding

LIMIT_BYTES = 200 * 1024
NEAR_BYTES = 160 * 1024
GOOD_BYTES = 120 * 1024
WIDEST, TALLEST = 1280, 720
TYPES = (".png", ".jpg", ".jpeg")
_KINDS = {"PNG": "image/png", "JPEG": "image/jpeg"}


@dataclass(frozen=True, slots=True)
class Picture:
    """What a picture file is: media type, width and height in pixels."""

    media_type: str
    width: int
    height: int


def read_picture(content: bytes) -> Picture | None:
    """Return what the picture is; None when it is neither a whole PNG nor a whole JPEG of sane size."""
    try:
        with Image.open(io.BytesIO(content), formats=list(_KINDS)) as image:
            found = Picture(_KINDS[image.format or ""], *image.size)
            if found.width * found.height <= WIDEST * TALLEST:
                image.load()
            return found
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def check_picture(name: str, content: bytes) -> Iterator[Finding]:
    """Yield what is wrong with one picture file."""
    picture = read_picture(content)
    if picture is None:
        yield Finding("picture_broken", name)
    elif picture.width > WIDEST or picture.height > TALLEST:
        yield Finding("picture_large", name, facts={"width": str(picture.width), "height": str(picture.height)})
    sizes = {"size": len(content) // 1024, "limit": LIMIT_BYTES // 1024, "good": GOOD_BYTES // 1024}
    facts = {key: str(value) for key, value in sizes.items()}
    if len(content) > LIMIT_BYTES:
        yield Finding("picture_heavy", name, facts=facts)
    elif len(content) > NEAR_BYTES:
        yield Finding("picture_near_limit", name, facts=facts)
