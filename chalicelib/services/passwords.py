"""Passwords: argon2id, at OWASP's second setting (19 MiB, 2 passes): some 30 ms of a Lambda's CPU."""

import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def hashed(password: str) -> str:
    """The hash to keep."""
    return _hasher.hash(_prepared(password))


def verify(stored: str | None, password: str) -> bool:
    """Whether it is the password. Without a stored hash: no, after the same time."""
    try:
        right = _hasher.verify(stored or _nobodys(), _prepared(password))
    except (VerificationError, InvalidHashError):
        return False
    return right and stored is not None


def _prepared(password: str) -> bytes:
    """The same bytes from every keyboard (RFC 8265 §4.2: NFC)."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


@cache
def _nobodys() -> str:
    """A hash that is nobody's, to spend the time on."""
    return _hasher.hash(b"nobody's")
