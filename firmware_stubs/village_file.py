"""Reads a village file: which devices there are, whose they are, and which profile they imitate."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from firmware_stubs.sensors import PROFILES, Profile
from gateway.contract.messages import Meta
from gateway.model.errors import ConfigurationError
from gateway.model.ids import is_area_id, is_device_id


@dataclass(frozen=True, slots=True)
class VillageDevice:
    """One `[[device]]` of the file; `profile` is the key of what it imitates."""

    device_id: str
    kind: str
    profile_name: str
    model: str
    household_id: str

    @property
    def profile(self) -> Profile:
        return PROFILES[self.profile_name]

    def meta(self) -> Meta:
        """The description that the device publishes."""
        return Meta(self.kind, self.model, "1.0.0", parts=self.profile.parts)


@dataclass(frozen=True, slots=True)
class StubCamera:
    """One `[[camera]]` whose address holds `{port}`: we are the camera behind it."""

    camera_id: str
    scheme: str
    port: int


@dataclass(frozen=True, slots=True)
class VillageFile:
    """What the stubs need of a village file; the rest is the registry's."""

    area_id: str
    devices: tuple[VillageDevice, ...]
    cameras: tuple[StubCamera, ...] = ()


#: Where a file leaves the port of a stub camera open: `{port}` is the first one, `{port+1}` the next.
_OPEN_PORT = re.compile(r"(?P<scheme>rtsp|http)://127\.0\.0\.1:\{port(?:\+(?P<offset>\d{1,2}))?\}/.*")


def read(path: Path, *, camera_port: int = 18810) -> VillageFile:
    """Read a village file; its stub cameras listen from `camera_port` on.

    Raises:
        ConfigurationError: not TOML, no community, or a device that cannot be imitated; the place names it.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"cannot be read: {error}", place=str(path), cure="Name a TOML file.") from error
    area_id = str(document.get("community", {}).get("area_id", ""))
    if not is_area_id(area_id):
        raise ConfigurationError(
            "the community has no 12-digit area_id", place=f"{path}: [community]", cure='Write area_id = "…".'
        )
    entries = document.get("device", [])
    imitated = (_device(entry, f"{path}: device {number}") for number, entry in enumerate(entries, 1))
    devices = tuple(device for device in imitated if device is not None)
    return VillageFile(area_id, devices, _cameras(document.get("camera", []), camera_port))


def _cameras(entries: list[dict[str, object]], first_port: int) -> tuple[StubCamera, ...]:
    found = ((str(entry.get("id", "")), _OPEN_PORT.fullmatch(str(entry.get("source", "")))) for entry in entries)
    return tuple(
        StubCamera(camera_id, match["scheme"], first_port + int(match["offset"] or 0))
        for camera_id, match in found
        if match is not None
    )


def _device(entry: dict[str, object], place: str) -> VillageDevice | None:
    """Return the device, or None for one without a profile, which somebody else brings to life."""
    device_id, profile = str(entry.get("id", "")), str(entry.get("profile", ""))
    if not is_device_id(device_id):
        raise ConfigurationError(f"{device_id!r} is no device id", place=place, cure="Use letters, digits, '-'.")
    if not profile:
        return None
    if profile not in PROFILES:
        cure = f"Known profiles: {', '.join(sorted(PROFILES))}."
        raise ConfigurationError(f"unknown profile {profile!r}", place=f"{place} ({device_id})", cure=cure)
    return VillageDevice(
        device_id,
        str(entry.get("kind", "sensor")),
        profile,
        str(entry.get("model", "")) or "Linli Stub",
        str(entry.get("household", "")),
    )
