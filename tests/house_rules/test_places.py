"""Nothing in the tree names the machine it was written on."""

import os
import re
from pathlib import Path

from tests.house_rules.tree import REPOSITORY, texts

#: Home folders of people; `/home/operator/…` in a text would be somebody's machine too.
HOMES = re.compile(r"(?<![\w.}])/(?:" + "root|home/[a-z]" + r"\w*|Users/\w+)/[\w.]")


def findings(root: Path, own_places: tuple[str, ...]) -> list[str]:
    """Return every place in a text that names a home folder or one of `own_places`."""
    found = []
    for path, text in texts(root):
        for number, line in enumerate(text.splitlines(), 1):
            if HOMES.search(line) or any(place in line for place in own_places):
                found.append(f"{path}:{number}: {line.strip()[:80]}")
    return found


def own_places() -> tuple[str, ...]:
    """Return what only this machine would write: the repository's folder and its package index."""
    places = [str(REPOSITORY), str(REPOSITORY.parent) + "/shared"]
    index = os.environ.get("PIP_INDEX_URL", "")
    if match := re.match(r"https?://(?:[^@/]*@)?([^/:]+)", index):
        places.append(match[1])
    return tuple(place for place in places if place not in {"localhost", "127.0.0.1"} and len(place) > 4)


def test_nothing_names_this_machine() -> None:
    """No file names a home folder, the repository's own place or this machine's package index."""
    assert findings(REPOSITORY, own_places()) == []


def test_control_a_machine_path_is_found(tmp_path: Path) -> None:
    """A home folder and the tree's own place turn the rule red."""
    (tmp_path / "notes.md").write_text("see /ho" + f"me/li/notes\nand {tmp_path}\nand /srv/linli\n")
    assert [finding.split(":")[1] for finding in findings(tmp_path, (str(tmp_path),))] == ["1", "2"]
