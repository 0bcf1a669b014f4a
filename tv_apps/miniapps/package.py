"""The package: a ZIP that holds the files of one mini-app and nothing else; read with suspicion, written the same.

Limits: 2 MiB packed, 8 MiB unpacked, 500 files, 20:1. Names are plain ASCII paths inside the package; links,
encrypted entries, odd compression, archives within archives and two names that differ only in letter case are
refused. Sizes are counted while unpacking, never believed from the header.
"""

import hashlib
import io
import re
import stat
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tv_apps.miniapps.findings import Refusal, refusal

MAX_PACKED_BYTES: Final = 2 * 1024 * 1024
MAX_UNPACKED_BYTES: Final = 8 * 1024 * 1024
MAX_FILES: Final = 500
MAX_RATIO: Final = 20
#: Small files of repeated text compress well and harm nobody; the ratio counts from here.
RATIO_FROM_BYTES: Final = 256 * 1024
SUFFIX: Final = ".mapp"
ALLOWED_TYPES: Final = frozenset({".json", ".png", ".jpg", ".jpeg"})
ALLOWED_NAMES: Final = frozenset({"README.md"})
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}(?:/[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}){0,3}")
_ARCHIVES: Final = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ")
_PLAIN_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
#: The oldest date a ZIP can hold: packing the same files twice gives the same bytes.
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Package:
    """The files of one mini-app by their name inside the package."""

    files: Mapping[str, bytes]
    label: str = ""
    packed: bytes = field(default=b"", repr=False)

    @property
    def digest(self) -> str:
        """SHA-256 of the packed bytes, in hex."""
        return hashlib.sha256(self.packed).hexdigest()


def file_digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return SHA-256 in hex per file name, in name order."""
    return {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)}


def open_package(packed: bytes, label: str = "package") -> Package:
    """Unpack in memory. Raises Refusal (a BadInput) for everything that is not a clean package."""
    if len(packed) > MAX_PACKED_BYTES:
        raise refusal("package_too_large", label, size=megabytes(len(packed)), limit=megabytes(MAX_PACKED_BYTES))
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _check_entries(entries, label)
            files = _unpack(archive, entries, label)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise refusal("not_a_zip", label) from error
    _check_ratio(len(packed), files, label)
    return Package(files, label, packed)


def open_folder(folder: Path) -> Package:
    """Read a source folder with the same suspicion, and pack it. Hidden files are left out."""
    paths = sorted(path for path in folder.rglob("*") if not _is_hidden(path.relative_to(folder)))
    names = {path.relative_to(folder).as_posix(): path for path in paths if path.is_symlink() or path.is_file()}
    _check_names(list(names), str(folder))
    for name, path in names.items():
        if path.is_symlink():
            raise refusal("link_in_package", name)
    _check_count(len(names), str(folder))
    _check_size(sum(path.stat().st_size for path in names.values()), str(folder))
    files = {name: path.read_bytes() for name, path in names.items()}
    for name, content in files.items():
        _check_content(name, content)
    packed = pack(files)
    _check_ratio(len(packed), files, str(folder))
    return Package(files, str(folder), packed)


def pack(files: Mapping[str, bytes]) -> bytes:
    """Return the ZIP of `files`: the same files always give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1024 / 1024:.2f} MB"


def _check_entries(entries: list[zipfile.ZipInfo], label: str) -> None:
    _check_count(len(entries), label)
    _check_names([entry.filename for entry in entries], label)
    for entry in entries:
        mode = entry.external_attr >> 16
        if stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
            raise refusal("link_in_package", entry.filename)
        if entry.flag_bits & 0x1:
            raise refusal("odd_zip", entry.filename, what="encrypted")
        if entry.compress_type not in _PLAIN_METHODS:
            raise refusal("odd_zip", entry.filename, what=f"method {entry.compress_type}")


def _check_count(count: int, label: str) -> None:
    if count > MAX_FILES:
        raise refusal("too_many_files", label, count=count, limit=MAX_FILES)


def _check_names(names: list[str], label: str) -> None:
    seen: dict[str, str] = {}
    for name in names:
        if not _NAME.fullmatch(name) or ".." in name:
            raise refusal("unsafe_name", label, name=ascii(name)[1:81].rstrip("'"))
        if name.casefold() in seen:
            raise refusal("duplicate_name", name, other=seen[name.casefold()])
        seen[name.casefold()] = name


def _unpack(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], label: str) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    left_bytes = MAX_UNPACKED_BYTES
    for entry in entries:
        with archive.open(entry) as stream:
            content = stream.read(left_bytes + 1)
        left_bytes -= len(content)
        _check_size(MAX_UNPACKED_BYTES - left_bytes, label)
        _check_content(entry.filename, content)
        files[entry.filename] = content
    return files


def _check_size(unpacked_bytes: int, label: str) -> None:
    if unpacked_bytes > MAX_UNPACKED_BYTES:
        raise refusal("unpacked_too_large", label, size=megabytes(unpacked_bytes), limit=megabytes(MAX_UNPACKED_BYTES))


def _check_content(name: str, content: bytes) -> None:
    if content.startswith(_ARCHIVES):
        raise refusal("nested_archive", name)
    if name not in ALLOWED_NAMES and Path(name).suffix.lower() not in ALLOWED_TYPES:
        raise refusal("file_type", name, name=Path(name).name)


def _check_ratio(packed_bytes: int, files: Mapping[str, bytes], label: str) -> None:
    unpacked_bytes = sum(len(content) for content in files.values())
    if unpacked_bytes > RATIO_FROM_BYTES and unpacked_bytes > MAX_RATIO * packed_bytes:
        raise refusal("ratio_too_high", label, ratio=unpacked_bytes // max(packed_bytes, 1), limit=MAX_RATIO)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


__all__ = ["MAX_PACKED_BYTES", "Package", "Refusal", "file_digests", "open_folder", "open_package", "pack"]
