"""A web hook: one signed POST of JSON, no redirects, nothing of the answer read but its status, five seconds in all."""

import asyncio
import hashlib
import hmac
from typing import Final

import aiohttp

from gateway.contract import codec
from gateway.outbound.message import Answer, Message
from gateway.outbound.settings import WebhookTarget
from gateway.runtime.clock import Clock

SIGNATURE_HEADER: Final = "Linli-Signature"
TIMESTAMP_HEADER: Final = "Linli-Timestamp"
DELIVERY_HEADER: Final = "Linli-Delivery"
_GONE: Final = 410


def signature_of(secret: str, timestamp: str, body: bytes) -> str:
    """Return `v1=` and the HMAC-SHA256 of `timestamp.body` in hexadecimal."""
    signed = timestamp.encode() + b"." + body
    return f"v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


class Webhook:
    """Implements Target; every attempt has a connection of its own."""

    def __init__(self, settings: WebhookTarget, clock: Clock, *, timeout_s: float) -> None:
        self.name = settings.name
        self.timeout_s = timeout_s
        self._url = settings.url
        self._secret = settings.secret
        self._clock = clock

    async def tell(self, message: Message) -> Answer:
        body = codec.encode(dict(message.facts))
        timestamp = str(int(self._clock.now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            DELIVERY_HEADER: message.reference,
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: signature_of(self._secret, timestamp, body),
            "User-Agent": "Linli",
        }
        try:
            async with asyncio.timeout(self.timeout_s):
                return _judged(await self._post(body, headers))
        except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
            return Answer(_cause(error))

    async def _post(self, body: bytes, headers: dict[str, str]) -> int:
        connector = aiohttp.TCPConnector(limit=1, force_close=True)
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(connector=connector, cookie_jar=jar, auto_decompress=False) as client:
            answer = await client.post(self._url, data=body, headers=headers, allow_redirects=False)
            answer.close()  # its body is not read: it may never end
            return answer.status


def _judged(status: int) -> Answer:
    if 200 <= status < 300:
        return Answer()
    if 300 <= status < 400:
        return Answer(f"{status}: redirects are not followed")
    return Answer(str(status), is_final=status == _GONE)


def _cause(error: Exception) -> str:
    """Name what went wrong without the url, whose path may be as secret as a password."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else ""
    return f"{type(error).__name__}: {reason}" if reason else type(error).__name__
