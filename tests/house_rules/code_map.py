"""The code map of ARCHITECTURE.md and the pages of docs/: `python -m tests.house_rules.code_map --write`."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.house_rules.documents import pages
from tests.house_rules.tree import PROGRAMS, REPOSITORY, Module, modules

BEGIN = "<!-- code map: begin (make map) -->"
END = "<!-- code map: end -->"


def code_map(root: Path) -> str:
    """Return the map: a list per program, folders before files, each with the first line of its docstring."""
    found = list(modules(root))
    lines: list[str] = []
    for program in PROGRAMS:
        own = [module for module in found if module.path.parts[0] == program]
        if own:
            lines += ["", f"### {program}/", "", *_listed(own)]
    return "\n".join(lines).strip("\n") + "\n"


def _listed(own: list[Module]) -> Iterator[str]:
    rooms = {module.path.parent: module.summary for module in own if module.path.name == "__init__.py"}
    folder: Path | None = None
    for module in sorted(own, key=lambda each: (each.path.parent, each.path.name)):
        if module.path.parent != folder:
            folder = module.path.parent
            yield f"- **{folder}/** {rooms.get(folder, '')}".rstrip()
        if module.path.name != "__init__.py":
            yield f"  - `{module.path.name}` {module.summary}"


def spliced(document: str, generated: str) -> str:
    """Return `document` with what stands between the marks replaced; ValueError when there are no marks."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"ARCHITECTURE.md needs the marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{generated}\n{END}{after}"


def generated(root: Path) -> dict[Path, str]:
    """Return every generated file with the text that it should have."""
    architecture = root / "ARCHITECTURE.md"
    texts = {architecture: spliced(architecture.read_text(encoding="utf-8"), code_map(root))}
    return texts | {root / "docs" / name: text for name, text in pages(root).items()}


def stale(texts: dict[Path, str]) -> list[Path]:
    """Return the files that do not say what the code says."""
    return [path for path, text in texts.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.house_rules.code_map", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the stale files instead of naming them")
    write = parser.parse_args().write
    texts = generated(REPOSITORY)
    old = stale(texts)
    for path in old:
        if write:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(texts[path], encoding="utf-8")
        print(path.relative_to(REPOSITORY), "written" if write else "is stale: run `make map`")
    return 0 if write else int(bool(old))


if __name__ == "__main__":
    sys.exit(main())
