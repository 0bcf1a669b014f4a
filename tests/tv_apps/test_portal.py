"""The portal over HTTP on a real database: who is asked, what is read, what is remembered."""

import csv
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import aiohttp
import pytest

from gateway.model.alarms import Press, short_number
from gateway.model.ids import new_ulid
from gateway.model.notices import Notice, Section
from tests.kit.television import AREA, OTHER_TOKEN, TOKEN, TvServer
from tv_apps.kit import drawn, gates

BEIJING = timezone(timedelta(hours=8))


@pytest.fixture
async def box(tv: TvServer) -> AsyncIterator[aiohttp.ClientSession]:
    """A television that has entered."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(base_url=tv.url, cookie_jar=jar) as session:
        async with session.get(f"/tv?box={TOKEN}", headers={"User-Agent": "Old Box"}) as answer:
            assert answer.status == 200 and answer.url.path == "/tv/home"
        yield session


async def page(session: aiohttp.ClientSession, path: str) -> str:
    async with session.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


def words(html: str) -> str:
    """Everything that is seen on a page."""
    return "|".join(element.words for element in drawn.read(html).visible() if element.words)


async def _add_readings(tv: TvServer, device: str, metric: str, rows: list[tuple[datetime, float]]) -> None:
    for day in {at.astimezone(UTC).date() for at, _ in rows}:
        for hour in (0, 23):
            moment = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
            await tv.database.fetchval("select ensure_readings_partition($1)", moment)
    await tv.database.executemany(
        "insert into readings (at, device_id, metric, boot, seq, value) values ($1, $2, $3, 1, $4, $5)",
        [(at, device, metric, number, value) for number, (at, value) in enumerate(rows)],
    )


async def test_stranger_gets_a_page_and_no_household(tv: TvServer) -> None:
    """Without a known token every page says that the TV is not registered, with 110; the API refuses."""
    async with aiohttp.ClientSession(base_url=tv.url) as session:
        for path in ("/tv/home", "/tv/s/7", "/tv/my/electricity"):
            async with session.get(path) as answer:
                assert answer.status == 401
                html = await answer.text()
                assert "还没有登记" in html and "110" in html and gates.page_faults(html) == []
        async with session.get("/tv?box=wrong-token-that-nobody-has") as answer:
            assert "还没有登记" in await answer.text()
        async with session.get("/api/v1/tv/now") as answer:
            assert answer.status == 401


async def test_every_address_of_the_portal_passes_the_gates(tv: TvServer, box: aiohttp.ClientSession) -> None:
    """What the server really sends passes every gate, at F0 and at F1, and allows its own style by digest only."""
    paths = [
        "home",
        *(f"s/{digit}" for digit in range(10)),
        "list/safety",
        "list/bills",
        "my/devices",
        "my/electricity",
    ]
    paths += ["my/alarms", "air", "alarm", "more", "keys", "help", "live", "apps"]
    for tier in ("f0", "f1"):
        async with box.post("/api/v1/tv/choices", json={"tier": tier}) as answer:
            assert answer.status == 204
        for path in paths:
            async with box.get(f"/tv/{path}") as answer:
                assert answer.status == 200, path
                assert "sha256-" in answer.headers["Content-Security-Policy"]
                assert gates.page_faults(await answer.text()) == [], (tier, path)


async def test_links_of_every_page_lead_somewhere(tv: TvServer, box: aiohttp.ClientSession) -> None:
    """Each link, picture and BACK of each page is answered."""
    waiting, seen = ["/tv/home"], set()
    while waiting:
        path = waiting.pop()
        if path in seen or not path.startswith("/tv"):
            continue
        seen.add(path)
        async with box.get(path) as answer:
            assert answer.status in {200, 204}, path
            if answer.content_type != "text/html":
                continue
            read = drawn.read(await answer.text())
        waiting += [e.attributes[k] for e in read.elements for k in ("href", "src") if e.attributes.get(k)]
        waiting += [read.body[f"data-{way}"] for way in ("back", "u", "d", "l", "r") if read.body.get(f"data-{way}")]
    assert len(seen) > 20


async def test_notice_is_new_until_it_is_opened(tv: TvServer, box: aiohttp.ClientSession) -> None:
    """A notice counts as unread on the home page until this household opens it; other areas' notices are not shown."""
    today = datetime.now(BEIJING).date()
    notice = Notice("n-1", AREA, Section.NOTICES, "停水检修", ("请存水。",), "柳湾社区居委会", today)
    assert await tv.content.save(notice, datetime.now(UTC))
    assert not await tv.content.save(notice, datetime.now(UTC))
    other = Notice("n-2", "110105002001", Section.NOTICES, "别的社区", ("无关。",), "别处", today)
    district = Notice("n-3", "110105000000", Section.NOTICES, "全县通知", ("都看。",), "青溪县", today)
    old = Notice(
        "n-4", AREA, Section.NOTICES, "过期", ("旧的。",), "柳湾", today, valid_until=today - timedelta(days=1)
    )
    for each in (other, district, old):
        await tv.content.save(each, datetime.now(UTC))
    assert "2 条新通知" in words(await page(box, "/tv/home"))
    listed = words(await page(box, "/tv/s/5"))
    assert "停水检修" in listed and "全县通知" in listed and "别的社区" not in listed and "过期" not in listed
    assert "请存水。" in words(await page(box, "/tv/notices/n-1"))
    assert "1 条新通知" in words(await page(box, "/tv/home"))
    async with box.get("/tv/notices/n-2") as answer:
        assert answer.status == 404 and gates.page_faults(await answer.text()) == []


async def test_text_size_and_language_are_kept_for_the_household(tv: TvServer, box: aiohttp.ClientSession) -> None:
    """What was chosen stays after the box has forgotten its cookie, by script and by form."""
    async with box.post("/api/v1/tv/choices", json={"text_size": "xlarge"}) as answer:
        assert answer.status == 204
    async with box.post("/tv/choices", data={"language": "en", "back": "/tv/more"}) as answer:
        assert answer.status == 200 and answer.url.path == "/tv/more"
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(base_url=tv.url, cookie_jar=jar) as session:
        html = await page(session, f"/tv?box={TOKEN}")
        assert 'lang="en"' in html and "font-size:54px" in html
    async with aiohttp.ClientSession(base_url=tv.url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        assert 'lang="zh-CN"' in await page(session, f"/tv?box={OTHER_TOKEN}")


@pytest.mark.parametrize(
    "body", [{"text_size": "huge"}, {"colour": "red"}, {"language": 5}, {"tier": ["f1"]}, "not an object"]
)
async def test_choice_that_does_not_exist_is_refused(tv: TvServer, box: aiohttp.ClientSession, body: object) -> None:
    """An unknown size, key or type is refused with its place, and the next good choice is taken."""
    async with box.post("/api/v1/tv/choices", json=body) as answer:
        assert answer.status in {400, 422}
        assert (await answer.json())["error"]["place"]
    async with box.post("/api/v1/tv/choices", json={"text_size": "large"}) as answer:
        assert answer.status == 204


async def test_foreign_site_cannot_raise_an_alarm_by_form(tv: TvServer, box: aiohttp.ClientSession) -> None:
    """A form on another site's page raises nothing."""
    async with box.post("/tv/alarm/raise", headers={"Origin": "https://elsewhere.example"}) as answer:
        assert answer.status == 403
    assert await tv.database.fetchval("select count(*) from alarms") == 0


async def test_alarm_of_another_household_cannot_be_seen(tv: TvServer, box: aiohttp.ClientSession) -> None:
    """An alarm's page opens for its own household only, and its history lists only its own."""
    now = datetime.now(UTC)
    receipt = await tv.ledger.raise_alarm(Press("stb-1", 1, 1, "sos", "https", new_ulid(now), now))
    assert short_number(receipt.alarm_no) in await page(box, f"/tv/alarm/{receipt.alarm_id}")
    assert short_number(receipt.alarm_no) in await page(box, "/tv/my/alarms")
    async with aiohttp.ClientSession(base_url=tv.url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        await page(session, f"/tv?box={OTHER_TOKEN}")
        async with session.get(f"/tv/alarm/{receipt.alarm_id}") as answer:
            assert answer.status == 404
        assert short_number(receipt.alarm_no) not in await page(session, "/tv/my/alarms")


async def test_household_without_a_box_gets_a_name_for_its_red_key(tv: TvServer) -> None:
    """A household without a registered set-top box can raise an alarm all the same."""
    async with aiohttp.ClientSession(base_url=tv.url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        await page(session, f"/tv?box={OTHER_TOKEN}")
        async with session.post("/tv/alarm/raise") as answer:
            assert answer.status == 200 and answer.url.path.startswith("/tv/alarm/")
    alarm = await tv.ledger.latest_for_household("h-2")
    assert alarm is not None and alarm.device_id == "tv-h-2"


async def test_electricity_page_adds_up_what_the_meter_said(tv: TvServer, box: aiohttp.ClientSession) -> None:
    """Sentence and table are the sums of the readings; a week can be turned back; without a meter it says so."""
    assert "还没有接上电表" in await page(box, "/tv/my/electricity")
    monday = datetime(2026, 3, 2, tzinfo=BEIJING)
    rows = [(monday + timedelta(days=day, hours=hour), 100.0 + day) for day in range(14) for hour in range(24)]
    await _add_readings(tv, "meter-1", "energy_wh", rows)
    said = words(await page(box, "/tv/my/electricity?week=2026-03-09"))
    this = sum(value for at, value in rows if at.date() >= date(2026, 3, 9)) / 1000
    last = sum(value for at, value in rows if at.date() < date(2026, 3, 9)) / 1000
    assert f"{this:.1f} 度" in said
    assert f"多 {round(this, 1) - round(last, 1):.1f} 度" in said
    assert "前一周" in words(await page(box, "/tv/my/electricity"))
    async with box.get("/tv/my/electricity.png?week=2026-03-09") as answer:
        assert answer.status == 200 and answer.content_type == "image/png"


async def test_unfinished_day_is_compared_with_the_same_hours(tv: TvServer, box: aiohttp.ClientSession) -> None:
    """The newest day counts against the same hours of a week before, not against a whole day."""
    monday = datetime(2026, 3, 2, tzinfo=BEIJING)
    rows = [(monday + timedelta(hours=hour), 1000.0) for hour in range(24 * 7)]
    rows += [(monday + timedelta(days=7, hours=hour), 1000.0) for hour in range(24 + 12)]
    await _add_readings(tv, "meter-1", "energy_wh", rows)
    said = words(await page(box, "/tv/my/electricity"))
    assert "36.0 度" in said and "一样" in said


async def test_air_page_shows_the_newest_hour_its_gaps_and_its_age(tv: TvServer, box: aiohttp.ClientSession) -> None:
    """The page's figures are the readings' own; an hour without readings is a gap; old air is not called now."""
    assert "还没有空气站" in await page(box, "/tv/air")
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    hours = [(now - timedelta(hours=back), 40.0 + back) for back in range(23, -1, -1) if back not in {5, 6}]
    for metric in ("pm2_5", "pm10"):
        await _add_readings(tv, "air-1", metric, hours)
    said = words(await page(box, "/tv/air"))
    assert "现在空气" in said and "40" in said
    async with box.get("/tv/air.png") as answer:
        assert answer.content_type == "image/png"
    await tv.database.execute("update readings set at = at - interval '2 days'")
    assert "现在空气" not in words(await page(box, "/tv/air"))
    assert "空气" not in words(await page(box, "/tv/home"))


async def test_figures_equal_those_of_the_real_recording(
    tv: TvServer, box: aiohttp.ClientSession, shared_data: Path
) -> None:
    """A week of a real home: the page's total is the sum of the CSV's column for that week."""
    with (shared_data / "home" / "energydata_complete.csv").open(encoding="utf-8") as file:
        rows = [
            (datetime.strptime(row["date"], "%Y/%m/%d %H:%M").replace(tzinfo=BEIJING), float(row["Appliances"]))
            for row in csv.DictReader(file)
        ]
    week = [(at, value) for at, value in rows if date(2016, 1, 18) <= at.date() <= date(2016, 1, 31)]
    await _add_readings(tv, "meter-1", "energy_wh", week)
    said = words(await page(box, "/tv/my/electricity?week=2016-01-25"))
    total = sum(value for at, value in week if at.date() >= date(2016, 1, 25)) / 1000
    assert f"{total:.1f} 度" in said


@pytest.mark.parametrize(
    "plan", ["nothing", "shield.46.FFA392", "shield.999.FFA392.35", "-".join(["shield.46.FFA392.35"] * 50)]
)
async def test_sheet_of_icons_that_we_would_not_write_is_refused(tv: TvServer, plan: str) -> None:
    """Only plans that a page could have are drawn; anything else is refused before a pixel is made."""
    async with aiohttp.ClientSession(base_url=tv.url) as session:
        async with session.get(f"/tv/icons/{plan}.png") as answer:
            assert answer.status in {400, 422}
        async with session.get("/tv/icons/mark.56.F4EFE3.35-shield.46.FFA392.35.png") as answer:
            assert answer.status == 200 and len(await answer.read()) < 5000


async def test_database_that_is_away_gives_an_honest_page_with_a_working_red_key(
    tv: TvServer, box: aiohttp.ClientSession
) -> None:
    """While the database is away a page says so in its own kind, with the alarm layer; later the next page is whole."""
    await tv.pages_database.stop()
    async with box.get("/tv/home") as answer:
        assert answer.status == 503
        html = await answer.text()
    assert gates.page_faults(html) == [] and "现在用不了" in words(html) and 'id="al"' in html
    await tv.pages_database.start()
    assert "通知公告" in words(await page(box, "/tv/home"))
