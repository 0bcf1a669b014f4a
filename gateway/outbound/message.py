"""What leaves the house about an alarm: JSON for programs, a few lines for people; and what a target answers. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol
from urllib.parse import quote
from zoneinfo import ZoneInfo

from gateway.contract.times import from_ms
from gateway.store.hooks import Delivery

#: All that may ever leave: an allow-list, so that a key added for the house alone stays in it.
ALLOWED: Final = (
    "reason",
    "alarm_no",
    "kind",
    "level",
    "area_id",
    "area_name",
    "address",
    "state",
    "escalation_level",
    "raised_at",
)


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell; `reference` is the same in every attempt, so that a receiver can know it again."""

    reference: str
    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one attempt: taken where `error` is empty; never to be tried again where `is_final`."""

    error: str = ""
    is_final: bool = False


class Target(Protocol):
    """Somebody outside; `tell` never raises, and ends within `timeout_s`."""

    @property
    def name(self) -> str: ...
    @property
    def timeout_s(self) -> float: ...
    async def tell(self, message: Message) -> Answer: ...


def message_of(delivery: Delivery, *, with_address: bool, desk_url: str) -> Message:
    """Return what is said of `delivery`: only what is allowed, and the address only where the house agrees."""
    left_out = () if with_address else ("address",)
    facts: dict[str, object] = {"id": delivery.reference}
    facts |= {
        key: delivery.payload[key] for key in ALLOWED if delivery.payload.get(key) is not None and key not in left_out
    }
    if desk_url:
        facts["link"] = f"{desk_url.rstrip('/')}/?alarm={quote(delivery.alarm_id)}"
    return Message(delivery.reference, MappingProxyType(facts))


#: (Chinese, English), as on the desk.
_WORDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "title": ("【邻里】{level}无人签收", "[Linli] {level}: nobody has signed"),
        "level.1": ("一级警情", "Level 1 alarm"),
        "level.2": ("二级警情", "Level 2 alarm"),
        "level.3": ("三级警情", "Level 3 alarm"),
        "level.4": ("四级警情", "Level 4 alarm"),
        "kind.sos": ("一键报警", "Red key"),
        "kind.smoke": ("烟感报警", "Smoke"),
        "kind.gas": ("燃气报警", "Gas"),
        "kind.water_leak": ("漏水", "Water leak"),
        "kind.intrusion": ("周界越线", "Intrusion"),
        "kind.tamper": ("设备被拆", "Tamper"),
        "kind.engine_dead": ("升级引擎停了", "Escalation has stopped"),
        "kind.delivery_stuck": ("消息送不出去", "Messages do not go out"),
    }
)


def _say(key: str, language: str) -> str:
    pair = _WORDS.get(key)
    return pair[language == "en"] if pair else key.partition(".")[2]


def title_of(message: Message, language: str) -> str:
    """Return the line that a person reads first."""
    return _say("title", language).format(level=_say(f"level.{message.facts.get('level', 1)}", language))


def lines_of(message: Message, language: str, zone: ZoneInfo) -> str:
    """Return the few lines below it: number and kind, where, since when, the link."""
    facts = message.facts
    kind = _say(f"kind.{facts.get('kind', '')}", language)
    number = f"{facts.get('alarm_no', '')} {kind}".strip()
    place = " · ".join(str(facts[key]) for key in ("area_name", "address") if facts.get(key))
    raised = facts.get("raised_at")
    since = f"{from_ms(raised).astimezone(zone):%m-%d %H:%M:%S}" if isinstance(raised, int) else ""
    return "\n".join(line for line in (number, place, since, str(facts.get("link", ""))) if line)
