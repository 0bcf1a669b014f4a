"""What the console's pages show, prepared: the way of a submission, findings by level, weight, screens, rights."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.model.people import Person
from gateway.store.miniapps import Step, Submission
from tv_apps.developer.focus_picture import focus_svg
from tv_apps.kit.focus import faults_of, graph_of
from tv_apps.kit.look import Look, Tier
from tv_apps.miniapps.address import Addresses, Here
from tv_apps.miniapps.application import App
from tv_apps.miniapps.check import MAX_HTML_BYTES, MAX_NODES, SAMPLE_AREA, sample_frame
from tv_apps.miniapps.findings import Finding, Level, from_json
from tv_apps.miniapps.manifest import SCOPES
from tv_apps.miniapps.rendering import render
from tv_apps.miniapps.states import State

_WAY: Final = (
    (State.DRAFT, "上传"),
    (State.CHECKED, "自动检查"),
    (State.IN_REVIEW, "人工审核"),
    (State.APPROVED, "批准"),
)
_PICTURES_LIMIT: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop on the way of a submission: done, now, bad or ahead."""

    name: str
    mark: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """The findings of one level."""

    level: Level
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One budget: how much of it is used, as words and as whole per cent."""

    name: str
    words: str
    percent: int


@dataclass(frozen=True, slots=True)
class Thumb:
    """One page of the app as a small live picture."""

    title: str
    href: str


@dataclass(frozen=True, slots=True)
class Right:
    """A permission that is asked for, and the reason the resident reads."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Inside:
    """What only the opened package can tell."""

    thumbs: Sequence[Thumb]
    focus_svg: str
    focus_count: int
    faults: Sequence[str]
    rights: Sequence[Right]
    unasked: Sequence[str]
    bars: Sequence[Bar]
    areas: Sequence[str]
    icon: str


def way_of(submission: Submission, steps: Sequence[Step]) -> list[Stop]:
    """Return the stops from upload to the television."""
    times = {step.to_state: step.at for step in steps}
    state = State(submission.state)
    stops = [Stop(name, "done" if here in times else "ahead", times.get(here)) for here, name in _WAY]
    if state is State.DRAFT:
        stops[1] = Stop("自动检查", "bad", times.get(State.DRAFT))
    if state is State.IN_REVIEW:
        stops[2] = Stop("人工审核", "now", times[State.IN_REVIEW])
    if state is State.REJECTED:
        stops[3] = Stop("没批准", "bad", times[State.REJECTED])
    is_on = state is State.APPROVED
    return [*stops, Stop("上电视", "done" if is_on else "ahead", times.get(State.APPROVED) if is_on else None)]


def groups_of(submission: Submission) -> list[Group]:
    """Return the stored findings by level, empty levels left out."""
    found = [finding for row in submission.findings if (finding := from_json(row))]
    groups = (Group(level, tuple(each for each in found if each.level is level)) for level in Level)
    return [group for group in groups if group.findings]


def inside_of(submission: Submission, app: App) -> Inside:
    """Look into the opened package: screens, focus graph, rights, weight."""
    base = f"/submissions/{submission.submission_id}/app"
    home = render(app, Here(app.manifest.home, back=base), sample_frame(Look(tier=Tier.F1)), Addresses(base))
    stage = home.page.stage if home else None
    faults = faults_of(graph_of(stage.targets), home.page.focus) if home and stage else ["no first page"]
    asked = [Right(SCOPES.get(each.name, each.name), each.reason) for each in app.manifest.req_permissions]
    return Inside(
        thumbs=[_thumb(app, base, page) for page in app.pages],
        focus_svg=focus_svg(stage, home.page.focus, _labels(app)) if home and stage else "",
        focus_count=len(stage.targets) if stage else 0,
        faults=faults,
        rights=asked,
        unasked=[name for scope, name in SCOPES.items() if scope not in app.manifest.scopes],
        bars=_bars(submission, app),
        areas=app.manifest.linli.areas,
        icon=f"{base}/files/{app.manifest.icons[0].src}",
    )


def _labels(app: App) -> dict[str, str]:
    """Return what stands on the focusable boxes of the first page, by their names on the stage."""
    bound = app.bound(app.manifest.home, None, SAMPLE_AREA)
    if bound is None:
        return {}
    rows = {f"r{number}": row.cells[0].text for number, row in enumerate(bound.body.rows) if row.target}
    links = {f"l{number}": words.text for number, (_, words) in enumerate(bound.links)}
    return {**rows, **links, "next": "下一屏", "prev": "上一屏", "back": "返回上一页"}


def _thumb(app: App, base: str, page: str) -> Thumb:
    row = 0 if app.pages[page].each is not None else None
    bound = app.bound(page, row, SAMPLE_AREA)
    return Thumb(bound.title.text if bound else page, f"{base}/{page}" + ("" if row is None else "/0"))


def _bars(submission: Submission, app: App) -> list[Bar]:
    facts = next(
        (group for row in submission.findings if (group := from_json(row)) and group.key == "drawn_summary"), None
    )
    pictures = sum(len(app.files[name]) for name in app.pictures)
    bars = [_bar("图片", pictures / 1024 / 1024, _PICTURES_LIMIT / 1024 / 1024, "MB")]
    if facts:
        html_kb, nodes = float(facts.facts["bytes"]), int(facts.facts["nodes"])
        bars = [_bar("网页", html_kb, MAX_HTML_BYTES / 1024, "KB"), _bar("节点", nodes, MAX_NODES, "个"), *bars]
    return bars


def _bar(name: str, used: float, limit: float, unit: str) -> Bar:
    return Bar(name, f"{round(used, 2):g} / {limit:g} {unit}", min(100, round(100 * used / limit)))


def rows_for(person: Person, own: Iterable[Submission], waiting: Iterable[Submission]) -> list[Submission]:
    """Return what a person's list shows: for officials everything beyond drafts, and one's own; no doubles."""
    rows = {each.submission_id: each for each in (*waiting, *own)} if person.has_role("official") else {}
    return list(rows.values()) if rows else list(own)
