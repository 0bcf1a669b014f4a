"""The second road of an alarm: the body of `POST /api/v1/alarms` and what the server answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self

from gateway.contract.codec import decode
from gateway.contract.fields import AnyMoment, Details, Flag, Moment, Text
from gateway.contract.limits import MAX_ID_CHARS, MAX_NAME_CHARS
from gateway.contract.messages import BOOT, CLAIM, EVENT_ID, SEQ, SIGNATURE, SLUG, Event, Message
from gateway.contract.meta import DEVICE_REFERENCE
from gateway.contract.records import Nested, read_record, wire

PATH: Final = "/api/v1/alarms"
#: Events that have the second road: those that a person in need sends.
POSTED_EVENTS: Final = frozenset({"sos_pressed", "sos_silent", "cancelled"})
#: The idempotency key is the event's id; the token is the household's.
KEY_HEADER: Final = "Idempotency-Key"
TOKEN_HEADER: Final = "X-Box-Token"  # noqa: S105 - the name of a header


@dataclass(frozen=True, slots=True)
class AlarmPost(Message):
    """An event as it is posted; (device, boot, seq) is the same as on MQTT, so that both roads meet in one row."""

    device_id: str = field(metadata=wire("device", DEVICE_REFERENCE, "The device that the event belongs to."))
    boot: int = field(metadata=wire("boot", BOOT, "The boot of the event."))
    seq: int = field(metadata=wire("seq", SEQ, "The seq of the event."))
    event_id: str = field(metadata=wire("id", EVENT_ID, "The event's ULID; also the idempotency key."))
    at: datetime = field(metadata=wire("ts", AnyMoment(), "When it happened, by the device's clock."))
    kind: str = field(metadata=wire("e", SLUG, "What happened: `sos_pressed`, `sos_silent` or `cancelled`."))
    details: Mapping[str, object] = field(default_factory=dict, metadata=wire("d", Details(), "Facts for people."))
    signature: str = field(default="", metadata=wire("sig", CLAIM, "The event's own signature."))

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Return the body of a request, or raise BadInput."""
        return cls.from_document(decode(payload))

    @classmethod
    def of(cls, device_id: str, event: Event) -> Self:
        """The same event for the second road."""
        said = (event.boot, event.seq, event.event_id, event.at, event.kind, event.details, event.signature)
        return cls(device_id, *said)

    def event(self) -> Event:
        """The same event as MQTT would have brought it."""
        return Event(self.event_id, self.boot, self.seq, self.at, self.kind, self.details, self.signature)


@dataclass(frozen=True, slots=True)
class AlarmFacts:
    """The alarm as a box needs it; a server may add keys, which a box ignores."""

    alarm_id: str = field(metadata=wire("alarm_id", Text(MAX_ID_CHARS), "The alarm."))
    alarm_no: str = field(metadata=wire("no", Text(MAX_ID_CHARS), "Its number for people."))
    state: str = field(metadata=wire("state", Text(MAX_ID_CHARS), "Where it stands."))
    recorded_at: datetime | None = field(default=None, metadata=wire("recorded_at", Moment(), "When it was committed."))
    is_cancelled: bool = field(default=False, metadata=wire("cancelled", Flag(), "The household took it back."))
    operator: str = field(default="", metadata=wire("operator", Text(MAX_NAME_CHARS), "Who has it."))


@dataclass(frozen=True, slots=True)
class AlarmAnswer(Message):
    """200, 201: the alarm is committed. 202: it is kept but not recorded; say it again. Else the web's error shape."""

    ok: bool = field(metadata=wire("ok", Flag(), "True."))
    alarm: AlarmFacts | None = field(
        default=None, metadata=wire("alarm", Nested(AlarmFacts), "The alarm; null while it is not recorded.")
    )
    is_unrecorded: bool = field(
        default=False, metadata=wire("unrecorded", Flag(), "The database is away: no number yet, and no receipt.")
    )
    is_seen: bool = field(default=False, metadata=wire("seen", Flag(), "A desk has displayed it all the same."))
    now: datetime | None = field(
        default=None, metadata=wire("now", Moment(), "The server's clock, for a device whose clock is wrong.")
    )
    signature: str = field(
        default="", metadata=wire("sig", SIGNATURE, "That of the receipt which this answer stands for.")
    )

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Return the answer of a server, or raise BadInput."""
        return cls.from_document(decode(payload))


def read_facts(document: object) -> AlarmFacts:
    """Return the facts of an alarm inside a bigger answer, or raise BadInput."""
    return read_record(AlarmFacts, document)
