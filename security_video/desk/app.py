"""The desk's composition root: its services in one list, every address in another."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import jinja2

from gateway.accounts.drill_book import DrillBook
from gateway.accounts.roster_lines import MAX_BYTES as ROSTER_BYTES
from gateway.accounts.rosters import Rosters
from gateway.accounts.sessions import Accounts
from gateway.alarms.auditor import Auditor, AuditorSettings
from gateway.alarms.escalator import STANDBY_LAG_S, Escalator
from gateway.alarms.ledger import AlarmLedger
from gateway.alarms.outside import HookQueue
from gateway.outbound.settings import HookSettings
from gateway.runtime import logs
from gateway.runtime.clock import Clock, SteadyClock
from gateway.runtime.service import Service, run_until_signal
from gateway.runtime.settings import Settings, load
from gateway.store import registry
from gateway.store.pool import Database
from gateway.store.timekeeper import Timekeeper
from gateway.web.login.view import LOGIN_PATH
from gateway.web.server import HttpServer, Route
from security_video.desk.alarm_feed import AlarmFeed, Sources
from security_video.desk.alarms_api import AlarmsApi
from security_video.desk.board import Board
from security_video.desk.community_api import CommunityApi
from security_video.desk.duty_api import DutyApi
from security_video.desk.live import Live
from security_video.desk.notices import NoticeBoard
from security_video.desk.pages.board.view import BoardPage
from security_video.desk.pages.duty.view import DutyPage
from security_video.desk.pages.login.view import DeskLogin
from security_video.desk.pages.report.view import ReportPage
from security_video.desk.report_api import ReportApi
from security_video.desk.status import Places, StatusWatch
from security_video.desk.templating import environment, static_files
from security_video.desk.unrecorded import Names, Unrecorded
from security_video.hub import hub_of
from security_video.settings import DeskSettings, GatewayAddress, VideoSettings

#: Sections of the settings file that the desk reads.
READS: Final = (DeskSettings, VideoSettings, GatewayAddress, AuditorSettings, HookSettings)
#: No question of the desk takes longer; on a server that hangs, the next one may go another way.
HANG_S = 5.0
PLATFORM_NAMES: Mapping[str, str] = {"zh": "邻里", "en": "Linli"}


@dataclass(frozen=True, slots=True)
class Desk:
    """A desk that can be started: `services` in their order, `server` the last of them."""

    services: Sequence[Service]
    server: HttpServer


def build(settings: Settings, clock: Clock, community: Mapping[str, str]) -> Desk:
    """Return the desk of one area, `community` its name by language; nothing runs yet."""
    own, node = settings.of(DeskSettings), settings.node
    database = Database(settings.database.dsn, max_size=6, program="linli-desk", hang_s=HANG_S)
    ledger = AlarmLedger(database, clock, time_zone=node.time_zone, delays=settings.delays)
    accounts = Accounts(database, clock)
    board = Board(database, clock, node.area_id)
    hub = hub_of(settings, database, clock)
    around = CommunityApi(database, board, hub, clock, area_id=node.area_id, zone=ZoneInfo(node.time_zone))
    places = Places(settings.of(GatewayAddress).url, node.data_dir)
    outside = HookQueue(settings.of(HookSettings).targets)
    standby = Escalator(ledger, clock, lag_s=STANDBY_LAG_S, outside=outside)
    auditor = Auditor(database, ledger, clock, area_id=node.area_id, settings=settings.of(AuditorSettings))
    status = StatusWatch(
        database, clock, places, hub.count_live, judge_escalation=auditor.verdict, area_id=node.area_id
    )
    alarms = AlarmsApi(database, ledger, board, accounts, clock=clock)
    notices = NoticeBoard(database, clock, accounts, node.area_id)
    names = Names(database, node.area_id)
    unrecorded = Unrecorded(names, board, clock, node.data_dir, node.area_id)
    feed = AlarmFeed(ledger, Sources(board, unrecorded, notices, status, clock))
    static = static_files()
    made = environment(static, community)
    login = DeskLogin(accounts, made, title="值班台")
    page = BoardPage(made, zone=node.time_zone, responders=own.responders)
    routes = (
        *login.routes(),
        *Live(hub, settings.of(VideoSettings), clock).routes(),
        Route("GET", "/", page.show),
        Route("GET", "/feed", feed.serve),
        Route("GET", "/api/alarms", alarms.list_group),
        Route("GET", "/api/alarms/{alarm_id}", alarms.read),
        Route("POST", "/api/alarms/{alarm_id}/steps", alarms.step),
        Route("POST", "/api/alarms/{alarm_id}/notes", alarms.add_note),
        Route("POST", "/api/alarms/{alarm_id}/reveal", alarms.reveal),
        Route("POST", "/api/notices/sign", notices.sign),
        Route("GET", "/api/community", around.community),
        Route("GET", "/api/tonight", around.tonight),
        Route("GET", "/api/watch", around.watch),
        *_sheets(made, database, accounts, clock, time_zone=node.time_zone),
    )
    server = HttpServer("desk", own.host, own.port, routes, static=static, accounts=accounts, login_path=LOGIN_PATH)
    return Desk(
        (
            database,
            Timekeeper(database, clock),
            standby,
            board,
            names,
            unrecorded,
            notices,
            hub,
            auditor,
            status,
            server,
        ),
        server,
    )


def _sheets(
    made: jinja2.Environment, database: Database, accounts: Accounts, clock: Clock, *, time_zone: str
) -> Sequence[Route]:
    """Return the addresses of the pages beside the board: the report, the roster and drills."""
    reports = ReportApi(database, accounts, clock, time_zone)
    report, duty = ReportPage(made, reports), DutyPage(made, database, clock, time_zone)
    changes = DutyApi(database, Rosters(database, accounts, clock, time_zone), DrillBook(database, accounts, clock))
    return (
        Route("GET", "/report", report.show),
        Route("GET", "/report/figures", report.figures),
        Route("GET", "/report/table.csv", reports.table),
        Route("GET", "/duty", duty.show),
        Route("GET", "/duty/roster", duty.roster),
        Route("POST", "/api/duty/shifts", changes.add),
        Route("POST", "/api/duty/shifts/remove", changes.remove),
        Route("POST", "/api/duty/import", changes.import_csv, max_body=ROSTER_BYTES + 1),
        Route("POST", "/api/drills", changes.start_drill),
        Route("POST", "/api/drills/end", changes.end_drill),
    )


async def serve(options: argparse.Namespace) -> int:
    """Run the desk until a signal; the `desk` verb of the program."""
    settings = load(options.config, *READS)
    logs.configure("desk", settings.node.log_level)
    desk = build(settings, SteadyClock(), await community_names(settings))
    await run_until_signal("desk", desk.services, lambda: {"url": desk.server.url})
    return 0


async def community_names(settings: Settings) -> Mapping[str, str]:
    """Return the name of the node's area by language, the platform's where the registry does not know it yet."""
    database = Database(settings.database.dsn, max_size=1, program="linli-desk")
    await database.start()
    try:
        area = await registry.area(database, settings.node.area_id)
    finally:
        await database.stop()
    return {"zh": area.name.removesuffix("社区"), "en": area.name_en or area.name} if area else PLATFORM_NAMES
