"""Files that the browser keeps for ever: served from memory under an address with the hash of all of them."""

import hashlib
import mimetypes
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from gateway.model.errors import NotFound
from gateway.web.routes import Route

PREFIX: Final = "/static"
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_TYPES: Final = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent."""

    body: bytes
    content_type: str


class StaticFiles:
    """All files of some folders under one hashed prefix `/static/<hash>/…`.

    One hash for the whole set, so that `import "./keys.js"` and `url(font.woff2)` inside the files keep working. A
    name in a later folder hides the same name in an earlier one. An address with an old hash is answered with the
    present file, uncached: a page that was open during an upgrade goes on.
    """

    def __init__(self, *folders: Path, suffixes: Sequence[str] = ()) -> None:
        self._folders = folders
        self._suffixes = frozenset(suffixes)
        self._assets: Mapping[str, Asset] = {}
        self._hash = ""

    def load(self) -> None:
        """Read the folders; the addresses change when a byte of any file changed."""
        files = sorted(self._files())
        self._assets = {name: Asset(path.read_bytes(), _type_of(path)) for name, path in dict(files).items()}
        digest = hashlib.sha256()
        for name, asset in self._assets.items():
            digest.update(name.encode() + b"\0" + asset.body + b"\0")
        self._hash = digest.hexdigest()[:12]

    def _files(self) -> Iterable[tuple[str, Path]]:
        found = {
            path.relative_to(folder).as_posix(): path
            for folder in self._folders
            for path in folder.rglob("*")
            if path.is_file() and (not self._suffixes or path.suffix in self._suffixes)
        }
        return found.items()

    def url(self, name: str) -> str:
        """Return the hashed address of `name`; raises NotFound, so that a typing error shows at once."""
        return f"{PREFIX}/{self._version}/{self._known(name)}"

    def asset(self, name: str) -> Asset:
        """Return the file `name`; raises NotFound."""
        return self._assets[self._known(name)]

    @property
    def names(self) -> tuple[str, ...]:
        """All file names, sorted."""
        self._version  # noqa: B018  loads on first use
        return tuple(self._assets)

    @property
    def _version(self) -> str:
        if not self._hash:
            self.load()
        return self._hash

    def _known(self, name: str) -> str:
        if name not in self.names:
            raise NotFound("no such file", place=f"{PREFIX}/…/{name}")
        return name

    def routes(self) -> tuple[Route, ...]:
        """Return the route that serves the files."""
        return (Route("GET", f"{PREFIX}/{{version}}/{{name:.+}}", self._serve),)

    async def _serve(self, request: web.Request) -> web.Response:
        asset = self.asset(request.match_info["name"])
        is_current = request.match_info["version"] == self._hash
        headers = {"Cache-Control": _FOR_EVER if is_current else "no-cache"}
        charset = "utf-8" if asset.content_type.startswith("text/") else None
        return web.Response(body=asset.body, content_type=asset.content_type, charset=charset, headers=headers)


def _type_of(path: Path) -> str:
    return _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
