"""Which seat a browser stands at: said once at login, kept in a cookie, shown wherever a desk is named."""

import re
from typing import Final

from aiohttp import web

COOKIE: Final = "desk_seat"
FIRST_SEAT: Final = "1"
_SEAT: Final = re.compile(r"[0-9]{1,2}")
_A_YEAR_S: Final = 31_536_000


def seat_of(request: web.Request) -> str:
    """Return the seat's number, `1` where none was said."""
    said = request.cookies.get(COOKIE, "")
    return said if is_seat(said) else FIRST_SEAT


def is_seat(text: str) -> bool:
    """Tell whether `text` is a seat's number, 1 to 99."""
    return _SEAT.fullmatch(text) is not None and int(text) > 0


def set_seat(response: web.StreamResponse, seat: str) -> None:
    """Let this browser remember its seat."""
    response.set_cookie(COOKIE, seat, max_age=_A_YEAR_S, path="/", samesite="Strict", httponly=True)
