"""Mini-apps in the database: developers' keys and tokens, submissions with their packages, decisions, the trail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.model.errors import Conflict
from gateway.model.people import Person
from gateway.store.pool import Connection, Database, Record
from gateway.store.queries import named

SQL = named("miniapps")


@dataclass(frozen=True, slots=True)
class DeveloperKey:
    """A registered public key (32 raw bytes)."""

    key_id: str
    person_id: str
    public_key: bytes
    label: str
    registered_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeveloperToken:
    """A token of the command line as it is listed; the token itself is kept nowhere."""

    token_id: str
    label: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Submission:
    """One version of one app as it was sent, without its package; `findings` and `manifest` are plain JSON."""

    submission_id: str
    app_id: str
    version_code: int
    version_name: str
    name: str
    person_id: str
    developer_name: str
    publisher: str
    key_id: str
    digest: str
    package_bytes: int
    manifest: Mapping[str, Any]
    findings: Sequence[Mapping[str, Any]]
    state: str
    submitted_at: datetime
    changed_at: datetime
    decided_name: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """Both envelopes, the developer's key as it is registered now, and the digest of the bytes as they are now."""

    signature: bytes
    decision: bytes | None
    public_key: bytes | None
    key_revoked_at: datetime | None
    package_sha256: str


@dataclass(frozen=True, slots=True)
class Step:
    """One change of state, by whom and why."""

    from_state: str
    to_state: str
    at: datetime
    by_id: str
    by_name: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class AppRecord:
    """Whose app an id is (None: nobody's yet) and its highest version code beyond a draft."""

    person_id: str | None
    last_code: int


class MiniAppStore:
    """The only reader and writer of the mini-app tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- developers ------------------------------------------------------------------------------------------

    async def add_key(self, key: DeveloperKey) -> None:
        """Register a key; raises Conflict when anybody has registered it before."""
        row = (key.key_id, key.person_id, key.public_key, key.label, key.registered_at)
        try:
            await self._database.execute(SQL["add_key"], *row)
        except Conflict as error:
            cure = "Make a new one with `linli app keys new`."
            raise Conflict("this key is registered already", place=key.key_id[:12], cure=cure) from error

    async def find_key(self, key_id: str) -> DeveloperKey | None:
        row = await self._database.fetchrow(SQL["find_key"], key_id)
        return DeveloperKey(**row) if row else None

    async def keys(self, person_id: str) -> list[DeveloperKey]:
        return [DeveloperKey(**row) for row in await self._database.fetch(SQL["list_keys"], person_id)]

    async def revoke_key(self, key_id: str, person_id: str, now: datetime) -> bool:
        """Revoke one's own key; false when there is none such."""
        return await self._database.fetchval(SQL["revoke_key"], key_id, person_id, now) is not None

    async def add_token(self, token_hash: bytes, person_id: str, label: str, now: datetime) -> None:
        await self._database.execute(SQL["add_token"], token_hash, person_id, label, now)

    async def use_token(self, token_hash: bytes, now: datetime) -> Person | None:
        """Return who holds the token; None when it is unknown, revoked, or its holder may not sign in any more."""
        row = await self._database.fetchrow(SQL["use_token"], token_hash, now)
        if row is None:
            return None
        roles = frozenset(row["roles"])
        return Person(row["person_id"], row["name"], row["display_name"], roles, row["area_id"])

    async def tokens(self, person_id: str) -> list[DeveloperToken]:
        return [DeveloperToken(**row) for row in await self._database.fetch(SQL["list_tokens"], person_id)]

    async def revoke_token(self, token_id: str, person_id: str, now: datetime) -> bool:
        return await self._database.fetchval(SQL["revoke_token"], token_id, person_id, now) is not None

    # -- submissions -----------------------------------------------------------------------------------------

    async def app(self, app_id: str) -> AppRecord:
        """Return whose an app id is and how far its versions have risen."""
        row = await self._database.fetchrow(SQL["find_app"], app_id)
        return AppRecord(row["person_id"], row["last_code"]) if row else AppRecord(None, 0)

    async def find_same(self, app_id: str, version_code: int, digest: str) -> str | None:
        """Return the submission that holds this very package already."""
        found: str | None = await self._database.fetchval(SQL["find_same"], app_id, version_code, digest)
        return found

    async def submit(self, submission: Submission, package: bytes, signature: bytes, steps: Sequence[Step]) -> None:
        """Store a submission with the steps it has gone through, replacing a draft of the same version.

        Raises Conflict when somebody else owns the app or the version does not rise.
        """
        async with self._database.transaction() as connection:
            await connection.execute(SQL["lock_app"], submission.app_id)
            await _refuse_stale(connection, submission)
            await connection.execute(SQL["drop_draft"], submission.app_id, submission.version_code)
            await connection.execute(SQL["add_submission"], *_row(submission, package, signature))
            for step in steps:
                await _add_event(connection, submission, step)

    async def move(self, submission: Submission, step: Step, *, decision: bytes | None = None) -> None:
        """Take one step; raises Conflict when the submission is not in `step.from_state` any more."""
        decided = (
            (step.by_id, step.by_name, step.note) if step.to_state in {"approved", "rejected"} else (None, None, "")
        )
        async with self._database.transaction() as connection:
            moved = await connection.fetchval(
                SQL["move_submission"],
                submission.submission_id,
                step.from_state,
                step.to_state,
                step.at,
                decision,
                *decided,
            )
            if moved is None:
                raise Conflict(
                    "it is not in this state any more", place=submission.submission_id, cure="Reload the page."
                )
            await _add_event(connection, submission, step)

    async def find(self, submission_id: str) -> Submission | None:
        row = await self._database.fetchrow(SQL["find_submission"], submission_id)
        return Submission(**row) if row else None

    async def package(self, submission_id: str) -> bytes | None:
        """Return the package's bytes as they are stored; whoever opens them verifies them."""
        found: bytes | None = await self._database.fetchval(SQL["find_package"], submission_id)
        return found

    async def proof(self, submission_id: str) -> Proof | None:
        row = await self._database.fetchrow(SQL["find_proof"], submission_id)
        return Proof(**row) if row else None

    async def of_person(self, person_id: str, limit: int = 50) -> list[Submission]:
        return _submissions(await self._database.fetch(SQL["list_of_person"], person_id, limit))

    async def all(self, limit: int = 100) -> list[Submission]:
        """Return what reviewers see, waiting ones first."""
        return _submissions(await self._database.fetch(SQL["list_all"], limit))

    async def of_app(self, app_id: str, limit: int = 20) -> list[Submission]:
        return _submissions(await self._database.fetch(SQL["list_of_app"], app_id, limit))

    async def current(self) -> list[Submission]:
        """Return the newest approved version of every app, not yet verified."""
        return _submissions(await self._database.fetch(SQL["list_current"]))

    async def find_current(self, app_id: str) -> Submission | None:
        row = await self._database.fetchrow(SQL["find_current"], app_id)
        return Submission(**row) if row else None

    async def steps(self, submission_id: str) -> list[Step]:
        rows = await self._database.fetch(SQL["list_events"], submission_id)
        return [Step(row["from_state"], row["to_state"], row["at"], "", row["by_name"], row["note"]) for row in rows]


def _submissions(rows: Sequence[Record]) -> list[Submission]:
    return [Submission(**row) for row in rows]


async def _refuse_stale(connection: Connection, submission: Submission) -> None:
    row = await connection.fetchrow(SQL["find_app"], submission.app_id)
    if row is None:
        return
    if row["person_id"] not in {None, submission.person_id}:
        raise Conflict("this app belongs to somebody else", place=submission.app_id, cure="Choose another app_id.")
    if submission.state != "draft" and submission.version_code <= row["last_code"]:
        cure = f"Set version.code to {row['last_code'] + 1} or more."
        raise Conflict("the version does not rise", place=f"{submission.app_id} version.code", cure=cure)


async def _add_event(connection: Connection, submission: Submission, step: Step) -> None:
    about = (submission.submission_id, submission.app_id, submission.version_code, submission.digest)
    await connection.execute(
        SQL["add_event"], *about, step.at, step.by_id, step.by_name, step.from_state, step.to_state, step.note
    )


def _row(submission: Submission, package: bytes, signature: bytes) -> tuple[object, ...]:
    return (
        submission.submission_id,
        submission.app_id,
        submission.version_code,
        submission.version_name,
        submission.name,
        submission.person_id,
        submission.publisher,
        submission.key_id,
        submission.digest,
        package,
        signature,
        dict(submission.manifest),
        [dict(finding) for finding in submission.findings],
        submission.state,
        submission.submitted_at,
    )
