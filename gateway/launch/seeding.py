"""A community's first hour: registry rows, device passwords, box tokens, accounts with one-time passwords."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway import registration
from gateway.accounts import passwords
from gateway.accounts.sessions import Accounts
from gateway.launch import settings_file
from gateway.model.errors import Conflict
from gateway.registration import Community
from gateway.runtime.clock import SystemClock
from gateway.store.migrate import migrate_at
from gateway.store.pool import Database
from gateway.store.queries import named

#: Made where the community file names nobody for a role that the demo shows.
_DEVELOPER = registration.PersonPart(name="developer", display_name="开发者", roles=["developer"], area_id="0" * 12)


@dataclass(frozen=True, slots=True)
class Login:
    """A name with the password that was made for it at this start."""

    name: str
    password: str
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Seeded:
    """What the launcher tells about a community: accounts, and the boxes' tokens by household."""

    community: Community
    logins: tuple[Login, ...]
    box_tokens: Mapping[str, str]

    def login_of(self, role: str) -> Login | None:
        """Return the first account with `role`."""
        return next((login for login in self.logins if role in login.roles), None)


def area_of(file: Path) -> str:
    """Return the area of a community file. Raises ConfigurationError."""
    return registration.read(file).community.area_id


async def seed(dsn: str, data_dir: Path, file: Path, *, camera_port: int = registration.CAMERA_PORT) -> Seeded:
    """Bring the schema up to date and put the community of `file` into it; again changes only what the file changed.

    Imitated cameras are registered at `camera_port` and the ports behind it. Every start gives the accounts new
    one-time passwords. Raises ConfigurationError with file, entry and cure.
    """
    community = registration.read(file, camera_port=camera_port)
    await migrate_at(dsn)
    devices = settings_file.keep_passwords(_devices_file(data_dir), [device.id for device in community.device])
    await registration.register(dsn, community, devices)
    database = Database(dsn, max_size=2, program="linli-seed")
    await database.start()
    try:
        logins = await _make_accounts(Accounts(database, SystemClock()), community)
        tokens = await _box_tokens(database, community.community.area_id)
    finally:
        await database.stop()
    settings_file.write_secret(data_dir / "secrets" / "boxes.json", settings_file.as_json(tokens))
    return Seeded(community, logins, tokens)


def device_passwords(data_dir: Path) -> Mapping[str, str]:
    """Return the passwords of devices that were made here before, by id. Raises ConfigurationError."""
    return settings_file.read_passwords(_devices_file(data_dir))


def _devices_file(data_dir: Path) -> Path:
    return data_dir / "secrets" / "devices.json"


async def _make_accounts(accounts: Accounts, community: Community) -> tuple[Login, ...]:
    people = list(community.person)
    if not any("developer" in person.roles for person in people):
        people.append(_DEVELOPER)
    return tuple([await _make_account(accounts, person) for person in people])


async def _make_account(accounts: Accounts, person: registration.PersonPart) -> Login:
    password = passwords.one_time_password()
    try:
        await accounts.create_person(
            person.name, password, roles=person.roles, area_id=person.area_id, display_name=person.display_name
        )
    except Conflict:
        await accounts.set_password(person.name, password)
    return Login(person.name, password, frozenset(person.roles))


async def _box_tokens(database: Database, area_id: str) -> dict[str, str]:
    rows = await database.fetch(named("launch")["list_box_tokens"], area_id)
    return {row["household_id"]: row["tv_token"] for row in rows}
