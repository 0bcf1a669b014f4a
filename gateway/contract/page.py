"""The page docs/contract.md, written from the same tables that read the wire."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gateway.contract import limits
from gateway.contract.alarm_post import KEY_HEADER, PATH, TOKEN_HEADER, AlarmAnswer, AlarmPost
from gateway.contract.examples import (
    ANSWER_EXAMPLE,
    DEVICE,
    EVENT,
    EXAMPLES,
    KEY,
    PASSWORD,
    POST_EXAMPLE,
    RECEIPT,
    UNRECORDED_EXAMPLE,
)
from gateway.contract.fields import Schema
from gateway.contract.messages import MESSAGE_OF, Message
from gateway.contract.schemas import file_name
from gateway.contract.signing import event_bytes, receipt_bytes
from gateway.contract.times import CALENDAR_FIRST_MS, CALENDAR_LAST_MS
from gateway.contract.topics import ROUTES, Route, TopicKind, acl_patterns

#: Every reason with which the contract refuses something: the label of the counter of drops.
REASONS: Final[Mapping[str, str]] = {
    "unknown_topic": "The topic is none of the table.",
    "unknown_version": "Another major version of the topics, of a description or of a frame header.",
    "bad_area": "The area is not a 12-digit division code.",
    "bad_device": "The device id is not 1 to 64 letters, digits, `.`, `_`, `-`.",
    "empty": "No payload.",
    "oversized": f"More than {limits.MAX_PAYLOAD_BYTES} bytes.",
    "too_deep": f"Objects and lists more than {limits.MAX_DEPTH} deep.",
    "broken_utf8": "Not UTF-8.",
    "broken_json": "Not JSON.",
    "not_finite": "NaN, infinite, or too large to be a number.",
    "nul_character": "A text holds the character NUL.",
    "wrong_type": "A value has another JSON type; true is no number and 1.0 is no whole number.",
    "missing_field": "A key that must be there is not.",
    "out_of_range": "A number, a length or a count outside its limits.",
    "time_out_of_range": f"A timestamp outside the years {limits.FIRST_YEAR} to {limits.END_YEAR - 1}; not of events.",
    "bad_format": "A text does not have its form (a ULID, a word, hexadecimal).",
    "bad_name": "The name of a property, part or event does not have the form of a name.",
    "unknown_word": "A word that is none of the choices.",
    "contradiction": "Two keys do not go together (a batch that is not history).",
}

_INTRODUCTION = f"""# The wire contract

This page is written by `python -m gateway.contract --write docs` from the code that reads the wire.
JSON Schemas stand in [schemas](schemas).

Payloads are JSON objects in UTF-8, at most {limits.MAX_PAYLOAD_BYTES} bytes and {limits.MAX_DEPTH} levels deep.
Numbers are finite, times are whole milliseconds since 1970-01-01 UTC from {limits.FIRST_YEAR} to \
{limits.END_YEAR - 1}, and true or false is never a number.
Unknown keys are ignored and not stored; an optional key may be left out or null; a key that stands twice has its \
last value.
Another major version is refused. What is refused is counted by its reason and never stops the next message.
"""

_RULES = """## Delivery

- MQTT 5 where the broker has it, else 3.1.1; QoS 1 except for the log. No promise leans on the broker: a PUBACK is \
not durability.
- `(device, boot, seq)` is the identity of a message; storing it twice adds nothing. `boot` rises with every \
start of the device, `seq` with every message of one boot; telemetry and events count separately.
- A device writes an event to its journal (fsync) before it sends it, and repeats it with the same identity until a \
receipt says `recorded`. After three seconds it also posts it over HTTPS, with the same identity.
- `seen` means that a desk has displayed the alarm; it may come before `recorded` and does not end the repetition.
- A device connects with its id as username, `clean_start=False` and a will that says offline with its boot, and \
comes back after a random pause that grows (decorrelated jitter).
- The area in a topic must be the device's area in the registry; the gateway checks it and keeps what does not fit \
in quarantine.
- An event is taken whatever its `ts` says: a button that believes in 1970 still calls for help. More than a day in \
the past or a minute in the future means that its clock is wrong, and the server's time counts; between ten seconds \
and a day the alarm is late. Measurements with such times are refused. `now` in a receipt is the time: a device whose \
clock is more than a minute away from it keeps the difference and adds it from then on; what it has said before stays \
as it was said, because `ts` is part of what an event is.
- `sos_silent` is a call for help under coercion: it is answered like any other, and whoever sends it shows nothing.
"""


def render() -> str:
    """Return the whole page."""
    parts = [_INTRODUCTION, *_topics(), _RULES, *_messages(), *_second_road(), *_signatures(), *_reasons(), *_access()]
    return "\n".join(parts).rstrip() + "\n"


def _topics() -> Iterator[str]:
    yield "## Topics\n\n| topic | from | QoS | retained | payload |\n|---|---|---|---|---|"
    for route in ROUTES:
        sender = "device" if route.is_from_device else "gateway"
        kept = "yes" if route.retain else "no"
        payload = MESSAGE_OF[route.kind].__name__
        yield f"| `{route.pattern}` | {sender} | {route.qos} | {kept} | [{payload}](#{_anchor(route)}) {route.about} |"
    yield ""


def _anchor(route: Route) -> str:
    kind = TopicKind.STATUS if route.kind is TopicKind.GATEWAY_STATUS else route.kind
    return kind.replace("/", "")


def _messages() -> Iterator[str]:
    for route in ROUTES:
        if route.kind is not TopicKind.GATEWAY_STATUS:
            yield from _message(str(route.kind), MESSAGE_OF[route.kind], EXAMPLES[route.kind])
            yield f"Schema: [{file_name(route.kind)}](schemas/{file_name(route.kind)})\n"


def _message(title: str, record: type[Message], examples: tuple[Message, ...]) -> Iterator[str]:
    yield f"## {title}\n\n{' '.join((record.__doc__ or '').split())}\n"
    schema = record.schema()
    for shape in schema.get("oneOf", [schema]):
        yield from _shape(shape)
    for example in examples:
        yield f"```json\n{example.encode().decode()}\n```\n"


def _shape(schema: Schema) -> Iterator[str]:
    yield "| key | must | type | meaning |\n|---|---|---|---|"
    for key, value in schema["properties"].items():
        must = "yes" if key in schema["required"] else ""
        yield f"| `{key}` | {must} | {_type_words(value)} | {value.get('description', '')} |"
    yield ""


def _type_words(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema and schema["anyOf"][-1] == {"type": "null"}:
        return _type_words(schema["anyOf"][0])
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if "const" in schema:
        return f"`{str(schema['const']).lower()}`"
    if "maximum" in schema:
        return f"whole number {schema['minimum']} … {schema['maximum']}"
    if "maxLength" in schema:
        return f"text ≤ {schema['maxLength']}"
    return str(schema.get("type", "number, true, false or text"))


def _second_road() -> Iterator[str]:
    yield f"## The second road: `POST {PATH}`\n"
    yield f"Headers: `{KEY_HEADER}` = the event's id; `{TOKEN_HEADER}` = the household's token, or the cookie `box`."
    yield "201 when the alarm is new, 200 when it was there already; the answer is the same."
    yield "202 while the database is away: `alarm` is null, `unrecorded` true, and `seen` tells whether a desk shows"
    yield "it; the box says it again until 200 or 201.\n"
    yield from _message("Alarm over HTTPS", AlarmPost, (POST_EXAMPLE,))
    yield from _message("Answer over HTTPS", AlarmAnswer, (ANSWER_EXAMPLE, UNRECORDED_EXAMPLE))


def _signatures() -> Iterator[str]:
    yield f"""## Signatures

A device with a password signs its events and checks what answers them; both ends make the key from the password:
`key = HMAC-SHA256(password, "linli/1 alarm key" NUL device)`. `sig` is `HMAC-SHA256(key, bytes)` in hexadecimal.

- The bytes of an event are those of the list `["linli/1 event", device, boot, seq, id, ts, e, d]`; an absent `d` is \
an empty object, and a `ts` before the year 1 or after 9999 is signed as `{CALENDAR_FIRST_MS}` or `{CALENDAR_LAST_MS}`.
- The bytes of a receipt are those of `["linli/1 receipt", device, id, boot, seq, st, no, at, now, why]`; absent texts \
are empty.
- An HTTPS answer carries the signature of the receipt that it stands for: the event's `id`, `boot` and `seq`, `st` \
`recorded` (`cancelled` for a cancellation), `at` = `recorded_at`, no `why`.
- The bytes of a value: `n` null, `t` true, `f` false, `i12;` a whole number, `d` and 16 hexadecimal digits the IEEE \
754 double of any other number, `s3:abc` a text with its length in bytes of UTF-8, `l2:` a list and its two values, \
`o1:` an object and its one pair, keys as texts in the order of their bytes.

An event without or with a wrong signature from a device that has a key is recorded all the same and shown as
suspicious; over HTTPS the household's token proves who speaks, so there only a wrong one is. A device with a key
ignores a receipt whose signature is missing or wrong, and goes on repeating its event.

| | of the examples on this page |
|---|---|
| device, password | `{DEVICE}`, `{PASSWORD}` |
| key | `{KEY.hex()}` |
| event | `{event_bytes(DEVICE, EVENT).decode()}` |
| its `sig` | `{EVENT.signature}` |
| receipt | `{receipt_bytes(DEVICE, RECEIPT).decode()}` |
| its `sig` | `{RECEIPT.signature}` |
"""


def _reasons() -> Iterator[str]:
    yield "## Refusals\n\n| reason | when |\n|---|---|"
    yield from (f"| `{reason}` | {sentence} |" for reason, sentence in REASONS.items())
    yield ""


def _access() -> Iterator[str]:
    yield "## Access rules of a broker\n\nThe username of a device is its id (`%u`).\n\n```"
    yield from acl_patterns()
    yield "```"
