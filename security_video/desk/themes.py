"""Which theme a person chose on this browser; the night is the desk's own."""

from typing import Final

from aiohttp import web

THEMES: Final = ("dark", "light", "auto")


def theme_of(request: web.Request, person_id: str) -> str:
    """Return dark, light or auto."""
    chosen = request.cookies.get(f"desk_theme_{person_id}", THEMES[0])
    return chosen if chosen in THEMES else THEMES[0]
