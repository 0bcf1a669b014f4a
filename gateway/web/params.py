"""Query strings and bodies become validated models; what is wrong with them becomes BadInput with its place."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NoReturn, TypeVar

from aiohttp import web
from multidict import MultiMapping
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from gateway.model.errors import BadInput
from gateway.web.security import CSRF_FIELD

M = TypeVar("M")

_FORM_TYPES: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_REASONS: Final = {
    "missing": "missing_field",
    "extra_forbidden": "unknown_key",
    "unexpected_keyword_argument": "unknown_key",
}
_DEEPEST: Final = 8


class Body(BaseModel):
    """What a request may say: unknown keys, NaN and Infinity are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


async def body_of(request: web.Request, model: type[M]) -> M:
    """Return the request's JSON or form body as `model` (a `Body` or a dataclass).

    JSON is read strictly ("5" is not a number), a form's texts are converted. Raises BadInput.
    """
    if request.content_type == "application/json":
        return _validated(model, json_of(await request.read()), is_text=False)
    if request.content_type in _FORM_TYPES:
        return _validated(model, await _form_of(request), is_text=True)
    raise BadInput(
        f"this body cannot be read: {request.content_type}",
        reason="wrong_content_type",
        place="header Content-Type",
        cure="Send application/json or a form.",
    )


def query_of(request: web.Request, model: type[M]) -> M:
    """Return the query string as `model`; `lang` is the shell's own and is left out. Raises BadInput."""
    return _validated(model, _single(request.query, "query", leave_out="lang"), is_text=True)


def path_of(request: web.Request, model: type[M]) -> M:
    """Return the path's variables as `model`. Raises BadInput."""
    return _validated(model, dict(request.match_info), is_text=True)


def json_of(raw: bytes) -> Any:
    """Return parsed JSON: UTF-8, finite numbers, at most 8 levels. Raises BadInput."""
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
    except RecursionError as error:
        raise BadInput("the JSON is nested too deeply", reason="too_deep", place="body") from error
    except UnicodeDecodeError as error:
        raise BadInput("the body is not UTF-8", reason="broken_json", place=f"body byte {error.start}") from error
    except json.JSONDecodeError as error:
        place = f"body line {error.lineno} column {error.colno}"
        raise BadInput(f"not JSON: {error.msg}", reason="broken_json", place=place) from error
    _check_depth(value, _DEEPEST)
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise BadInput(f"{name} is not a number", reason="not_finite", place="body", cure="Leave the value out.")


def _check_depth(value: object, levels_left: int) -> None:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if inner and levels_left == 0:
        raise BadInput(f"the JSON is nested deeper than {_DEEPEST} levels", reason="too_deep", place="body")
    for item in inner:
        _check_depth(item, levels_left - 1)


async def _form_of(request: web.Request) -> dict[str, Any]:
    try:
        form = await request.post()
    except ValueError as error:
        raise BadInput("the form cannot be read", reason="broken_form", place="body") from error
    return _single(form, "field", leave_out=CSRF_FIELD)


def _single(values: MultiMapping[Any], kind: str, leave_out: str) -> dict[str, Any]:
    for name in values:
        if len(values.getall(name)) > 1:
            raise BadInput(f"{name} is given twice", reason="given_twice", place=f"{kind} {name}", cure="Send one.")
    return {name: value for name, value in values.items() if name != leave_out}


def _validated(model: type[M], value: Any, *, is_text: bool) -> M:
    if isinstance(value, Mapping):
        _refuse_unknown(model, value)
    adapter: TypeAdapter[M] = _adapter(model)  # type: ignore[arg-type]  # a class is hashable
    try:
        return adapter.validate_python(value) if is_text else adapter.validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        raise _explained(error) from error


def _refuse_unknown(model: type[M], value: Mapping[str, Any]) -> None:
    """Dataclasses would ignore what they do not know; a typing error in a key must not pass unseen."""
    known = _known_keys(model)
    for name in value:
        if known and name not in known:
            cure = f"Known: {', '.join(sorted(known))}."
            raise BadInput(f"unknown key {name!r}", reason="unknown_key", place=str(name), cure=cure)


def _known_keys(model: type[M]) -> frozenset[str]:
    if isinstance(model, type) and issubclass(model, BaseModel):
        return frozenset(field.alias or name for name, field in model.model_fields.items())
    return frozenset(getattr(model, "__dataclass_fields__", {}))


@cache
def _adapter(model: Any) -> TypeAdapter[Any]:
    return TypeAdapter(model)


def _explained(error: ValidationError) -> BadInput:
    first = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "body"
    reason = _REASONS.get(first["type"])
    if reason is None:
        reason = "wrong_type" if first["type"].endswith(("_type", "_parsing")) else "bad_value"
    return BadInput(first["msg"], reason=reason, place=place, cure="Correct this value and send it again.")
