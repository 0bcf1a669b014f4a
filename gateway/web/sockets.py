"""WebSockets of signed-in people: same origin, a live session, closed when the session or the server ends."""

import asyncio
import contextlib
import weakref
from collections.abc import AsyncIterator
from typing import Final

from aiohttp import WSCloseCode, web

from gateway.model.errors import BadInput, Forbidden, Unavailable
from gateway.runtime import logs
from gateway.web import security, sessions

log = logs.get(__name__)

#: Close code that tells the page: sign in again.
SESSION_ENDED: Final = 4401
HEARTBEAT_S: Final = 20.0
SESSION_CHECK_S: Final = 60.0
OPEN_SOCKETS: Final = web.AppKey("open_sockets", weakref.WeakSet[web.WebSocketResponse])


@contextlib.asynccontextmanager
async def opened(
    request: web.Request,
    *roles: str,
    max_message_bytes: int = 64 * 1024,
    check_s: float = SESSION_CHECK_S,
) -> AsyncIterator[web.WebSocketResponse]:
    """Accept a WebSocket from this server's own page and a person with one of `roles`.

    While it is open the session is kept alive and looked at every `check_s`; when it has ended the socket is closed
    with code 4401. A session that cannot be looked at, because the database is away, has not ended.

    Raises Unauthenticated, Forbidden, or BadInput where the request is no WebSocket.
    """
    check_handshake(request)
    sessions.check_role(request, *roles)
    socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=max_message_bytes, compress=False)
    await socket.prepare(request)
    request.app[OPEN_SOCKETS].add(socket)
    watch = asyncio.create_task(_watch_session(request, socket, check_s))
    try:
        yield socket
    finally:
        watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watch
        await socket.close()


def check_handshake(request: web.Request) -> None:
    """Raise unless `request` asks for a WebSocket and comes from a page of this server."""
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise BadInput("this address speaks WebSocket", reason="no_websocket", cure="Connect with ws://.")
    if "Origin" not in request.headers:
        raise Forbidden("a WebSocket must tell its origin", place="header Origin", cure="Use this server's page.")
    security.check_origin(request)


async def _watch_session(request: web.Request, socket: web.WebSocketResponse, check_s: float) -> None:
    while True:
        await asyncio.sleep(check_s)
        try:
            found = await sessions.find(request)
        except Unavailable as error:
            log.warning("socket_session_unknown", path=request.path, error=str(error))
            continue
        if found is None:
            log.info("socket_session_ended", path=request.path)
            await socket.close(code=SESSION_ENDED, message=b"session ended")
            return


async def close_all(app: web.Application) -> None:
    """Tell every open page that the server goes away; pages reconnect by themselves."""
    closing = [socket.close(code=WSCloseCode.GOING_AWAY, message=b"server stops") for socket in app[OPEN_SOCKETS]]
    await asyncio.gather(*closing, return_exceptions=True)
