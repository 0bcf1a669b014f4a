"""JSON Schemas and the page say what the code does."""

import re
import subprocess
import sys
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.contract import messages, topics
from gateway.contract.__main__ import files, stale, write
from gateway.contract.codec import encode
from gateway.contract.examples import EXAMPLES
from gateway.contract.page import REASONS
from gateway.contract.schemas import file_name, schemas
from gateway.contract.topics import TopicKind
from gateway.model.errors import BadInput

DOCS = Path(__file__).parents[3] / "docs"
SCHEMAS = schemas()
ODD: st.SearchStrategy[object] = st.sampled_from(
    [None, True, -1, 0, 1.5, 2**53, "", "x y", "online", [], [1], {}, {"a": []}, {"ts": 1, "p": {}}]
)


def test_the_written_page_and_schemas_are_not_stale() -> None:
    """docs/ says what the code says; `python -m gateway.contract --write docs` makes it so."""
    assert stale(DOCS) == []


def test_a_stale_file_is_found(tmp_path: Path) -> None:
    """A changed, an old and a missing file are all stale."""
    write(tmp_path)
    assert stale(tmp_path) == []
    (tmp_path / "contract.md").write_text("old")
    (tmp_path / "schemas" / "up-evt.json").unlink()
    assert set(stale(tmp_path)) == {"contract.md", "schemas/up-evt.json"}


def test_the_command_writes_and_checks(tmp_path: Path) -> None:
    """`--write` makes every file, `--check` exits 1 when one is stale and names it."""
    command = [sys.executable, "-m", "gateway.contract"]
    assert subprocess.run([*command, "--write", tmp_path], check=False).returncode == 0
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == set(files())
    (tmp_path / "contract.md").unlink()
    checked = subprocess.run([*command, "--check", tmp_path], check=False, capture_output=True, text=True)
    assert checked.returncode == 1
    assert "contract.md is stale" in checked.stdout


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_one_and_accepts_its_examples(name: str) -> None:
    """A schema is valid JSON Schema and takes the examples that it carries."""
    schema = SCHEMAS[name]
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert schema["examples"]
    for example in schema["examples"]:
        validator.validate(example)


@given(st.data())
def test_schema_and_code_agree(data: st.DataObject) -> None:
    """With any key of an example changed or removed, the schema and the code accept and refuse the same."""
    kind = data.draw(st.sampled_from(TopicKind))
    document = orjson.loads(data.draw(st.sampled_from(EXAMPLES[kind])).encode())
    key = data.draw(st.sampled_from([*sorted(document), "unknown"]))
    if data.draw(st.booleans()):
        document.pop(key, None)
    else:
        document[key] = data.draw(ODD)
    is_valid = jsonschema.Draft202012Validator(SCHEMAS[file_name(kind)]).is_valid(document)
    assert is_valid == _is_taken(kind, document), document


def _is_taken(kind: TopicKind, document: object) -> bool:
    try:
        messages.decode(kind, encode(document))
    except BadInput:
        return False
    return True


def test_the_page_knows_every_topic_and_every_reason() -> None:
    """No topic and no refusal is undocumented."""
    page = files()["contract.md"]
    assert all(f"`{route.pattern}`" in page for route in topics.ROUTES)
    assert all(f"`{reason}`" in page for reason in REASONS)
    code = "".join(path.read_text() for path in Path(messages.__file__).parent.glob("*.py"))
    assert set(re.findall(r'reason="(\w+)"', code)) == set(REASONS)


def test_the_broker_has_the_access_rules_of_the_contract() -> None:
    """docker/acl.conf holds exactly the patterns that the contract names for devices."""
    lines = (Path(__file__).parents[3] / "docker" / "acl.conf").read_text().splitlines()
    assert {line for line in lines if line.startswith("pattern")} == set(topics.acl_patterns())
