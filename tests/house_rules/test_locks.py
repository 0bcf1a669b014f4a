"""Locks name versions and hashes, and no place to fetch them from."""

import re
from pathlib import Path

from tests.house_rules.tree import REPOSITORY

PINNED = re.compile(r"[A-Za-z0-9._-]+==\S+( ; .+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


def findings(folder: Path) -> list[str]:
    """Return every line of a lock that is neither a pinned version nor its hash."""
    found = []
    for lock in sorted(folder.glob("*.txt")):
        for number, line in enumerate(lock.read_text().splitlines(), 1):
            if not (PINNED.fullmatch(line) or HASH.fullmatch(line) or line.lstrip().startswith("#") or not line):
                found.append(f"{lock.name}:{number}: {line}")
    return found


def unlocked(folder: Path) -> list[str]:
    """Return every name of an .in file that its lock does not pin."""
    found = []
    for wishes in sorted(folder.glob("*.in")):
        pinned = {
            name.lower().replace("_", "-")
            for name in re.findall(r"(?m)^([\w.-]+)==", wishes.with_suffix(".txt").read_text())
        }
        names = re.findall(r"(?m)^([A-Za-z][\w.-]*)", wishes.read_text())
        found += [f"{wishes.name}: {name}" for name in names if name.lower().replace("_", "-") not in pinned]
    return found


def test_locks_hold_versions_and_hashes_only() -> None:
    """No lock names an index, a mirror or an address."""
    assert findings(REPOSITORY / "requirements") == []


def test_everything_wished_for_is_locked() -> None:
    """Each dependency that is named is pinned."""
    assert unlocked(REPOSITORY / "requirements") == []


def unexplained(folder: Path, architecture: str) -> list[str]:
    """Return every dependency that the architecture does not name; build tools and stubs need no reason."""
    names = {
        name for wishes in folder.glob("*.in") for name in re.findall(r"(?m)^([A-Za-z][\w.-]*)", wishes.read_text())
    }
    return sorted(
        name for name in names if name.lower() not in architecture.lower() and not re.match("setuptools|types-", name)
    )


def test_every_dependency_says_what_it_replaces() -> None:
    """Each dependency stands in ARCHITECTURE.md."""
    assert unexplained(REPOSITORY / "requirements", (REPOSITORY / "ARCHITECTURE.md").read_text()) == []


def test_control_a_dependency_without_a_reason_is_found(tmp_path: Path) -> None:
    """A new name in an .in file that the architecture does not mention turns the rule red."""
    (tmp_path / "runtime.in").write_text("aiohttp>=3\nleft-pad\n")
    assert unexplained(tmp_path, "| aiohttp | HTTP |") == ["left-pad"]


def test_control_an_address_or_a_missing_pin_is_found(tmp_path: Path) -> None:
    """An index in a lock, a version without hash and a wish without a pin turn the rules red."""
    (tmp_path / "runtime.txt").write_text("--index-url https://example.org/simple\naiohttp==3.1\n")
    (tmp_path / "runtime.in").write_text("aiohttp>=3\norjson\n")
    assert len(findings(tmp_path)) == 2
    assert unlocked(tmp_path) == ["runtime.in: orjson"]
