"""Passwords: Argon2id, as RFC 9106 recommends for little memory (argon2-cffi's default)."""

from __future__ import annotations

from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from pilah.datasets.errors import PilahError

MIN_LENGTH = 12
"""Shortest accepted password, in characters."""
MAX_LENGTH = 200
"""Longest accepted password: hashing an endless one would be an attack."""
_hasher = PasswordHasher()


class PasswordError(PilahError):
    """A password is not accepted; the message says why, without the password.

    Attributes:
        code: the same, for pages.
    """

    def __init__(self, code: str, message: str) -> None:
        """Keep both."""
        self.code = code
        super().__init__(message)


def make_hash(password: str) -> str:
    """The stored form of a password.

    Raises:
        PasswordError: it is too short, too long, or one character repeated.
    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        message = f"password: use {MIN_LENGTH} to {MAX_LENGTH} characters"
        raise PasswordError("password-length", message)
    if len(set(password)) < 5:
        raise PasswordError("password-plain", "password: use at least 5 different characters")
    return _hasher.hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Whether the password belongs to the hash; without a hash it takes as long and is False."""
    try:
        _hasher.verify(stored or _nobody(), password[:MAX_LENGTH])
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None and len(password) <= MAX_LENGTH


def outdated(stored: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(stored)


@lru_cache(maxsize=1)
def _nobody() -> str:
    """The hash that unknown names are compared with."""
    return _hasher.hash("tidak ada pengguna ini")
