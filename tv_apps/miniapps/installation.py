"""`python -m tv_apps bundled`: what comes with the installation goes the public way: pack, sign, submit, decide."""

import argparse
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

from gateway.accounts.sessions import Accounts
from gateway.model.errors import ConfigurationError
from gateway.model.people import Person
from gateway.runtime import logs
from gateway.runtime.clock import Clock
from gateway.store.miniapps import DeveloperKey, MiniAppStore
from gateway.store.pool import Database
from gateway.store.queries import named
from tv_apps.miniapps import sign
from tv_apps.miniapps.catalog import PlatformKey
from tv_apps.miniapps.check import check_path
from tv_apps.miniapps.review import ReviewDesk, Upload

log = logs.get(__name__)

KEY_FILE: Final = "miniapps-bundled.pem"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's own arguments."""
    parser.add_argument("--hold", action="append", default=[], metavar="NAME", help="leave this one for an official")


class Installation:
    """Publishes the bundled apps in the name of a developer, and decides as the installation itself."""

    def __init__(self, database: Database, clock: Clock, secrets_dir: Path, area_id: str) -> None:
        self._database = database
        self._clock = clock
        self._secrets_dir = secrets_dir
        self._store = MiniAppStore(database)
        self._desk = ReviewDesk(self._store, Accounts(database, clock), clock, PlatformKey(secrets_dir))
        #: Says in every record that nobody looked: the one who installs the platform took it as it is.
        self._installer = Person("installation", "installation", "安装程序", frozenset({"official"}), area_id)

    async def publish(self, hold: Sequence[str] = ()) -> list[str]:
        """Bring every bundled app onto the televisions, except those in `hold`; again changes nothing."""
        developer = await self._developer()
        signer = sign.read_or_make_key(self._secrets_dir / KEY_FILE)
        if await self._store.find_key(signer.key_id) is None:
            now = self._clock.now()
            key = DeveloperKey(signer.key_id, developer.person_id, signer.public_key, "随安装自带", now)
            await self._store.add_key(key)
        return [await self._publish_one(developer, signer, folder, hold) for folder in bundled_folders()]

    async def _developer(self) -> Person:
        row = await self._database.fetchrow(named("miniapps")["find_first_developer"])
        if row is None:
            cure = "Make one: python -m gateway people add … --role developer."
            raise ConfigurationError("nobody has the role developer", place="people", cure=cure)
        return Person(row["person_id"], row["name"], row["display_name"], frozenset(row["roles"]), row["area_id"])

    async def _publish_one(self, developer: Person, signer: sign.Signer, folder: Path, hold: Sequence[str]) -> str:
        report = check_path(folder)
        if not report.is_clean or report.package is None or report.manifest is None:
            raise ConfigurationError(str(report.findings[0].message()), place=report.findings[0].place)
        manifest = report.manifest
        digests = sign.digests_of(report.package, manifest.app_id, manifest.version.code)
        signature = sign.write_envelope(signer.sign(sign.DIGESTS_TYPE, digests))
        outcome = await self._desk.submit(developer, Upload(report.package.packed, signature, folder.name))
        if outcome.is_new and outcome.submission and folder.name not in hold:
            await self._desk.approve(self._installer, outcome.submission.submission_id, "随安装自带，没有人工审核")
        log.info("bundled_app_published", app_id=manifest.app_id, is_new=outcome.is_new)
        return manifest.app_id


def bundled_folders() -> list[Path]:
    """Return the source folders of the bundled apps."""
    root = Path(str(files("tv_apps") / "bundled"))
    return sorted(path.parent for path in root.glob("*/manifest.json"))
