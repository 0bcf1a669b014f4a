"""The effective settings file and the files of secrets."""

import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest

from gateway.launch import settings_file
from gateway.model.errors import ConfigurationError


def test_written_settings_read_back_equal(tmp_path: Path) -> None:
    """Whatever value a section holds, quotes and Chinese included, reads back as it was, for the owner alone."""
    document: dict[str, dict[str, Any]] = {
        "node": {"data_dir": 'C:\\a "b"\n', "area_id": "110105001001"},
        "tv": {"port": 18800, "is_open": True, "ratio": 0.5, "names": ["柳湾", "a"], "deep": {"x": 1}},
        "empty": {},
    }
    path = tmp_path / "linli.toml"
    settings_file.write(path, document)
    assert tomllib.loads(path.read_text(encoding="utf-8")) == document
    assert settings_file.read(path) == document
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_merging_goes_key_by_key() -> None:
    """The chosen keys win; the other keys and sections stay."""
    base: dict[str, dict[str, Any]] = {"mqtt": {"host": "", "port": 1}, "tv": {"port": 2}}
    over: dict[str, dict[str, Any]] = {"mqtt": {"host": "127.0.0.1"}, "node": {"area_id": "1"}}
    assert settings_file.merged(base, over) == {
        "mqtt": {"host": "127.0.0.1", "port": 1},
        "tv": {"port": 2},
        "node": {"area_id": "1"},
    }


def test_passwords_are_made_once(tmp_path: Path) -> None:
    """A name keeps its password for ever, new names get new ones, nobody else can read them."""
    path = tmp_path / "secrets" / "devices.json"
    first = settings_file.keep_passwords(path, ["a", "b"])
    second = settings_file.keep_passwords(path, ["b", "c"])
    assert {name: second[name] for name in ("a", "b")} == first
    assert len(set(second.values())) == 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_broken_files_are_named(tmp_path: Path) -> None:
    """A file that is no TOML, no JSON, or not there is named with a cure."""
    for name, text in (("a.toml", "port = = 1"), ("b.toml", None)):
        path = tmp_path / name
        if text is not None:
            path.write_text(text)
        with pytest.raises(ConfigurationError) as refused:
            settings_file.read(path)
        assert refused.value.place.startswith(str(path))
        assert refused.value.cure
    secrets = tmp_path / "devices.json"
    secrets.write_text("[]")
    with pytest.raises(ConfigurationError, match="not JSON"):
        settings_file.keep_passwords(secrets, ["a"])


def test_relative_data_folder_counts_from_the_file(tmp_path: Path) -> None:
    """`data_dir = "data"` in a file means beside that file, wherever linli was called."""
    config = tmp_path / "linli.toml"
    assert settings_file.data_dir_of({"node": {"data_dir": "data"}}, config) == tmp_path / "data"
    assert settings_file.data_dir_of({"node": {"data_dir": "/var/x"}}, config) == Path("/var/x")
