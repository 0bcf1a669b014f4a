"""Mini-apps on a television: the store and every page of an app, drawn by us from verified packages."""

import re
from collections.abc import Mapping
from typing import Final

from gateway.model.errors import BadInput, NotFound
from gateway.runtime import logs, metrics
from tv_apps.kit.page import Frame, Page
from tv_apps.miniapps.address import Here
from tv_apps.miniapps.catalog import Catalog, Loaded, Shelf
from tv_apps.miniapps.rendering import STORE, addresses_of, render
from tv_apps.miniapps.store_page import Entry, StoreView, draw_refused, draw_store

log = logs.get(__name__)

_NUMBER = re.compile(r"\d{1,4}")
#: Paths of the store and of apps, for the television's route table: store, page, row of a page, file.
PATHS: Final = ("/tv/apps", "/tv/app/{app_id}", "/tv/app/{app_id}/{page}", "/tv/app/{app_id}/{page}/{row}")
FILE_PATH: Final = "/tv/app/{app_id}/files/{name:.+}"


class Host:
    """Makes television pages; the television's server owns addresses, cookies and frames."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    async def store(self, frame: Frame, area_id: str, query: Mapping[str, str], back: str = "/tv/home") -> Page:
        """Return the store page of an area; `query` may choose a shelf (k), a screen (p) and a focused app (at)."""
        entries = [_entry(shelf) for shelf in await self._catalog.shelf(area_id)]
        entries.sort(key=lambda entry: (not entry.is_open, entry.name))
        part = max(0, _number(query, "p") - 1)
        return draw_store(frame, StoreView(entries, query.get("k", ""), part, query.get("at", "")), back)

    async def page(self, frame: Frame, area_id: str, path: Mapping[str, str], query: Mapping[str, str]) -> Page:
        """Return one screen of an app; an app that does not pass the verification gets an honest page instead.

        Raises NotFound when there is no such app, page or row.
        """
        app_id = path["app_id"]
        try:
            loaded = await self._catalog.load(app_id, area_id)
        except BadInput:
            return draw_refused(frame, await self._catalog.name_of(app_id))
        row = int(path["row"]) if _NUMBER.fullmatch(path.get("row", "")) else None
        at = _number(query, "at") if _NUMBER.fullmatch(query.get("at", "")) else None
        page = path.get("page") or loaded.app.manifest.home
        here = Here(page, row, max(0, _number(query, "p") - 1), at, f"{STORE}?at={app_id}")
        return _rendered(loaded, here, frame)

    async def file(self, area_id: str, app_id: str, name: str) -> tuple[bytes, str]:
        """Return a picture of an app and its media type. Raises NotFound, BadInput."""
        loaded = await self._catalog.load(app_id, area_id)
        picture = loaded.app.pictures.get(name)
        if picture is None:
            raise NotFound("no such picture", place=f"{app_id}/{name}")
        return loaded.app.files[name], picture.media_type


def _rendered(loaded: Loaded, here: Here, frame: Frame) -> Page:
    rendered = render(loaded.app, here, frame, addresses_of(loaded.submission.app_id))
    if rendered is None:
        raise NotFound("no such page", place=f"{loaded.submission.app_id}/{here.page}")
    for complaint in rendered.complaints:
        metrics.dropped("tv", f"miniapp_{complaint.key}")
        log.warning("miniapp_incomplete", app_id=loaded.submission.app_id, page=here.page, what=complaint.key)
    return rendered.page


def _entry(shelf: Shelf) -> Entry:
    """Take everything from the verified package; of one that did not pass, only what the row says it is called."""
    submission = shelf.submission
    if shelf.loaded is None:
        return Entry(
            submission.app_id, submission.name, "", submission.publisher, "", "", 0, (), icon="", is_open=False
        )
    manifest = shelf.loaded.app.manifest
    return Entry(
        app_id=manifest.app_id,
        name=manifest.name,
        description=manifest.description,
        publisher=manifest.linli.publisher,
        category=manifest.linli.category,
        version=manifest.version.name,
        size_bytes=submission.package_bytes,
        scopes=shelf.loaded.decision.scopes,
        icon=manifest.icons[0].src,
    )


def _number(query: Mapping[str, str], name: str) -> int:
    text = query.get(name, "")
    return int(text) if _NUMBER.fullmatch(text) else 0
