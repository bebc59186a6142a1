"""What a request with an Idempotency-Key is, when one with the same key came before."""

from datetime import datetime, timedelta
from typing import Literal

LONGEST_KEY = 255
KEPT = timedelta(hours=24)
LEASE = timedelta(seconds=60)  # an API call ends after 30; one that has not is dead

Verdict = Literal["new", "other", "running", "same"]


def well_formed(key: str) -> bool:
    """1 to 255 printable characters of ASCII."""
    return 1 <= len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()


def verdict(*, now: datetime, claimed_at: datetime, expires_at: datetime, done: bool, alike: bool) -> Verdict:
    """What to make of a request whose key was claimed then; `alike`: with the same body.

    A key is free again when its answer has expired, or when who claimed it has died without an answer.
    """
    if now >= expires_at or (not done and now >= claimed_at + LEASE):
        return "new"
    if not alike:
        return "other"
    return "same" if done else "running"
