"""Modules and functions stay small enough to be read in one go."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.house_rules.tree import PROGRAMS, REPOSITORY, Module, files, modules

MODULE_LINES = 400
FUNCTION_LINES = 60
SHORT_FUNCTION_LINES = 30
SHORT_SHARE = 0.95
ASSET_LINES = {".js": 400, ".css": 500, ".html": 250, ".sql": 300}

#: What is still too long, and the size it may not outgrow. The list only shrinks: an entry that is no longer needed
#: fails too.
EXCEPTIONS: dict[str, int] = {}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def body_lines(function: Function) -> int:
    """Return how many lines the body spans, its docstring not counted."""
    body = function.body
    if (
        isinstance(body[0], ast.Expr)
        and isinstance(body[0].value, ast.Constant)
        and isinstance(body[0].value.value, str)
    ):
        body = body[1:]
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def functions(module: Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(module.syntax):
        if isinstance(node, Function):
            yield f"{module.path}:{node.name}", body_lines(node)


def oversized(root: Path) -> dict[str, int]:
    """Return name → lines of every module, function and asset that is longer than its kind may be."""
    found = {}
    for module in modules(root):
        if (lines := module.text.count("\n")) > MODULE_LINES:
            found[str(module.path)] = lines
        found |= {name: lines for name, lines in functions(module) if lines > FUNCTION_LINES}
    for program in PROGRAMS:
        for path in files(root / program):
            limit = ASSET_LINES.get(path.suffix)
            if limit and (lines := path.read_text(encoding="utf-8").count("\n")) > limit:
                found[str(path.relative_to(root))] = lines
    return found


def short_share(root: Path) -> float:
    """Return the share of functions whose body has at most SHORT_FUNCTION_LINES lines."""
    sizes = [lines for module in modules(root) for _, lines in functions(module)]
    return sum(size <= SHORT_FUNCTION_LINES for size in sizes) / len(sizes) if sizes else 1.0


def test_nothing_is_oversized() -> None:
    """No module is over 400 lines and no function body over 60, apart from the shrinking list."""
    found = oversized(REPOSITORY)
    assert {name: lines for name, lines in found.items() if lines > EXCEPTIONS.get(name, 0)} == {}


def test_the_list_of_exceptions_shrinks() -> None:
    """An exception that is no longer needed is taken off the list."""
    assert set(EXCEPTIONS) - set(oversized(REPOSITORY)) == set()


def test_most_functions_are_short() -> None:
    """95 % of all functions have at most 30 lines."""
    assert short_share(REPOSITORY) >= SHORT_SHARE


def test_control_a_long_function_is_found(tmp_path: Path) -> None:
    """A function of 61 lines turns the rule red, and its docstring does not count."""
    (tmp_path / "gateway").mkdir()
    long = "def long():\n    '''Say\n\n    much.\n    '''\n" + "    print()\n" * 61
    short = "def short():\n    '''Say\n\n    much.\n    '''\n" + "    print()\n" * 60
    (tmp_path / "gateway" / "pages.py").write_text(long + short)
    assert oversized(tmp_path) == {"gateway/pages.py:long": 61}
    assert short_share(tmp_path) == 0


def test_control_a_long_module_is_found(tmp_path: Path) -> None:
    """A module of 401 lines and a style sheet of 501 turn the rule red."""
    (tmp_path / "tv_apps").mkdir()
    (tmp_path / "tv_apps" / "pages.py").write_text("x = 1\n" * 401)
    (tmp_path / "tv_apps" / "tv.css").write_text("a{}\n" * 501)
    assert oversized(tmp_path) == {"tv_apps/pages.py": 401, "tv_apps/tv.css": 501}
