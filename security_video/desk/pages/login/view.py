"""Signing in at a seat: the shell's login with one more field, drawn as the desk."""

from typing import ClassVar

import jinja2
from aiohttp import web
from pydantic import Field

from gateway.accounts.sessions import Accounts
from gateway.web import sessions
from gateway.web.login.view import LoginBody, LoginPages
from gateway.web.params import json_of
from security_video.desk import seats


class SeatBody(LoginBody):
    """Name, password, where to go then, and the seat that is taken."""

    seat: str = Field(seats.FIRST_SEAT, pattern=r"^[1-9][0-9]?$")


class DeskLogin(LoginPages):
    """The shell's login routes; a success also makes the browser remember its seat."""

    body: ClassVar[type[LoginBody]] = SeatBody

    def __init__(self, accounts: Accounts, made: jinja2.Environment, *, title: str) -> None:
        super().__init__(accounts, made, title=title)

    async def sign_in(self, request: web.Request) -> web.Response:
        """Check name and password, and take the seat."""
        response = await super().sign_in(request)
        if ticket := response.cookies.get(sessions.SESSION_COOKIE):
            await self._take_seat(request, response, ticket.value)
        return response

    async def _take_seat(self, request: web.Request, response: web.Response, token: str) -> None:
        seat, session = await _seat_said(request), await self._accounts.resolve(token)
        seats.set_seat(response, seat)
        if session:
            await self._accounts.record(session.person, "seat_taken", f"seat {seat}", address=request.remote or "")


async def _seat_said(request: web.Request) -> str:
    is_json = request.content_type == "application/json"
    said = json_of(await request.read()) if is_json else await request.post()
    seat = str(said.get("seat", seats.FIRST_SEAT))
    return seat if seats.is_seat(seat) else seats.FIRST_SEAT
