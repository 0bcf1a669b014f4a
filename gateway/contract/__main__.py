"""Writes docs/contract.md and docs/schemas from the contract: `python -m gateway.contract --write docs`."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from gateway.contract.page import render
from gateway.contract.schemas import schemas


def files() -> Mapping[str, str]:
    """Return every generated file: path below the docs folder, and its text."""
    written = {
        f"schemas/{name}": json.dumps(schema, ensure_ascii=False, indent=2) + "\n" for name, schema in schemas().items()
    }
    return {"contract.md": render(), **written}


def stale(docs: Path) -> list[str]:
    """Name the files below `docs` that do not say what the code says."""
    return [name for name, text in files().items() if not (docs / name).is_file() or (docs / name).read_text() != text]


def write(docs: Path) -> None:
    """Write every file below `docs`."""
    for name, text in files().items():
        path = docs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m gateway.contract", description=__doc__)
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--write", metavar="DOCS", type=Path, help="write the page and the schemas below this folder")
    group.add_argument("--check", metavar="DOCS", type=Path, help="exit 1 when a file there is stale")
    options = parser.parse_args(arguments)
    if options.write:
        write(options.write)
        return 0
    old = stale(options.check)
    for name in old:
        print(f"{options.check / name} is stale; run `python -m gateway.contract --write {options.check}`")
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main())
