"""Layout in a real engine: what estimates promise is true with two different fonts."""

import re

import pytest
from playwright.async_api import Page

from tests.kit.tv_gallery import PAGES, html_of
from tv_apps.kit.look import Language, Look, TextSize

pytestmark = [pytest.mark.browser]

FONTS = ("Noto Sans CJK SC", "WenQuanYi Zen Hei")
AUDIT = """() => {
  const faults = [], words = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.data.trim(), element = node.parentElement;
    if (!text || ['SCRIPT', 'TITLE', 'title', 'NOSCRIPT'].includes(element.tagName)) continue;
    if (!element.getClientRects().length) continue;
    const block = element.closest('.t'), range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect(), name = text.slice(0, 14);
    const size = parseFloat(getComputedStyle(element).fontSize);
    if (size < 23.9) faults.push('small ' + size + ' ' + name);
    if (block && block.scrollWidth > block.clientWidth + 1) faults.push('cut ' + name);
    if (box.left < 63 || box.right > 1217 || box.top + box.height * .22 < 36 || box.bottom - box.height * .15 > 685)
      faults.push('outside ' + name + ' ' + [box.left, box.top, box.right, box.bottom].map(Math.round));
    const layer = element.closest('#al, #ms') ? 1 : 0;
    words.push({name, box, layer, block});
  }
  const top = Math.max(...words.map(word => word.layer));
  const shown = words.filter(word => word.layer === top);
  shown.forEach((a, i) => shown.slice(i + 1).forEach(b => {
    const x = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
    const y = Math.min(a.box.bottom - a.box.height * .2, b.box.bottom - b.box.height * .2)
      - Math.max(a.box.top + a.box.height * .2, b.box.top + b.box.height * .2);
    if (x > 1 && y > 1 && a.block !== b.block) faults.push('overlap ' + a.name + ' / ' + b.name);
  }));
  return faults;
}"""


async def _faults(page: Page, html: str, font: str) -> list[str]:
    html = re.sub(r"<script[^>]*></script>", "", html).replace('"Noto Sans CJK SC","Source Han Sans SC",', f'"{font}",')
    await page.set_content(html)
    found: list[str] = await page.evaluate(AUDIT)
    return found


@pytest.mark.parametrize("font", FONTS)
@pytest.mark.parametrize("size", list(TextSize))
async def test_nothing_is_cut_small_outside_or_on_top_of_something(television: Page, size: TextSize, font: str) -> None:
    """On 1280×720 no word is cut off, below 24 px, outside the safe area or over another word."""
    faults = {}
    for language in Language:
        for name in PAGES:
            if found := await _faults(television, html_of(name, Look(size, language)), font):
                faults[f"{name} {language}"] = found
    assert not faults


async def test_the_audit_sees_a_word_that_is_cut_small_or_covered(television: Page) -> None:
    """The control: a page spoilt on purpose is reported."""
    good = html_of("more", Look())
    for spoilt, expected in (
        (good.replace(">字的大小<", ">" + "字的大小" * 12 + "<"), "cut"),
        (good.replace("font-size:24px", "font-size:18px"), "small"),
        (good.replace("left:74px;top:108px", "left:648px;top:108px"), "overlap"),
    ):
        assert any(fault.startswith(expected) for fault in await _faults(television, spoilt, FONTS[0]))
