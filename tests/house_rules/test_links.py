"""A path that a document names exists."""

import functools
import re
from pathlib import Path

from tests.house_rules.tree import REPOSITORY, files

BACKTICKED = re.compile(r"`([A-Za-z0-9_.*/{},-]+)`")
LINKED = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
#: A word in backticks is a path when it has a folder in it or ends as our files do.
FILE_ENDINGS = (".py", ".md", ".toml", ".yaml", ".conf", ".sql", ".html", ".js", ".css")
#: First words of what looks like a path and is none: topics, addresses, media types.
NOT_PATHS = ("linli/", "up/", "down/", "/", "homeassistant/", "application/", "text/", "image/", "Asia/", "NNNN_")
#: Made at run time or by the reader.
MADE_LATER = {"linli.toml", "secrets/", "build/screens", ".venv"}


def broken(document: Path, root: Path) -> list[str]:
    """Return every path that `document` names in backticks or links to and that does not exist below `root`."""
    text = re.sub(r"(?s)```.*?```", "", document.read_text(encoding="utf-8"))
    named = [name for name in BACKTICKED.findall(text) if _is_path(name) and not _exists(root, name, document.parent)]
    linked = [name for name in LINKED.findall(text) if not (document.parent / name).exists()]
    return [f"{document.name}: {name}" for name in named + linked]


def _is_path(name: str) -> bool:
    if name.startswith(NOT_PATHS) or name in MADE_LATER or "{" in name:
        return False
    return "/" in name.strip("/") or name.endswith((*FILE_ENDINGS, "/"))


def _exists(root: Path, name: str, here: Path) -> bool:
    if "*" in name:
        return any(root.glob(name))
    return (root / name).exists() or (here / name).exists() or ("/" not in name and name in _names(root))


@functools.cache
def _names(root: Path) -> frozenset[str]:
    """The names of all files, for documents that name a file without its folder, as the code map does."""
    return frozenset(path.name for path in files(root))


def documents(root: Path) -> list[Path]:
    return sorted([*root.glob("*.md"), *(root / "docs").glob("*.md")])


def test_every_named_path_exists() -> None:
    """No document names or links to a file that is not there."""
    assert [finding for document in documents(REPOSITORY) for finding in broken(document, REPOSITORY)] == []


def test_control_a_broken_path_is_found(tmp_path: Path) -> None:
    """A path in backticks and a link to nothing turn the rule red; a topic does not."""
    (tmp_path / "README.md").write_text(
        "`gateway/gone.py` [x](docs/gone.md) `linli/1/a` `README.md` [y](README.md#z)\n"
    )
    assert broken(tmp_path / "README.md", tmp_path) == ["README.md: gateway/gone.py", "README.md: docs/gone.md"]
