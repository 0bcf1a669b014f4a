"""Login, session life, throttling and audit on a real database with a clock that the test moves."""

from collections.abc import AsyncIterator

import pytest

from gateway.accounts.sessions import Accounts
from gateway.model.errors import BadInput, Conflict, NotFound, TooMany, Unauthenticated
from gateway.store.pool import Database
from tests.kit.clock import FakeClock

PASSWORD = "lantern-by-the-gate"


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    database = Database(database_dsn, max_size=2)
    await database.start()
    yield database
    await database.stop()


@pytest.fixture
async def accounts(database: Database, clock: FakeClock) -> Accounts:
    accounts = Accounts(database, clock)
    await accounts.create_person("wang", PASSWORD, roles={"operator"}, area_id="110105001001", display_name="王师傅")
    return accounts


async def _log_in(accounts: Accounts, password: str = PASSWORD, address: str = "10.0.0.1", old_token: str = "") -> str:
    ticket = await accounts.login("wang", password, address=address, old_token=old_token)
    return ticket.token


async def test_right_password_opens_a_session_of_that_person(accounts: Accounts) -> None:
    """The right name and password give a token that resolves to the person with roles and area."""
    session = await accounts.resolve(await _log_in(accounts))
    assert session
    assert (session.person.name, session.person.display_name) == ("wang", "王师傅")
    assert session.person.has_role("operator")
    assert not session.person.has_role("supervisor")
    assert session.person.may_see("110105001001")
    assert not session.person.may_see("110105001002")


@pytest.mark.parametrize(("name", "password"), [("wang", "wrong"), ("nobody", PASSWORD), ("wang", ""), ("", "")])
async def test_wrong_name_or_password_is_refused_alike(accounts: Accounts, name: str, password: str) -> None:
    """A wrong name and a wrong password get the same answer and no session."""
    with pytest.raises(Unauthenticated, match="name or password is wrong"):
        await accounts.login(name, password, address="10.0.0.1")


async def test_database_holds_neither_password_nor_token(accounts: Accounts, database: Database) -> None:
    """What a stolen dump holds signs nobody in: argon2id of the password, SHA-256 of the token."""
    token = await _log_in(accounts)
    stored = await database.fetchrow(
        "select p.password_hash, s.token_hash from people p join sessions s using (person_id)"
    )
    assert stored
    assert stored["password_hash"].startswith("$argon2id$")
    assert token.encode() not in stored["token_hash"]
    assert await accounts.resolve(stored["token_hash"].hex()) is None


async def test_session_ends_without_use(accounts: Accounts, clock: FakeClock) -> None:
    """A session that nobody used for the idle time is over; one in use goes on."""
    token = await _log_in(accounts)
    idle_s = accounts.policy.idle.total_seconds()
    clock.advance(idle_s - 60)
    assert await accounts.resolve(token)
    clock.advance(idle_s - 60)
    assert await accounts.resolve(token)
    clock.advance(idle_s + 60)
    assert await accounts.resolve(token) is None


async def test_session_ends_at_its_absolute_age(accounts: Accounts, clock: FakeClock) -> None:
    """A session in constant use is over after its absolute life."""
    token = await _log_in(accounts)
    end_s, step_s = accounts.policy.absolute.total_seconds(), 3600
    for _ in range(int(end_s // step_s) - 1):
        clock.advance(step_s)
        assert await accounts.resolve(token)
    clock.advance(step_s)
    assert await accounts.resolve(token) is None


async def test_logout_ends_the_session(accounts: Accounts) -> None:
    """After the logout the token is worth nothing, and a second logout is no error."""
    token = await _log_in(accounts)
    await accounts.logout(token)
    assert await accounts.resolve(token) is None
    await accounts.logout(token)


async def test_login_rotates_the_token(accounts: Accounts) -> None:
    """A login in the same browser gives a new token and ends the old one."""
    old = await _log_in(accounts)
    new = await _log_in(accounts, old_token=old)
    assert new != old
    assert await accounts.resolve(old) is None
    assert await accounts.resolve(new)


async def test_guesses_by_name_must_wait_from_any_address(accounts: Accounts, clock: FakeClock) -> None:
    """After five wrong passwords even the right one waits, wherever it comes from, and the error says how long."""
    for guess in range(5):
        with pytest.raises(Unauthenticated):
            await _log_in(accounts, "wrong", address=f"10.0.0.{guess}")
    with pytest.raises(TooMany, match="too many") as refused:
        await _log_in(accounts, address="10.9.9.9")
    assert 0 < refused.value.retry_after_s <= 5
    clock.advance(refused.value.retry_after_s + 0.1)
    assert await _log_in(accounts, address="10.9.9.9")


async def test_wait_doubles_with_every_further_guess(accounts: Accounts, clock: FakeClock) -> None:
    """Each further wrong password doubles the wait."""
    waits = []
    for _ in range(8):
        try:
            await _log_in(accounts, "wrong")
        except TooMany as refused:
            waits.append(round(refused.retry_after_s))
            clock.advance(refused.retry_after_s + 0.001)
            with pytest.raises(Unauthenticated):
                await _log_in(accounts, "wrong")
        except Unauthenticated:
            continue
    assert waits == [5, 10, 20]


async def test_guesses_by_address_must_wait_for_any_name(accounts: Accounts) -> None:
    """An address that tried twenty names waits, another address does not."""
    for guess in range(20):
        with pytest.raises(Unauthenticated):
            await accounts.login(f"name{guess}", "wrong", address="10.0.0.66")
    with pytest.raises(TooMany):
        await _log_in(accounts, address="10.0.0.66")
    assert await _log_in(accounts, address="10.0.0.7")


async def test_success_forgets_the_failures_of_that_name(accounts: Accounts) -> None:
    """Four slips and a success start the count anew."""
    for _ in range(2):
        for _ in range(4):
            with pytest.raises(Unauthenticated):
                await _log_in(accounts, "wrong")
        assert await _log_in(accounts)


async def test_new_password_ends_other_sessions(accounts: Accounts) -> None:
    """A changed password ends every session but the one that is kept."""
    kept, other = await _log_in(accounts), await _log_in(accounts)
    await accounts.set_password("wang", "another-lantern", keep_token=kept)
    assert await accounts.resolve(kept)
    assert await accounts.resolve(other) is None
    with pytest.raises(Unauthenticated):
        await _log_in(accounts)


async def test_disabled_person_is_out_at_once(accounts: Accounts) -> None:
    """Closing an account ends its sessions and refuses its password."""
    token = await _log_in(accounts)
    await accounts.disable("wang")
    assert await accounts.resolve(token) is None
    with pytest.raises(Unauthenticated):
        await _log_in(accounts)
    with pytest.raises(NotFound, match="nobody"):
        await accounts.disable("zhang")


async def test_every_step_is_on_record(accounts: Accounts, database: Database) -> None:
    """Creation, failed and good logins stand in the audit trail, and the trail cannot be changed."""
    with pytest.raises(Unauthenticated):
        await _log_in(accounts, "wrong", address="10.0.0.66")
    await accounts.logout(await _log_in(accounts))
    entries = await accounts.audit("wang")
    assert [entry.action for entry in entries] == ["logged_out", "logged_in", "login_failed", "person_created"]
    assert entries[2].address == "10.0.0.66"
    assert PASSWORD not in repr(entries)
    for change in ("delete from audit", "update audit set action = 'nothing'", "truncate audit"):
        with pytest.raises(BadInput, match="append-only"):
            await database.execute(change)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"name": "王"}, "bad_name"),
        ({"name": "x" * 41}, "bad_name"),
        ({"roles": {"king"}}, "bad_role"),
        ({"roles": set()}, "bad_role"),
        ({"area_id": "1101"}, "bad_area"),
        ({"password": "short"}, "weak_password"),
        ({"password": "aaaaaaaaaaaa"}, "weak_password"),
        ({"password": "x" * 201}, "weak_password"),
    ],
)
async def test_bad_accounts_are_refused_with_a_reason(
    accounts: Accounts, changed: dict[str, object], reason: str
) -> None:
    """A name, role, area or password that cannot be is refused with its reason and a cure."""
    facts: dict[str, object] = {
        "name": "li", "password": PASSWORD, "roles": {"operator"}, "area_id": "110105001001", **changed,
    }  # fmt: skip
    with pytest.raises(BadInput) as refused:
        await accounts.create_person(**facts)  # type: ignore[arg-type]
    assert refused.value.reason == reason
    assert refused.value.cure


async def test_taken_name_is_a_conflict(accounts: Accounts) -> None:
    """Two people cannot have one login name."""
    with pytest.raises(Conflict, match="taken"):
        await accounts.create_person("wang", PASSWORD, roles={"operator"}, area_id="110105001001")
