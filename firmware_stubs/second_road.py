"""The second road of an alarm: the same event, with the same identity, posted over HTTP(S)."""

import aiohttp

from firmware_stubs import log
from gateway.contract.alarm_post import KEY_HEADER, PATH, TOKEN_HEADER, AlarmAnswer, AlarmPost
from gateway.contract.messages import Event
from gateway.model.errors import BadInput

PATIENCE_S = 5.0


class SecondRoad:
    """Posts events of one household's devices; `token` is the household's."""

    def __init__(self, api_url: str, token: str) -> None:
        self._url = api_url.rstrip("/") + PATH
        self._token = token

    async def post(self, device_id: str, event: Event) -> AlarmAnswer | None:
        """Return what the server says of the alarm: committed where it has `alarm`, else only taken in.

        None when the server is away, refuses or says something else.
        """
        headers = {KEY_HEADER: event.event_id, TOKEN_HEADER: self._token, "Content-Type": "application/json"}
        body = AlarmPost.of(device_id, event).encode()
        patience = aiohttp.ClientTimeout(total=PATIENCE_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=patience) as session,
                session.post(self._url, data=body, headers=headers) as response,
            ):
                return self._read(response.status, await response.read())
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            log.dropped("second_road_away", device=device_id, why=f"{type(error).__name__}: {error}")
            return None

    def _read(self, status: int, body: bytes) -> AlarmAnswer | None:
        if status not in {200, 201, 202}:
            log.dropped("second_road_refuses", status=status, body=body[:200].decode(errors="replace"))
            return None
        try:
            answer = AlarmAnswer.decode(body)
        except BadInput as error:
            log.dropped("second_road_unclear", why=str(error))
            return None
        if (answer.alarm is None) != (status == 202):
            log.dropped("second_road_unclear", why=f"status {status} does not fit what it says")
            return None
        return answer
