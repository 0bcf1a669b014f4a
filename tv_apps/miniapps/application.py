"""A mini-app taken out of its package: manifest, pages, data and pictures, ready to be drawn."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from types import MappingProxyType

from tv_apps.miniapps import manifest as manifests
from tv_apps.miniapps.binding import Bound, bind, rows_of
from tv_apps.miniapps.findings import Finding, Refusal, has_problem
from tv_apps.miniapps.manifest import Manifest
from tv_apps.miniapps.package import Package
from tv_apps.miniapps.pictures import TYPES, Picture, read_picture
from tv_apps.miniapps.positions import Document, read_json
from tv_apps.miniapps.positions import Path as JsonPath
from tv_apps.miniapps.reading import read_model
from tv_apps.miniapps.template import PageModel

#: Names that a file in data/ cannot have, because they mean something else in a template.
RESERVED = frozenset({"item", "row", "area"})


@dataclass(frozen=True, slots=True)
class App:
    """One version of a mini-app. `data` is keyed by the name of the file in data/, without `.json`."""

    manifest: Manifest
    pages: Mapping[str, PageModel]
    data: Mapping[str, object]
    pictures: Mapping[str, Picture]
    files: Mapping[str, bytes] = field(repr=False)

    def bound(self, page: str, row: int | None, area_name: str) -> Bound | None:
        """Put the data into a page; None when there is no such page or row."""
        model = self.pages.get(page)
        if model is None or (model.each is None) != (row is None):
            return None
        data = {**self.data, "area": {"name": area_name}} if "profile.area" in self.manifest.scopes else self.data
        if model.each is None or row is None:
            return bind(model, data)
        rows = rows_of(model.each, data)
        return bind(model, data, rows[row]) if 0 <= row < len(rows) else None

    def row_numbers(self, page: str) -> range | tuple[None]:
        """Return the rows a page is drawn for; (None,) for a page that is drawn once."""
        each = self.pages[page].each
        return (None,) if each is None else range(len(rows_of(each, self.data)))

    def parent(self, page: str) -> str:
        """Return the page that BACK leads to: the one on the shortest road from the first page; "" from there."""
        return parents(self).get(page, "")


@dataclass(frozen=True, slots=True)
class PageLink:
    """A road to page `target`: from the rows of list `of`, or from a button (`of` empty); written at `path`."""

    target: str
    of: str
    path: JsonPath


@dataclass(frozen=True, slots=True)
class Opened:
    """What could be read of a package; `app` is None when a part that is needed could not."""

    app: App | None
    manifest: Manifest | None
    documents: Mapping[str, Document]
    findings: tuple[Finding, ...]


def open_app(package: Package) -> Opened:
    """Read every file of a package; whatever is wrong becomes findings, never an exception."""
    documents, findings = _read_documents(package)
    manifest = _read_manifest(package, documents, findings)
    pages = _read_pages(manifest, documents, findings) if manifest else {}
    opened = Opened(None, manifest, documents, tuple(findings))
    if manifest is None or has_problem(findings):
        return opened
    data = {PurePosixPath(name).stem: found.value for name, found in documents.items() if name.startswith("data/")}
    app = App(manifest, pages, MappingProxyType(data), _pictures(package), package.files)
    return Opened(app, manifest, documents, tuple(findings))


def links_of(page: PageModel) -> Iterator[PageLink]:
    """Yield the roads that lead from a page to others of the same app."""
    if page.rows is not None and page.rows.link:
        yield PageLink(page.rows.link, page.rows.of, ("list", "link"))
    for number, link in enumerate(page.links):
        yield PageLink(link.page, "", ("links", number, "page"))


def parents(app: App) -> dict[str, str]:
    """Return for every page that can be reached the page before it on the shortest road from the first."""
    home = app.manifest.home
    found, waiting = {home: ""}, [home]
    for page in waiting:
        for target in [link.target for link in links_of(app.pages[page])] if page in app.pages else []:
            if target not in found:
                found[target] = page
                waiting.append(target)
    return found


def _read_documents(package: Package) -> tuple[dict[str, Document], list[Finding]]:
    documents: dict[str, Document] = {}
    findings: list[Finding] = []
    for name, content in package.files.items():
        if name.endswith(".json"):
            try:
                documents[name] = read_json(name, content)
            except Refusal as error:
                findings.append(error.finding)
    return documents, findings


def _read_manifest(package: Package, documents: Mapping[str, Document], findings: list[Finding]) -> Manifest | None:
    if manifests.FILE not in package.files:
        findings.append(Finding("manifest_missing", manifests.FILE))
    if manifests.FILE not in documents:
        return None
    manifest, found = read_model(documents[manifests.FILE], Manifest, "manifest_field")
    findings.extend(found)
    return manifest


def _read_pages(manifest: Manifest, documents: Mapping[str, Document], findings: list[Finding]) -> dict[str, PageModel]:
    pages: dict[str, PageModel] = {}
    for number, name in enumerate(manifest.pages):
        document = documents.get(f"{name}.json")
        if document is None:
            place = documents[manifests.FILE].place(("pages", number))
            findings.append(Finding("page_missing", manifests.FILE, place.line, place.column, {"page": name}))
            continue
        page, found = read_model(document, PageModel, "page_field")
        findings.extend(found)
        if page:
            pages[name.removeprefix("pages/")] = page
    return pages


def _pictures(package: Package) -> Mapping[str, Picture]:
    named = {name: read_picture(content) for name, content in package.files.items() if name.lower().endswith(TYPES)}
    return MappingProxyType({name: picture for name, picture in named.items() if picture})
