"""Names that say nothing are not names."""

from pathlib import Path

from tests.house_rules.tree import PROGRAMS, REPOSITORY, files, modules

#: One line of the source, without its quotation marks.
LONGEST = 117

EMPTY_WORDS = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "managers", "base", "stuff"}


def empty_names(root: Path) -> list[str]:
    """Return every module of a program, and every file in a folder, whose name says nothing."""
    found = []
    for program in PROGRAMS:
        for path in files(root / program):
            relative = path.relative_to(root)
            names = {*relative.parent.parts} | ({relative.stem} if path.suffix == ".py" else set())
            if EMPTY_WORDS & names:
                found.append(str(relative))
    return found


def badly_introduced(root: Path) -> list[str]:
    """Return every module without a first line that can stand in the code map."""
    found = []
    for module in modules(root):
        line = module.summary
        if not line or len(line) > LONGEST or line.lower().startswith(("this ", "module ", "contains ")):
            found.append(f"{module.path}: {line!r}")
    return found


def test_modules_are_nouns() -> None:
    """No module or folder is called utils, helpers, common, misc, manager or base."""
    assert empty_names(REPOSITORY) == []


def test_modules_introduce_themselves() -> None:
    """The first docstring line of a module says what it holds, in one line."""
    assert badly_introduced(REPOSITORY) == []


def test_control_empty_names_are_found(tmp_path: Path) -> None:
    """A folder called helpers and a module without a docstring turn the rules red."""
    (tmp_path / "gateway" / "helpers").mkdir(parents=True)
    (tmp_path / "gateway" / "helpers" / "things.py").write_text('"""This module helps."""\n')
    (tmp_path / "gateway" / "clock.py").write_text("x = 1\n")
    assert empty_names(tmp_path) == ["gateway/helpers/things.py"]
    assert badly_introduced(tmp_path) == ["gateway/clock.py: ''", "gateway/helpers/things.py: 'This module helps.'"]
