"""The tests stand where the code stands."""

from pathlib import Path

from tests.house_rules.tree import REPOSITORY, modules

#: Rooms that are tested by a behaviour suite over real servers instead: the room and its suite.
TESTED_BY_SUITE = {
    "gateway/ingest": "tests/suites/test_gateway_pipeline.py",
    "gateway/outbound": "tests/suites/test_gateway_pipeline.py",
}


def rooms(root: Path) -> set[str]:
    """Return the folders that hold code: a program's own, and gateway's rooms one below."""
    found = set()
    for module in modules(root):
        parts = module.path.parent.parts
        if len(module.text) > 0 and module.path.stem not in {"__init__", "__main__"}:
            found.add("/".join(parts[: 2 if parts[0] == "gateway" else 1]))
    return found


def untested(root: Path) -> set[str]:
    """Return the rooms without any test file at the same place below tests/."""
    return {room for room in rooms(root) if not any((root / "tests" / room).rglob("test_*.py"))}


def stray(root: Path) -> list[str]:
    """Return the test folders that mirror a program but no folder of it."""
    found = []
    for program in {room.split("/")[0] for room in rooms(root)}:
        for path in (root / "tests" / program).rglob("test_*.py"):
            place = path.parent.relative_to(root / "tests")
            if not (root / place).is_dir() and not (root / place).with_suffix(".py").exists():
                found.append(str(place))
    return found


def test_every_room_has_tests() -> None:
    """Each room of the code has a folder of tests, or a behaviour suite that calls it by name."""
    assert untested(REPOSITORY) - set(TESTED_BY_SUITE) == set()
    for room, suite in TESTED_BY_SUITE.items():
        assert room.replace("/", ".") in (REPOSITORY / suite).read_text()


def test_every_test_folder_has_its_room() -> None:
    """A test folder that mirrors nothing is a sign of code that has moved."""
    assert stray(REPOSITORY) == []


def test_control_a_room_without_tests_is_found(tmp_path: Path) -> None:
    """A new room without tests and tests without a room turn the rules red."""
    (tmp_path / "gateway" / "post").mkdir(parents=True)
    (tmp_path / "gateway" / "post" / "letters.py").write_text('"""Letters."""\n')
    (tmp_path / "tests" / "gateway" / "gone").mkdir(parents=True)
    (tmp_path / "tests" / "gateway" / "gone" / "test_letters.py").touch()
    assert untested(tmp_path) == {"gateway/post"}
    assert stray(tmp_path) == ["gateway/gone"]
