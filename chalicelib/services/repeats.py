"""Requests that a client may send again without fear: the same Idempotency-Key gives the same answer."""

import hmac
from collections.abc import Mapping
from hashlib import sha256

from chalicelib.aws import clock
from chalicelib.aws.log import logger
from chalicelib.rules import repeats as rules
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.values import Caller
from chalicelib.services.platform import Platform
from chalicelib.store.repeats import Repeat

LARGEST_ANSWER = 100_000  # bytes; an item has 400 KB

__all__ = ["Repeat", "begin", "finish", "forget"]


def begin(p: Platform, caller: Caller, target: str, key: str, body: bytes) -> Repeat:
    """The request, to be done now (status 0), or as it was answered before.

    `target` is method, path and query. The body's mark is keyed by the client's key, which is not kept, so
    that nobody can try passwords against it.

    Raises ServiceError: bad_request (the key), idempotency_mismatch (another body), conflict (being done).
    """
    if not rules.well_formed(key):
        longest = rules.LONGEST_KEY
        raise ServiceError(
            "bad_request", f"An Idempotency-Key has 1 to {longest} printable ASCII characters."
        )
    now = clock.now()
    who = "\0".join((caller.role, caller.reseller, caller.key_id, caller.account, target, key))
    mark = hmac.new(key.encode(), body, sha256).hexdigest()
    mine = Repeat(sha256(who.encode("utf-8", "replace")).hexdigest(), mark, now, now + rules.KEPT)
    if p.repeats.claim(mine):
        return mine
    known = p.repeats.get(mine.id)
    if known is None:
        raise _running()
    return _again(p, known, mine)


def _again(p: Platform, known: Repeat, mine: Repeat) -> Repeat:
    verdict = rules.verdict(
        now=mine.claimed_at,
        claimed_at=known.claimed_at,
        expires_at=known.expires_at,
        done=known.status > 0,
        alike=hmac.compare_digest(known.mark, mine.mark),
    )
    if verdict == "other":
        detail = "This Idempotency-Key was used before, for a different request."
        raise ServiceError("idempotency_mismatch", detail)
    if verdict == "new" and p.repeats.claim(mine, instead_of=known):
        return mine
    if verdict != "same":
        raise _running()
    if known.text is None:
        detail = "This was done before, with this Idempotency-Key; its answer is shown once and not kept."
        raise ServiceError("conflict", detail)
    return known


def _running() -> ServiceError:
    detail = "A request with this Idempotency-Key is being done just now."
    return ServiceError("conflict", detail, extra={"retry_after": 2})


def finish(p: Platform, repeat: Repeat, status: int, text: str | None, headers: Mapping[str, str]) -> None:
    """Keep an answer for a day; `text` None where it must not be kept: a repeat is refused then."""
    kept = text if text is not None and len(text.encode()) <= LARGEST_ANSWER else None
    if not p.repeats.finish(repeat, status, kept, headers):
        logger.warning("a request outlived its lease", extra={"status": status})


def forget(p: Platform, repeat: Repeat) -> None:
    """The request was refused or failed: it may be sent again with its key."""
    p.repeats.forget(repeat)
