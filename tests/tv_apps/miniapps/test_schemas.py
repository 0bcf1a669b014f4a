"""The published schemas say what the reader accepts."""

import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # no stubs in the lock
import pytest

from tests.tv_apps.miniapps.conftest import LIBRARY
from tv_apps.miniapps.schemas import SCHEMAS, text_of

DOCS = Path(__file__).parents[3] / "docs" / "schemas"


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schema_in_the_documentation_is_the_one_of_the_code(name: str) -> None:
    """Generated from the classes, never edited: write it again with schemas.text_of."""
    assert (DOCS / name).read_text() == text_of(name)


def test_the_bundled_apps_are_valid_by_the_published_schemas() -> None:
    """An editor that knows only the schema agrees with the check."""
    for manifest in LIBRARY.parent.glob("*/manifest.json"):
        jsonschema.validate(json.loads(manifest.read_text()), json.loads(text_of("miniapp-manifest.json")))
        for page in manifest.parent.glob("pages/*.json"):
            jsonschema.validate(json.loads(page.read_text()), json.loads(text_of("miniapp-page.json")))
