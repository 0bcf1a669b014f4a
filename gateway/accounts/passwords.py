"""Passwords: argon2id hashes, one-time passwords, and the few rules a password must meet."""

import asyncio
import secrets
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.model.errors import BadInput

#: argon2id with 19 MiB, 2 passes, 1 lane: the smallest set that OWASP's password storage sheet (2023) accepts.
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

SHORTEST: Final = 8
LONGEST: Final = 200
#: No 0 O 1 l I: one-time passwords are read from a screen and typed by hand.
_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"


def one_time_password() -> str:
    """Return a password of 12 easily read characters in three groups (60 bits)."""
    letters = [secrets.choice(_ALPHABET) for _ in range(12)]
    return "-".join("".join(letters[start : start + 4]) for start in (0, 4, 8))


def check_strength(password: str, name: str) -> None:
    """Raise BadInput where `password` is too short, too long, or the login name itself."""
    if not SHORTEST <= len(password) <= LONGEST:
        message = f"a password has {SHORTEST} to {LONGEST} characters"
        raise BadInput(message, reason="weak_password", place="password", cure="Choose a longer one.")
    if password.lower() == name.lower() or len(set(password)) < 4:
        cure = "Choose three words that belong together for you only."
        raise BadInput("this password is guessed at once", reason="weak_password", place="password", cure=cure)


async def hash_password(password: str) -> str:
    """Return argon2's text of `password`; takes some 20 ms of a processor, away from the event loop."""
    return await asyncio.to_thread(_HASHER.hash, password)


async def is_right(password_hash: str, password: str) -> bool:
    """Tell whether `password` belongs to `password_hash`."""
    return await asyncio.to_thread(_verify, password_hash, password)


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(password_hash: str) -> bool:
    """Tell whether the hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(password_hash)


#: Hash of nobody's password: an unknown name costs as much time as a known one.
NOBODY: Final = "$argon2id$v=19$m=19456,t=2,p=1$0Lyktq889wdfLTB0ImhDCA$OxRKMKEiZUfoEkqVZamkcr/qurpRX7+f00TU++nw1n4"
