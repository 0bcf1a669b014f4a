"""Messengers, mail and SMS by Apprise's addresses; each in a thread of its own, for they block. Apprise's only home."""

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Final
from zoneinfo import ZoneInfo

import apprise

from gateway.model.errors import ConfigurationError
from gateway.outbound.message import Answer, Message, lines_of, title_of
from gateway.outbound.settings import NotifyTarget
from gateway.runtime import logs

log = logs.get(__name__)

#: A socket gives up before the attempt does, so that its thread ends too.
_SOCKET_SHARE: Final = 0.8

# Both write addresses with their tokens at level DEBUG; what went wrong is in our own log.
for _talkative in ("apprise", "urllib3"):
    logging.getLogger(_talkative).setLevel(logging.CRITICAL)


def opened(settings: NotifyTarget, *, timeout_s: float) -> apprise.NotifyBase:
    """Return Apprise's sender for one address. ConfigurationError, without the address, where it makes none of it."""
    mark = "&" if "?" in settings.url else "?"
    seconds = f"{timeout_s * _SOCKET_SHARE / 2:.1f}"
    asset = apprise.AppriseAsset(http_redirects=False)
    made = apprise.Apprise.instantiate(f"{settings.url}{mark}rto={seconds}&cto={seconds}", asset=asset)
    if not isinstance(made, apprise.NotifyBase):
        raise ConfigurationError(
            f"Apprise makes nothing of the {settings.kind}:// address",
            place="[hooks] notify",
            cure="Compare it with Apprise's page about that service.",
        )
    return made


class Notifier:
    """Implements Target for one address; at most one thread, also while an earlier attempt still hangs."""

    def __init__(self, settings: NotifyTarget, *, timeout_s: float, language: str, zone: ZoneInfo) -> None:
        self.name = settings.name
        self.timeout_s = timeout_s
        self._sender = opened(settings, timeout_s=timeout_s)
        self._language = language
        self._zone = zone
        self._thread: threading.Thread | None = None

    async def tell(self, message: Message) -> Answer:
        if self._thread is not None and self._thread.is_alive():
            return Answer("the attempt before has not ended yet")
        title, body = title_of(message, self._language), lines_of(message, self._language, self._zone)
        try:
            async with asyncio.timeout(self.timeout_s):
                is_taken = await self._in_thread(lambda: bool(self._sender.notify(body=body, title=title)))
        except TimeoutError:
            return Answer("no answer in time")
        except Exception as error:  # noqa: BLE001  a hundred services, each with exceptions of its own
            return Answer(type(error).__name__)
        return Answer() if is_taken else Answer("the service did not take it")

    async def _in_thread(self, send: Callable[[], bool]) -> bool:
        loop = asyncio.get_running_loop()
        told: asyncio.Future[bool] = loop.create_future()
        # A daemon: a service that hangs must not keep the gateway from ending.
        self._thread = threading.Thread(target=_run, args=(send, loop, told), name=f"hook_{self.name}", daemon=True)
        self._thread.start()
        return await told


def _run(send: Callable[[], bool], loop: asyncio.AbstractEventLoop, told: "asyncio.Future[bool]") -> None:
    try:
        is_taken, error = send(), None
    except Exception as raised:  # noqa: BLE001  handed to the one who waits
        is_taken, error = False, raised
    try:
        loop.call_soon_threadsafe(_settle, told, is_taken, error)
    except RuntimeError:
        log.debug("notifier_answered_late")  # the loop has ended meanwhile


def _settle(told: "asyncio.Future[bool]", is_taken: bool, error: Exception | None) -> None:  # noqa: FBT001  a callback
    if told.done():
        return
    if error is None:
        told.set_result(is_taken)
    else:
        told.set_exception(error)
