"""Settings of the stubs, read from the same linli.toml: where the broker is, passwords, how lively the village is."""

import difflib
import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from gateway.model.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker listens; protocol 5 falls back to 4 (MQTT 3.1.1) where the broker has no 5."""

    host: str = "127.0.0.1"
    port: int = 18804
    protocol: int = 5


@dataclass(frozen=True, slots=True)
class VillageSettings:
    """The section `[village]`."""

    #: Where alarms are posted when MQTT is silent, such as `http://127.0.0.1:18803`; empty: from `[api]`.
    api_url: str = ""
    #: How many days of measurements a new village remembers.
    history_days: int = 14
    #: How often a device reports, in seconds.
    report_s: float = 15.0
    #: Decides all invented measurements: the same seed, the same village.
    seed: int = 7
    #: First port of the stub cameras; a village file says `{port}`, `{port+1}` …
    camera_port: int = 18810
    #: CSV files to replay instead of inventing; empty: invent.
    air_csv: str = ""
    home_csv: str = ""


@dataclass(frozen=True, slots=True)
class StubSettings:
    """Everything that the stubs need to know."""

    data_dir: Path
    broker: Broker
    village: VillageSettings
    api_url: str
    log_level: str = "INFO"

    @property
    def state_dir(self) -> Path:
        """Where each device keeps its journal: what would be its flash memory."""
        return self.data_dir / "village"

    @property
    def control_path(self) -> Path:
        """The socket on which a running village takes orders such as `press`."""
        return self.data_dir / "run" / "village.sock"

    def passwords(self) -> Mapping[str, str]:
        """Return MQTT passwords by device id, as registration wrote them."""
        return _read_secrets(self.data_dir / "secrets" / "devices.json")

    def tokens(self) -> Mapping[str, str]:
        """Return HTTPS tokens by household id, as registration wrote them; without them there is no second road."""
        return _read_secrets(self.data_dir / "secrets" / "boxes.json")


def load(path: Path | None, environment: Mapping[str, str] | None = None) -> StubSettings:
    """Read `path` (a TOML file) and LINLI_* variables; defaults where neither says anything.

    Raises:
        ConfigurationError: the file cannot be read, or a value of ours has the wrong type or an unknown key.
    """
    environment = os.environ if environment is None else environment
    document = _read_toml(path) if path is not None else {}
    node = _section(document, "node", environment)
    mqtt = _section(document, "mqtt", environment)
    api = _section(document, "api", environment)
    village = _village(_section(document, "village", environment), str(path))
    usual = Broker()
    return StubSettings(
        data_dir=Path(str(node.get("data_dir", ".linli"))),
        broker=Broker(
            str(mqtt.get("host") or usual.host),
            _whole(mqtt.get("port", usual.port), "[mqtt] port"),
            _whole(mqtt.get("protocol", usual.protocol), "[mqtt] protocol"),
        ),
        village=village,
        api_url=village.api_url or _api_url(api),
        log_level=str(node.get("log_level", "INFO")),
    )


def _api_url(api: Mapping[str, object]) -> str:
    if "port" not in api:
        return ""
    return f"http://{api.get('host') or '127.0.0.1'}:{api['port']}"


def _village(section: Mapping[str, object], place: str) -> VillageSettings:
    known = {field.name: field for field in fields(VillageSettings)}
    values: dict[str, Any] = {}
    for key, value in section.items():
        if key not in known:
            nearest = difflib.get_close_matches(key, known, 1)
            cure = f"Did you mean {nearest[0]!r}?" if nearest else f"Known keys: {', '.join(known)}."
            raise ConfigurationError(f"unknown key {key!r}", place=f"{place}: [village]", cure=cure)
        values[key] = _typed(value, type(known[key].default), f"{place}: [village] {key}")
    return VillageSettings(**values)


def _typed(value: object, kind: type, place: str) -> object:
    try:
        if isinstance(value, bool):
            raise TypeError
        return kind(value)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{value!r} is not {kind.__name__}", place=place) from error


def _whole(value: object, place: str) -> int:
    number = _typed(value, int, place)
    assert isinstance(number, int)  # noqa: S101 - for the type checker
    return number


def _section(document: Mapping[str, Any], name: str, environment: Mapping[str, str]) -> dict[str, object]:
    section = document.get(name, {})
    if not isinstance(section, dict):
        raise ConfigurationError(f"[{name}] is not a table", cure=f"Write [{name}] and its keys below.")
    prefix = f"LINLI_{name.upper()}_"
    overrides = {key[len(prefix) :].lower(): value for key, value in environment.items() if key.startswith(prefix)}
    return {**section, **overrides}


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except OSError as error:
        raise ConfigurationError(f"cannot be read ({error.strerror})", place=str(path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"not TOML: {error}", place=str(path)) from error


def _read_secrets(path: Path) -> Mapping[str, str]:
    try:
        document = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"cannot be read ({error})", place=str(path), cure="Register the village again."
        ) from error
    return {str(key): str(value) for key, value in document.items()}
