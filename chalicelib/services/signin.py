"""Log-in by password, sessions, and API keys. Secrets are kept as hashes only."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from chalicelib.aws import clock
from chalicelib.aws.log import logger
from chalicelib.rules import signin as rules
from chalicelib.rules.addresses import AddressError, mailbox_address
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.hosted import ApiKey
from chalicelib.rules.signin import AppPassword, Door
from chalicelib.rules.values import Account, Caller, Lookup, Role
from chalicelib.services import apppasswords, passwords, secondfactor, throttle
from chalicelib.services.platform import Platform
from chalicelib.services.throttle import digest as digest
from chalicelib.store.sessions import Session

SESSION_PREFIX, KEY_PREFIX = "pps_", "ppk_"
COARSE = timedelta(hours=1)  # when a session or a key was last used is noted so often
NOWHERE = Lookup(None, None)
_process = secrets.token_bytes(32)  # keys what this process remembers of passwords, and nothing else


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session's token, which is given out once."""

    token: str
    account: Account
    expires_at: datetime


# -------------------------------------------------------------------------------------------- passwords
def authenticate(
    p: Platform, address: str, password: str, *, door: Door, source: str, code: str = ""
) -> Account:
    """The mailbox whose address and password these are; webmail also asks for a second factor that is on.

    Raises ServiceError: bad_credentials, throttled; and only after a right password, so that nobody else
    learns of it, second_factor_required, app_password_required, domain_pending (S5), domain_suspended,
    account_suspended, imap_off.
    """
    try:
        address = mailbox_address(address)
    except AddressError:
        raise _bad_credentials() from None
    memo = _memo(door, address, password)
    if known := p.sessions.accounts.get(memo):
        return known
    found, stored = p.directory.credentials(address)
    owner = found.entry if isinstance(found.entry, Account) else None
    app = apppasswords.opened(p, owner, door, password)
    _check_password(p, address, stored, app, password, source)
    if owner is None:
        raise _bad_credentials()
    _check_more(p, owner, door, app, code, source)
    account = _admitted(found, door, _bad_credentials())
    if not (account.two_step and door == "webmail"):  # there, each log-in takes a code of its own
        p.sessions.accounts.put(memo, account)
    return account


def _check_password(
    p: Platform, address: str, stored: str | None, app: AppPassword | None, password: str, source: str
) -> None:
    """Throttled, and the same work whether there is such a mailbox or not. Raises ServiceError."""
    memo, right = _memo("", address, password), app.hash if app else stored
    if right and p.sessions.verified.get(memo) == right:
        return
    with throttle.guess(p, address, source):
        if app is None and not passwords.verify(stored, password):
            raise _bad_credentials()
    p.sessions.verified.put(memo, right or "")


def _check_more(
    p: Platform, owner: Account, door: Door, app: AppPassword | None, code: str, source: str
) -> None:
    """What a right password does not do alone. Raises ServiceError."""
    if app is not None:
        apppasswords.used(p, owner, app, door)
    elif owner.two_step and door == "webmail":
        secondfactor.check(p, _as_user(owner, source), owner, code)
    elif owner.two_step:
        raise ServiceError(
            "app_password_required",
            "A second factor is on for this mailbox: mail programs need an app password, made in webmail.",
        )


def _as_user(account: Account, source: str) -> Caller:
    """The owner, as the audit names who did it."""
    return Caller(
        reseller=account.reseller,
        key_id="",
        scopes=frozenset(),
        source=source,
        role="user",
        domain=account.domain,
        account=account.id,
        address=account.address,
    )


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


def _bad_credentials() -> ServiceError:
    return ServiceError("bad_credentials", "The address or the password is wrong.")


# --------------------------------------------------------------------------------------------- sessions
def open_session(p: Platform, account: Account, source: str, agent: str = "") -> OpenedSession:
    """A new session for an account that authenticated: of the epoch that its password was read with."""
    token = SESSION_PREFIX + secrets.token_urlsafe(32)
    now = clock.now()
    made = Session(
        id=digest(token),
        account=account.id,
        address=account.address,
        expires_at=now + p.figures.session_life,
        epoch=account.epoch,
        created_at=now,
        seen_at=now,
        network=rules.network_of(source),
        agent=rules.agent_of(agent),
    )
    p.sessions.put(made)
    logger.info("session opened", extra={"account": account.id, "source": made.network})
    return OpenedSession(token, account, made.expires_at)


def session(p: Platform, token: str) -> Account:
    """Whose session it is. Raises ServiceError: unauthenticated, domain_suspended, account_suspended."""
    key = digest(token)
    if known := p.sessions.accounts.get(key):
        return known
    kept = p.sessions.get(key) if token.startswith(SESSION_PREFIX) else None
    if kept is None or kept.expires_at <= clock.now():
        raise _signed_out()
    account = _admitted(_holder(p, kept), "webmail", _signed_out())
    if account.epoch != kept.epoch:
        raise _signed_out()
    if account.address != kept.address or clock.now() - kept.seen_at >= COARSE:
        p.sessions.touch(key, clock.now(), account.address)
    p.sessions.accounts.put(key, account)
    return account


def _holder(p: Platform, kept: Session) -> Lookup:
    """Where the session's account is now: at the address it had, or renamed since."""
    found = p.directory.lookup([kept.address])[kept.address]
    if isinstance(found.entry, Account) and found.entry.id == kept.account:
        return found
    moved = p.directory.account(kept.account)
    return p.directory.lookup([moved.address])[moved.address] if moved else NOWHERE


def close_session(p: Platform, token: str) -> None:
    """Log out; nothing when there was no such session."""
    key = digest(token)
    p.sessions.delete(key)
    p.sessions.accounts.forget(key)


def sessions(p: Platform, account: Account) -> list[Session]:
    """Where somebody is logged in, newest first."""
    return p.sessions.of(account, clock.now())


def end_session(p: Platform, caller: Caller, account: Account, name: str) -> None:
    """End one of one's own. Raises ServiceError not_found."""
    found = next((s for s in sessions(p, account) if s.name == name), None)
    if found is None:
        raise ServiceError("not_found", "There is no such session.")
    event = passwords.note(caller, "session.ended", account, session=name)
    passwords.commit(p, account, [p.sessions.gone(found.id), event])


def end_other_sessions(p: Platform, caller: Caller, account: Account, token: str) -> None:
    """End all but this one. Raises ServiceError conflict."""
    carried = [p.sessions.carried(digest(token), account.epoch + 1), *p.credentials.carried(account)]
    event = passwords.note(caller, "sessions.ended", account)
    passwords.commit(p, account, [p.credentials.change(account, {}), *carried, event])


def _signed_out() -> ServiceError:
    return ServiceError("unauthenticated", "Please log in: the session has ended or never was.")


# --------------------------------------------------------------------------------------------- API keys
def api_caller(p: Platform, bearer: str, source: str = "", role: Role = "reseller") -> Caller:
    """Whose API key it is; read at each call, so a revoked one opens nothing at once.

    Raises ServiceError: unauthenticated, also for a key of another role; forbidden, said to the right key
    alone, from a network that it is not for.
    """
    key = p.credentials.key(digest(bearer)) if bearer.startswith(KEY_PREFIX) else None
    now = clock.now()
    over = key is None or (key.expires_at is not None and key.expires_at <= now)
    if key is None or over or (role == "operator") != (not key.reseller):
        raise ServiceError("unauthenticated", "The API key is not valid, or no longer.")
    if not rules.from_one_of(source, key.sources):
        raise ServiceError("forbidden", f"This API key may not be used from {source or 'there'}.")
    _note_use(p, key, now)
    return Caller(key.reseller, key.id, key.scopes, source, role=role)


def _note_use(p: Platform, key: ApiKey, now: datetime) -> None:
    if key.used_at is None or now - key.used_at >= COARSE:
        p.credentials.key_used(key, now)


def require(caller: Caller, action: str, domain: str | None = None) -> None:
    """Raises ServiceError forbidden where the key's scopes do not cover the action."""
    if not rules.allows(caller.scopes, action, domain):
        raise ServiceError("forbidden", f'This API key does not cover "{action}".')


def require_some(caller: Caller, action: str) -> None:
    """Raises ServiceError forbidden where the key's scopes cover the action for no domain at all."""
    if not any(scope.partition("@")[0] in ("*", action) for scope in caller.scopes):
        raise ServiceError("forbidden", f'This API key does not cover "{action}".')
