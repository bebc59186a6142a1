"""Passwords: argon2id, at OWASP's second setting (19 MiB, 2 passes): some 30 ms of a Lambda's CPU.

Set by their owner, or by the email admin or reseller for somebody who is locked out (S23).
"""

import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from chalicelib.aws.table import Write
from chalicelib.rules import passwords as rules
from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.rules.values import Account, Caller
from chalicelib.services import audit, brands, throttle
from chalicelib.services.platform import Platform

ESTIMATED = 72  # characters that are estimated, at some 40 ms; the time grows with the cube of them
WORDS = 20  # of the owner's that are looked at

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


# --------------------------------------------------------------------------------------------------- hashes
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


# -------------------------------------------------------------------------------------------- what may be set
def fault(password: str, words: Sequence[str]) -> str | None:
    """What is wrong with a password to be set; None: nothing. `words`: its owner's address, name, brand."""
    if detail := rules.length_fault(password):
        return detail
    known = [word.casefold()[:ESTIMATED] for word in words if word][:WORDS]
    return rules.fault(password, known, _guesses(password[:ESTIMATED], known))


def _guesses(password: str, words: Sequence[str]) -> int:
    """What it takes to find it, by zxcvbn. Its lists of words take 50 ms to read: not at every cold start."""
    from zxcvbn import zxcvbn

    return int(zxcvbn(password, user_inputs=list(words))["guesses"])


def words_of(p: Platform, account: Account) -> list[str]:
    """What a mailbox's password must not be made of."""
    local = account.address.partition("@")[0]
    return [account.address, local, account.name, account.domain, brands.of_domain(p, account.domain).product]


def require_good(p: Platform, account: Account, password: str) -> None:
    """Raises ServiceError invalid where it may not be the mailbox's password."""
    if detail := fault(password, words_of(p, account)):
        raise ServiceError("invalid", "This password cannot be set.", (Fault("/password", detail),))


# --------------------------------------------------------------------------------------------------- setting
def prove(p: Platform, account: Account, password: str, source: str, pointer: str = "/password") -> None:
    """Whether who is logged in knows the password too; counted as a log-in is.

    Raises ServiceError: invalid, throttled.
    """
    _, stored = p.directory.credentials(account.address)
    with throttle.guess(p, account.address, source):
        if not verify(stored, password):
            wrong = (Fault(pointer, "This is not the present password."),)
            raise ServiceError("invalid", "The password is wrong.", wrong)


def change(p: Platform, caller: Caller, account: Account, current: str, new: str, session: str) -> None:
    """By its owner: all other sessions end; app passwords stay, which are seen and revoked one by one.

    Raises ServiceError: invalid, throttled, conflict.
    """
    prove(p, account, current, caller.source, "/current")
    if detail := fault(new, words_of(p, account)):
        raise ServiceError("invalid", "This password cannot be set.", (Fault("/new", detail),))
    carried = [p.sessions.carried(session, account.epoch + 1), *p.credentials.carried(account)]
    _save(p, caller, "password.changed", account, hashed(new), carried)


def give(p: Platform, caller: Caller, account: Account, new: str, also: Iterable[Write] = ()) -> None:
    """By somebody else, or by a reset link: the owner had lost it, or a thief has it, so every session and
    every app password ends. A second factor stays. Raises ServiceError: forbidden, invalid, conflict.
    """
    if caller.account == account.id:
        raise ServiceError("forbidden", "Your own password is changed with the present one.")
    require_good(p, account, new)
    type = "password.reset" if caller.role == "public" else "password.set"
    _save(p, caller, type, account, hashed(new), [*p.credentials.dropped(account), *also])


def _save(p: Platform, caller: Caller, type: str, account: Account, hash: str, also: Iterable[Write]) -> None:
    change = p.credentials.change(account, {"hash": hash})
    commit(p, account, [change, *also, note(caller, type, account)])


def commit(p: Platform, account: Account, writes: Sequence[Write]) -> None:
    """Change what opens a mailbox, where it is as read. Raises ServiceError conflict."""
    if not p.credentials.commit(writes):
        raise ServiceError("conflict", "This mailbox was changed meanwhile. Please try again.")
    p.sessions.forget_account(account.id)


def note(caller: Caller, type: str, account: Account, **after: object) -> Write:
    """The event of a change to what opens a mailbox."""
    return audit.note(
        caller, type, account.address, reseller=account.reseller, domain=account.domain, after=after
    )
