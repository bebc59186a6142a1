"""The second factor: codes of an authenticator app, and recovery codes for when it is lost (S23).

Its secret is kept as it is, for codes are computed from it; recovery codes are kept as quick hashes of 80
random bits (throttle.digest says why).
"""

import base64
import secrets
from dataclasses import dataclass, replace

from chalicelib.aws import clock
from chalicelib.rules import totp
from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.rules.signin import SecondFactor
from chalicelib.rules.values import Account, Caller
from chalicelib.services import brands, passwords
from chalicelib.services.platform import Platform
from chalicelib.services.throttle import digest, guess_code

RECOVERY_CODES = 10
_BYTES = 10  # of a recovery code: sixteen letters of Base32


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app needs, shown until a first code confirms that it has it."""

    secret: str
    uri: str


# ------------------------------------------------------------------------------------------ on, off, anew
def status(p: Platform, account: Account) -> SecondFactor | None:
    """The second factor, where it is on."""
    found = p.credentials.factor(account.id) if account.two_step else None
    return found if found and found.on else None


def begin(p: Platform, caller: Caller, account: Account, password: str) -> Enrolment:
    """A new secret, which is nothing before it is confirmed. Raises ServiceError: invalid, throttled,
    conflict (it is on).
    """
    passwords.prove(p, account, password, caller.source)
    if account.two_step:
        raise ServiceError("conflict", "A second factor is on already.")
    secret = base64.b32encode(secrets.token_bytes(20)).decode()
    made = SecondFactor(secret, on=False, step=0, codes=(), since=clock.now())
    was = p.credentials.factor(account.id)
    passwords.commit(p, account, [p.credentials.factor_put(account.id, made, was)])
    issuer = brands.of_domain(p, account.domain).product
    return Enrolment(secret, totp.uri(secret, issuer, account.address))


def confirm(p: Platform, caller: Caller, account: Account, code: str, session: str) -> list[str]:
    """It is on from now; the recovery codes, which are seen this once. Other sessions end: they were opened
    without it. Raises ServiceError: invalid, conflict, throttled.
    """
    found = p.credentials.factor(account.id)
    if account.two_step or found is None or found.on:
        raise ServiceError("conflict", "There is no second factor to confirm.")
    with guess_code(p, account.id):
        step = totp.used_step(found.secret, code.replace(" ", ""), clock.now(), found.step)
        if step is None:
            raise _wrong_code()
    texts = [_recovery_code() for _ in range(RECOVERY_CODES)]
    codes = tuple(_hash(account.id, text) for text in texts)
    made = replace(found, on=True, step=step, codes=codes, since=clock.now())
    writes = [
        p.credentials.change(account, {"two_step": True}),
        p.credentials.factor_put(account.id, made, found),
        p.sessions.carried(session, account.epoch + 1),
        *p.credentials.carried(account),
        passwords.note(caller, "second_factor.enabled", account),
    ]
    passwords.commit(p, account, writes)
    return texts


def disable(p: Platform, caller: Caller, account: Account, password: str, code: str, session: str) -> None:
    """By its owner, with both. Raises ServiceError: invalid, throttled, conflict."""
    passwords.prove(p, account, password, caller.source)
    _require(p, caller, account, code)
    _off(p, caller, account, "second_factor.disabled", session)


def reset(p: Platform, caller: Caller, account: Account) -> None:
    """By an admin or reseller, for who lost it all. Raises ServiceError: forbidden, not_found, conflict."""
    if caller.account == account.id:
        raise ServiceError("forbidden", "Your own second factor is turned off with password and code.")
    if not account.two_step:
        raise ServiceError("not_found", "No second factor is on.")
    _off(p, caller, account, "second_factor.reset", None)


def _off(p: Platform, caller: Caller, account: Account, type: str, session: str | None) -> None:
    carried = [p.sessions.carried(session, account.epoch + 1)] if session else []
    writes = [
        p.credentials.change(account, {}, remove=["two_step"]),
        p.credentials.factor_gone(account.id),
        *carried,
        *p.credentials.carried(account),
        passwords.note(caller, type, account),
    ]
    passwords.commit(p, account, writes)


def renew_codes(p: Platform, caller: Caller, account: Account, code: str) -> list[str]:
    """Ten new recovery codes; the old ones are over. Raises ServiceError: invalid, throttled, conflict."""
    _require(p, caller, account, code)
    found = p.credentials.factor(account.id)
    texts = [_recovery_code() for _ in range(RECOVERY_CODES)]
    if found is None:
        raise ServiceError("conflict", "No second factor is on.")
    made = replace(found, codes=tuple(_hash(account.id, text) for text in texts))
    event = passwords.note(caller, "recovery_codes.created", account)
    passwords.commit(p, account, [p.credentials.factor_put(account.id, made, found), event])
    return texts


# ------------------------------------------------------------------------------------------------- checking
def check(p: Platform, caller: Caller, account: Account, code: str) -> None:
    """At log-in, after the right password. Raises ServiceError: second_factor_required, throttled."""
    if not code.strip():
        raise ServiceError("second_factor_required", "A code of your authenticator app is needed as well.")
    with guess_code(p, account.id):
        if not _right(p, caller, account, code):
            raise ServiceError("second_factor_required", "This code is wrong, too old, or was used already.")


def _require(p: Platform, caller: Caller, account: Account, code: str) -> None:
    """The same of somebody who is logged in. Raises ServiceError: conflict, invalid, throttled."""
    if not account.two_step:
        raise ServiceError("conflict", "No second factor is on.")
    with guess_code(p, account.id):
        if not _right(p, caller, account, code):
            raise _wrong_code()


def _right(p: Platform, caller: Caller, account: Account, code: str) -> bool:
    """Whether it is a code of now, or a recovery code; either is used up by it."""
    found = p.credentials.factor(account.id)
    if found is None or not found.on:
        return False
    plain = code.replace(" ", "").replace("-", "").lower()
    if plain.isascii() and plain.isdigit():
        step = totp.used_step(found.secret, plain, clock.now(), found.step)
        used = replace(found, step=step) if step is not None else None
        writes = []
    else:
        hash = _hash(account.id, plain)
        left = tuple(known for known in found.codes if known != hash)
        used = replace(found, codes=left) if len(left) < len(found.codes) else None
        writes = [passwords.note(caller, "recovery_code.used", account, left=len(left))]
    if used is None:
        return False
    return p.credentials.commit([p.credentials.factor_put(account.id, used, found), *writes])


def _wrong_code() -> ServiceError:
    detail = "This code is wrong, too old, or was used already."
    return ServiceError("invalid", detail, (Fault("/code", detail),))


def _recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(_BYTES)).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def _hash(account: str, code: str) -> str:
    return digest(f"{account} {code.replace('-', '')}")
