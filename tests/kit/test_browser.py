"""The browser itself."""

import pytest
from playwright.async_api import Browser


@pytest.mark.browser
async def test_a_page_is_rendered(browser: Browser) -> None:
    """The browser shows a page and its script runs."""
    page = await browser.new_page()
    await page.set_content("<p id=p></p><script>document.getElementById('p').textContent = '邻里'</script>")
    assert await page.text_content("#p") == "邻里"
