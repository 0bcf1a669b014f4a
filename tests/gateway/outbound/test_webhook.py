import hashlib
import hmac
import tracemalloc

import pytest

from gateway.contract import codec
from gateway.outbound.message import Message
from gateway.outbound.settings import WebhookTarget
from gateway.outbound.webhook import Webhook, signature_of
from tests.kit.clock import FakeClock
from tests.kit.receiver import Behaviour, behaving, drips, floods_headers, hangs, never_ends, receiving, resets

SECRET = "a secret of the duty phone"
MESSAGE = Message("01M7:supervisor:phone", {"id": "01M7:supervisor:phone", "alarm_no": "A20260719-0001", "level": 1})


def hook(url: str, timeout_s: float = 0.5) -> Webhook:
    return Webhook(WebhookTarget(name="phone", url=url, secret=SECRET), FakeClock(), timeout_s=timeout_s)


async def test_a_message_is_signed_and_named() -> None:
    """A receiver that knows the secret can verify the body and its time, and finds the id of the delivery."""
    async with receiving() as receiver:
        for _ in range(2):
            assert (await hook(receiver.url).tell(MESSAGE)).error == ""
    first, second = receiver.heard
    signed = first.headers["Linli-Timestamp"].encode() + b"." + first.body
    assert first.headers["Linli-Signature"] == "v1=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert int(first.headers["Linli-Timestamp"]) == int(FakeClock().now().timestamp())
    assert first.headers["Linli-Delivery"] == second.headers["Linli-Delivery"] == MESSAGE.reference
    assert codec.decode(first.body) == MESSAGE.facts


def test_a_changed_byte_a_changed_time_and_another_secret_change_the_signature() -> None:
    """Nothing of what was signed can be exchanged."""
    good = signature_of(SECRET, "1784491200", b'{"level":1}')
    assert good != signature_of(SECRET, "1784491200", b'{"level":2}')
    assert good != signature_of(SECRET, "1784491201", b'{"level":1}')
    assert good != signature_of(SECRET + "!", "1784491200", b'{"level":1}')


@pytest.mark.parametrize(
    ("status", "error", "is_final"),
    [
        (200, "", False),
        (299, "", False),
        (400, "400", False),
        (404, "404", False),
        (410, "410", True),
        (500, "500", False),
        (302, "302: redirects are not followed", False),
    ],
)
async def test_only_success_is_success_and_only_gone_is_final(status: int, error: str, is_final: bool) -> None:
    """2xx is taken, 410 is never tried again, everything else is tried again."""
    async with receiving() as receiver:
        receiver.answers.append(status)
        answer = await hook(receiver.url).tell(MESSAGE)
    assert (answer.error, answer.is_final) == (error, is_final)


async def test_a_redirect_leads_nowhere() -> None:
    """Where a receiver sends us elsewhere, elsewhere hears nothing."""
    async with receiving() as elsewhere, receiving() as receiver:
        receiver.location = elsewhere.url
        receiver.answers.append(307)
        await hook(receiver.url).tell(MESSAGE)
        assert len(receiver.heard) == 1
        assert elsewhere.heard == []


@pytest.mark.parametrize("how", [hangs, resets, drips, floods_headers])
async def test_a_bad_receiver_is_a_failure_that_ends(how: Behaviour) -> None:
    """Hanging, resetting, dripping and flooding end as an error, with the connection closed and no url in the words."""
    async with behaving(how) as bad:
        answer = await hook(bad.url).tell(MESSAGE)
        assert answer.error and not answer.is_final
        assert "127.0.0.1" not in answer.error and "/hook" not in answer.error
        assert bad.calls == 1


async def test_a_body_without_an_end_is_not_read() -> None:
    """The status decides; what follows it is neither waited for nor kept."""
    async with behaving(never_ends) as bad:
        tracemalloc.start()
        try:
            answer = await hook(bad.url, timeout_s=3).tell(MESSAGE)
            assert tracemalloc.get_traced_memory()[1] < 8_000_000
        finally:
            tracemalloc.stop()
    assert answer.error == ""


async def test_nobody_there_is_a_failure() -> None:
    """A refused connection is an error with a name."""
    async with receiving() as receiver:
        gone = receiver.url
    assert (await hook(gone).tell(MESSAGE)).error.startswith("ClientConnectorError")
