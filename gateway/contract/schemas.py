"""JSON Schemas of every payload, made from the messages themselves; written to docs/schemas."""

from collections.abc import Mapping
from typing import Final

from gateway.contract.alarm_post import AlarmAnswer, AlarmPost
from gateway.contract.codec import parse
from gateway.contract.examples import ANSWER_EXAMPLE, EXAMPLES, POST_EXAMPLE, UNRECORDED_EXAMPLE
from gateway.contract.fields import Schema
from gateway.contract.messages import MESSAGE_OF, Message
from gateway.contract.topics import MAJOR, TopicKind

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> Mapping[str, Schema]:
    """Return every schema by its file name, such as `up-tele.json`."""
    found = {file_name(kind): _dressed(file_name(kind), record, EXAMPLES[kind]) for kind, record in MESSAGE_OF.items()}
    found["alarm-post.json"] = _dressed("alarm-post.json", AlarmPost, (POST_EXAMPLE,))
    found["alarm-answer.json"] = _dressed("alarm-answer.json", AlarmAnswer, (ANSWER_EXAMPLE, UNRECORDED_EXAMPLE))
    return found


def file_name(kind: TopicKind) -> str:
    return f"{kind.replace('/', '-')}.json"


def _dressed(name: str, record: type[Message], examples: tuple[Message, ...]) -> Schema:
    return {
        "$schema": DIALECT,
        "$id": f"urn:linli:contract:{MAJOR}:{name.removesuffix('.json')}",
        "title": record.__name__,
        "description": " ".join((record.__doc__ or "").split()),
        **record.schema(),
        "examples": [parse(example.encode()) for example in examples],
    }
