"""Wake-ups from the database: NOTIFY as an async iterator, with a poll tick so that a lost wake-up loses nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from gateway.runtime import logs
from gateway.store.pool import Database, translated_errors

log = logs.get(__name__)

BACKLOG = 10_000
RECONNECT_S = 1.0


class Feed:
    """Listens on one channel; a broken connection is opened again and answered with one poll tick at once."""

    def __init__(self, database: Database, channel: str) -> None:
        self._database = database
        self.channel = channel

    async def changes(self, poll_s: float = 1.0) -> AsyncIterator[str]:
        """Yield each payload, or the empty string when `poll_s` passed without one or wake-ups may be missing.

        Ends only by cancellation. The caller reads the table in both cases; the payload is a hint, never the fact.
        """
        while True:
            waiting: asyncio.Queue[str] = asyncio.Queue(BACKLOG)
            try:
                connection = await self._database.listener()
            except Exception as error:  # noqa: BLE001  every way of being away is the same here
                log.warning("feed_away", channel=self.channel, error=str(error))
                await asyncio.sleep(RECONNECT_S)
                yield ""
                continue
            try:
                with translated_errors("listen"):
                    await connection.add_listener(self.channel, partial(_hear, waiting))
                connection.add_termination_listener(partial(_end, waiting))
                yield ""
                async for payload in _received(connection, waiting, poll_s):
                    yield payload
            finally:
                with contextlib.suppress(Exception):
                    connection.terminate()


def _hear(waiting: asyncio.Queue[str], *said: object) -> None:
    _put(waiting, str(said[3]))


def _put(waiting: asyncio.Queue[str], payload: str) -> None:
    if waiting.full():
        waiting.get_nowait()
        payload = ""
    waiting.put_nowait(payload)


def _end(waiting: asyncio.Queue[str], _connection: object) -> None:
    _put(waiting, "")


async def _received(connection: Any, waiting: asyncio.Queue[str], poll_s: float) -> AsyncIterator[str]:
    while not connection.is_closed():
        try:
            async with asyncio.timeout(poll_s):
                payload = await waiting.get()
        except TimeoutError:
            payload = ""
        yield payload
