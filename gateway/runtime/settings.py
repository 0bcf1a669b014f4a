"""Settings: one TOML file and LINLI_* variables become frozen, validated sections.

Each program declares its own sections; the common ones are here. An error names file:line, section, key and the cure.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gateway.model.alarms import Delays
from gateway.model.errors import ConfigurationError

ENVIRONMENT_PREFIX = "LINLI_"

S = TypeVar("S", bound="Section")


class Section(BaseModel):
    """One `[section]` of the settings file; subclasses name it: `class DeskSettings(Section, section="desk")`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    section: ClassVar[str] = ""

    def __init_subclass__(cls, section: str = "", **rest: Any) -> None:
        super().__init_subclass__(**rest)
        cls.section = section or cls.section


class NodeSettings(Section, section="node"):
    """This machine's part of the platform."""

    data_dir: Path = Field(Path(".linli"), description="Folder for everything that is kept or made at run time.")
    area_id: str = Field("110105001001", pattern=r"^[0-9]{12}$", description="Area that this node serves (12 digits).")
    log_level: str = Field("INFO", pattern=r"^(DEBUG|INFO|WARNING|ERROR)$", description="Least level that is logged.")
    language: str = Field("zh", pattern=r"^(zh|en)$", description="Language of screens where nobody chose one.")
    time_zone: str = Field("Asia/Shanghai", description="IANA time zone of the community's wall clocks.")

    @property
    def run_dir(self) -> Path:
        """Folder of sockets and other things that live only while programs run."""
        return self.data_dir / "run"

    @property
    def secrets_dir(self) -> Path:
        """Folder of keys and passwords, readable by the owner alone."""
        return self.data_dir / "secrets"


class DatabaseSettings(Section, section="database"):
    """Where PostgreSQL is; empty means that `linli` starts the embedded one."""

    dsn: str = Field("", description="PostgreSQL DSN; empty starts the embedded server.")


class MqttSettings(Section, section="mqtt"):
    """Where the broker is; an empty host means that `linli` starts the embedded one."""

    host: str = Field("", description="Broker's host; empty starts the embedded broker.")
    port: int = Field(18804, ge=1, le=65535, description="Broker's port.")
    username: str = Field("gateway", description="User name of the platform's own programs.")
    password: str = Field("", description="Password of the platform's own programs.")
    protocol: int = Field(5, ge=4, le=5, description="5 for MQTT 5, 4 for MQTT 3.1.1 (the embedded broker).")


class EscalationSettings(Section, section="escalation"):
    """When an alarm that nobody answers goes further; the same for every program that may raise one."""

    unseen_s: float = Field(5.0, gt=0, description="No desk has shown it after this long: the street's desks get it.")
    street_s: float = Field(30.0, gt=0, description="No 签收 after this long: the street.")
    district_s: float = Field(60.0, gt=0, description="No 签收 after this long: the district.")
    supervisor_s: float = Field(90.0, gt=0, description="No 签收 after this long: supervisor and outside hooks.")
    progress_s: float = Field(300.0, gt=0, description="A 签收 without progress expires after this long.")
    levels: int = Field(2, ge=1, le=4, description="Alarms of this level and graver go further by themselves.")

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        times = (self.unseen_s, self.street_s, self.district_s, self.supervisor_s)
        if list(times) != sorted(times):
            raise ValueError("unseen_s, street_s, district_s and supervisor_s must rise in this order")
        return self

    @property
    def delays(self) -> Delays:
        """The same as a plain value."""
        return Delays(**self.model_dump())


COMMON_SECTIONS: Sequence[type[Section]] = (NodeSettings, DatabaseSettings, MqttSettings, EscalationSettings)


class Settings:
    """Validated sections of one file; ask with `of(SectionClass)`."""

    def __init__(self, path: Path | None, sections: Mapping[str, Section]) -> None:
        self.path = path
        self._sections = sections

    def of(self, section: type[S]) -> S:
        """Return the validated section of that class; KeyError where `load` was not given it."""
        return cast("S", self._sections[section.section])

    @property
    def node(self) -> NodeSettings:
        return self.of(NodeSettings)

    @property
    def database(self) -> DatabaseSettings:
        return self.of(DatabaseSettings)

    @property
    def mqtt(self) -> MqttSettings:
        return self.of(MqttSettings)

    @property
    def delays(self) -> Delays:
        return self.of(EscalationSettings).delays


def load(path: Path | None, *sections: type[Section], is_complete: bool = False) -> Settings:
    """Read `path` (nothing: defaults) and LINLI_<SECTION>_<KEY> into the common and the given sections.

    Raises ConfigurationError with file:line, key and cure. Sections of other programs are passed over unless
    `is_complete` says that `sections` are all there are.
    """
    text = _read(path) if path else ""
    document = _parse(path, text)
    wanted = {section.section: section for section in (*COMMON_SECTIONS, *sections)}
    if is_complete:
        _refuse_unknown_sections(path, text, document, wanted)
    built = {name: _build(section, _table(path, text, document, name), path, text) for name, section in wanted.items()}
    return Settings(path, built)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        raise ConfigurationError(
            f"settings file cannot be read: {reason}",
            place=str(path),
            cure="Name an existing TOML file with --config.",
        ) from error


def _parse(path: Path | None, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        place = f"{path}:{found[1]}" if found else str(path)
        raise ConfigurationError(f"not TOML: {error}", place=place, cure="Correct that line.") from error


def _table(path: Path | None, text: str, document: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = document.get(name, {})
    if not isinstance(table, dict):
        raise ConfigurationError(
            f"{name} must be a section",
            place=f"{path}:{_line_of(text, '', name)}",
            cure=f"Write [{name}] on a line of its own.",
        )
    return {**table, **_from_environment(name)}


def _from_environment(section: str) -> dict[str, str]:
    prefix = f"{ENVIRONMENT_PREFIX}{section.upper()}_"
    return {name.removeprefix(prefix).lower(): value for name, value in os.environ.items() if name.startswith(prefix)}


def _build(section: type[S], table: Mapping[str, Any], path: Path | None, text: str) -> S:
    try:
        return section.model_validate(dict(table))
    except ValidationError as error:
        raise _explained(section, error, path, text) from error


def _explained(section: type[Section], error: ValidationError, path: Path | None, text: str) -> ConfigurationError:
    first = error.errors()[0]
    key = str(first["loc"][0]) if first["loc"] else ""
    inner = "".join(f".{part}" for part in first["loc"][1:])
    place = f"{path or 'environment'}:{_line_of(text, section.section, key)} [{section.section}] {key}{inner}"
    if first["type"] == "extra_forbidden" and not inner:
        return ConfigurationError(f"unknown key {key!r}", place=place, cure=_nearest(key, section.model_fields))
    field = section.model_fields.get(key)
    about = f" ({field.description})" if field and field.description else ""
    # A field with `repr=False` holds a secret; a rule about a whole section would show all of its fields.
    cure = f"It is now {first.get('input')!r}." if field and field.repr else ""
    return ConfigurationError(f"{first['msg']}{about}", place=place, cure=cure)


def _nearest(word: str, known: "Sequence[str] | Mapping[str, object]") -> str:
    near = difflib.get_close_matches(word, list(known), 1)
    return f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(sorted(known))}."


def _refuse_unknown_sections(
    path: Path | None,
    text: str,
    document: Mapping[str, Any],
    wanted: Mapping[str, type[Section]],
) -> None:
    for name in document:
        if name not in wanted:
            place = f"{path}:{_line_of(text, name, '')}"
            raise ConfigurationError(f"unknown section [{name}]", place=place, cure=_nearest(name, wanted))


def _line_of(text: str, section: str, key: str) -> int:
    """Return the 1-based line of `key` in `[section]`; the section's own line where the key is not written there."""
    inside, section_line = not section, 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+\s*([\w.\-]+)", line):
            inside = header[1].split(".")[0] == section
            section_line = number if inside and not section_line else section_line
        elif inside and key and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]", line):
            return number
    return section_line


def reference(*sections: type[Section]) -> str:
    """Return a Markdown table of every key of `sections`: name, default, meaning."""
    lines = ["| section | key | default | meaning |", "|---|---|---|---|"]
    for section in sections:
        for name, field in section.model_fields.items():
            lines.append(f"| `{section.section}` | `{name}` | `{field.default}` | {field.description} |")
    return "\n".join(lines) + "\n"
