"""Rosters and drills from the command line: `duty list|add|remove|import` and `drill start|end|list`."""

import argparse
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from gateway.accounts.drill_book import LONGEST_MINUTES, DrillBook
from gateway.accounts.roster_lines import COLUMNS, Line
from gateway.accounts.rosters import Rosters
from gateway.accounts.sessions import Accounts
from gateway.model.errors import BadInput
from gateway.model.ids import area_prefix
from gateway.model.people import PLATFORM
from gateway.runtime.clock import Clock, SystemClock
from gateway.store import drills, duty
from gateway.store.pool import Database

DUTY_HELP: Final = "the duty roster: list, add, remove shifts, import a CSV file"
DRILL_HELP: Final = "drills: start, end, list; alarms of their area are practice meanwhile"

EXIT_REFUSED: Final = 2
_TIMES: Final = "as 2026-07-19 20:00 by the community's clock"


@dataclass(frozen=True, slots=True)
class Desk:
    """What an action works with."""

    database: Database
    clock: Clock
    zone: ZoneInfo
    rosters: Rosters
    drill_book: DrillBook


Act = Callable[[Desk, argparse.Namespace], Awaitable[int]]


def add_duty_arguments(parser: argparse.ArgumentParser) -> None:
    """Put the sub-verbs of `duty` on `parser`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    shown = actions.add_parser("list", help="show the coming shifts, and where nobody is on duty now")
    shown.add_argument("--area", default="0" * 12, help="12-digit area; trailing zeros mean everything below")
    shown.add_argument("--days", type=int, default=7)
    add = actions.add_parser("add", help="add one shift")
    add.add_argument("person", help="name on screens")
    add.add_argument("--area", required=True, help="12-digit area")
    add.add_argument("--begins", required=True, help=_TIMES)
    add.add_argument("--ends", required=True, help=_TIMES)
    add.add_argument("--phone", default="")
    add.add_argument("--role", default="operator", choices=("operator", "supervisor"))
    remove = actions.add_parser("remove", help="take one shift away")
    remove.add_argument("shift_id", help="as `duty list` shows it")
    imported = actions.add_parser("import", help=f"add the shifts of a CSV file with the columns {','.join(COLUMNS)}")
    imported.add_argument("file", type=Path)
    imported.add_argument("--partial", action="store_true", help="take the good lines although others are refused")


def add_drill_arguments(parser: argparse.ArgumentParser) -> None:
    """Put the sub-verbs of `drill` on `parser`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    start = actions.add_parser("start", help="begin a drill now")
    start.add_argument("area", help="12-digit area; an outer one covers all that lies inside it")
    start.add_argument("--minutes", type=int, default=60, help=f"how long, at most {LONGEST_MINUTES}")
    start.add_argument("--note", required=True, help="what for")
    end = actions.add_parser("end", help="end a drill before its time")
    end.add_argument("drill_id", help="as `drill list` shows it")
    shown = actions.add_parser("list", help="show the newest drills")
    shown.add_argument("--area", default="0" * 12, help="12-digit area; trailing zeros mean everything below")


async def run(dsn: str, time_zone: str, options: argparse.Namespace) -> int:
    """Do what the arguments say, on the database at `dsn`; 2 where lines of a file were refused. Raises LinliError."""
    database, clock = Database(dsn, max_size=2, program="linli-duty"), SystemClock()
    await database.start()
    try:
        accounts = Accounts(database, clock)
        rosters = Rosters(database, accounts, clock, time_zone)
        desk = Desk(database, clock, ZoneInfo(time_zone), rosters, DrillBook(database, accounts, clock))
        return await _ACTIONS[f"{options.verb} {options.action}"](desk, options)
    finally:
        await database.stop()


async def _list_shifts(desk: Desk, options: argparse.Namespace) -> int:
    now, prefix = desk.clock.now(), area_prefix(options.area)
    for shift in await duty.list_shifts(desk.database, prefix, now, now + timedelta(days=options.days)):
        times = (
            f"{shift.begins_at.astimezone(desk.zone):%Y-%m-%d %H:%M}\t{shift.ends_at.astimezone(desk.zone):%m-%d %H:%M}"
        )
        state = "now" if shift.covers(now) else "later"
        _say(f"{shift.shift_id}\t{state}\t{shift.area_id}\t{times}\t{shift.role}\t{shift.person_name}\t{shift.phone}")
    for area_id, name in await duty.gaps(desk.database, prefix, now):
        _say(f"nobody on duty now\t{area_id}\t{name}")
    return 0


async def _add_shift(desk: Desk, options: argparse.Namespace) -> int:
    times = (options.begins, options.ends)
    line = Line(1, options.area, options.person, options.phone, options.role, *times)
    shift = await desk.rosters.add(line, by=PLATFORM)
    _say(f"{shift.shift_id}: added")
    return 0


async def _remove_shift(desk: Desk, options: argparse.Namespace) -> int:
    await desk.rosters.remove(options.shift_id, by=PLATFORM)
    _say(f"{options.shift_id}: removed")
    return 0


async def _import_shifts(desk: Desk, options: argparse.Namespace) -> int:
    try:
        raw = options.file.read_bytes()
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", place=str(options.file), cure="Name a CSV file.") from error
    result = await desk.rosters.import_csv(raw, by=PLATFORM, partial=options.partial)
    for refused in result.refused:
        _say(f"line {refused.number}: {refused.reason}: {refused.value}")
    _say(f"{len(result.added)} added, {len(result.refused)} refused")
    return EXIT_REFUSED if result.refused else 0


async def _start_drill(desk: Desk, options: argparse.Namespace) -> int:
    drill = await desk.drill_book.start(options.area, options.minutes, options.note, by=PLATFORM)
    _say(f"{drill.drill_id}: a drill until {drill.ends_at.astimezone(desk.zone):%Y-%m-%d %H:%M}")
    return 0


async def _end_drill(desk: Desk, options: argparse.Namespace) -> int:
    await desk.drill_book.end(options.drill_id)
    _say(f"{options.drill_id}: ended")
    return 0


async def _list_drills(desk: Desk, options: argparse.Namespace) -> int:
    now = desk.clock.now()
    for drill in await drills.list_drills(desk.database, options.area):
        times = (
            f"{drill.begins_at.astimezone(desk.zone):%Y-%m-%d %H:%M}\t{drill.ends_at.astimezone(desk.zone):%m-%d %H:%M}"
        )
        state = "running" if drill.runs(now) else "over"
        _say(f"{drill.drill_id}\t{state}\t{drill.area_id}\t{times}\t{drill.started_by}\t{drill.note}")
    return 0


_ACTIONS: Final[dict[str, Act]] = {
    "duty list": _list_shifts,
    "duty add": _add_shift,
    "duty remove": _remove_shift,
    "duty import": _import_shifts,
    "drill start": _start_drill,
    "drill end": _end_drill,
    "drill list": _list_drills,
}


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
