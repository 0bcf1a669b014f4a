"""The verb `notices`: official texts from a folder, or the demo's own, into the database; again adds nothing."""

import argparse
import sys
import tomllib
from collections.abc import Iterable
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.model.errors import BadInput
from gateway.model.ids import is_area_id
from gateway.model.notices import SUMMARY_CHARACTERS, Notice, Section
from gateway.runtime.clock import SystemClock
from gateway.runtime.settings import Settings
from gateway.store.content import ContentStore
from gateway.store.pool import Database
from tv_apps.content import official


async def run(settings: Settings, options: argparse.Namespace) -> int:
    """Carry out `notices import DIR` or `notices demo`; prints how many are new. 0 good, 1 some were refused."""
    area_id = options.area or settings.node.area_id
    if not is_area_id(area_id):
        raise BadInput(f"{area_id!r} is no area", reason="bad_value", place="--area", cure="Give twelve digits.")
    today = SystemClock().now().astimezone(ZoneInfo(settings.node.time_zone)).date()
    notices, refused = (
        (list(demo(area_id, today)), 0) if options.action == "demo" else _read_folder(options.folder, area_id)
    )
    database = Database(settings.database.dsn, program="notices")
    await database.start()
    try:
        store, now = ContentStore(database), SystemClock().now()
        new = sum([await store.save(notice, now) for notice in notices])
    finally:
        await database.stop()
    sys.stdout.write(f"{len(notices)} notices, {new} new, {refused} refused\n")
    return 1 if refused else 0


def _read_folder(folder: Path | None, area_id: str) -> tuple[list[Notice], int]:
    """Read every .txt of a folder; one that is no document is named on standard error and the next is read."""
    if folder is None or not folder.is_dir():
        raise BadInput("no such folder", reason="not_found", place=str(folder), cure="Name a folder of .txt files.")
    notices, refused = [], 0
    for path in sorted(folder.glob("*.txt")):
        try:
            notices.append(official.read(path.read_text(encoding="utf-8"), path.name).as_notice(area_id))
        except (BadInput, UnicodeDecodeError) as error:
            refused += 1
            sys.stderr.write(f"{path.name}: {error}\n")
    return notices, refused


def demo(area_id: str, today: date) -> Iterable[Notice]:
    """Yield the notices of the demo's community, dated from `today`."""
    text = (files("tv_apps.content") / "demo.toml").read_text(encoding="utf-8")
    for each in tomllib.loads(text)["notice"]:
        valid_days = each.get("valid_days")
        yield Notice(
            notice_id=each["id"],
            area_id=area_id,
            section=Section(each["section"]),
            title=each["title"],
            summary=each["body"][0][:SUMMARY_CHARACTERS],
            body=tuple(each["body"]),
            source_unit=each["source_unit"],
            doc_number=each.get("doc_number", ""),
            contact=each.get("contact", ""),
            published_on=today - timedelta(days=each["age_days"]),
            valid_until=today + timedelta(days=valid_days) if valid_days else None,
        )
