"""Bytes to JSON and back with the limits of the wire: size, depth, finite numbers, no NUL, valid UTF-8.

Depth is counted on the bytes, before a parser sees them, so that no parser's stack is trusted. A key that stands
twice in one object has its last value, as in ECMAScript; the schema then judges that value like any other.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Never

import orjson

from gateway.contract.limits import MAX_DEPTH, MAX_PAYLOAD_BYTES
from gateway.model.errors import BadInput

# A whole string, also one that never ends: the closing quote is optional, so that no byte is looked at twice.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+\\?"?', re.DOTALL)
_NOT_FINITE = re.compile(rb"\b(?:NaN|Infinity|inf)\b")
_OPEN = frozenset(b"{[")
_QUOTE = ord('"')
_NO_MARKS = bytes(byte for byte in range(256) if byte not in b'{}[]"\\')
_NUL_ESCAPE = b"\\u0000"


def decode(payload: bytes) -> dict[str, object]:
    """Return the JSON object that `payload` holds.

    Raises:
        BadInput: reason `empty`, `oversized`, `too_deep`, `broken_utf8`, `broken_json`, `not_finite`,
            `nul_character` or `wrong_type` (JSON, but no object).
    """
    check_limits(payload)
    document = _loads(payload)
    if not isinstance(document, dict):
        raise BadInput(
            f"the message is {name_of(document)}, not an object",
            reason="wrong_type",
            place="$",
            cure='Send one JSON object, such as {"ts":…}.',
        )
    if _NUL_ESCAPE in payload:
        _refuse_nul(document)
    return document


def parse(text: bytes | str) -> object:
    """Return any JSON value of text that we wrote ourselves (a database column, a file); no wire limits.

    Raises:
        BadInput: reason `broken_json`.
    """
    return _loads(text if isinstance(text, bytes) else text.encode())


def encode(value: object) -> bytes:
    """Return compact UTF-8 JSON of any JSON value; datetimes are not JSON and are refused by `TypeError`.

    Numbers must be finite: the encoder would write `null` for others; messages check that before.
    """
    return orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS)


def encode_message(document: Mapping[str, object]) -> bytes:
    """Return `document` as bytes that `decode` accepts.

    Raises:
        BadInput: the bytes would be over the limits of the wire.
    """
    try:
        payload = encode(document)
    except orjson.JSONEncodeError as error:
        raise BadInput(str(error), reason="broken_utf8", place="$", cure="Send JSON values only.") from error
    check_limits(payload)
    return payload


def check_limits(payload: bytes) -> None:
    """Refuse what is empty, too long or too deep, in time linear in the length and without recursion.

    Raises:
        BadInput: reason `empty`, `oversized` or `too_deep`.
    """
    if not payload:
        raise BadInput("the message is empty", reason="empty", place="$", cure="Send one JSON object.")
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise BadInput(
            f"{len(payload)} bytes are more than {MAX_PAYLOAD_BYTES}",
            reason="oversized",
            place="$",
            cure="Send less in one message; history may be split into batches.",
        )
    if payload.count(b"{") + payload.count(b"[") > MAX_DEPTH and _depth(payload) > MAX_DEPTH:
        raise BadInput(
            f"objects stand more than {MAX_DEPTH} deep in one another",
            reason="too_deep",
            place="$",
            cure="Make the message flatter.",
        )


def name_of(value: object) -> str:
    """Name the JSON type of `value` for an error sentence, such as `a text` or `null`."""
    names: dict[type, str] = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "a text",
        list: "a list",
        dict: "an object",
    }
    return names.get(type(value), "null")


def _depth(payload: bytes) -> int:
    marks = payload.translate(None, _NO_MARKS)
    if b"\\" in marks:
        marks = _STRING.sub(b"", payload).translate(None, _NO_MARKS)
    depth = deepest = 0
    is_text = False
    # Two quotes beside one another open and close (or close and open) a text: without them, nothing else changes.
    for mark in marks.replace(b'""', b""):
        if mark == _QUOTE:
            is_text = not is_text
        elif not is_text:
            depth += 1 if mark in _OPEN else -1
            deepest = max(deepest, depth)
    return deepest


def _loads(payload: bytes) -> object:
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        _explain(payload, error)


def _explain(payload: bytes, error: orjson.JSONDecodeError) -> Never:
    try:
        payload.decode()
    except UnicodeDecodeError as utf8:
        raise BadInput(
            f"byte {utf8.start} is not UTF-8", reason="broken_utf8", place="$", cure="Send UTF-8."
        ) from error
    sentence = str(error).split(": line ", maxsplit=1)[0]
    if "infinity" in sentence or _NOT_FINITE.search(_STRING.sub(b"", payload)):
        raise BadInput(
            "NaN, infinite or too large to be a number",
            reason="not_finite",
            place="$",
            cure="Leave a property out when it has no value.",
        ) from error
    raise BadInput(
        f"not JSON: {sentence}",
        reason="broken_json",
        place=f"$ (line {error.lineno}, column {error.colno})",
        cure="Send one JSON object in UTF-8.",
    ) from error


def _texts(value: object, place: str) -> Iterator[tuple[str, str]]:
    """Yield every text with its place; the depth is already known to be small."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{place}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield f"{place} (a key)", key
            yield from _texts(item, f"{place}.{key}")


def _refuse_nul(document: dict[str, object]) -> None:
    for place, text in _texts(document, "$"):
        if "\0" in text:
            raise BadInput(
                "a text holds the character NUL, which no database keeps",
                reason="nul_character",
                place=place.replace("\0", "\\u0000"),
                cure="Remove it.",
            )
