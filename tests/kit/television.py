"""A television's server on a real database: two households, a meter, an air station, an operator."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from gateway.alarms.ledger import AlarmLedger
from gateway.model.people import Person
from gateway.runtime.clock import SystemClock
from gateway.runtime.service import running
from gateway.runtime.settings import load
from gateway.store.content import ContentStore
from gateway.store.pool import Database
from gateway.store.tv import TvStore
from tv_apps import app
from tv_apps.settings import SECTIONS

AREA = "110105001001"
TOKEN = "token-of-the-first-household"
OTHER_TOKEN = "token-of-the-other-household"
OPERATOR = Person("p-1", "zhoumin", "周敏", frozenset({"operator", "supervisor"}), AREA)


@dataclass
class TvServer:
    """The running program and a second way into its database."""

    url: str
    database: Database
    ledger: AlarmLedger
    store: TvStore
    content: ContentStore
    settings_file: Path
    pages_database: Database

    @property
    def entry(self) -> str:
        """The address that a box opens first."""
        return f"{self.url}tv?box={TOKEN}"


async def populate(database: Database) -> None:
    await database.execute("insert into areas (area_id, name, name_en) values ($1, '柳湾社区', 'Liuwan')", AREA)
    for household, token, room in (("h-1", TOKEN, "501"), ("h-2", OTHER_TOKEN, "302")):
        await database.execute(
            "insert into households (household_id, area_id, building, unit, room, address, resident_name, tv_token)"
            " values ($1, $2, '3号楼', '2单元', $3, $4, '王桂兰', $5)",
            household, AREA, room, f"3号楼 2单元 {room}", token,
        )  # fmt: skip
    for device, home, kind, name in (
        ("stb-1", "h-1", "stb", "机顶盒"),
        ("meter-1", "h-1", "meter", "电表"),
        ("air-1", None, "sensor", "空气站"),
    ):
        await database.execute(
            "insert into devices (device_id, area_id, household_id, kind, name) values ($1, $2, $3, $4, $5)",
            device, AREA, home, kind, name,
        )  # fmt: skip


@contextlib.asynccontextmanager
async def serving(dsn: str, folder: Path, *, port: int = 0) -> AsyncIterator[TvServer]:
    """Run the program on a database that is populated already."""
    file = folder / "linli.toml"
    file.write_text(
        f'[node]\narea_id = "{AREA}"\ndata_dir = "{folder}"\n[database]\ndsn = "{dsn}"\n'
        f"[tv]\nport = {port}\npoll_s = 1\n[developer]\nport = 0\n",
        encoding="utf-8",
    )
    clock = SystemClock()
    program = app.build(load(file, *SECTIONS), clock)
    database = Database(dsn, max_size=2)
    async with running([database, *program.services]):
        ledger, pages = AlarmLedger(database, clock), program.services[0]
        assert isinstance(pages, Database)
        yield TvServer(program.tv.url, database, ledger, TvStore(database), ContentStore(database), file, pages)
