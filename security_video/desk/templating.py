"""The desk's template environment: words, theme and seat are at hand on every page."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import jinja2

from gateway.web import templates
from gateway.web.static import StaticFiles
from security_video.desk import seats, themes, words

FOLDER: Final = Path(__file__).parent
STATIC_SUFFIXES: Final = (".js", ".css", ".svg")


def static_files() -> StaticFiles:
    """Return scripts, styles and pictures of every page of the desk."""
    return StaticFiles(FOLDER, suffixes=STATIC_SUFFIXES)


def environment(static: StaticFiles, community: Mapping[str, str]) -> jinja2.Environment:
    """Return the environment; templates know `w(key)`, `desk_name()`, `theme()`, `seat()` beside the shell's names."""
    made = templates.environment(FOLDER / "pages" / "login", FOLDER / "pages", static=static)
    made.globals.update(w=_w, theme=_theme, seat=_seat, desk_name=_desk_name, community=community)
    return made


@jinja2.pass_context
def _w(context: jinja2.runtime.Context, key: str, **values: Any) -> str:
    return words.say(context["language"], key, **values)


@jinja2.pass_context
def _desk_name(context: jinja2.runtime.Context) -> str:
    return words.say(context["language"], "desk.title", name=context["community"][context["language"]])


@jinja2.pass_context
def _theme(context: jinja2.runtime.Context) -> str:
    person = context["person"]
    return themes.theme_of(context["request"], person.person_id if person else "")


@jinja2.pass_context
def _seat(context: jinja2.runtime.Context) -> str:
    return seats.seat_of(context["request"])
