"""The tree as the house rules see it: programs, their modules, their texts."""

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAMS = ("gateway", "iot_rules", "tv_apps", "security_video", "firmware_stubs")
SKIPPED_FOLDERS = {"__pycache__", "node_modules", "build", "linli-data"}
TEXT_SUFFIXES = {
    "", ".cfg", ".conf", ".css", ".example", ".html", ".ini", ".js", ".json", ".md", ".py", ".sh", ".sql", ".svg",
    ".toml", ".txt", ".xml", ".yaml", ".yml",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file of a program; `path` is relative to the tree's root."""

    path: Path
    text: str
    syntax: ast.Module

    @property
    def summary(self) -> str:
        """The first line of its docstring, or nothing."""
        return (ast.get_docstring(self.syntax) or "").split("\n", 1)[0]


def modules(root: Path) -> Iterator[Module]:
    """Yield every module of every program below `root`, in the order of paths."""
    for program in PROGRAMS:
        for path in files(root / program):
            if path.suffix == ".py":
                yield _read(path, root, path.stat().st_mtime_ns)


@functools.cache
def _read(path: Path, root: Path, _changed_at_ns: int) -> Module:
    text = path.read_text(encoding="utf-8")
    return Module(path.relative_to(root), text, ast.parse(text, str(path)))


def files(folder: Path) -> Iterator[Path]:
    """Yield the files below `folder`, sorted, without caches and hidden folders other than .ci."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        hidden = path.name.startswith(".") and path.name not in {".ci", ".gitignore"}
        if hidden or path.name in SKIPPED_FOLDERS or path.name.endswith(".egg-info"):
            continue
        if path.is_dir():
            yield from files(path)
        else:
            yield path


def texts(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield (relative path, content) of every text file below `root`."""
    for path in files(root):
        if path.suffix in TEXT_SUFFIXES:
            yield path.relative_to(root), path.read_text(encoding="utf-8", errors="replace")
