"""A community file (TOML) becomes rows of the registry; registering it again changes only what the file changed."""

import re
import secrets
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.contract.signing import alarm_key
from gateway.model.errors import ConfigurationError
from gateway.model.ids import AREA_DIGITS
from gateway.model.registry import Area, Camera, Device, Household
from gateway.store import registry
from gateway.store.pool import Connection, Database

TOKEN_BYTES = 18

AreaCode = Annotated[str, Field(pattern=rf"^[0-9]{{{AREA_DIGITS}}}$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Place(_Part):
    """One area above the community."""

    area_id: AreaCode
    name: str
    name_en: str = ""


class CommunityPart(_Part):
    """`[community]`: the area itself, those above it from the outside in, and the plan."""

    area_id: AreaCode
    name: str
    name_en: str = ""
    parents: list[Place] = Field(default_factory=list)
    plan: dict[str, object] = Field(default_factory=dict)


class HouseholdPart(_Part):
    """`[[household]]`; `cameras` links cameras by hand, nearest first; `silent_keys` raise a silent alarm on its TV."""

    id: Name
    building: str = ""
    unit: str = ""
    room: str = ""
    address: str
    resident_name: str = ""
    resident_note: dict[str, object] = Field(default_factory=dict)
    map_x: float | None = None
    map_y: float | None = None
    cameras: list[str] = Field(default_factory=list)
    silent_keys: str = Field("", pattern=r"^([0-9]{4,8})?$")


class DevicePart(_Part):
    """`[[device]]`; `profile` is for those who imitate it."""

    id: Name
    kind: str
    name: str = ""
    model: str = ""
    household: str | None = None
    camera: str | None = None
    profile: str = ""
    silence_s: int = Field(900, ge=10)


class CameraPart(_Part):
    """`[[camera]]`: degrees clockwise from north, metres."""

    id: Name
    name: str
    position: str = ""
    map_x: float | None = None
    map_y: float | None = None
    heading_deg: float = 0
    view_deg: float = Field(90, gt=0, le=360)
    range_m: float = Field(30, gt=0)
    source: str
    enabled: bool = True


class PersonPart(_Part):
    """`[[person]]`: accounts that the launcher makes; the registry passes over them."""

    name: str
    display_name: str
    roles: list[str]
    area_id: AreaCode


class Community(_Part):
    """A whole community file."""

    community: CommunityPart
    household: list[HouseholdPart] = Field(default_factory=list)
    device: list[DevicePart] = Field(default_factory=list)
    camera: list[CameraPart] = Field(default_factory=list)
    person: list[PersonPart] = Field(default_factory=list)


#: Where a file leaves a port of this machine open: `{port}`, `{port+1}` … for cameras that are imitated.
_OPEN_PORT = re.compile(r"\{port(?:\+(\d{1,2}))?\}")
CAMERA_PORT = 18810


def read(path: Path, *, camera_port: int = CAMERA_PORT) -> Community:
    """Read and check a community file; ConfigurationError names file, entry and cure.

    `{port}` in the file becomes `camera_port`, `{port+1}` the next one.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(_OPEN_PORT.sub(lambda found: str(camera_port + int(found[1] or 0)), text))
        community = Community.model_validate(document)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"cannot be read: {error}", place=str(path), cure="Name a TOML file.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = f"{path}: {'.'.join(str(part) for part in first['loc'])}"
        raise ConfigurationError(first["msg"], place=place, cure=f"It is now {first.get('input')!r}.") from error
    _check_references(path, community)
    return community


def _check_references(path: Path, community: Community) -> None:
    households = {part.id for part in community.household}
    cameras = {part.id for part in community.camera}
    for device in community.device:
        _check_known(path, f"device {device.id}", "household", device.household, households)
        _check_known(path, f"device {device.id}", "camera", device.camera, cameras)
    for home in community.household:
        for camera in home.cameras:
            _check_known(path, f"household {home.id}", "camera", camera, cameras)
    for kind, ids in (
        ("household", [part.id for part in community.household]),
        ("device", [part.id for part in community.device]),
        ("camera", [part.id for part in community.camera]),
    ):
        for twice in {name for name in ids if ids.count(name) > 1}:
            raise ConfigurationError(f"{kind} {twice!r} stands twice", place=str(path), cure="Rename one of them.")


def _check_known(path: Path, who: str, what: str, named: str | None, known: set[str]) -> None:
    if named is not None and named not in known:
        cure = f"Known: {', '.join(sorted(known)) or 'none'}."
        raise ConfigurationError(f"unknown {what} {named!r}", place=f"{path}: {who}", cure=cure)


async def register(dsn: str, community: Community, passwords: Mapping[str, str] | None = None) -> dict[str, int]:
    """Write the community in one transaction and return how many of what it holds.

    `passwords` are those of devices by id; a device with one gets the key of its alarms made from it.
    """
    database = Database(dsn, max_size=1, program="linli-register")
    await database.start()
    try:
        async with database.transaction() as connection:
            await _write(connection, community)
            await give_keys(connection, passwords or {})
    finally:
        await database.stop()
    return {
        "households": len(community.household),
        "devices": len(community.device),
        "cameras": len(community.camera),
    }


async def give_keys(connection: Connection, passwords: Mapping[str, str]) -> None:
    """Give devices the keys of their alarms, made from their passwords; unknown devices are passed over."""
    keys = {device_id: alarm_key(device_id, password) for device_id, password in passwords.items()}
    await registry.write_alarm_keys(connection, keys)


async def _write(connection: Connection, community: Community) -> None:
    area_id = community.community.area_id
    await _write_areas(connection, community.community)
    for camera in community.camera:
        values = camera.model_dump(exclude={"id"})
        await registry.put_camera(connection, Camera(camera_id=camera.id, area_id=area_id, **values))
    for home in community.household:
        values = home.model_dump(exclude={"id", "cameras"})
        token = secrets.token_urlsafe(TOKEN_BYTES)
        await registry.put_household(
            connection,
            Household(household_id=home.id, area_id=area_id, tv_token=token, **values),
        )
        for rank, camera_id in enumerate(home.cameras, 1):
            await registry.link_camera(connection, home.id, camera_id, rank)
    for device in community.device:
        await registry.put_device(connection, _device(device, area_id))
    await registry.notify_registry(connection)


async def _write_areas(connection: Connection, community: CommunityPart) -> None:
    parent_id: str | None = None
    for place in community.parents:
        await registry.put_area(connection, Area(place.area_id, place.name, place.name_en, parent_id))
        parent_id = place.area_id
    own = Area(community.area_id, community.name, community.name_en, parent_id, community.plan)
    await registry.put_area(connection, own)


def _device(part: DevicePart, area_id: str) -> Device:
    return Device(
        device_id=part.id,
        area_id=area_id,
        household_id=part.household,
        camera_id=part.camera,
        kind=part.kind,
        name=part.name,
        model=part.model,
        silence_s=part.silence_s,
    )
