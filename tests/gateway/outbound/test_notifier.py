import asyncio
import json
import threading
from zoneinfo import ZoneInfo

import pytest

from gateway.contract.times import to_ms
from gateway.model.errors import ConfigurationError
from gateway.outbound.message import Message, lines_of, title_of
from gateway.outbound.notifier import Notifier, opened
from gateway.outbound.settings import NotifyTarget
from gateway.runtime import logs
from tests.kit.clock import BEGINNING
from tests.kit.receiver import behaving, drips, hangs, receiving

SHANGHAI = ZoneInfo("Asia/Shanghai")
MESSAGE = Message(
    "01M7:supervisor:ntfy",
    {
        "alarm_no": "A20260720-0001",
        "kind": "sos",
        "level": 1,
        "area_name": "柳湾社区",
        "address": "3号楼 2单元 301",
        "raised_at": to_ms(BEGINNING),
        "link": "https://desk.example/?alarm=01M7",
    },
)


def notifier(address: str, timeout_s: float = 5.0) -> Notifier:
    target = NotifyTarget(url=address.replace("http://", "json://"))
    return Notifier(target, timeout_s=timeout_s, language="zh", zone=SHANGHAI)


def test_a_person_reads_what_where_and_since_when() -> None:
    """The title says how grave it is; number, kind, place, the community's wall clock and the link follow."""
    assert title_of(MESSAGE, "zh") == "【邻里】一级警情无人签收"
    assert title_of(MESSAGE, "en") == "[Linli] Level 1 alarm: nobody has signed"
    assert lines_of(MESSAGE, "zh", SHANGHAI).splitlines() == [
        "A20260720-0001 一键报警",
        "柳湾社区 · 3号楼 2单元 301",
        "07-20 04:00:00",
        "https://desk.example/?alarm=01M7",
    ]
    assert lines_of(Message("x", {"kind": "flood"}), "en", SHANGHAI) == "flood"


async def test_apprise_tells_a_service() -> None:
    """A message reaches a service by its Apprise address, with title and lines."""
    async with receiving() as service:
        assert (await notifier(service.url).tell(MESSAGE)).error == ""
    (heard,) = service.heard
    body = json.loads(heard.body)
    assert body["title"] == "【邻里】一级警情无人签收"
    assert "柳湾社区 · 3号楼 2单元 301" in body["message"]


async def test_what_a_service_refuses_is_a_failure_and_no_redirect_is_followed() -> None:
    """A status of refusal fails; a redirect fails too, and elsewhere hears nothing."""
    async with receiving() as elsewhere, receiving() as service:
        service.location = elsewhere.url
        service.answers.extend([500, 302])
        for _ in range(2):
            assert (await notifier(service.url).tell(MESSAGE)).error == "the service did not take it"
        assert elsewhere.heard == []


async def test_a_service_that_hangs_costs_one_thread_and_no_more() -> None:
    """An attempt ends in time; the next one is refused while the thread of the first still hangs; then all is freed."""
    async with behaving(drips) as bad:
        slow = notifier(bad.url, timeout_s=0.4)
        assert (await slow.tell(MESSAGE)).error == "no answer in time"
        assert (await slow.tell(MESSAGE)).error == "the attempt before has not ended yet"
        assert sum(thread.name.startswith("hook_json") for thread in threading.enumerate()) == 1
        assert bad.calls == 1
    async with receiving() as service:
        while any(thread.name.startswith("hook_json") for thread in threading.enumerate()):
            await asyncio.sleep(0.02)
        assert (await notifier(service.url).tell(MESSAGE)).error == ""


async def test_a_silent_service_frees_its_thread_before_the_attempt_ends() -> None:
    """Where nothing comes at all, the socket gives up first."""
    async with behaving(hangs) as bad:
        silent = notifier(bad.url, timeout_s=1.0)
        assert (await silent.tell(MESSAGE)).error == "the service did not take it"


async def test_an_address_is_never_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """Also at level DEBUG, neither Apprise nor its HTTP client writes a token that stands in an address."""
    logs.configure("test", "DEBUG")
    async with receiving() as service:
        await notifier(service.url.replace("http://", "http://user:sesame-of-the-phone@") + "/path-as-token").tell(
            MESSAGE
        )
    assert len(service.heard) == 1
    said = capsys.readouterr().err
    assert "sesame-of-the-phone" not in said and "path-as-token" not in said


def test_an_address_that_means_nothing_is_refused_without_being_shown() -> None:
    """An unknown kind of address is a mistake in the settings; the sentence names the kind, not the address."""
    with pytest.raises(ConfigurationError) as refused:
        opened(NotifyTarget(url="pigeon://token-of-the-pigeon"), timeout_s=1)
    assert "pigeon://" in str(refused.value) and "token-of-the-pigeon" not in str(refused.value)
