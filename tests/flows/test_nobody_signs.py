"""Nobody signs: the alarm goes from the community to the street and the district by itself, until somebody has it."""

import time
from collections.abc import AsyncIterator, Mapping

import pytest
from playwright.async_api import Browser, Locator, expect

from gateway.accounts.sessions import Accounts
from gateway.alarms.ledger import AlarmLedger
from gateway.model.alarms import Action, Delays, Outcome, Verdict
from gateway.model.people import Person
from gateway.runtime.clock import SystemClock
from gateway.store.pool import Database
from tests.kit.people import PATIENCE_MS, Grandmother, Operator, short_number
from tests.kit.stack import Demo

pytestmark = [pytest.mark.flow, pytest.mark.browser]

STREET, DISTRICT = "110105001000", "110105000000"
PASSWORD = "a long night above the village"
STEP_MS = 40_000
#: Seconds around a step's time in which a loaded machine still shows it.
TOLERANCE_S = 8.0


@pytest.fixture
async def database(demo: Demo) -> AsyncIterator[Database]:
    """The demo's own database."""
    opened = Database(demo.facts["database"], max_size=2)
    await opened.start()
    yield opened
    await opened.stop()


@pytest.fixture
async def people(database: Database) -> Mapping[str, Person]:
    """An operator of the street and one of the district, by login name."""
    accounts = Accounts(database, SystemClock())
    made = [
        await accounts.create_person(name, PASSWORD, roles=("operator",), area_id=area_id, display_name=display_name)
        for name, display_name, area_id in (("chenzhen", "陈镇", STREET), ("linxian", "林县", DISTRICT))
    ]
    return {person.name: person for person in made}


def panel(operator: Operator, number: str) -> Locator:
    """The panel with the alarm of this number."""
    return operator.page.locator(".detail").filter(has_text=number)


async def close(database: Database, household_id: str, people: Mapping[str, Person]) -> None:
    """Take the alarm off the board that other stories share."""
    ledger = AlarmLedger(database, SystemClock())
    alarm = await ledger.latest_for_household(household_id)
    assert alarm is not None
    by, other = people["chenzhen"], people["linxian"]
    alarm = await ledger.step(alarm.alarm_id, Action.VERIFY, by=by, version=alarm.version, verdict=Verdict.FALSE)
    alarm = await ledger.step(
        alarm.alarm_id, Action.RESOLVE, by=by, version=alarm.version, outcome=Outcome.TEST, note="故事讲完了"
    )
    await ledger.step(alarm.alarm_id, Action.CLOSE, by=other, version=alarm.version)


async def test_an_alarm_that_nobody_signs_goes_up_until_somebody_does(
    demo: Demo, database: Database, people: Mapping[str, Person], browser: Browser
) -> None:
    """At 30 s the street rings, at 60 s the district; the street signs, nothing goes further, the home reads who."""
    assert (Delays().street_s, Delays().district_s, Delays().supervisor_s) == (30.0, 60.0, 90.0)
    home = demo.facts["households"][1]
    idle = await Operator.signs_in(browser, demo)
    street = await Operator.sits_down(browser, demo.desk, "chenzhen", PASSWORD)
    district = await Operator.sits_down(browser, demo.desk, "linxian", PASSWORD)
    grandmother = await Grandmother.sits_down(browser, home["tv_url"])

    await grandmother.holds_the_red_key()
    number = short_number(await grandmother.reads("已送到值班台"))
    begun = time.monotonic()
    await expect(idle.page.locator("[data-part=says]")).to_contain_text("秒后转柳湾镇值班台", timeout=PATIENCE_MS)
    await expect(street.page.locator("#calm-title")).to_have_text("一切平静")

    await expect(panel(street, number)).to_be_visible(timeout=STEP_MS)
    assert abs(time.monotonic() - begun - 30) < TOLERANCE_S
    await expect(street.page.locator("body")).to_have_attribute("data-ringing", "")
    await expect(idle.page.locator("[role=option]").filter(has_text="已转柳湾镇")).to_be_visible()
    await expect(district.page.locator("#calm-title")).to_have_text("一切平静")
    assert "陈镇" not in await grandmother.reads("已转给柳湾镇值班台")

    await expect(panel(district, number)).to_be_visible(timeout=STEP_MS)
    assert abs(time.monotonic() - begun - 60) < TOLERANCE_S
    await expect(idle.page.locator("[data-part=says]")).to_contain_text("秒后转青溪县督办")

    await street.page.keyboard.press("Space")
    assert "陈镇" in await grandmother.reads("值班员已受理")
    await expect(idle.page.locator("[role=option]").filter(has_text="已签收　陈镇")).to_be_visible()
    await expect(idle.page.locator("body[data-ringing]")).to_have_count(0)
    steps = "select details->>'step' from alarm_events where kind = 'escalated' order by event_id desc limit 2"
    assert [row[0] for row in await database.fetch(steps)] == ["district", "street"]
    waiting = "select count(*) from alarm_timers where done_at is null and kind <> 'progress'"
    assert await database.fetchval(waiting) == 0
    await close(database, home["id"], people)
