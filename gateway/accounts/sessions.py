"""Accounts: login, server-side sessions, logout, new people, passwords; every step leaves an audit entry."""

import hashlib
import hmac
import math
import re
import secrets
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NoReturn

from gateway.accounts import passwords, throttle
from gateway.model.errors import BadInput, NotFound, TooMany, Unauthenticated
from gateway.model.ids import is_area_id, new_ulid
from gateway.model.people import PLATFORM, ROLES, Person
from gateway.runtime import logs, metrics
from gateway.runtime.clock import Clock
from gateway.store.people import Account, AuditEntry, PeopleStore, StoredSession
from gateway.store.pool import Database

log = logs.get(__name__)

_LOGIN_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
#: Sessions that are believed while the database is away.
MOST_REMEMBERED: Final = 1000
_TOUCH_EVERY: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """How long a session lives without use, and at all; a night shift is twelve hours."""

    idle: timedelta = timedelta(hours=2)
    absolute: timedelta = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person; `csrf` goes into pages, `expires_at` is the end whatever happens."""

    person: Person
    csrf: str
    started_at: datetime
    expires_at: datetime
    must_change_password: bool


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a login gives: the token for the cookie (never stored, never logged) and the session."""

    token: str
    session: Session


class Accounts:
    """The only road to people and sessions; needs no start of its own, the database has one."""

    def __init__(self, database: Database, clock: Clock, policy: SessionPolicy | None = None) -> None:
        self._store = PeopleStore(database)
        self._clock = clock
        self.policy = policy or SessionPolicy()
        self._resolved: OrderedDict[bytes, tuple[Session, datetime]] = OrderedDict()

    async def login(self, name: str, password: str, *, address: str, old_token: str = "") -> Ticket:
        """Return a fresh ticket; an `old_token` of the same browser ends.

        Raises TooMany with the wait after repeated failures, Unauthenticated for a wrong name or password (the
        answer does not tell which).
        """
        name, now = name.strip().lower()[:60], self._clock.now()
        await self._refuse_guesser(name, address, now)
        account = await self._store.account_by_name(name)
        password_hash = account.password_hash if account else passwords.NOBODY
        is_right = await passwords.is_right(password_hash, password[: passwords.LONGEST + 1])
        if account is None or account.is_disabled or not is_right:
            await self._refuse_login(name, address, now)
        await self._renew_hash(account, password)
        await self._store.forget_login_failures(name, now - throttle.WINDOW)
        return await self._open_session(account, address, old_token)

    async def _refuse_guesser(self, name: str, address: str, now: datetime) -> None:
        failures = await self._store.login_failures(name, address, now - throttle.WINDOW)
        if wait_s := throttle.wait_s(failures, now):
            metrics.dropped("accounts", "login_throttled")
            raise TooMany(
                "too many wrong attempts",
                retry_after_s=wait_s,
                place="login",
                cure=f"Try again in {math.ceil(wait_s)} s, or ask an administrator for a new password.",
            )

    async def _refuse_login(self, name: str, address: str, now: datetime) -> NoReturn:
        await self._store.add_login_failure(now, name, address)
        await self.record(PLATFORM, "login_failed", name, address=address)
        metrics.dropped("accounts", "wrong_password")
        raise Unauthenticated("name or password is wrong", place="login", cure="Check both and try again.")

    async def _renew_hash(self, account: Account, password: str) -> None:
        if passwords.is_outdated(account.password_hash):
            fresh = await passwords.hash_password(password)
            await self._store.set_password(account.person.person_id, fresh, must_change=account.must_change)

    async def _open_session(self, account: Account, address: str, old_token: str) -> Ticket:
        token, now = secrets.token_urlsafe(32), self._clock.now()
        stored = StoredSession(_hash_of(token), account, now, now, now + self.policy.absolute)
        if old_token:
            await self._store.end_session(_hash_of(old_token), now, "rotated")
        await self._store.forget_old_sessions(now - timedelta(days=30))
        await self._store.add_session(stored, address)
        await self.record(account.person, "logged_in", account.person.name, address=address)
        return Ticket(token, _session(stored, token))

    async def resolve(self, token: str) -> Session | None:
        """Return the live session of `token` and count this as a use; None where it ended, idled out or never was."""
        now, token_hash = self._clock.now(), _hash_of(token)
        stored = await self._store.live_session(token_hash, now, now - self.policy.idle)
        if stored is None:
            self._resolved.pop(token_hash, None)
            return None
        if now - stored.last_seen_at >= _TOUCH_EVERY:
            await self._store.touch_session(token_hash, now)
        session = _session(stored, token)
        self._remember(token_hash, session, now)
        return session

    def _remember(self, token_hash: bytes, session: Session, now: datetime) -> None:
        self._resolved[token_hash] = (session, now)
        self._resolved.move_to_end(token_hash)
        if len(self._resolved) > MOST_REMEMBERED:
            self._resolved.popitem(last=False)

    def _forget_sessions_of(self, person_id: str) -> None:
        for token_hash in [key for key, (known, _) in self._resolved.items() if known.person.person_id == person_id]:
            del self._resolved[token_hash]

    def remembered(self, token: str) -> Session | None:
        """Return the session as `resolve` last found it, for while the database is away; None where it has ended since.

        Nobody is told of a logout or a closed account meanwhile: what is done with it must not change anything.
        """
        known = self._resolved.get(_hash_of(token))
        if known is None:
            return None
        session, found_at = known
        now = self._clock.now()
        is_alive = now < session.expires_at and now - found_at < self.policy.idle
        return session if is_alive else None

    async def logout(self, token: str) -> None:
        """End the session of `token`; an unknown token is no error."""
        session = await self.resolve(token)
        await self._store.end_session(_hash_of(token), self._clock.now(), "logout")
        self._resolved.pop(_hash_of(token), None)
        if session:
            await self.record(session.person, "logged_out", session.person.name)

    async def create_person(
        self,
        name: str,
        password: str,
        *,
        roles: Collection[str],
        area_id: str,
        display_name: str = "",
        must_change: bool = False,
        by: Person = PLATFORM,
    ) -> Person:
        """Store a new person. Raises BadInput with the place and the cure, Conflict where the name is taken."""
        now = self._clock.now()
        person = Person(new_ulid(now), name, display_name or name, frozenset(roles), area_id)
        _check_person(person)
        passwords.check_strength(password, name)
        password_hash = await passwords.hash_password(password)
        await self._store.add_person(Account(person, password_hash, must_change, is_disabled=False), now)
        facts = {"roles": sorted(person.roles), "area_id": area_id}
        await self.record(by, "person_created", name, details=facts)
        return person

    async def set_password(
        self,
        name: str,
        password: str,
        *,
        by: Person = PLATFORM,
        keep_token: str = "",
        must_change: bool = False,
    ) -> None:
        """Change a password and end all sessions of that person but `keep_token`'s. Raises NotFound, BadInput."""
        account = await self._known(name)
        passwords.check_strength(password, name)
        person_id, now = account.person.person_id, self._clock.now()
        fresh = await passwords.hash_password(password)
        await self._store.set_password(person_id, fresh, must_change=must_change)
        keep = _hash_of(keep_token) if keep_token else None
        await self._store.end_sessions_of(person_id, now, "password_changed", keep)
        self._forget_sessions_of(person_id)
        await self._store.forget_login_failures(name, now - throttle.WINDOW)
        await self.record(by, "password_changed", name)

    async def disable(self, name: str, *, by: Person = PLATFORM) -> None:
        """Close an account and end its sessions. Raises NotFound."""
        account, now = await self._known(name), self._clock.now()
        await self._store.disable(account.person.person_id, now)
        await self._store.end_sessions_of(account.person.person_id, now, "disabled")
        self._forget_sessions_of(account.person.person_id)
        await self.record(by, "person_disabled", name)

    async def _known(self, name: str) -> Account:
        account = await self._store.account_by_name(name)
        if account is None:
            raise NotFound("nobody has this login name", place=name, cure="`python -m gateway person list` shows all.")
        return account

    async def people(self) -> list[Account]:
        """Return all accounts by name."""
        return await self._store.accounts()

    async def record(
        self,
        by: Person,
        action: str,
        about: str = "",
        *,
        address: str = "",
        details: Mapping[str, object] | None = None,
    ) -> None:
        """Append to the audit trail: who did what (a past tense word) to what."""
        now = self._clock.now()
        await self._store.add_audit(AuditEntry(now, by.person_id, by.name, action, about, address, details or {}))
        log.info("audit", action=action, person=by.name, object=about)

    async def audit(self, about: str = "", limit: int = 100) -> list[AuditEntry]:
        """Return the newest audit entries first, those about one object where `about` is given."""
        return await self._store.audit(about, limit)


def _hash_of(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def csrf_of(token: str) -> str:
    """Return the CSRF token of a session's token: known to pages, of no use for finding the session's token."""
    return hmac.new(token.encode(), b"linli csrf", hashlib.sha256).hexdigest()[:40]


def _session(stored: StoredSession, token: str) -> Session:
    account = stored.account
    times = (stored.created_at, stored.expires_at)
    return Session(account.person, csrf_of(token), *times, account.must_change)


def _check_person(person: Person) -> None:
    if not _LOGIN_NAME.fullmatch(person.name):
        cure = "Use 1 to 40 of a-z 0-9 . _ - and begin with a letter or digit."
        raise BadInput("this is no login name", reason="bad_name", place="name", cure=cure)
    if not person.roles or not person.roles <= ROLES:
        cure = f"Known: {', '.join(sorted(ROLES))}."
        raise BadInput("unknown role", reason="bad_role", place=f"roles {sorted(person.roles)}", cure=cure)
    if not is_area_id(person.area_id):
        cure = "Give the 12 digits of a community, or of a district with trailing zeros."
        raise BadInput("this is no area", reason="bad_area", place=f"area_id {person.area_id}", cure=cure)
