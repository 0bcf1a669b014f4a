"""One good example of every payload; the documentation shows them and the tests read and write them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from gateway.contract.alarm_post import AlarmAnswer, AlarmFacts, AlarmPost
from gateway.contract.messages import (
    Ack,
    Cast,
    Command,
    Event,
    LogLine,
    Message,
    Meta,
    Ota,
    Receipt,
    Sample,
    Status,
    Sync,
    Telemetry,
    Want,
)
from gateway.contract.meta import EventKind, Parameter, Part, Property
from gateway.contract.signing import alarm_key, receipt_of, sign_event, sign_receipt
from gateway.contract.topics import TopicKind

_AT: Final = datetime(2026, 11, 20, 2, 14, 18, 204000, tzinfo=UTC)
_EVENT_ID: Final = "01K8Z6Q8V0H4T6Y2N5R7W9X3AB"
_COMMAND_ID: Final = "01K8Z6R1C0M9D3F5G7J2K4P6QS"

#: Whose the signed examples are; a real password is made by the registration.
DEVICE: Final = "stb-0501"
PASSWORD: Final = "the-password-of-stb-0501"  # noqa: S105  of an example
KEY: Final = alarm_key(DEVICE, PASSWORD)

_NOW: Final = _AT + timedelta(milliseconds=187)
_UNSIGNED = Event(_EVENT_ID, 12, 3, _AT, "sos_pressed", {"held_ms": 2100})
EVENT: Final = replace(_UNSIGNED, signature=sign_event(KEY, DEVICE, _UNSIGNED))
_RECORDED = Receipt(_EVENT_ID, 12, 3, "recorded", _AT, _NOW, "A20261120-0007")
RECEIPT: Final = replace(_RECORDED, signature=sign_receipt(KEY, DEVICE, _RECORDED))

EXAMPLES: Final[Mapping[TopicKind, tuple[Message, ...]]] = {
    TopicKind.STATUS: (Status("online", 12, _AT), Status("offline", 12, _AT)),
    TopicKind.META: (
        Meta(
            "sensor",
            "Linli Air One",
            "1.4.0",
            parts={
                "air": Part(
                    "空气",
                    {"pm2_5": Property("float", "PM2.5", "µg/m³"), "temp": Property("float", "气温", "°C")},
                    {"tamper": EventKind("防拆", "alert", {"force": Parameter("integer", "力度")})},
                )
            },
        ),
    ),
    TopicKind.UP_TELE: (
        Telemetry.live(12, 4711, _AT, {"temp": 23.5, "door": False, "wd": "NNW"}),
        Telemetry(
            12,
            4712,
            history=True,
            samples=(
                Sample(_AT - timedelta(hours=2), {"temp": 21.5}),
                Sample(_AT - timedelta(hours=1), {"temp": 22.0}),
            ),
        ),
    ),
    TopicKind.UP_EVT: (EVENT,),
    TopicKind.UP_ACK: (Ack(_COMMAND_ID, "done"), Ack("want", "done", version=7)),
    TopicKind.UP_LOG: (LogLine("warning", "battery at 18 %", _AT),),
    TopicKind.DOWN_CMD: (Command(_COMMAND_ID, _AT + timedelta(minutes=1), "set", {"volume": 40}),),
    TopicKind.DOWN_WANT: (Want(7, {"report_s": 60.0}),),
    TopicKind.DOWN_RECEIPT: (RECEIPT,),
    TopicKind.DOWN_SYNC: (Sync("gap"),),
    TopicKind.DOWN_OTA: (
        Ota(
            _COMMAND_ID,
            "1.5.0",
            "https://updates.example/air-one-1.5.0.bin",
            1048576,
            "8f2c41d0" * 8,
            "5a" * 64,
            "02:00-04:00",
        ),
    ),
    TopicKind.CAST: (
        Cast(
            "110105001001-20261120-0001",
            "office@liuwan.example",
            _AT,
            "Exercise",
            "Alert",
            "防汛疏散演练",
            urgency="Expected",
            severity="Moderate",
            certainty="Likely",
            headline="今天下午三点防汛疏散演练",
            expires_at=_AT + timedelta(hours=6),
            instruction="听到广播后请到中心公园集合。",
            signature="5a" * 64,
        ),
    ),
    TopicKind.GATEWAY_STATUS: (Status("online", 3, _AT),),
}

POST_EXAMPLE: Final = AlarmPost.of(DEVICE, EVENT)
_ANSWER = AlarmAnswer(
    ok=True, alarm=AlarmFacts("01K8Z6Q91RN5Y7W3T9X2B4D6FH", "A20261120-0007", "raised", _AT), now=_NOW
)
_SAID = receipt_of(EVENT, _ANSWER)
ANSWER_EXAMPLE: Final = replace(_ANSWER, signature=sign_receipt(KEY, DEVICE, _SAID)) if _SAID else _ANSWER
UNRECORDED_EXAMPLE: Final = AlarmAnswer(ok=True, is_unrecorded=True, is_seen=True, now=_NOW)
