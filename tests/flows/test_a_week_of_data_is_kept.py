"""Seven days of real air and home measurements go through the broker: every value once, every gap a gap."""

import asyncio
import contextlib
import csv
import itertools
import json
import math
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import aiohttp
import pytest

from gateway import registration
from gateway.runtime.service import running
from gateway.store import series
from gateway.store.pool import Database
from tests.kit.community import TOKEN
from tests.kit.gateway import GatewayProcess, running_gateway, running_program
from tests.kit.servers import REPOSITORY, Mosquitto

VILLAGE = REPOSITORY / "firmware_stubs" / "villages" / "liuwan.toml"
PATIENCE_S = 60.0
DAYS = 7
BEIJING = timezone(timedelta(hours=8))
LINE_OF_DATA = re.compile(r'<polyline points="[^"]+" fill="none" stroke="#FFC861"')


@dataclass(frozen=True, slots=True)
class Case:
    """One file, the device that replays it, and which columns become which metrics (read here, not in the stub)."""

    file: str
    device_id: str
    rows_a_day: int
    columns: dict[str, str]


CASES = [
    Case(
        "air/nongzhanguan-2013-2017.csv",
        "air-liuwan-1",
        24,
        {"PM2.5": "pm2_5", "PM10": "pm10", "SO2": "so2", "NO2": "no2", "CO": "co", "O3": "o3", "TEMP": "temp"},
    ),
    Case(
        "home/energydata_complete.csv",
        "meter-0301",
        144,
        {"Appliances": "energy_wh", "lights": "lights_wh", "T1": "t1", "RH_1": "rh_1", "T_out": "t_out"},
    ),
]


def last_days(path: Path, case: Case) -> list[dict[str, str]]:
    """Return the rows of the last DAYS calendar days of a file."""
    rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))

    def day(row: dict[str, str]) -> str:
        return row["date"].split()[0] if "date" in row else f"{row['year']}-{row['month']}-{row['day']}"

    wanted = list(dict.fromkeys(day(row) for row in rows))[-DAYS:]
    return [row for row in rows if day(row) in wanted]


async def replay(gateway: GatewayProcess, device_id: str, path: Path, *more: str) -> dict[str, object]:
    """Run the stub's own command and return what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "firmware_stubs", "replay", "--device", device_id, "--days", str(DAYS)),
        *("--config", str(gateway.settings), *more, str(path)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    output, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode == 0
    told: dict[str, object] = json.loads(output.splitlines()[-1])
    return told


@contextlib.asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[Database]:
    """A connection of the test's own."""
    database = Database(dsn)
    async with running([database]):
        yield database


async def until_still(database: Database, expected: int) -> int:
    """Return how many readings there are once `expected` are reached and nothing more comes."""
    async with asyncio.timeout(PATIENCE_S):
        while await database.fetchval("select count(*) from readings") < expected:
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)
    return int(await database.fetchval("select count(*) from readings"))


@pytest.mark.parametrize("case", CASES, ids=["air", "home"])
async def test_every_value_of_seven_days_is_in_the_series_once(
    mosquitto: Mosquitto, database_dsn: str, shared_data: Path, case: Case
) -> None:
    """Count and sum of each series equal those of the file, NA is a gap, and replaying again adds nothing."""
    path = shared_data / case.file
    rows = last_days(path, case)
    await registration.register(database_dsn, registration.read(VILLAGE))
    password = mosquitto.add_user(case.device_id)
    async with contextlib.AsyncExitStack() as stack:
        gateway = stack.enter_context(running_gateway(mosquitto, database_dsn))
        secrets = gateway.folder / "secrets"
        secrets.mkdir(exist_ok=True)
        (secrets / "devices.json").write_text(json.dumps({case.device_id: password}))
        database = await stack.enter_async_context(connected(database_dsn))
        told = await replay(gateway, case.device_id, path)
        assert told["rows"] == len(rows)
        values = int(str(told["values"]))
        assert await until_still(database, values) == values
        await replay(gateway, case.device_id, path, "--again")
        assert await until_still(database, values) == values
        for column, metric in case.columns.items():
            expected = [float(row[column]) for row in rows if row[column] != "NA"]
            found = await series.summary(database, case.device_id, metric)
            assert found.readings == len(expected), metric
            assert math.isclose(found.total, math.fsum(expected), rel_tol=1e-9), metric


def local_time(row: dict[str, str]) -> datetime:
    """Return the wall-clock time that a row of either file names."""
    if "date" in row:
        day, _, hour = row["date"].partition(" ")
        words = [*day.split("/"), hour]
    else:
        words = [row["year"], row["month"], row["day"], f"{row['hour']}:00"]
    return datetime.strptime(" ".join(words), "%Y %m %d %H:%M")  # noqa: DTZ007  a wall clock's time


async def page_of(tv_url: str, path: str) -> str:
    """Return a page as the household's box reads it."""
    cookies = {"box": TOKEN}
    async with aiohttp.ClientSession(tv_url, cookies=cookies) as box, box.get(path) as answer:
        assert answer.status == 200
        return await answer.text()


def text_of(html: str) -> str:
    """Return the words and figures of a page, tags gone."""
    return re.sub(r"\s+", " ", re.sub(r"<(style|script).*?</\1>|<[^>]+>", " ", html, flags=re.DOTALL))


async def test_the_television_shows_the_figures_of_the_files(
    mosquitto: Mosquitto, database_dsn: str, shared_data: Path
) -> None:
    """Electricity of the week and the air of the last 24 hours stand on the TV as in the CSV; NA breaks the line."""
    await registration.register(database_dsn, registration.read(VILLAGE))
    passwords = {case.device_id: mosquitto.add_user(case.device_id) for case in CASES}
    async with contextlib.AsyncExitStack() as stack:
        gateway = stack.enter_context(running_gateway(mosquitto, database_dsn))
        tv_url = stack.enter_context(running_program(gateway, "tv_apps", "serve"))
        (gateway.folder / "secrets").mkdir(exist_ok=True)
        (gateway.folder / "secrets" / "devices.json").write_text(json.dumps(passwords))
        database = await stack.enter_async_context(connected(database_dsn))
        await database.execute("update households set tv_token = $1 where household_id = 'hh-0301'", TOKEN)
        newest, values = {}, 0
        for case in CASES:
            told = await replay(gateway, case.device_id, shared_data / case.file)
            newest[case.device_id] = datetime.fromisoformat(str(told["last"])).astimezone(BEIJING).replace(tzinfo=None)
            values += int(str(told["values"]))
        await until_still(database, values)

        await database.execute(
            "insert into tv_choices (household_id, tier, seen_at) values ('hh-0301', 'f1', now())"
            " on conflict (household_id) do update set tier = 'f1'"
        )
        air, home = ([*last_days(shared_data / case.file, case)] for case in CASES)
        html = await page_of(tv_url, "/tv/air")
        assert f" {float(air[-1]['PM2.5']):.0f} " in text_of(html)
        assert f" {float(air[-1]['O3']):.0f} " in text_of(html)
        assert len(LINE_OF_DATA.findall(html)) == len(runs([row["PM2.5"] != "NA" for row in air[-24:]]))

        last = newest[CASES[1].device_id]
        shift = last - local_time(home[-1])
        assert shift % timedelta(days=1) == timedelta()
        monday = (last - timedelta(days=last.weekday())).date()
        this_week = [row for row in home if (local_time(row) + shift).date() >= monday]
        total_kwh = sum(float(row["Appliances"]) for row in this_week) / 1000
        assert f" {total_kwh:.1f} " in text_of(await page_of(tv_url, "/tv/my/electricity"))


def runs(is_there: list[bool]) -> list[int]:
    """Return the lengths of unbroken stretches of at least two values: what a line can be drawn through."""
    lengths = [sum(1 for _ in group) for key, group in itertools.groupby(is_there) if key]
    return [length for length in lengths if length > 1]


def test_the_week_of_air_has_gaps_to_keep(shared_data: Path) -> None:
    """The days that the story uses do hold NA, so that a gap that became a zero would be seen."""
    rows = last_days(shared_data / CASES[0].file, CASES[0])
    assert any(row[column] == "NA" for row in rows for column in CASES[0].columns)
