"""One table builds, parses and subscribes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.contract import topics
from gateway.contract.topics import Topic, TopicKind
from gateway.model.errors import BadInput

AREAS = st.from_regex(r"[0-9]{12}", fullmatch=True).filter(str.isascii)
DEVICES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)
AREA = "110105001001"


def matches(pattern: str, topic: str) -> bool:
    """Tell whether an MQTT filter takes a topic; the rules of MQTT 5 §4.7, written again for the test."""
    wanted, said = pattern.split("/"), topic.split("/")
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(said) or level not in {"+", said[index]}:
            return False
    return len(wanted) == len(said)


@given(AREAS, DEVICES, st.sampled_from(TopicKind))
def test_what_is_built_is_parsed_again(area: str, device: str, kind: TopicKind) -> None:
    """Every topic says area, device and kind, and nothing is lost."""
    expected = Topic("" if kind is TopicKind.GATEWAY_STATUS else area, "" if kind is TopicKind.CAST else device, kind)
    assert topics.parse(topics.build(area, device, kind)) == expected


@given(st.text(max_size=100) | st.lists(st.sampled_from(["linli", "1", AREA, "up", "evt", "#", "+", ""])).map("/".join))
def test_any_text_is_a_topic_or_bad_input(text: str) -> None:
    """A topic is data from outside: parsing it ends well or with a reason."""
    try:
        parsed = topics.parse(text)
    except BadInput as error:
        known = error.reason in {"unknown_topic", "unknown_version", "bad_area", "bad_device"}
    else:
        known = topics.build(parsed.area_id, parsed.device_id, parsed.kind) == text
    assert known


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("linli/1/110105001001/sos-0301/up/what", "unknown_topic"),
        ("linli/1/110105001001/sos-0301/up", "unknown_topic"),
        ("linli/1/110105001001/sos-0301/up/evt/", "unknown_topic"),
        ("linli/1/110105001001/sos-0301/cast", "unknown_topic"),
        ("linli/1/110105001001/_all/up/evt", "bad_device"),
        ("linli/2/110105001001/sos-0301/up/evt", "unknown_version"),
        ("linli/1/11010500100/sos-0301/up/evt", "bad_area"),
        ("linli/1/１１０１０５００１００１/sos-0301/up/evt", "bad_area"),
        ("linli/1/110105001001/sos 0301/up/evt", "bad_device"),
        ("linli/1/110105001001//up/evt", "bad_device"),
        ("linli/1/110105001001/+/up/evt", "bad_device"),
        ("homeassistant/status", "unknown_topic"),
        ("", "unknown_topic"),
        ("linli/1/_gw/main/meta", "bad_area"),
    ],
)
def test_a_wrong_topic_names_its_reason(topic: str, reason: str) -> None:
    """Wrong area, wrong device, unknown word and other version are different refusals."""
    with pytest.raises(BadInput) as caught:
        topics.parse(topic)
    assert caught.value.reason == reason


def test_a_hostile_topic_is_shown_harmlessly() -> None:
    """Control characters and length do not reach a log as they came."""
    with pytest.raises(BadInput) as caught:
        topics.parse("linli/1/\n\x1b[31m" + "x" * 60000)
    assert caught.value.place.isprintable()
    assert len(caught.value.place) < 200


@pytest.mark.parametrize("kind", [kind for kind in TopicKind if topics.ROUTE_OF[kind].is_from_device])
def test_the_gateway_hears_every_topic_of_a_device_once(kind: TopicKind) -> None:
    """Each topic that a device writes is read by exactly one of the three connections: the one of its row."""
    topic = topics.build(AREA, "sos-0301", kind)
    heard = [
        name
        for name, subscriptions in topics.SUBSCRIPTIONS.items()
        for wanted in subscriptions
        if matches(wanted.filter, topic)
    ]
    assert heard == [topics.ROUTE_OF[kind].connection]


@pytest.mark.parametrize("kind", [TopicKind.DOWN_CMD, TopicKind.DOWN_RECEIPT, TopicKind.DOWN_WANT, TopicKind.CAST])
def test_a_device_hears_what_is_sent_to_it_and_to_its_area(kind: TopicKind) -> None:
    """What goes down reaches the device and no neighbour, except a warning, which reaches all."""
    topic = topics.build(AREA, "sos-0301", kind)
    own = topics.device_subscriptions(AREA, "sos-0301")
    neighbours = topics.device_subscriptions(AREA, "sos-0302")
    assert any(matches(wanted.filter, topic) for wanted in own)
    assert any(matches(wanted.filter, topic) for wanted in neighbours) == (kind is TopicKind.CAST)


def test_the_access_rules_let_a_device_write_its_own_topics_only() -> None:
    """The patterns, with the device's name in the place of %u, take its topics and no other device's."""
    writes = [
        line.removeprefix("pattern write ").replace("%u", "sos-0301")
        for line in topics.acl_patterns()
        if line.startswith("pattern write")
    ]
    assert not any(matches(rule, topics.gateway_status("main")) for rule in writes)
    for kind in set(TopicKind) - {TopicKind.GATEWAY_STATUS}:
        is_own = topics.ROUTE_OF[kind].is_from_device
        assert any(matches(rule, topics.build(AREA, "sos-0301", kind)) for rule in writes) == is_own
        assert not any(matches(rule, topics.build(AREA, "sos-0302", kind)) for rule in writes)
