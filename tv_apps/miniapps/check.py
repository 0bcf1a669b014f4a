"""The check: everything that is looked at before a person looks, on the developer's machine and again on ours."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tv_apps.kit.focus import MAX_TARGETS, faults_of, graph_of
from tv_apps.kit.look import Look, TextSize, Tier
from tv_apps.kit.page import Frame, assemble
from tv_apps.miniapps import manifest as manifests
from tv_apps.miniapps.address import Here
from tv_apps.miniapps.application import RESERVED, App, Opened, links_of, open_app, parents
from tv_apps.miniapps.binding import Complaint, paths_in, rows_of
from tv_apps.miniapps.findings import Finding, Refusal, has_problem, in_order
from tv_apps.miniapps.lint import check_words
from tv_apps.miniapps.manifest import DATA_SCOPES, PLATFORM_CODE, SCOPES, Manifest
from tv_apps.miniapps.package import Package, megabytes, open_folder, open_package
from tv_apps.miniapps.pictures import TYPES, check_picture, read_picture
from tv_apps.miniapps.positions import Document
from tv_apps.miniapps.positions import Path as JsonPath
from tv_apps.miniapps.rendering import Rendered, addresses_of, render

MAX_HTML_BYTES: Final = 30 * 1024
MAX_NODES: Final = 300
#: The community that stands for all, in checks and in the reviewer's pictures.
SAMPLE_AREA: Final = "样板社区"
_ICON_SIDES: Final = range(96, 193)
_ELEMENT = re.compile(r"<[a-z]")
#: A television that stands for all: the check must not depend on the day it runs on.
_NOON: Final = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Weight:
    """The heaviest screen of an app."""

    html_bytes: int = 0
    nodes: int = 0
    targets: int = 0
    screens: int = 0

    def heavier(self, other: "Weight") -> "Weight":
        return Weight(
            max(self.html_bytes, other.html_bytes),
            max(self.nodes, other.nodes),
            max(self.targets, other.targets),
            self.screens + other.screens,
        )


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a check. `app` is there when the package could be read as a whole."""

    label: str
    findings: tuple[Finding, ...]
    package: Package | None = None
    manifest: Manifest | None = None
    app: App | None = None
    weight: Weight = Weight()

    @property
    def is_clean(self) -> bool:
        """Whether the package may go on: no PROBLEM."""
        return not has_problem(self.findings)


def check_path(path: Path) -> Report:
    """Check a folder or a package file. Raises OSError when it cannot be read."""
    try:
        package = open_folder(path) if path.is_dir() else open_package(path.read_bytes(), path.name)
    except Refusal as error:
        return Report(str(path), (error.finding,))
    return check_package(package)


def check_bytes(packed: bytes, label: str) -> Report:
    """Check a package as it came over the network."""
    try:
        return check_package(open_package(packed, label))
    except Refusal as error:
        return Report(label, (error.finding,))


def check_package(package: Package) -> Report:
    """Check an unpacked package: manifest, pages, data, pictures, words, and every screen as it will be drawn."""
    opened = open_app(package)
    findings = list(opened.findings)
    findings += [found for name in sorted(package.files) for found in _check_file(name, package.files[name])]
    findings += [found for document in opened.documents.values() for found in check_words(document)]
    if opened.manifest:
        findings += _check_manifest(opened.manifest, opened.documents[manifests.FILE], package)
    weight = Weight()
    if opened.app:
        findings += _check_links(opened.app, opened.documents)
        if not has_problem(findings):
            drawn, weight = _check_screens(opened.app, opened.documents)
            findings += drawn
        findings += _unused_files(opened, package)
        findings += _summaries(package, opened.app, weight)
    return Report(package.label, in_order(findings), package, opened.manifest, opened.app, weight)


def _check_file(name: str, content: bytes) -> Iterator[Finding]:
    if name.lower().endswith(TYPES):
        yield from check_picture(name, content)
    if name.startswith("data/") and name.removeprefix("data/").removesuffix(".json") in RESERVED:
        yield Finding("unsafe_name", name, facts={"name": name})


@dataclass(frozen=True, slots=True)
class _At:
    """Makes findings of one document."""

    document: Document

    def __call__(self, key: str, *path: str | int, **facts: object) -> Finding:
        place = self.document.place(path)
        texts = {name: str(fact) for name, fact in facts.items()}
        return Finding(key, self.document.file, place.line, place.column, texts)


def _check_manifest(manifest: Manifest, document: Document, package: Package) -> Iterator[Finding]:
    at = _At(document)
    if manifest.platform_version.min_code > PLATFORM_CODE:
        code = manifest.platform_version.min_code
        yield at("platform_too_new", "platform_version", "min_code", code=code, ours=PLATFORM_CODE)
    if "tv" not in manifest.device_type:
        yield at("no_device", "device_type")
    for text, limit, field in ((manifest.name, 6, "name"), (manifest.description, 36, "description")):
        if _width(text) > limit:
            yield at("text_too_long", field, text=text, limit=limit)
    yield from _check_icons(manifest, at, package)
    yield from _check_permissions(manifest, at)


def _check_icons(manifest: Manifest, at: _At, package: Package) -> Iterator[Finding]:
    for number, icon in enumerate(manifest.icons):
        picture = read_picture(package.files.get(icon.src, b""))
        if icon.src not in package.files:
            yield at("icon_missing", "icons", number, "src", name=icon.src)
        elif picture and (picture.width != picture.height or picture.width not in _ICON_SIDES):
            yield at("icon_size", "icons", number, "src", width=picture.width, height=picture.height)


def _check_permissions(manifest: Manifest, at: _At) -> Iterator[Finding]:
    for number, permission in enumerate(manifest.req_permissions):
        if permission.name not in SCOPES:
            known = "、".join(sorted(DATA_SCOPES))
            yield at("permission_unknown", "req_permissions", number, "name", name=permission.name, known=known)
        elif permission.name not in DATA_SCOPES:
            yield at("permission_unused", "req_permissions", number, "name", name=permission.name)


def _width(text: str) -> float:
    """Return the length of a text in Chinese characters; two Latin letters count as one."""
    return sum(1 if ord(character) > 0x2E7F else 0.5 for character in text)


def _check_links(app: App, documents: Mapping[str, Document]) -> Iterator[Finding]:
    reached, home = parents(app), app.manifest.home
    for name, page in app.pages.items():
        at = _At(documents[f"pages/{name}.json"])
        for link in links_of(page):
            for key, facts in _link_complaints(app, link.target, link.of):
                yield at(key, *link.path, **facts)
        if name == home and page.each is not None:
            yield at("first_page_row", "each")
        if name not in reached:
            yield at("page_unreachable")


def _link_complaints(app: App, target: str, of: str) -> Iterator[tuple[str, dict[str, str]]]:
    if target not in app.pages:
        yield "link_unknown", {"page": target, "known": "、".join(app.pages)}
        return
    each = app.pages[target].each
    if each is not None and not of:
        yield "link_needs_row", {"page": target, "of": each}
    elif each is not None and each != of:
        yield "link_other_list", {"page": target, "of": each, "here": of}
    elif each is None and of:
        yield "link_not_a_row", {"page": target, "of": of}


def _check_screens(app: App, documents: Mapping[str, Document]) -> tuple[list[Finding], Weight]:
    """Draw every screen of every page, row and text size; one finding for each place, however many rows repeat it."""
    found: dict[tuple[str, JsonPath, str], Finding] = {}
    weight = Weight()
    for name in app.pages:
        at = _At(documents[f"pages/{name}.json"])
        complaints = list(_static_complaints(app, name))
        for rendered in _screens(app, name):
            faults, screen = _weigh(rendered)
            weight = weight.heavier(screen)
            complaints += [*rendered.complaints, *(Complaint((), "drawn_problem", {"what": fault}) for fault in faults)]
        for complaint in complaints:
            key = (name, complaint.path, complaint.key)
            found.setdefault(key, at(complaint.key, *complaint.path, **complaint.facts))
    return list(found.values()), weight


def _static_complaints(app: App, name: str) -> Iterator[Complaint]:
    page = app.pages[name]
    part = page.rows or page.table
    if part and not part.of.startswith("item.") and not rows_of(part.of, app.data):
        yield Complaint(("list" if page.rows else "table", "of"), "list_empty", {"of": part.of})
    asks = "profile.area" in app.manifest.scopes
    for path in paths_in(page.model_dump_json()):
        if path.startswith("area.") and not asks:
            yield Complaint((), "permission_not_asked", {"path": path, "name": "profile.area"})


def _screens(app: App, name: str) -> Iterator[Rendered]:
    for size in TextSize:
        frame = sample_frame(Look(size=size, tier=Tier.F0))
        for row in app.row_numbers(name):
            yield from screens_of(app, Here(name, row, back="/tv/apps"), frame)


def screens_of(app: App, here: Here, frame: Frame) -> Iterator[Rendered]:
    """Draw one page of an app from its first screen to its last."""
    addresses = addresses_of(app.manifest.app_id)
    part, parts = 0, 1
    while part < parts:
        rendered = render(app, replace(here, part=part), frame, addresses)
        if rendered is None:
            return
        yield rendered
        part, parts = part + 1, rendered.parts


def sample_frame(look: Look) -> Frame:
    """Return a television that stands for all, for checks and for the pictures of the review page."""
    return Frame(
        look=look,
        now=_NOON,
        now_ms=0,
        device_id="check",
        address="",
        area_name=SAMPLE_AREA,
        keys={},
        script="/tv/kit.js",
    )


def _weigh(rendered: Rendered) -> tuple[list[str], Weight]:
    stage = rendered.page.stage
    html = assemble(rendered.page, sample_frame(stage.look)).html
    weight = Weight(len(html.encode()), len(_ELEMENT.findall(html)), len(stage.targets), 1)
    faults = faults_of(graph_of(stage.targets), stage.targets[0].name) if stage.targets else ["no focusable"]
    if weight.html_bytes > MAX_HTML_BYTES:
        faults.append(f"{weight.html_bytes} > {MAX_HTML_BYTES} bytes")
    if weight.nodes > MAX_NODES:
        faults.append(f"{weight.nodes} > {MAX_NODES} nodes")
    if weight.targets > MAX_TARGETS:
        faults.append(f"{weight.targets} > {MAX_TARGETS} focusables")
    return faults, weight


def _unused_files(opened: Opened, package: Package) -> Iterator[Finding]:
    """Files that no text of a page, of the data or of the manifest names."""
    texts = " ".join(str(document.value) for document in opened.documents.values())
    pages = {f"{name}.json" for name in opened.manifest.pages} if opened.manifest else set()
    for name in sorted(package.files):
        is_read = name in {manifests.FILE, "README.md"} or name in pages or name in texts
        if not is_read and not (name.startswith("data/") and name.endswith(".json")):
            yield Finding("unused_file", name)


def _summaries(package: Package, app: App, weight: Weight) -> Iterator[Finding]:
    size, count = megabytes(len(package.packed)), len(package.files)
    facts = {"size": size, "files": str(count), "pages": str(len(app.pages))}
    yield Finding("package_summary", manifests.FILE, facts=facts)
    names = "、".join(SCOPES.get(scope, scope) for scope in app.manifest.scopes)
    yield Finding("permission_summary" if names else "permission_none", manifests.FILE, facts={"names": names})
    if weight.screens:
        heavy = {"bytes": f"{weight.html_bytes / 1024:.1f}", "nodes": weight.nodes, "focus": weight.targets}
        facts = {name: str(fact) for name, fact in {**heavy, "pages": len(app.pages)}.items()}
        yield Finding("drawn_summary", manifests.FILE, facts=facts)
