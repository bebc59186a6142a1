"""Log-in by password, sessions, and API keys. Secrets are kept as hashes only."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network

from chalicelib.aws import clock
from chalicelib.aws.log import logger
from chalicelib.rules import signin as rules
from chalicelib.rules.addresses import AddressError, mailbox_address
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.signin import Door
from chalicelib.rules.values import Account, Caller, Lookup, Role
from chalicelib.services import passwords
from chalicelib.services.platform import Platform
from chalicelib.store.sessions import Session

SESSION_PREFIX, KEY_PREFIX = "pps_", "ppk_"
_process = secrets.token_bytes(32)  # keys what this process remembers of passwords, and nothing else


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session's token, which is given out once."""

    token: str
    account: Account
    expires_at: datetime


def digest(secret: str) -> str:
    """What is kept of a token or key: 256 random bits need no slow hash."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


# -------------------------------------------------------------------------------------------- passwords
def authenticate(p: Platform, address: str, password: str, *, door: Door, source: str) -> Account:
    """The mailbox whose address and password these are.

    Raises ServiceError: bad_credentials, throttled; and only after a right password, so that nobody else
    learns of it, domain_pending (S5), domain_suspended, account_suspended, imap_off.
    """
    try:
        address = mailbox_address(address)
    except AddressError:
        raise _bad_credentials() from None
    memo = _memo(door, address, password)
    if known := p.sessions.accounts.get(memo):
        return known
    found, stored = p.directory.credentials(address)
    _check_password(p, address, stored, password, _network(source))
    account = _admitted(found, door, _bad_credentials())
    p.sessions.accounts.put(memo, account)
    return account


def _check_password(p: Platform, address: str, stored: str | None, password: str, source: str) -> None:
    """Throttled, and the same work whether there is such a mailbox or not. Raises ServiceError."""
    memo = _memo("", address, password)
    if stored and p.sessions.verified.get(memo) == stored:
        return
    number, ends_at = rules.window(clock.now(), p.figures)
    pair, wide = f"pair#{digest(address)}#{source}", [f"source#{source}", f"address#{digest(address)}"]
    by_source, by_address = p.sessions.counts(wide, number)
    tries = rules.Tries(p.sessions.count(pair, number, ends_at), by_source, by_address)
    if rules.throttled(tries, p.figures):
        raise _throttled(ends_at)
    if not passwords.verify(stored, password):
        for counter in wide:
            p.sessions.count(counter, number, ends_at)
        logger.info("log-in refused", extra={"source": source, "tries": tries.pair})
        raise _bad_credentials()
    p.sessions.forget(pair, number)
    p.sessions.verified.put(memo, stored or "")


def _admitted(found: Lookup, door: Door, refusal: ServiceError) -> Account:
    """The mailbox, where its domain is served at all: a reversed order's mailboxes are nobody's (S10)."""
    if found.domain is None or found.domain.state == "reversed" or not isinstance(found.entry, Account):
        raise refusal
    rules.check_entry(found.domain, found.entry, door)
    return found.entry


def _memo(door: str, address: str, password: str) -> str:
    """A key that says nothing about the password to who does not have this process's secret."""
    text = "\0".join((door, address, password))
    return hmac.new(_process, text.encode("utf-8", "surrogatepass"), sha256).hexdigest()


def _network(source: str) -> str:
    """A source as it is throttled: an IPv4 address, or the /64 that one IPv6 customer has."""
    try:
        address = ip_address(source)
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, 64), strict=False))
    return str(address)


def _bad_credentials() -> ServiceError:
    return ServiceError("bad_credentials", "The address or the password is wrong.")


def _throttled(ends_at: datetime) -> ServiceError:
    seconds = max(1, round((ends_at - clock.now()).total_seconds()))
    return ServiceError(
        "throttled",
        "Too many failed log-ins. Please wait before the next one.",
        extra={"retry_after": seconds, "resets_at": ends_at.isoformat()},
    )


# --------------------------------------------------------------------------------------------- sessions
def open_session(p: Platform, account: Account, source: str) -> OpenedSession:
    """A new session for an account that authenticated."""
    token = SESSION_PREFIX + secrets.token_urlsafe(32)
    now = clock.now()
    ends = now + p.figures.session_life
    p.sessions.put(Session(digest(token), account.id, account.address, ends), now)
    logger.info("session opened", extra={"account": account.id, "source": _network(source)})
    return OpenedSession(token, account, ends)


def session(p: Platform, token: str) -> Account:
    """Whose session it is. Raises ServiceError: unauthenticated, domain_suspended, account_suspended."""
    key = digest(token)
    if known := p.sessions.accounts.get(key):
        return known
    kept = p.sessions.get(key) if token.startswith(SESSION_PREFIX) else None
    if kept is None or kept.expires_at <= clock.now():
        raise _signed_out()
    account = _admitted(p.directory.lookup([kept.address])[kept.address], "webmail", _signed_out())
    if account.id != kept.account:
        raise _signed_out()
    p.sessions.accounts.put(key, account)
    return account


def close_session(p: Platform, token: str) -> None:
    """Log out; nothing when there was no such session."""
    key = digest(token)
    p.sessions.delete(key)
    p.sessions.accounts.forget(key)


def _signed_out() -> ServiceError:
    return ServiceError("unauthenticated", "Please log in: the session has ended or never was.")


# --------------------------------------------------------------------------------------------- API keys
def api_caller(p: Platform, bearer: str, source: str = "", role: Role = "reseller") -> Caller:
    """Whose API key it is. Raises ServiceError: unauthenticated, also for a key of another role."""
    key = p.directory.key(digest(bearer)) if bearer.startswith(KEY_PREFIX) else None
    if key is None or (key.expires_at and key.expires_at <= clock.now()):
        raise ServiceError("unauthenticated", "The API key is not valid, or no longer.")
    if (role == "operator") != (not key.reseller):
        raise ServiceError("unauthenticated", "The API key is not valid, or no longer.")
    return Caller(key.reseller, key.id, key.scopes, source, role=role)


def require(caller: Caller, action: str, domain: str | None = None) -> None:
    """Raises ServiceError forbidden where the key's scopes do not cover the action."""
    if not rules.allows(caller.scopes, action, domain):
        raise ServiceError("forbidden", f'This API key does not cover "{action}".')


def require_some(caller: Caller, action: str) -> None:
    """Raises ServiceError forbidden where the key's scopes cover the action for no domain at all."""
    if not any(scope.partition("@")[0] in ("*", action) for scope in caller.scopes):
        raise ServiceError("forbidden", f'This API key does not cover "{action}".')
