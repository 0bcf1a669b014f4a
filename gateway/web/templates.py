"""Pages from Jinja2 templates: everything escaped, hashed assets, Chinese first and English second.

A template says its texts in Chinese: `{{ t("签收") }}`. An `en.toml` beside the templates gives the English
(`"签收" = "Acknowledge"`); what it does not give stays Chinese. `?lang=en` is remembered in a cookie.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import jinja2
from aiohttp import web
from markupsafe import Markup

from gateway.model.errors import ConfigurationError
from gateway.web import security, sessions
from gateway.web.static import StaticFiles

LANGUAGES: Final = ("zh", "en")
LANGUAGE_COOKIE: Final = "lang"
STRINGS_FILE: Final = "en.toml"
_SHELL_FOLDER: Final = Path(__file__).parent / "login"
_A_YEAR_S: Final = 31_536_000

Strings = Mapping[str, str]


def environment(*folders: Path, static: StaticFiles | None = None) -> jinja2.Environment:
    """Return the environment of one server: templates of `folders` (first wins), autoescape, unknown names fail.

    Templates know `asset(name)`, `t(text, **values)`, `language`, `csrf`, `csrf_field()`, `person`, `nonce()`.
    """
    places = (*folders, _SHELL_FOLDER)
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader([str(place) for place in places]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["asset"] = static.url if static else _no_assets
    made.globals["strings"] = _read_strings(places)
    return made


def _no_assets(name: str) -> str:
    raise ConfigurationError("this server has no static files", place=name, cure="Give StaticFiles to environment().")


def _read_strings(folders: tuple[Path, ...]) -> Strings:
    strings: dict[str, str] = {}
    for folder in reversed(folders):
        path = folder / STRINGS_FILE
        if path.is_file():
            strings.update(_strings_of(path))
    return strings


def _strings_of(path: Path) -> Strings:
    try:
        return {text: str(english) for text, english in tomllib.loads(path.read_text(encoding="utf-8")).items()}
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"not TOML: {error}", place=str(path), cure="Correct that line.") from error


def language_of(request: web.Request) -> str:
    """Return `zh` or `en`: the query's `lang`, else the cookie's, else Chinese."""
    asked = request.query.get("lang") or request.cookies.get(LANGUAGE_COOKIE) or LANGUAGES[0]
    return asked if asked in LANGUAGES else LANGUAGES[0]


def translate(strings: Strings, language: str, text: str, **values: object) -> str:
    """Return `text` in `language` with `{name}` places filled from `values`."""
    chosen = strings.get(text, text) if language == "en" else text
    return chosen.format(**values) if values else chosen


def text_of(made: jinja2.Environment, template: str, language: str = "zh", /, **context: Any) -> str:
    """Return the text of `template` without a request (mails, pictures, tests)."""

    def t(text: str, **values: object) -> str:
        return translate(made.globals["strings"], language, text, **values)  # type: ignore[arg-type]  # set above

    return made.get_template(template).render(t=t, language=language, **context)


def render(
    made: jinja2.Environment,
    request: web.Request,
    template: str,
    /,
    *,
    status: int = 200,
    **context: Any,
) -> web.Response:
    """Return the page of `template` for `request`; remembers a language that was just chosen."""
    language = language_of(request)
    text = text_of(made, template, language, **_request_context(request), **context)
    response = web.Response(status=status, text=text, content_type="text/html")
    if request.query.get("lang") in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=_A_YEAR_S, path="/", samesite="Strict", httponly=True)
    return response


def _request_context(request: web.Request) -> dict[str, Any]:
    csrf, session = sessions.csrf_of(request), sessions.current(request)
    field = Markup('<input type="hidden" name="{}" value="{}">').format(security.CSRF_FIELD, csrf)
    return {
        "request": request,
        "csrf": csrf,
        "csrf_field": lambda: field,
        "person": session.person if session else None,
        "nonce": lambda: security.style_nonce(request),
    }
