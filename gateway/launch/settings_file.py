"""DATA/linli.toml: the settings that really hold, and DATA/secrets: passwords, readable by the owner alone."""

import json
import os
import secrets
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from gateway.model.errors import ConfigurationError
from gateway.runtime.settings import NodeSettings

Document = Mapping[str, Mapping[str, Any]]

_HEAD: Final = "# Written by linli at every start: the settings that hold. Change your own file, not this one.\n"
_PASSWORD_BYTES: Final = 24


def merged(base: Document, over: Document) -> dict[str, dict[str, Any]]:
    """Return `base` with the keys of `over` on top, section by section."""
    names = [*base, *(name for name in over if name not in base)]
    return {name: {**base.get(name, {}), **over.get(name, {})} for name in names}


def read(path: Path) -> dict[str, dict[str, Any]]:
    """Return the sections of a settings file. Raises ConfigurationError."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        cure = "Name an existing TOML file with --config."
        raise ConfigurationError(f"cannot be read: {error}", place=str(path), cure=cure) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"not TOML: {error}", place=str(path), cure="Correct that line.") from error
    return {name: table for name, table in document.items() if isinstance(table, dict)}


def write(path: Path, document: Document) -> None:
    """Write `document` as TOML, for the owner alone: it holds the programs' broker password."""
    sections = "".join(f"\n[{name}]\n{_lines(table)}" for name, table in document.items())
    write_secret(path, _HEAD + sections)


def _lines(table: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {_value(value)}\n" for key, value in table.items())


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(item) for item in value)}]"
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {_value(item)}' for key, item in value.items())} }}"
    return json.dumps(str(value), ensure_ascii=False)  # a TOML basic string is escaped as JSON's


def write_secret(path: Path, text: str) -> None:
    """Replace `path` in one step by a file that only we can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(path.suffix + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def read_passwords(path: Path) -> dict[str, str]:
    """Return a file of secrets, empty where there is none yet. Raises ConfigurationError where it is broken."""
    if not path.exists():
        return {}
    try:
        return {str(name): str(secret) for name, secret in json.loads(path.read_text(encoding="utf-8")).items()}
    except (ValueError, AttributeError) as error:
        cure = "Restore it, or remove it: new passwords are made, and devices need them."
        raise ConfigurationError(f"not JSON: {error}", place=str(path), cure=cure) from error


def keep_passwords(path: Path, names: Iterable[str]) -> dict[str, str]:
    """Give every one of `names` that has none a new password, keep the others', and return all."""
    known = read_passwords(path)
    made = {**{name: secrets.token_urlsafe(_PASSWORD_BYTES) for name in names}, **known}
    if made != known or not path.exists():
        write_secret(path, as_json(made))
    return made


def as_json(secret_by_name: Mapping[str, str]) -> str:
    """Return a file of secrets as text, sorted by name."""
    return json.dumps(dict(secret_by_name), indent=1, sort_keys=True)


def config_of(chosen: Path | None) -> Path | None:
    """Return the settings file that was named, else ./linli.toml where there is one."""
    usual = Path("linli.toml")
    return chosen or (usual if usual.exists() else None)


def data_dir_of(document: Document, config: Path | None) -> Path:
    """Return the data folder; a relative one is counted from the settings file's own folder."""
    named = Path(str(document.get("node", {}).get("data_dir", NodeSettings.model_fields["data_dir"].default)))
    folder = config.resolve().parent if config else Path.cwd()
    return (folder / named.expanduser()).resolve()
