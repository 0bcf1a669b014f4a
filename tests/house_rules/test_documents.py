"""Documents say what the code says."""

import ast
from pathlib import Path

import pytest

from tests.house_rules import code_map
from tests.house_rules.documents import addresses_page, metrics_page, section_names, settings_page
from tests.house_rules.tree import REPOSITORY, Module, modules


def module(text: str, path: str = "gateway/room/thing.py") -> Module:
    return Module(Path(path), text, ast.parse(text))


def test_generated_documents_are_fresh() -> None:
    """The code map and every page of docs/ are what `make map` would write now."""
    assert [str(path) for path in code_map.stale(code_map.generated(REPOSITORY))] == []


def test_every_setting_is_explained() -> None:
    """Each key of each section has a sentence, and nothing about it is empty."""
    page = settings_page([each for each in modules(REPOSITORY) if section_names(each)])
    assert [line for line in page.splitlines() if line.startswith("| `") and line.endswith("|  |")] == []


def test_control_a_stale_map_is_found(tmp_path: Path) -> None:
    """A module that is added, and a line that is changed by hand, make the map stale."""
    (tmp_path / "gateway").mkdir()
    (tmp_path / "gateway" / "post.py").write_text('"""Letters, in and out."""\n')
    document = tmp_path / "ARCHITECTURE.md"
    document.write_text(f"# A\n{code_map.BEGIN}\n{code_map.END}\nend\n")
    fresh = code_map.spliced(document.read_text(), code_map.code_map(tmp_path))
    assert code_map.stale({document: fresh}) == [document]
    document.write_text(fresh)
    assert "`post.py` Letters, in and out." in fresh
    assert code_map.stale({document: fresh}) == []
    with pytest.raises(ValueError, match="marks"):
        code_map.spliced("# A\n", fresh)


def test_control_metrics_drops_and_addresses_are_found() -> None:
    """A metric, a reason and an address that are added to the code appear on their pages."""
    text = (
        'PLACE = "/letters"\n'
        'LOST = metrics.counter("linli_letters", "Letters that came.", ("kind",))\n'
        'def f():\n    """Show one letter."""\n    metrics.dropped("post", "no_stamp")\n'
        'ROUTES = [Route("GET", f"{PLACE}/{{no}}", f)]\n'
    )
    page = metrics_page([module(text)])
    assert "| `linli_letters` | counter | `kind` | Letters that came. | `gateway/room/thing.py` |" in page
    assert "| `no_stamp` | `gateway/room/thing.py` |" in page
    assert "| GET | `/letters/{no}` | Show one letter. | `gateway/room/thing.py` |" in addresses_page([module(text)])
