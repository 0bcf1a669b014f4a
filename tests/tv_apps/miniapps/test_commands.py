"""`linli app …` at a terminal: exit codes, messages, files."""

import json
from pathlib import Path

import pytest

from tests.tv_apps.miniapps.conftest import linli_app


def test_from_nothing_to_a_signed_package_in_five_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """new, check, pack, keys new, sign: all good, and the last one leaves two files to publish."""
    source, package, key = tmp_path / "village-guide", tmp_path / "guide.mapp", tmp_path / "key.pem"
    assert linli_app("new", source, "--title", "办事指南") == 0
    assert linli_app("check", source) == 0
    assert linli_app("pack", source, "-o", package) == 0
    assert linli_app("keys", "new", "--key", key) == 0
    assert linli_app("sign", package, "--key", key) == 0
    assert package.exists() and package.with_name("guide.mapp.sig").exists()
    out = capsys.readouterr().out
    assert "linli app check" in out and "ed25519:" in out


def test_a_problem_is_told_as_file_line_column_rule_and_cure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In words for people, in JSON for programs, in both languages; exit code 1."""
    source = tmp_path / "guide"
    linli_app("new", source)
    page = source / "pages" / "home.json"
    page.write_text(page.read_text().replace('"link": "item"', '"link": "itm"'))
    capsys.readouterr()
    assert linli_app("check", source) == 1
    assert f"{source}/pages/home.json:9:5: PROBLEM 必须改 PAGE-05 没有“itm”这一页" in capsys.readouterr().out
    assert linli_app("--lang", "en", "check", source) == 1
    assert "there is no page “itm”" in capsys.readouterr().out
    assert linli_app("check", source, "--json") == 1
    report = json.loads(capsys.readouterr().out)
    first = report["findings"][0]
    assert (first["file"], first["line"], first["column"], first["rule"]) == ("pages/home.json", 9, 5, "PAGE-05")
    assert first["cure"] and not report["ok"]


def test_a_package_with_a_problem_is_neither_packed_nor_signed(tmp_path: Path) -> None:
    """The tool does not help to send what the server would refuse."""
    source = tmp_path / "guide"
    linli_app("new", source)
    (source / "manifest.json").write_text("{}")
    assert linli_app("pack", source, "-o", tmp_path / "x.mapp") == 1
    assert not (tmp_path / "x.mapp").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("check", "no-such-folder"),
        ("sign", "no-such-file.mapp"),
        ("new", "Bad Name"),
        ("publish", "no-such-file.mapp", "--server", "http://127.0.0.1:9", "--token", "x"),
        ("status", "cn.example.x", "--server", "http://127.0.0.1:9", "--token", "x"),
        ("status", "cn.example.x", "--server", "http://127.0.0.1:9"),
    ],
)
def test_what_cannot_be_done_is_one_line_with_a_cure(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, one line on standard error, no traceback."""
    monkeypatch.delenv("LINLI_DEVELOPER_TOKEN", raising=False)
    assert linli_app(*words) == 2
    error = capsys.readouterr().err
    assert error.startswith("linli app: ") and error.count("\n") == 1


def test_a_new_app_does_not_overwrite_an_old_one(tmp_path: Path) -> None:
    """A folder with something in it is left alone."""
    source = tmp_path / "guide"
    assert linli_app("new", source) == 0
    assert linli_app("new", source) == 2
