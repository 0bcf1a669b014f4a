"""What `linli app publish` and `linli app status` talk to, and the published schemas."""

import hashlib
from collections.abc import Sequence
from typing import Final

from aiohttp import BodyPartReader, web

from gateway.model.errors import BadInput, NotFound, Unauthenticated
from gateway.model.people import Person
from gateway.runtime.clock import Clock
from gateway.store.miniapps import Submission
from gateway.web import sessions, templates
from gateway.web.routes import Route
from tv_apps.miniapps import schemas
from tv_apps.miniapps.findings import Language, has_problem
from tv_apps.miniapps.package import MAX_PACKED_BYTES
from tv_apps.miniapps.review import Outcome, ReviewDesk, Upload
from tv_apps.miniapps.sign import MAX_ENVELOPE_BYTES
from tv_apps.miniapps.states import NAMES, State

_MAX_BODY: Final = MAX_PACKED_BYTES + MAX_ENVELOPE_BYTES + 64 * 1024
_LIMITS: Final = {"package": MAX_PACKED_BYTES, "signature": MAX_ENVELOPE_BYTES, "hold": 8}


class Api:
    """Upload, status, schemas; a developer's token or session says who asks."""

    def __init__(self, desk: ReviewDesk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("POST", "/api/v1/miniapps", self.upload, max_body=_MAX_BODY, csrf=False),
            Route("GET", "/api/v1/miniapps/{app_id}", self.status),
            Route("GET", "/schemas/{name}", self.schema),
        )

    async def upload(self, request: web.Request) -> web.Response:
        """Check and keep a package; 201 kept, 200 already here, 422 refused with the findings."""
        person = await self._token_holder(request)
        parts, label = await _read_parts(request)
        if "package" not in parts or "signature" not in parts:
            raise BadInput("package and signature are needed", reason="missing_field", place="form")
        upload = Upload(parts["package"], parts["signature"], label)
        outcome = await self._desk.submit(person, upload, hold=parts.get("hold") == b"yes")
        return _outcome_response(request, outcome)

    async def status(self, request: web.Request) -> web.Response:
        """Return one's own submissions of an app, newest first."""
        person = await self._asking(request)
        found = await self._desk.store.of_app(request.match_info["app_id"])
        own = [each for each in found if each.person_id == person.person_id]
        if not own:
            raise NotFound("no such app of yours", place=request.match_info["app_id"])
        findings = [dict(row) for row in own[0].findings]
        return web.json_response({"ok": True, "submissions": _rows(request, own), "findings": findings})

    async def schema(self, request: web.Request) -> web.Response:
        """Return a published JSON Schema, for editors."""
        return web.json_response(schemas.schema(request.match_info["name"]))

    async def _asking(self, request: web.Request) -> Person:
        if "Authorization" in request.headers:
            return await self._token_holder(request)
        return sessions.check_role(request, "developer")

    async def _token_holder(self, request: web.Request) -> Person:
        """Return who holds the bearer token. A session alone does not do: an upload comes from the command line."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        holder = None
        if scheme.lower() == "bearer" and token:
            holder = await self._desk.store.use_token(hash_of(token), self._clock.now())
        if holder is None or not holder.has_role("developer"):
            raise Unauthenticated("the token is unknown or revoked", cure="Make one on the page 密钥.")
        return holder


def hash_of(token: str) -> bytes:
    """Return what is kept of a token."""
    return hashlib.sha256(token.strip().encode()).digest()


async def _read_parts(request: web.Request) -> tuple[dict[str, bytes], str]:
    """Read the form part by part, each with its own limit; returns the parts and the package's file name."""
    parts: dict[str, bytes] = {}
    label = "package"
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or part.name not in _LIMITS:
                raise BadInput("unknown part", reason="unknown_key", place="form", cure="Send package and signature.")
            if part.name == "package":
                label = _file_name(part.filename)
            parts[part.name] = await _read_part(part, _LIMITS[part.name])
    except (ValueError, AssertionError) as error:
        raise BadInput("the form cannot be read", reason="broken_form", place="body") from error
    return parts, label


async def _read_part(part: BodyPartReader, limit: int) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk():
        content += chunk
        if len(content) > limit:
            cure = f"At most {limit // 1024} KB."
            raise BadInput("too large", reason="oversized", place=part.name or "form", cure=cure)
    return bytes(content)


def _file_name(name: str | None) -> str:
    """Return a harmless short name for messages."""
    kept = "".join(character for character in (name or "") if character.isalnum() or character in "._-")
    return kept[:60] or "package"


def _outcome_response(request: web.Request, outcome: Outcome) -> web.Response:
    language: Language = "en" if templates.language_of(request) == "en" else "zh"
    is_refused = has_problem(outcome.findings)
    body: dict[str, object] = {
        "ok": not is_refused,
        "submissions": _rows(request, [outcome.submission] if outcome.submission else []),
        "findings": [found.to_json(language) for found in outcome.findings],
    }
    if is_refused:
        first = outcome.findings[0]
        body["error"] = {
            "code": "bad_input",
            "reason": first.key,
            "message": first.message(language),
            "place": first.place,
            "cure": first.cure(language),
        }
    return web.json_response(body, status=422 if is_refused else 201 if outcome.is_new else 200)


def _rows(request: web.Request, submissions: Sequence[Submission]) -> list[dict[str, object]]:
    origin = f"{request.scheme}://{request.host}"
    return [
        {
            "submission_id": each.submission_id,
            "app_id": each.app_id,
            "version": each.version_name,
            "version_code": each.version_code,
            "sha256": each.digest,
            "state": each.state,
            "state_name": NAMES[State(each.state)][0],
            "reason": each.reason,
            "url": f"{origin}/submissions/{each.submission_id}",
        }
        for each in submissions
    ]
