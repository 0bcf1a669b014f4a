"""People, sessions, login failures and the audit trail in PostgreSQL."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.model.errors import Conflict
from gateway.model.people import Person
from gateway.store.pool import Database, Record
from gateway.store.queries import named

_SQL = named("people")


@dataclass(frozen=True, slots=True)
class Account:
    """A person with what signing in needs; `password_hash` is argon2's own text."""

    person: Person
    password_hash: str
    must_change: bool
    is_disabled: bool


@dataclass(frozen=True, slots=True)
class StoredSession:
    """One live session row; `token_hash` is the SHA-256 of the browser's token."""

    token_hash: bytes
    account: Account
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Failures:
    """Failed logins of late, by name and by address, each with the time of the last one."""

    by_name: int
    last_by_name: datetime | None
    by_address: int
    last_by_address: datetime | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to what, when and from where; append-only."""

    at: datetime
    person_id: str
    person_name: str
    action: str
    object: str = ""
    address: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


class PeopleStore:
    """The only reader and writer of the people tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_person(self, account: Account, created_at: datetime) -> None:
        """Store a new account; raises Conflict where the name is taken."""
        person = account.person
        row = (person.person_id, person.name, person.display_name, sorted(person.roles), person.area_id)
        try:
            await self._database.execute(
                _SQL["insert_person"], *row, account.password_hash, account.must_change, created_at
            )
        except Conflict as error:
            cure = "Choose another name or change that account."
            raise Conflict("this login name is taken", place=person.name, cure=cure) from error

    async def account_by_name(self, name: str) -> Account | None:
        row = await self._database.fetchrow(_SQL["find_person_by_name"], name)
        return _account(row) if row else None

    async def account(self, person_id: str) -> Account | None:
        row = await self._database.fetchrow(_SQL["find_person"], person_id)
        return _account(row) if row else None

    async def accounts(self) -> list[Account]:
        return [_account(row) for row in await self._database.fetch(_SQL["list_people"])]

    async def set_password(self, person_id: str, password_hash: str, *, must_change: bool) -> None:
        await self._database.execute(_SQL["set_password"], person_id, password_hash, must_change)

    async def disable(self, person_id: str, at: datetime) -> None:
        await self._database.execute(_SQL["disable_person"], person_id, at)

    async def add_session(self, session: StoredSession, address: str) -> None:
        person_id = session.account.person.person_id
        times = (session.created_at, session.expires_at)
        await self._database.execute(_SQL["insert_session"], session.token_hash, person_id, *times, address)

    async def live_session(self, token_hash: bytes, now: datetime, seen_since: datetime) -> StoredSession | None:
        """Return the session if it has neither ended nor expired, and its person is not disabled."""
        row = await self._database.fetchrow(_SQL["find_session"], token_hash, now, seen_since)
        if row is None:
            return None
        times = (row["created_at"], row["last_seen_at"], row["expires_at"])
        return StoredSession(row["token_hash"], _account(row), *times)

    async def touch_session(self, token_hash: bytes, now: datetime) -> None:
        await self._database.execute(_SQL["touch_session"], token_hash, now)

    async def end_session(self, token_hash: bytes, now: datetime, why: str) -> None:
        await self._database.execute(_SQL["end_session"], token_hash, now, why)

    async def end_sessions_of(self, person_id: str, now: datetime, why: str, keep: bytes | None = None) -> None:
        """End every session of a person, but the one whose token hash is `keep`."""
        await self._database.execute(_SQL["end_sessions_of"], person_id, now, why, keep)

    async def forget_old_sessions(self, before: datetime) -> None:
        await self._database.execute(_SQL["delete_old_sessions"], before)

    async def add_login_failure(self, at: datetime, name: str, address: str) -> None:
        await self._database.execute(_SQL["insert_login_failure"], at, name, address)

    async def login_failures(self, name: str, address: str, since: datetime) -> Failures:
        row = await self._database.fetchrow(_SQL["count_login_failures"], name, address, since)
        return Failures(**row) if row else Failures(0, None, 0, None)

    async def forget_login_failures(self, name: str, before: datetime) -> None:
        """Forget the failures of `name`, and everybody's from before `before`."""
        await self._database.execute(_SQL["delete_login_failures"], name, before)

    async def add_audit(self, entry: AuditEntry) -> None:
        who = (entry.at, entry.person_id, entry.person_name)
        what = (entry.action, entry.object, entry.address, dict(entry.details))
        await self._database.execute(_SQL["insert_audit"], *who, *what)

    async def audit(self, about: str = "", limit: int = 100) -> list[AuditEntry]:
        """Return the newest entries first, those of one object where `about` is given."""
        rows = await self._database.fetch(_SQL["list_audit"], about, limit)
        return [_audit_entry(row) for row in rows]


def _account(row: Record) -> Account:
    person = Person(row["person_id"], row["name"], row["display_name"], frozenset(row["roles"]), row["area_id"])
    return Account(person, row["password_hash"], row["must_change"], row["disabled_at"] is not None)


def _audit_entry(row: Record) -> AuditEntry:
    who = (row["at"], row["person_id"], row["person_name"])
    return AuditEntry(*who, row["action"], row["object"], row["address"], row["details"])
