"""The payload of each topic: a frozen dataclass, `decode(kind, payload)` and `encode()`.

A field's metadata (key, type, sentence) is the one table behind reading, writing, JSON Schemas and docs/contract.md.
Numbers in `p` are read as float. `encode()` refuses what `decode()` would refuse, so nobody sends nonsense by mistake.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Final, Self

from gateway.contract.codec import decode as decode_json
from gateway.contract.codec import encode_message
from gateway.contract.fields import (
    HEX_PATTERN,
    ID_PATTERN,
    SLUG_PATTERN,
    ULID_PATTERN,
    AnyMoment,
    Choice,
    Details,
    Flag,
    Items,
    Measured,
    Moment,
    Scalar,
    Schema,
    Table,
    Text,
    Whole,
)
from gateway.contract.limits import (
    MAX_BATCH,
    MAX_ID_CHARS,
    MAX_NAME_CHARS,
    MAX_PAYLOAD_BYTES,
    MAX_PROPERTIES,
    MAX_SENTENCE_CHARS,
    MAX_TEXT_CHARS,
)
from gateway.contract.meta import DEVICE_KINDS, DEVICE_REFERENCE, PARTS, Part
from gateway.contract.records import Nested, read_record, record_schema, wire, write_record
from gateway.contract.topics import TopicKind
from gateway.model.errors import BadInput

PRESENCES: Final = ("online", "offline", "sleeping", "init")
RECEIPT_STATES: Final = ("recorded", "seen", "cancelled", "rejected")
ACK_STATES: Final = ("accepted", "done", "failed")

BOOT: Final = Whole(0)
SEQ: Final = Whole(0)
EVENT_ID: Final = Text(26, ULID_PATTERN)
SLUG: Final = Text(MAX_ID_CHARS, SLUG_PATTERN)
SIGNATURE: Final = Text(1024, HEX_PATTERN)
VALUES: Final = Table(Measured(), MAX_PROPERTIES)

#: Of an event any text is read, because an alarm with a broken signature is an alarm; it is checked afterwards.
CLAIM: Final = Text(MAX_PAYLOAD_BYTES)


@dataclass(frozen=True, slots=True)
class Message:
    """What every payload can do."""

    #: The version of this message's meaning; a schema is named `<topic>.v<version>.json`.
    SCHEMA_VERSION: ClassVar[int] = 1

    @classmethod
    def from_document(cls, document: Mapping[str, object]) -> Self:
        """Return the message of a parsed JSON object, or raise BadInput."""
        return read_record(cls, document)

    @classmethod
    def schema(cls) -> Schema:
        """The JSON Schema of this message."""
        return record_schema(cls)

    def document(self) -> dict[str, object]:
        """The JSON object of this message, not yet checked."""
        return write_record(self)

    def encode(self) -> bytes:
        """Return the payload.

        Raises:
            BadInput: a value is one that `decode` would refuse.
        """
        document = self.document()
        type(self).from_document(document)
        return encode_message(document)


@dataclass(frozen=True, slots=True)
class Status(Message):
    """Presence of a device, or of a gateway. A will carries the boot it was made in, so a stale one is recognised."""

    state: str = field(metadata=wire("s", Choice(PRESENCES), "Presence."))
    boot: int = field(metadata=wire("boot", BOOT, "Rises with every start of the device."))
    at: datetime = field(metadata=wire("ts", Moment(), "When it was said; of a will, when it was made."))


@dataclass(frozen=True, slots=True)
class Meta(Message):
    """What a device is and can do; kept in the registry and shown to people."""

    kind: str = field(metadata=wire("kind", Choice(DEVICE_KINDS), "What it is."))
    model: str = field(metadata=wire("model", Text(MAX_NAME_CHARS), "Maker and model."))
    fw: str = field(default="", metadata=wire("fw", Text(MAX_ID_CHARS), "Firmware version."))
    parent: str = field(
        default="", metadata=wire("parent", DEVICE_REFERENCE, "The device that this one speaks through.")
    )
    parts: Mapping[str, Part] = field(default_factory=dict, metadata=wire("parts", PARTS, "Its parts by name."))
    version: int = field(default=1, metadata=wire("v", Whole(1), "Major version of the description."))

    @classmethod
    def from_document(cls, document: Mapping[str, object]) -> Self:
        """Read as a record; another major version is refused before anything else is looked at.

        Raises:
            BadInput: also with reason `unknown_version`.
        """
        version = document.get("v", 1)
        if type(version) is int and version != 1:
            raise BadInput(
                f"description version {version} is not known here",
                reason="unknown_version",
                place="$.v",
                cure="Describe the device in version 1.",
            )
        return read_record(cls, document)

    def document(self) -> dict[str, object]:
        """The record with its version always written."""
        return {"v": self.version, **write_record(self)}


@dataclass(frozen=True, slots=True)
class Sample:
    """What was measured at one moment; a property without a value is left out."""

    at: datetime = field(metadata=wire("ts", Moment(), "When it was measured."))
    values: Mapping[str, Scalar] = field(metadata=wire("p", VALUES, "Properties by name."))


@dataclass(frozen=True, slots=True)
class _Live:
    """One live sample."""

    at: datetime = field(metadata=wire("ts", Moment(), "When it was measured."))
    boot: int = field(metadata=wire("boot", BOOT, "The start of the device that this belongs to."))
    seq: int = field(metadata=wire("seq", SEQ, "Counts the messages of one boot; (device, boot, seq) is the identity."))
    values: Mapping[str, Scalar] = field(metadata=wire("p", VALUES, "Properties by name."))


@dataclass(frozen=True, slots=True)
class _History:
    """A batch of samples from the past."""

    boot: int = field(metadata=wire("boot", BOOT, "The start of the device that this belongs to."))
    seq: int = field(metadata=wire("seq", SEQ, "Counts the messages of one boot; (device, boot, seq) is the identity."))
    history: bool = field(metadata=wire("hist", Flag(), "True: storage only, never a rule."))
    samples: tuple[Sample, ...] = field(
        metadata=wire("batch", Items(Nested(Sample), MAX_BATCH, fewest=1), "The samples, oldest first.")
    )


@dataclass(frozen=True, slots=True)
class Telemetry(Message):
    """Measurements: one live sample, or with `history` a batch that feeds storage and never triggers a rule."""

    boot: int
    seq: int
    history: bool
    samples: tuple[Sample, ...]

    @classmethod
    def live(cls, boot: int, seq: int, at: datetime, values: Mapping[str, Scalar]) -> Self:
        """The usual report: what is measured now."""
        return cls(boot, seq, history=False, samples=(Sample(at, values),))

    @classmethod
    def from_document(cls, document: Mapping[str, object]) -> Self:
        """Tell the two shapes apart by the key `batch`.

        Raises:
            BadInput: also with reason `contradiction` for a batch that does not say `"hist":true`.
        """
        if "batch" not in document:
            live = read_record(_Live, document)
            return cls.live(live.boot, live.seq, live.at, live.values)
        past = read_record(_History, document)
        if not past.history:
            raise BadInput(
                "a batch must be history",
                reason="contradiction",
                place="$.hist",
                cure='Say "hist":true, or send one live sample per message.',
            )
        return cls(past.boot, past.seq, history=True, samples=past.samples)

    def document(self) -> dict[str, object]:
        """Live telemetry has exactly one sample; everything else is written as history."""
        if self.history or len(self.samples) != 1:
            return write_record(_History(self.boot, self.seq, self.history, self.samples))
        sample = self.samples[0]
        return write_record(_Live(sample.at, self.boot, self.seq, sample.values))

    @classmethod
    def schema(cls) -> Schema:
        """One of the two shapes."""
        past = record_schema(_History)
        past["properties"]["hist"] = {"description": past["properties"]["hist"]["description"], "const": True}
        live = record_schema(_Live)
        live["not"] = {"required": ["batch"]}
        return {"oneOf": [live, past]}


@dataclass(frozen=True, slots=True)
class Event(Message):
    """Something happened once. Repeated by the device with the same (boot, seq) until its receipt says recorded."""

    event_id: str = field(metadata=wire("id", EVENT_ID, "A ULID, the same in every repetition."))
    boot: int = field(metadata=wire("boot", BOOT, "The start of the device that this belongs to."))
    seq: int = field(metadata=wire("seq", SEQ, "Counts the events of one boot; (device, boot, seq) is the identity."))
    at: datetime = field(metadata=wire("ts", AnyMoment(), "When it happened, by the device's clock, also a wrong one."))
    kind: str = field(
        metadata=wire("e", SLUG, "What happened: `sos_pressed`, `sos_silent`, `cancelled`, `smoke`, `tamper` …")
    )
    details: Mapping[str, object] = field(
        default_factory=dict, metadata=wire("d", Details(), "Facts for people, such as how long a key was held.")
    )
    signature: str = field(default="", metadata=wire("sig", CLAIM, "HMAC-SHA256 by the device's key, in hexadecimal."))


@dataclass(frozen=True, slots=True)
class Ack(Message):
    """A device's answer to a command, a warning or a desired state."""

    command_id: str = field(
        metadata=wire("id", Text(MAX_ID_CHARS, ID_PATTERN), "The id of what is answered; `want` for a desired state.")
    )
    state: str = field(metadata=wire("st", Choice(ACK_STATES), "How far it got."))
    code: str = field(default="", metadata=wire("code", Text(MAX_ID_CHARS), "Why it failed, as a word."))
    version: int | None = field(
        default=None, metadata=wire("ver", Whole(0), "The version of the desired state that was applied.")
    )
    values: Mapping[str, object] = field(default_factory=dict, metadata=wire("p", Details(), "Results."))


@dataclass(frozen=True, slots=True)
class LogLine(Message):
    """A line of the device's own log."""

    level: str = field(metadata=wire("lvl", Choice(("debug", "info", "warning", "error")), "How bad it is."))
    message: str = field(metadata=wire("msg", Text(MAX_SENTENCE_CHARS), "The line."))
    at: datetime = field(metadata=wire("ts", Moment(), "When it was written."))


@dataclass(frozen=True, slots=True)
class Command(Message):
    """Do something before `expires_at`; done only when the device itself says so."""

    command_id: str = field(metadata=wire("id", EVENT_ID, "A ULID, the same in every repetition."))
    expires_at: datetime = field(metadata=wire("exp", Moment(), "After this it must not be done any more."))
    action: str = field(metadata=wire("a", SLUG, "`set`, or an action of the description."))
    values: Mapping[str, object] = field(
        default_factory=dict, metadata=wire("p", Details(), "Properties to set, or the action's parameters.")
    )


@dataclass(frozen=True, slots=True)
class Want(Message):
    """The desired state; the device reports the version that it applied."""

    version: int = field(metadata=wire("ver", Whole(0), "Rises with every change."))
    values: Mapping[str, Scalar] = field(metadata=wire("p", VALUES, "Desired properties."))


@dataclass(frozen=True, slots=True)
class Receipt(Message):
    """What became of an event. `recorded` is said after the commit; `seen` when a desk displayed it."""

    event_id: str = field(metadata=wire("id", EVENT_ID, "The id of the event."))
    boot: int = field(metadata=wire("boot", BOOT, "The boot of the event."))
    seq: int = field(metadata=wire("seq", SEQ, "The seq of the event."))
    state: str = field(metadata=wire("st", Choice(RECEIPT_STATES), "What became of it."))
    at: datetime = field(metadata=wire("at", Moment(), "When that happened."))
    now: datetime = field(metadata=wire("now", Moment(), "The gateway's clock, for a device whose clock is wrong."))
    alarm_no: str = field(default="", metadata=wire("no", Text(MAX_ID_CHARS), "The number to show: `A20261120-0007`."))
    why: str = field(default="", metadata=wire("why", Text(MAX_SENTENCE_CHARS), "Why it was rejected."))
    signature: str = field(default="", metadata=wire("sig", SIGNATURE, "HMAC-SHA256 by the device's key."))


@dataclass(frozen=True, slots=True)
class Sync(Message):
    """Please send status and meta again."""

    why: str = field(default="", metadata=wire("why", Text(MAX_NAME_CHARS), "`gap`, `unknown_device`, `asked` …"))


@dataclass(frozen=True, slots=True)
class Ota(Message):
    """A firmware to install."""

    job: str = field(metadata=wire("job", EVENT_ID, "The id of the roll-out."))
    version: str = field(metadata=wire("ver", Text(MAX_ID_CHARS, shortest=1), "The version to install."))
    url: str = field(metadata=wire("url", Text(MAX_SENTENCE_CHARS, r"https://\S+"), "Where it is fetched."))
    size_bytes: int = field(metadata=wire("size", Whole(1), "Its length in bytes."))
    sha256: str = field(metadata=wire("sha256", Text(64, "[0-9a-f]{64}"), "Its digest."))
    signature: str = field(metadata=wire("sig", SIGNATURE, "Ed25519 signature of the digest."))
    window: str = field(
        default="", metadata=wire("window", Text(32), "Local hours in which it may be installed: `02:00-04:00`.")
    )


_CAP_STATUS = ("Actual", "Exercise", "System", "Test", "Draft")
_CAP_TYPE = ("Alert", "Update", "Cancel", "Ack", "Error")
_CAP_URGENCY = ("Immediate", "Expected", "Future", "Past", "Unknown")
_CAP_SEVERITY = ("Extreme", "Severe", "Moderate", "Minor", "Unknown")
_CAP_CERTAINTY = ("Observed", "Likely", "Possible", "Unlikely", "Unknown")


@dataclass(frozen=True, slots=True)
class Cast(Message):
    """A warning for every device of an area, with the fields of CAP 1.2 that a box shows and speaks."""

    cast_id: str = field(metadata=wire("id", Text(MAX_NAME_CHARS, r"[^\s,<&]+"), "CAP identifier."))
    sender: str = field(metadata=wire("sender", Text(MAX_NAME_CHARS, r"[^\s,<&]+"), "CAP sender."))
    sent_at: datetime = field(metadata=wire("sent", Moment(), "When it was issued."))
    status: str = field(metadata=wire("status", Choice(_CAP_STATUS), "Actual, or a drill or test."))
    message_type: str = field(metadata=wire("type", Choice(_CAP_TYPE), "CAP msgType."))
    event: str = field(metadata=wire("event", Text(MAX_NAME_CHARS, shortest=1), "What it is about."))
    urgency: str = field(metadata=wire("urgency", Choice(_CAP_URGENCY), "CAP urgency."))
    severity: str = field(metadata=wire("severity", Choice(_CAP_SEVERITY), "CAP severity."))
    certainty: str = field(metadata=wire("certainty", Choice(_CAP_CERTAINTY), "CAP certainty."))
    headline: str = field(metadata=wire("headline", Text(MAX_SENTENCE_CHARS, shortest=1), "One line to show."))
    expires_at: datetime = field(metadata=wire("expires", Moment(), "After this it is not shown any more."))
    description: str = field(default="", metadata=wire("description", Text(MAX_TEXT_CHARS), "The whole text."))
    instruction: str = field(default="", metadata=wire("instruction", Text(MAX_TEXT_CHARS), "What to do now."))
    language: str = field(default="zh-CN", metadata=wire("lang", Text(16), "RFC 3066 language of the texts."))
    references: str = field(
        default="", metadata=wire("references", Text(MAX_SENTENCE_CHARS), "Earlier messages that this one replaces.")
    )
    signature: str = field(
        default="", metadata=wire("sig", SIGNATURE, "Signature of the issuing office; a box refuses a warning without.")
    )


MESSAGE_OF: Final[Mapping[TopicKind, type[Message]]] = {
    TopicKind.STATUS: Status,
    TopicKind.META: Meta,
    TopicKind.UP_TELE: Telemetry,
    TopicKind.UP_EVT: Event,
    TopicKind.UP_ACK: Ack,
    TopicKind.UP_LOG: LogLine,
    TopicKind.DOWN_CMD: Command,
    TopicKind.DOWN_WANT: Want,
    TopicKind.DOWN_RECEIPT: Receipt,
    TopicKind.DOWN_SYNC: Sync,
    TopicKind.DOWN_OTA: Ota,
    TopicKind.CAST: Cast,
    TopicKind.GATEWAY_STATUS: Status,
}


def decode(kind: TopicKind, payload: bytes) -> Message:
    """Return the message that `payload` holds: an instance of `MESSAGE_OF[kind]`.

    Raises:
        BadInput: the only failure, whatever the bytes are; `reason` is one of `gateway.contract.page.REASONS`.
    """
    return MESSAGE_OF[kind].from_document(decode_json(payload))
