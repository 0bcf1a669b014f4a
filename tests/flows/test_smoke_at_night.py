"""Smoke and an open door at night: a sensor in a home, a rule file, the desk, and the words on the television."""

import asyncio
import json
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, expect

from iot_rules.settings import PRESET
from tests.kit.people import PATIENCE_MS, Grandmother, Operator
from tests.kit.servers import REPOSITORY
from tests.kit.stack import Demo, launcher, running_demo

pytestmark = [pytest.mark.flow, pytest.mark.browser]

HOME = "hh-0301"


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo with the village's own rules, in which it is night now and ten minutes are three seconds."""
    rules = tmp_path_factory.mktemp("rules") / "rules.toml"
    local = datetime.now(ZoneInfo("Asia/Shanghai"))
    begin, end = local - timedelta(hours=1), local + timedelta(hours=7)
    text = PRESET.read_text(encoding="utf-8").replace('for = "10 min"', 'for = "3 s"')
    text = text.replace('from = "22:00", to = "06:00"', f'from = "{begin:%H:%M}", to = "{end:%H:%M}"')
    text = text.replace("门开着已经{minutes}分钟", "门一直开着")
    rules.write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LINLI_RULES_FILE", str(rules))
        with running_demo() as running:
            yield running


async def sensor(demo: Demo, device: str, value: str) -> None:
    """Change what a sensor of the village measures, as a person at its socket would."""
    config = demo.folder / "data" / "linli.toml"
    words = ("set", "--device", device, "--config", str(config), value)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "firmware_stubs", *words, cwd=REPOSITORY, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    assert json.loads(said)["ok"]


def tv_url(demo: Demo) -> str:
    return str(next(home["tv_url"] for home in demo.facts["households"] if home["id"] == HOME))


async def test_smoke_reaches_the_desk_and_the_television(night: Demo, browser: Browser) -> None:
    """A smoke detector in the kitchen: an alarm with the household at the desk, words on that home's television."""
    operator = await Operator.signs_in(browser, night)
    grandmother = await Grandmother.sits_down(browser, tv_url(night))
    await sensor(night, "smoke-0301", "smoke=true")
    await operator.sees("烟感", "3号楼")
    await expect(grandmother.page.locator("#mt")).to_have_text("厨房烟感响了", timeout=PATIENCE_MS)
    await grandmother.page.keyboard.press("Enter")
    await expect(grandmother.page.locator("#ms")).to_be_hidden(timeout=PATIENCE_MS)


async def test_a_door_that_stays_open_at_night_is_said_until_it_closes(night: Demo, browser: Browser) -> None:
    """The notice comes after its time and goes when the door is closed, without anybody pressing a key."""
    grandmother = await Grandmother.sits_down(browser, tv_url(night))
    await sensor(night, "door-0301", "open=true")
    await expect(grandmother.page.locator("#mt")).to_have_text("门一直开着", timeout=PATIENCE_MS)
    await expect(grandmother.page.locator("#ms")).to_be_visible()
    await sensor(night, "door-0301", "open=false")
    await expect(grandmother.page.locator("#ms")).to_be_hidden(timeout=PATIENCE_MS)


async def test_a_rule_file_is_checked_against_the_devices_there_are(night: Demo, tmp_path: Path) -> None:
    """`linli rules check` with the demo's settings knows its devices and names one that is near."""
    mine = tmp_path / "mine.toml"
    mine.write_text(
        """[[rule]]
id = "mine"
inputs.door = { device = "door-0310", property = "open" }
when = { input = "door", is = true }
then = [{ do = "tell_desk", text = "门开了" }]
""",
        encoding="utf-8",
    )
    config = str(night.folder / "data" / "linli.toml")
    process = await asyncio.create_subprocess_exec(
        *launcher("rules", "check", str(mine), "--config", config), cwd=REPOSITORY, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert process.returncode == 1
    assert f'{mine}:3:17: rule "mine": no device "door-0310" is registered. Did you mean "door-030' in said.decode()
