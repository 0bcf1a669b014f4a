"""Password hashes and one-time passwords."""

from gateway.accounts import passwords


async def test_hash_knows_its_password_alone() -> None:
    """A hash accepts its own password, nothing else, and no text that is no hash at all."""
    password_hash = await passwords.hash_password("lantern")
    assert await passwords.is_right(password_hash, "lantern")
    assert not await passwords.is_right(password_hash, "Lantern")
    assert not await passwords.is_right("lantern", "lantern")


async def test_nobody_costs_as_much_as_somebody() -> None:
    """The hash that stands for unknown names has today's parameters, so that time tells nothing."""
    assert not passwords.is_outdated(passwords.NOBODY)
    assert not passwords.is_outdated(await passwords.hash_password("lantern"))


def test_one_time_passwords_are_strong_and_readable() -> None:
    """One-time passwords differ, pass the rules, and hold no letter that is mistaken for a digit."""
    made = {passwords.one_time_password() for _ in range(200)}
    assert len(made) == 200
    for password in made:
        passwords.check_strength(password, "wang")
        assert not set(password) & set("0O1lI")
