"""The one place where an error becomes an HTTP status: JSON for programs, a small page for people."""

import html
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from gateway.model.errors import (
    BadInput,
    Conflict,
    Forbidden,
    LinliError,
    NotFound,
    TooMany,
    Unauthenticated,
    Unavailable,
)

STATUSES: Final[dict[type[LinliError], int]] = {
    BadInput: 422,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooMany: 429,
    Unavailable: 503,
}
#: Reasons of BadInput that mean "not understood at all" rather than "understood and refused".
_SYNTAX_REASONS: Final = frozenset({"broken_json", "broken_form", "wrong_content_type"})
_TITLES: Final = {
    401: ("请先登录", "Please sign in"),
    403: ("没有权限", "Not allowed"),
    404: ("没有找到", "Not found"),
    409: ("已被别人更新", "Changed by somebody else"),
    413: ("内容太大", "Too large"),
    429: ("请稍后再试", "Please wait a little"),
    503: ("暂时不可用", "Away for the moment"),
}


@dataclass(frozen=True, slots=True)
class Failure:
    """What a person or a program is told when a request could not be answered."""

    status: int
    code: str
    message: str
    reason: str = ""
    place: str = ""
    cure: str = ""
    retry_after_s: float = 0.0
    request_id: str = ""

    @property
    def titles(self) -> tuple[str, str]:
        """The headline in Chinese and in English."""
        return _TITLES.get(self.status, ("出错了", "Something went wrong"))


#: Draws a failure for a person; a server may bring its own.
ErrorPage = Callable[[web.Request, Failure], str]


def failure_of(error: Exception, request_id: str = "") -> Failure:
    """Return what to tell about `error`; an unknown one says nothing about the inside."""
    if isinstance(error, web.HTTPException):
        return _of_http(error, request_id)
    if not isinstance(error, LinliError):
        return Failure(500, "internal", "the server failed", cure="Tell us this number.", request_id=request_id)
    return Failure(
        _status_of(error),
        error.code,
        error.message,
        reason=getattr(error, "reason", ""),
        place=error.place,
        cure=error.cure,
        retry_after_s=getattr(error, "retry_after_s", 0.0),
        request_id=request_id,
    )


def _of_http(error: web.HTTPException, request_id: str) -> Failure:
    codes = {404: "not_found", 405: "method_not_allowed", 411: "length_required", 413: "oversized"}
    cure = "Send less." if error.status == 413 else ""
    return Failure(error.status, codes.get(error.status, "http"), error.reason, cure=cure, request_id=request_id)


def _status_of(error: LinliError) -> int:
    reason = getattr(error, "reason", "")
    if reason == "oversized":
        return 413
    if reason in _SYNTAX_REASONS:
        return 400
    return next((status for kind, status in STATUSES.items() if isinstance(error, kind)), 500)


def response_of(request: web.Request, failure: Failure, page: ErrorPage) -> web.Response:
    """Return the response that tells `failure` in the form that the client reads."""
    wants_html = "text/html" in request.headers.get("Accept", "") and not request.path.startswith("/api/")
    if wants_html:
        response = web.Response(status=failure.status, text=page(request, failure), content_type="text/html")
    else:
        response = web.json_response(_shape(failure), status=failure.status)
    if failure.retry_after_s:
        response.headers["Retry-After"] = str(max(1, round(failure.retry_after_s)))
    return response


def _shape(failure: Failure) -> dict[str, object]:
    facts = {
        "code": failure.code,
        "reason": failure.reason,
        "message": failure.message,
        "place": failure.place,
        "cure": failure.cure,
        "retry_after_s": failure.retry_after_s,
        "request": failure.request_id,
    }
    return {"ok": False, "error": {name: value for name, value in facts.items() if value or name in _ALWAYS}}


_ALWAYS: Final = frozenset({"code", "message", "cure"})


def plain_page(_request: web.Request, failure: Failure) -> str:
    """Return a page without style or script that any browser shows."""
    chinese, english = failure.titles
    facts = (failure.message, failure.place, failure.cure, f"No. {failure.request_id}")
    lines = "".join(f"<p>{html.escape(fact)}</p>" for fact in facts if fact)
    return (
        f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>{failure.status} {chinese}</title>'
        f"<h1>{chinese} <small>{english}</small></h1>{lines}"
        f'<p><a href="/">返回首页 Home</a></p></html>'
    )


def as_json(value: object) -> str:
    """Return `value` as JSON text with Chinese left readable; the `dumps` of this shell's responses."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
