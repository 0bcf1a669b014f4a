"""What the words of an app say: television wording, words for the reviewer, internet addresses, secrets."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

from tv_apps.miniapps.findings import Finding
from tv_apps.miniapps.positions import Document, Path

_ADDRESS = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_SECRETS = (
    ("private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    ("password in an address", re.compile(r"://[^/\s:@]+:[^/\s:@]+@")),
    ("access key", re.compile(r"\b(?:AKIA|LTAI|ghp_|sk-)[A-Za-z0-9_-]{14,}")),
)
_SECRET_NAMES = re.compile(r"(?:secret|passwd|password|api_?key|token|private_?key)$", re.IGNORECASE)


def check_words(document: Document) -> Iterator[Finding]:
    """Yield a finding for every text in the document that should be looked at."""
    for path, text in _texts(document.value, ()):
        place = document.place(path)
        for key, facts in _complaints(path, text):
            yield Finding(key, document.file, place.line, place.column, facts)


def _texts(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, member in value.items():
            yield from _texts(member, (*path, str(name)))
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from _texts(member, (*path, number))


def _complaints(path: Path, text: str) -> Iterator[tuple[str, dict[str, str]]]:
    better, sensitive = _words()
    for word, instead in better.items():
        if word in text:
            yield "word", {"word": word, "better": instead}
    for word in sensitive:
        if word in text:
            yield "sensitive", {"word": word}
    if "！" in text or text.endswith("!"):
        yield "exclamation", {}
    if _ADDRESS.search(text):
        yield "remote_address", {}
    yield from _secrets(path, text)


def _secrets(path: Path, text: str) -> Iterator[tuple[str, dict[str, str]]]:
    for what, pattern in _SECRETS:
        if pattern.search(text):
            yield "secret", {"what": what}
    name = next((str(step) for step in reversed(path) if isinstance(step, str)), "")
    if _SECRET_NAMES.search(name) and len(text) >= 8 and "{" not in text:
        yield "secret", {"what": name}


@cache
def _words() -> tuple[Mapping[str, str], tuple[str, ...]]:
    tables = tomllib.loads((files("tv_apps.miniapps") / "wording.toml").read_text(encoding="utf-8"))
    return tables["better"], tuple(tables["sensitive"]["words"])
