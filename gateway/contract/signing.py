"""Signatures of alarms and receipts: HMAC-SHA256 by a key that device and gateway make from the device's password.

What is signed is written so that no two messages have the same bytes: every value says its type and its length. Whole
numbers, truth values, null, texts, lists and objects are all there is; any other number is signed as the eight bytes
of its IEEE 754 double. Objects are in the order of their keys' UTF-8 bytes.
"""

import hashlib
import hmac
import struct
from collections.abc import Mapping
from typing import Final

from gateway.contract.alarm_post import AlarmAnswer
from gateway.contract.messages import Event, Receipt
from gateway.contract.times import to_ms
from gateway.model.errors import BadInput

KEY_PURPOSE: Final = b"linli/1 alarm key"
EVENT_PURPOSE: Final = "linli/1 event"
RECEIPT_PURPOSE: Final = "linli/1 receipt"


def alarm_key(device_id: str, password: str) -> bytes:
    """Return the key of a device's alarms: both ends have its password, so nothing more must be handed out.

    The password itself can only be guessed from what is signed, so it must be made by a machine, as ours are.
    """
    return hmac.new(password.encode(), KEY_PURPOSE + b"\0" + device_id.encode(), hashlib.sha256).digest()


def sign_event(key: bytes, device_id: str, event: Event) -> str:
    """Return the signature of an event in hexadecimal; the event's own `sig` is no part of it."""
    return _sign(key, event_bytes(device_id, event))


def check_event(key: bytes, device_id: str, event: Event) -> bool:
    """Tell whether the event carries the signature of this device's key; one without any does not."""
    return _are_equal(sign_event(key, device_id, event), event.signature)


def sign_receipt(key: bytes, device_id: str, receipt: Receipt) -> str:
    """Return the signature of a receipt in hexadecimal; the receipt's own `sig` is no part of it."""
    return _sign(key, receipt_bytes(device_id, receipt))


def check_receipt(key: bytes, device_id: str, receipt: Receipt) -> bool:
    """Tell whether the receipt carries the signature of this device's key; one without any does not."""
    return _are_equal(sign_receipt(key, device_id, receipt), receipt.signature)


def receipt_of(event: Event, answer: AlarmAnswer) -> Receipt | None:
    """Return what an HTTPS answer says about an event as the receipt that it stands for; None without its times."""
    facts = answer.alarm
    if facts is None or facts.recorded_at is None or answer.now is None:
        return None
    state = "cancelled" if event.kind == "cancelled" else "recorded"
    return Receipt(
        event.event_id,
        event.boot,
        event.seq,
        state,
        facts.recorded_at,
        answer.now,
        facts.alarm_no,
        signature=answer.signature,
    )


def event_bytes(device_id: str, event: Event) -> bytes:
    """Return what is signed of an event."""
    said = (device_id, event.boot, event.seq, event.event_id, to_ms(event.at), event.kind, event.details)
    return canonical([EVENT_PURPOSE, *said])


def receipt_bytes(device_id: str, receipt: Receipt) -> bytes:
    """Return what is signed of a receipt."""
    about = (device_id, receipt.event_id, receipt.boot, receipt.seq, receipt.state, receipt.alarm_no)
    return canonical([RECEIPT_PURPOSE, *about, to_ms(receipt.at), to_ms(receipt.now), receipt.why])


def canonical(value: object) -> bytes:
    """Return the one spelling of a JSON value; BadInput for what is none.

    `n` null, `t` true, `f` false, `i12;` whole number, `d` and 16 hexadecimal digits a double, `s3:abc` a text of
    three bytes, `l2:` a list of two values, `o1:` an object of one pair, key before value.
    """
    if value is None:
        return b"n"
    if isinstance(value, bool):
        return b"t" if value else b"f"
    if isinstance(value, int):
        return b"i%d;" % value
    if isinstance(value, float):
        return b"d" + struct.pack(">d", value).hex().encode()
    if isinstance(value, str):
        text = value.encode("utf-8", "surrogatepass")
        return b"s%d:%s" % (len(text), text)
    if isinstance(value, Mapping):
        pairs = sorted((canonical_key(key), canonical(item)) for key, item in value.items())
        return b"o%d:" % len(pairs) + b"".join(b"s%d:%s%s" % (len(key), key, item) for key, item in pairs)
    if isinstance(value, list | tuple):
        return b"l%d:" % len(value) + b"".join(canonical(item) for item in value)
    raise BadInput(
        f"{type(value).__name__} is no JSON", reason="wrong_type", place="$.d", cure="Send JSON values only."
    )


def canonical_key(key: object) -> bytes:
    """Return the UTF-8 bytes of a key; BadInput where it is no text."""
    if isinstance(key, str):
        return key.encode("utf-8", "surrogatepass")
    raise BadInput(f"the key {key!r} is no text", reason="wrong_type", place="$.d", cure="Use texts as keys.")


def _are_equal(right: str, claimed: str) -> bool:
    """Compare in a time that tells nothing; as bytes, because a claim may be any text."""
    return hmac.compare_digest(right.encode(), claimed.encode("utf-8", "surrogatepass"))


def _sign(key: bytes, said: bytes) -> str:
    return hmac.new(key, said, hashlib.sha256).hexdigest()
