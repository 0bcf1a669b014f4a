"""The board's page: an empty frame with its words; everything in it comes by the feed and the API."""

from collections.abc import Sequence
from dataclasses import dataclass

import jinja2
from aiohttp import web

from gateway.contract import codec
from gateway.web import sessions, templates
from security_video.desk.words import words_of

ROLES = ("operator", "supervisor")


@dataclass(frozen=True, slots=True)
class BoardFacts:
    """What the page's script must know before the feed speaks: who looks, who can be sent."""

    me: str
    responders: Sequence[str]


class BoardPage:
    """Handler of the board."""

    def __init__(self, made: jinja2.Environment, *, zone: str, responders: Sequence[str]) -> None:
        self._templates = made
        self._zone = zone
        self._responders = responders

    async def show(self, request: web.Request) -> web.Response:
        """GET: the board of the signed-in operator."""
        person = sessions.check_role(request, *ROLES)
        facts = BoardFacts(person.person_id, self._responders)
        words = dict(words_of(templates.language_of(request)))
        return templates.render(
            self._templates,
            request,
            "board/page.html",
            zone=self._zone,
            words_json=codec.encode(words).decode(),
            desk_json=codec.encode(facts).decode(),
        )
