"""The developer's side of publishing: send a signed package to a server, ask how it is doing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from gateway.model.errors import Unauthenticated, Unavailable

_TIMEOUT = aiohttp.ClientTimeout(total=30, connect=5)


@dataclass(frozen=True, slots=True)
class Server:
    """A developer server and the token that opens it."""

    url: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}

    def address(self, path: str) -> str:
        return self.url.rstrip("/") + path


async def publish(server: Server, packed: bytes, signature: bytes, name: str, *, hold: bool) -> Mapping[str, Any]:
    """Send a package; returns the server's answer, also when it is a refusal with findings."""
    form = aiohttp.FormData()
    form.add_field("package", packed, filename=name, content_type="application/zip")
    form.add_field("signature", signature, filename=f"{name}.sig", content_type="application/json")
    form.add_field("hold", "yes" if hold else "no")
    return await _ask(server, "POST", "/api/v1/miniapps", form)


async def status(server: Server, app_id: str) -> Mapping[str, Any]:
    """Return the submissions of one app, newest first."""
    return await _ask(server, "GET", f"/api/v1/miniapps/{app_id}", None)


async def _ask(server: Server, method: str, path: str, form: aiohttp.FormData | None) -> Mapping[str, Any]:
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT, headers=server.headers) as session,
            session.request(method, server.address(path), data=form) as response,
        ):
            answer = await response.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise Unavailable(
            f"连不上服务器（{type(error).__name__}）", place=server.url, cure="检查 --server，服务器开着吗"
        ) from error
    if response.status == 401:
        raise Unauthenticated("令牌不对，或者已经停用", place=server.url, cure="在开发者页面“密钥”里新建一个令牌")
    if not isinstance(answer, dict):
        raise Unavailable("这不是邻里的服务器", place=server.url, cure="检查 --server")
    return answer
