"""What a browser loads comes from us, and nothing runs inline."""

import re
from pathlib import Path

from tests.house_rules.tree import PROGRAMS, REPOSITORY, files

FOREIGN = re.compile(
    r"""(?:https?:)?//(?!www\.w3\.org/)[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|io|cn|dev)\b""", re.IGNORECASE
)
HANDLER = re.compile(r"""<[^>]*\son[a-z]+\s*=""", re.IGNORECASE)
INLINE_SCRIPT = re.compile(r"""<script(?![^>]*\s(?:src=|type="application/json"))[^>]*>""", re.IGNORECASE)
INLINE_STYLE = re.compile(r"""<style(?! nonce=)[\s>]|<[^>]*\sstyle\s*=""", re.IGNORECASE)
SUFFIXES = {".html", ".js", ".css", ".svg"}


def findings(root: Path) -> list[str]:
    """Return place and kind of everything in an asset that the content security policy would refuse."""
    found = []
    for path in (path for program in PROGRAMS for path in files(root / program)):
        if path.suffix not in SUFFIXES:
            continue
        text = path.read_text(encoding="utf-8")
        rules = {"third-party address": FOREIGN}
        if path.suffix == ".html":
            rules |= {"inline handler": HANDLER, "inline script": INLINE_SCRIPT, "inline style": INLINE_STYLE}
        for kind, pattern in rules.items():
            for match in pattern.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                found.append(f"{path.relative_to(root)}:{line}: {kind}: {match[0][:60]}")
    return found


def test_assets_are_our_own_and_nothing_is_inline() -> None:
    """No page, script or style names another host, and no page carries an inline handler, script or style."""
    assert findings(REPOSITORY) == []


def test_control_foreign_and_inline_things_are_found(tmp_path: Path) -> None:
    """A font from elsewhere, an onclick, an inline script and an inline style turn the rule red."""
    (tmp_path / "tv_apps").mkdir()
    (tmp_path / "tv_apps" / "tv.css").write_text("@import url(//fonts.example.com/a.css);\n")
    page = '<p onclick="go()" style="color:red">\n<script>go()</script>\n<script src="/static/a.js"></script>\n'
    (tmp_path / "tv_apps" / "page.html").write_text(page + '<script type="application/json">{}</script>\n')
    assert [finding.split(": ")[1] for finding in findings(tmp_path)] == [
        "inline handler",
        "inline script",
        "inline style",
        "third-party address",
    ]
