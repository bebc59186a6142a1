"""API keys as their owners manage them: narrowed, limited in time and place, exchanged, revoked.

A key gives no more than it has: neither scopes, nor networks, nor time.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.aws import clock
from chalicelib.aws.table import Put, Write
from chalicelib.rules import signin as rules
from chalicelib.rules.addresses import AddressError, parse_domain
from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.rules.hosted import ApiKey
from chalicelib.rules.values import Caller
from chalicelib.services import audit
from chalicelib.services.platform import Platform
from chalicelib.services.signin import KEY_PREFIX, digest

MOST_KEYS = 200
MOST_SOURCES, MOST_DOMAINS = 50, 50


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """A key as asked for, unchecked. `domains` narrow every scope; `sources` are addresses and networks."""

    label: str
    scopes: Sequence[str]
    domains: Sequence[str] = ()
    sources: Sequence[str] = ()
    expires_at: datetime | None = None


def listed(p: Platform, caller: Caller, limit: int, after: str) -> tuple[list[ApiKey], str]:
    """The caller's reseller's keys (the operator's own), and the place to go on after."""
    return p.credentials.keys(caller.reseller, limit, after)


def found(p: Platform, caller: Caller, id: str) -> ApiKey:
    """The key that is called so. Raises ServiceError not_found."""
    key = p.credentials.key_named(caller.reseller, id)
    if key is None:
        raise ServiceError("not_found", "There is no such key.")
    return key


def create(p: Platform, caller: Caller, asked: KeyRequest) -> tuple[ApiKey, str]:
    """A new key, and its text, which is seen this once. Raises ServiceError: invalid, forbidden, conflict."""
    own = _own(p, caller)
    faults, scopes, sources = _checked(caller, asked)
    if faults:
        raise ServiceError("invalid", "This key cannot be made.", tuple(faults))
    if not rules.covers(caller.scopes, scopes):
        raise ServiceError("forbidden", "A key gives no more than it has: these scopes are not all its own.")
    if not rules.within(sources or own.sources, own.sources):
        raise ServiceError("forbidden", "A key gives no more than it has: these networks are not its own.")
    if own.expires_at and asked.expires_at and asked.expires_at > own.expires_at:
        raise ServiceError("forbidden", "A key gives no more than it has: it ends before this one would.")
    if len(p.credentials.keys(caller.reseller, MOST_KEYS)[0]) >= MOST_KEYS:
        extra = {"limit": MOST_KEYS, "used": MOST_KEYS, "remaining": 0, "unit": "keys"}
        raise ServiceError("conflict", f"There are at most {MOST_KEYS} keys.", extra=extra)
    made, text = _new(caller.reseller, asked.label, scopes, asked.expires_at or own.expires_at)
    made = replace(made, sources=sources or own.sources)
    _commit(p, [p.credentials.key_put(made), _note(caller, "key.created", made)])
    return made, text


def _own(p: Platform, caller: Caller) -> ApiKey:
    """The key that calls."""
    key = p.credentials.key_named(caller.reseller, caller.key_id)
    if key is None:
        raise ServiceError("unauthenticated", "The API key is not valid, or no longer.")
    return key


def _checked(caller: Caller, asked: KeyRequest) -> tuple[list[Fault], frozenset[str], tuple[str, ...]]:
    """Every fault; scopes with their domains, and networks, in the form they are kept in."""
    faults: list[Fault] = []
    known = {"*", *rules.SCOPES} | (rules.OPERATOR_SCOPES if caller.role == "operator" else set())
    if not 1 <= len(asked.label) <= rules.LONGEST_LABEL or not asked.label.isprintable():
        faults.append(Fault("/label", f"A label has 1 to {rules.LONGEST_LABEL} printable characters."))
    if not asked.scopes:
        faults.append(Fault("/scopes", "A key has at least one scope."))
    for number, scope in enumerate(asked.scopes):
        if scope not in known:
            faults.append(Fault(f"/scopes/{number}", "There is no such scope."))
    domains: set[str] = set()
    sources: list[str] = []
    for number, text in enumerate(asked.domains):
        try:
            domains.add(parse_domain(text))
        except AddressError as error:
            faults.append(Fault(f"/domains/{number}", str(error)))
    for number, text in enumerate(asked.sources):
        try:
            sources += rules.networks([text])
        except ValueError:
            faults.append(Fault(f"/sources/{number}", "An address or a network, as 192.0.2.0/24."))
    if asked.expires_at and asked.expires_at <= clock.now():
        faults.append(Fault("/expires_at", "This time is past."))
    return faults, rules.spread(asked.scopes, domains), tuple(dict.fromkeys(sources))


def _new(
    reseller: str, label: str, scopes: frozenset[str], expires_at: datetime | None
) -> tuple[ApiKey, str]:
    text = KEY_PREFIX + secrets.token_urlsafe(32)
    return ApiKey(digest(text), reseller, scopes, expires_at, label, clock.now()), text


def rotate(p: Platform, caller: Caller, id: str, overlap: timedelta) -> tuple[ApiKey, str]:
    """A key like it in its place, which goes on for the overlap. Raises ServiceError: not_found, forbidden,
    conflict.
    """
    old = found(p, caller, id)
    _require_covered(caller, old)
    now = clock.now()
    if old.expires_at and old.expires_at <= now:
        raise ServiceError("conflict", "This key has ended.")
    made, text = _new(old.reseller, old.label, old.scopes, old.expires_at)
    made = replace(made, sources=old.sources)
    ends = min(now + overlap, old.expires_at or now + overlap)
    writes: list[Write] = [
        p.credentials.key_put(made),
        p.credentials.key_ends(old, ends),
        _note(caller, "key.rotated", made, before=old, old_ends_at=ends.isoformat()),
    ]
    _commit(p, writes)
    return made, text


def revoke(p: Platform, caller: Caller, id: str) -> None:
    """The key opens nothing any more. Raises ServiceError: not_found, forbidden."""
    key = found(p, caller, id)
    _require_covered(caller, key)
    event = audit.note(caller, "key.deleted", key.id, reseller=key.reseller, before=_told(key))
    _commit(p, [p.credentials.key_gone(key), event])


def issue(
    p: Platform, reseller: str, scopes: frozenset[str], expires: datetime | None, label: str, caller: Caller
) -> str:
    """A key that nobody's key asked for: the first of a reseller or of the operator."""
    made, text = _new(reseller, label, scopes, expires)
    _commit(p, [p.credentials.key_put(made), _note(caller, "key.created", made)])
    return text


def _require_covered(caller: Caller, key: ApiKey) -> None:
    if not rules.covers(caller.scopes, key.scopes):
        raise ServiceError("forbidden", "This key may do more than the one that asks.")


def _commit(p: Platform, writes: Sequence[Write]) -> None:
    if not p.credentials.commit(writes):
        raise ServiceError("conflict", "This key was changed meanwhile. Please try again.")


def _note(caller: Caller, type: str, made: ApiKey, *, before: ApiKey | None = None, **more: str) -> Put:
    was = {"id": before.id} if before else {}
    after = {"id": made.id, **_told(made), **more}
    return audit.note(caller, type, made.id, reseller=made.reseller, before=was, after=after)


def _told(key: ApiKey) -> dict[str, object]:
    ends = key.expires_at.isoformat() if key.expires_at else None
    return {
        "label": key.label,
        "scopes": sorted(key.scopes),
        "sources": list(key.sources),
        "expires_at": ends,
    }
