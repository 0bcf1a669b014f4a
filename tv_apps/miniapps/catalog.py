"""What a television may open: approved apps of its area, both signatures verified again at every load."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from gateway.model.errors import BadInput, NotFound
from gateway.runtime import logs, metrics
from gateway.runtime.clock import Clock
from gateway.store.miniapps import MiniAppStore, Submission
from tv_apps.miniapps import sign
from tv_apps.miniapps.application import App, open_app
from tv_apps.miniapps.decision import Decision, verify_decision
from tv_apps.miniapps.package import open_package

log = logs.get(__name__)

_KEPT_APPS: Final = 32
PLATFORM_KEY: Final = "miniapps-platform.pem"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A verified app with the decision that lets it run."""

    app: App
    decision: Decision
    submission: Submission


@dataclass(frozen=True, slots=True)
class Shelf:
    """One app of the store page; `loaded` is None when it did not pass the verification just now."""

    submission: Submission
    loaded: Loaded | None


class PlatformKey:
    """The platform's own key: made on first use, readable by its owner alone, read once."""

    def __init__(self, secrets_dir: Path) -> None:
        self._path = secrets_dir / PLATFORM_KEY

    @cached_property
    def signer(self) -> sign.Signer:
        return sign.read_or_make_key(self._path)


class Catalog:
    """Verifies and opens approved apps.

    The package's digest is taken from the stored bytes at every load (in the database, so that nothing is copied);
    an opened app is kept by that digest.
    """

    def __init__(self, store: MiniAppStore, clock: Clock, key: PlatformKey) -> None:
        self._store = store
        self._clock = clock
        self._key = key
        self._opened: OrderedDict[str, App] = OrderedDict()

    async def load(self, app_id: str, area_id: str) -> Loaded:
        """Return the newest approved version of an app.

        Raises NotFound when there is none for this area, BadInput (counted, logged) when it is not what was approved.
        """
        submission = await self._store.find_current(app_id)
        if submission is None:
            raise NotFound("no such app", place=app_id)
        loaded = await self._verified(submission)
        if not loaded.decision.holds_in(area_id):
            raise NotFound("no such app here", place=app_id)
        return loaded

    async def name_of(self, app_id: str) -> str:
        """Return what an app is called, verified or not; the id when there is no such app."""
        submission = await self._store.find_current(app_id)
        return submission.name if submission else app_id

    async def shelf(self, area_id: str) -> list[Shelf]:
        """Return every app of the area; one that does not pass stays on the shelf as such."""
        entries = [Shelf(submission, await self._tried(submission)) for submission in await self._store.current()]
        return [entry for entry in entries if entry.loaded is None or entry.loaded.decision.holds_in(area_id)]

    async def _tried(self, submission: Submission) -> Loaded | None:
        try:
            return await self._verified(submission)
        except BadInput:
            return None

    async def _verified(self, submission: Submission) -> Loaded:
        try:
            proof = await self._store.proof(submission.submission_id)
            if proof is None:
                raise BadInput("it is gone", reason="package_gone", place=submission.app_id)
            decision = verify_decision(submission, proof, self._key.signer.public_key, self._clock.now())
            app = await self._open(submission, proof.package_sha256)
        except BadInput as error:
            metrics.dropped("tv", f"miniapp_{error.reason}")
            log.error("miniapp_refused", app_id=submission.app_id, reason=error.reason)
            raise
        return Loaded(app, decision, submission)

    async def _open(self, submission: Submission, digest: str) -> App:
        if digest not in self._opened:
            packed = await self._store.package(submission.submission_id) or b""
            self._opened[digest] = await asyncio.to_thread(open_verified, packed, digest, submission.app_id)
        self._opened.move_to_end(digest)
        while len(self._opened) > _KEPT_APPS:
            self._opened.popitem(last=False)
        return self._opened[digest]


def open_verified(packed: bytes, digest: str, app_id: str) -> App:
    """Open a package whose digest was verified; raises BadInput when the bytes are others or cannot be read."""
    package = open_package(packed, app_id)
    if package.digest != digest:
        raise BadInput("the package changed while it was read", reason="digest_differs", place=app_id)
    app = open_app(package).app
    if app is None:
        raise BadInput("this release cannot read the package any more", reason="unreadable", place=app_id)
    return app
