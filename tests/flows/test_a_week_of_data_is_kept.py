"""Seven days of real air and home measurements go through the broker: every value once, every gap a gap."""

import asyncio
import contextlib
import csv
import json
import math
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway import registration
from gateway.runtime.service import running
from gateway.store import series
from gateway.store.pool import Database
from tests.kit.gateway import GatewayProcess, running_gateway
from tests.kit.servers import REPOSITORY, Mosquitto

VILLAGE = REPOSITORY / "firmware_stubs" / "villages" / "liuwan.toml"
PATIENCE_S = 60.0
DAYS = 7


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
        secrets.mkdir()
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


def test_the_week_of_air_has_gaps_to_keep(shared_data: Path) -> None:
    """The days that the story uses do hold NA, so that a gap that became a zero would be seen."""
    rows = last_days(shared_data / CASES[0].file, CASES[0])
    assert any(row[column] == "NA" for row in rows for column in CASES[0].columns)
