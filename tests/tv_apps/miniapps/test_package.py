"""The package reader: clean packages come back the same, everything else is refused with its rule."""

import contextlib
import io
import stat
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.errors import BadInput
from tests.tv_apps.miniapps.conftest import LIBRARY
from tv_apps.miniapps.check import check_bytes
from tv_apps.miniapps.findings import Refusal
from tv_apps.miniapps.package import MAX_FILES, MAX_PACKED_BYTES, Package, open_folder, open_package, pack

GOOD = open_folder(LIBRARY).packed


def zipped(*entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return buffer.getvalue()


def link(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


def test_packing_the_same_files_twice_gives_the_same_bytes() -> None:
    """Whoever builds the source again can compare digests."""
    assert open_folder(LIBRARY).packed == GOOD
    assert pack(open_package(GOOD).files) == GOOD


@pytest.mark.parametrize(
    ("packed", "rule"),
    [
        (zipped(("../../etc/passwd.json", b"{}")), "PKG-05"),
        (zipped(("/etc/passwd.json", b"{}")), "PKG-05"),
        (zipped(("C:\\a.json", b"{}")), "PKG-05"),
        (zipped(("a/./b.json", b"{}")), "PKG-05"),
        (zipped(("pages\\home.json", b"{}")), "PKG-05"),
        (zipped(("pages/主页.json", b"{}")), "PKG-05"),
        (zipped((".git.json", b"{}")), "PKG-05"),
        (zipped((link("a.json"), b"/etc/passwd")), "PKG-06"),
        (zipped(("A.json", b"{}"), ("a.json", b"{}")), "PKG-07"),
        (zipped(("a.png", GOOD)), "PKG-08"),
        (zipped(("a.json", zlib.compress(b"x")), ("run.sh", b"#!/bin/sh")), "PKG-09"),
        (zipped(("a.json", b"{}"))[:-9], "PKG-10"),
        (b"", "PKG-10"),
        (b"not a zip at all", "PKG-10"),
        (zipped(("a.json", b"{}"), method=zipfile.ZIP_LZMA), "PKG-11"),
        (zipped(*((f"f{n}.json", b"{}") for n in range(MAX_FILES + 1))), "PKG-03"),
        (zipped(("a.json", b"\0" * 1_000_000)), "PKG-04"),
        (zipped(*((f"f{n}.json", b"\0" * 1_000_000) for n in range(9))), "PKG-02"),
        (b"\0" * (MAX_PACKED_BYTES + 1), "PKG-01"),
    ],
)
def test_each_kind_of_unsafe_package_has_its_rule(packed: bytes, rule: str) -> None:
    """Traversal, links, doubles, nesting, bombs, odd compression: refused before anything is used."""
    with pytest.raises(Refusal) as refused:
        open_package(packed)
    assert refused.value.finding.rule_id == rule
    assert refused.value.finding.cure("zh") and refused.value.finding.cure("en")


def test_two_entries_of_one_name_are_refused() -> None:
    """What one reader takes from the first and another from the second is no package."""
    with pytest.warns(UserWarning, match="Duplicate"):
        packed = zipped(("a.json", b"1"), ("a.json", b"2"))
    with pytest.raises(Refusal) as refused:
        open_package(packed)
    assert refused.value.finding.rule_id == "PKG-07"


def test_a_header_that_lies_about_the_size_does_not_help() -> None:
    """Sizes are counted while unpacking; a small number in the header changes nothing."""
    packed = bytearray(zipped(("a.json", b"\0" * 9_000_000)))
    at = packed.rfind(b"PK\x01\x02")
    packed[at + 24 : at + 28] = (100).to_bytes(4, "little")
    with pytest.raises(BadInput):
        open_package(bytes(packed))


def test_a_link_in_the_source_folder_is_refused_and_hidden_files_stay_out(tmp_path: Path) -> None:
    """What would not survive the upload is told before it; editors' own files are not packed."""
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("secret")
    assert list(open_folder(tmp_path).files) == ["a.json"]
    (tmp_path / "b.json").symlink_to("/etc/passwd")
    with pytest.raises(Refusal) as refused:
        open_folder(tmp_path)
    assert refused.value.finding.rule_id == "PKG-06"


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_package_is_refused_or_checked_and_never_breaks_the_reader(flips: list[tuple[int, int]]) -> None:
    """Whatever bytes change, the outcome is a report, not an exception."""
    damaged = bytearray(GOOD)
    for at, value in flips:
        damaged[at] = value
    report = check_bytes(bytes(damaged), "damaged.mapp")
    assert all(found.message("zh") and found.message("en") for found in report.findings)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.text(max_size=12), st.binary(max_size=80), max_size=5))
def test_any_names_and_contents_are_refused_or_read(files: dict[str, bytes]) -> None:
    """The reader of names knows only yes and BadInput."""
    try:
        packed = zipped(*((name.replace("\0", "") or "x", content) for name, content in files.items()))
    except (UnicodeEncodeError, UserWarning):
        return
    with contextlib.suppress(BadInput):
        assert isinstance(open_package(packed), Package)


@settings(deadline=None, max_examples=60)
@given(
    name=st.sampled_from(["manifest.json", "pages/home.json", "data/books.json"]),
    mangle=st.sampled_from(
        [
            lambda text: text[: len(text) // 2],
            lambda text: text.replace(b"{", b"[", 1),
            lambda text: text.replace(b'"', b"'", 2),
            lambda text: text.replace(b"books", b"nobooks"),
            lambda text: text.replace(b'"title"', b'"titel"', 1),
            lambda text: text.replace(b": [", b': 7, "x": [', 1),
            lambda text: b"null",
            lambda text: b"[]",
            lambda text: text.replace(b"{row.", b"{row..", 1),
        ]
    ),
)
def test_a_damaged_file_inside_gives_findings_with_places(name: str, mangle: Callable[[bytes], bytes]) -> None:
    """Every finding about a file says at least which file, every problem how to mend it."""
    files = dict(open_package(GOOD).files)
    files[name] = mangle(files[name])
    report = check_bytes(pack(files), "mangled.mapp")
    for found in report.findings:
        assert found.file
        assert found.level != "PROBLEM" or found.cure("zh")
