"""The remote in a real browser: arrows, digits, BACK, the yellow key, a second kind of box."""

import pytest
from playwright.async_api import Page, expect

from tests.kit.television import TvServer

pytestmark = [pytest.mark.browser]


async def test_arrows_move_the_lit_window_and_ok_opens(tv: TvServer, television: Page) -> None:
    """Focus begins on 5; arrows follow the graph, the ring goes along, OK opens, BACK returns to the same tile."""
    await television.goto(tv.entry)
    focused = television.locator(".on")
    assert await focused.get_attribute("id") == "t4"
    before = await television.locator("#ring").bounding_box()
    await television.keyboard.press("ArrowDown")
    await television.keyboard.press("ArrowLeft")
    assert await focused.get_attribute("id") == "t6"
    after, tile = await television.locator("#ring").bounding_box(), await television.locator("#t6").bounding_box()
    assert before != after and after is not None and tile is not None
    assert (after["x"], after["width"]) == (tile["x"] - 10, tile["width"] + 20)
    await television.keyboard.press("Enter")
    await expect(television).to_have_url(f"{tv.url}tv/s/7")
    await television.keyboard.press("Escape")
    await expect(television).to_have_url(f"{tv.url}tv/home?f=t6")
    assert await focused.get_attribute("id") == "t6"


async def test_digits_open_sections_from_every_page(tv: TvServer, television: Page) -> None:
    """A digit opens its section at once, from the home page and from within another section; MENU opens 更多."""
    await television.goto(tv.entry)
    await television.keyboard.press("7")
    await expect(television).to_have_url(f"{tv.url}tv/s/7")
    await television.keyboard.press("0")
    await expect(television).to_have_url(f"{tv.url}tv/s/0")
    await television.keyboard.press("m")
    await expect(television).to_have_url(f"{tv.url}tv/more")


async def test_yellow_key_goes_round_the_three_sizes(tv: TvServer, television: Page) -> None:
    """Yellow makes text larger, larger still, and as before; the choice is the household's."""
    await television.goto(tv.entry)
    for size, following in (("large", "xlarge"), ("xlarge", "standard"), ("standard", "large")):
        await television.keyboard.press("y")
        await expect(television.locator("body")).to_have_attribute("data-size", following)
        assert await tv.database.fetchval("select text_size from tv_choices where household_id = 'h-1'") == size


async def test_keys_of_another_box_are_understood_after_it_was_chosen(tv: TvServer, television: Page) -> None:
    """With the iPanel profile code 2 is DOWN and 340 is BACK; a box that cannot report holding asks at once."""
    await television.goto(f"{tv.entry}&profile=gehua-ipanel")
    press = "code => document.onkeydown({keyCode: code, preventDefault: function () { return 0; }})"
    await television.evaluate(press, 2)
    assert await television.locator(".on").get_attribute("id") == "t7"
    await television.evaluate(press, 2305)
    await expect(television.locator("#at")).to_have_text("要报警吗？")
    await television.evaluate(press, 340)
    await expect(television.locator("#al")).to_be_hidden()


async def test_old_box_shows_once_that_it_can_draw_and_keeps_it(tv: TvServer, television: Page) -> None:
    """A box begins as F0 where its name says nothing; its first page proves SVG, and the choice is stored."""
    browser = television.context.browser
    assert browser is not None
    context = await browser.new_context(user_agent="Some Old Box 1.0")
    page = await context.new_page()
    await page.goto(tv.entry)
    await expect(page.locator("#t0 svg")).to_have_count(1)
    assert await tv.database.fetchval("select tier from tv_choices where household_id = 'h-1'") == "f1"
    await context.close()
