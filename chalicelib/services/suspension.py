"""Suspensions of domains and mailboxes, each holder's own: operator, reseller, and the guard (sending alone).

Suspended: no sending, no log-in; mail is still accepted (S31). What was accepted for sending and has not
left is held back too, and tried again as after a deferral (S27). Processes remember who is signed in for 15
seconds.
"""

from collections.abc import Mapping

from chalicelib.aws import clock
from chalicelib.aws.table import Busy, ConditionFailed, Write, pause
from chalicelib.rules.abuse import Held, Holder
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.hosted import HostedDomain
from chalicelib.rules.values import Account, Caller
from chalicelib.services import audit
from chalicelib.services.platform import Platform

Target = HostedDomain | Account
TRIES = 8
#: What it is called in the audit when a hold comes and goes: of a domain, of a mailbox, by the guard.
NAMES = {
    "domain": ("domain.suspended", "domain.resumed"),
    "mailbox": ("mailbox.suspended", "mailbox.resumed"),
    "guard": ("mailbox.sending_paused", "mailbox.sending_resumed"),
}


def holds(p: Platform, target: Target) -> list[Held]:
    """Who holds it. Raises ServiceError not_found."""
    return list(_read(p, target).values())


def hold(p: Platform, caller: Caller, target: Target, holder: Holder, reason: str) -> bool:
    """Suspend. A holder that holds it already gives a new reason. Whether it is new.

    Raises ServiceError: not_found.
    """
    for attempt in range(TRIES):
        before = _read(p, target)
        try:
            p.directory.table.transact(writes(p, caller, target, before, holder, reason))
        except ConditionFailed:
            pause(attempt)
        else:
            return holder not in before
    raise Busy("holds overtaken again and again")


def writes(
    p: Platform, caller: Caller, target: Target, before: Mapping[str, Held], holder: Holder, reason: str
) -> list[Write]:
    """A suspension as writes, for the transaction of what brings it about."""
    secret = p.holds.secret_of(target) if holder == "guard" and isinstance(target, Account) else ""
    after = {**before, holder: Held(holder, reason, caller.actor, clock.now(), secret)}
    return [p.holds.change(target, before, after), _note(caller, target, holder, 0, {"reason": reason})]


def release(p: Platform, caller: Caller, target: Target, holder: Holder, reason: str = "") -> None:
    """Lift one holder's suspension; those of others stay. Raises ServiceError: not_found (not held by it)."""
    for attempt in range(TRIES):
        before = _read(p, target)
        if holder not in before:
            raise ServiceError("not_found", "There is no such suspension.")
        after = {h: held for h, held in before.items() if h != holder}
        note = _note(caller, target, holder, 1, {"reason": reason})
        try:
            p.directory.table.transact([p.holds.change(target, before, after), note])
        except ConditionFailed:
            pause(attempt)
        else:
            return
    raise Busy("holds overtaken again and again")


def lift(p: Platform, caller: Caller, target: Target, reason: str, *, clear_strikes: bool) -> None:
    """S33: lift the operator's suspension; with `clear_strikes` its reports were wrong and count no more.

    The strikes go first: a repeat after a crash then still finds what to lift. Raises ServiceError not_found.
    """
    if "operator" not in _read(p, target):
        raise ServiceError("not_found", "There is no such suspension.")
    if clear_strikes:
        of = target if isinstance(target, HostedDomain) else p.directory.domain(target.domain)
        account = target.id if isinstance(target, Account) else None
        subject = target.address if isinstance(target, Account) else target.name
        if of is not None:
            note = audit.note(
                caller,
                "strikes.cleared",
                subject,
                reseller=of.reseller,
                domain=of.name,
                after={"reason": reason},
            )
            p.abuse.clear(of, account, [note])
    release(p, caller, target, "operator", reason)


def _read(p: Platform, target: Target) -> dict[str, Held]:
    found = p.holds.read(target)
    if found is None:
        raise ServiceError("not_found", "It is not there any more.")
    return found


def _note(caller: Caller, target: Target, holder: Holder, which: int, after: Mapping[str, str]) -> Write:
    hosted = isinstance(target, HostedDomain)
    name = NAMES["guard" if holder == "guard" else "domain" if hosted else "mailbox"][which]
    return audit.note(
        caller,
        name,
        target.name if isinstance(target, HostedDomain) else target.address,
        reseller=target.reseller,
        domain=target.name if isinstance(target, HostedDomain) else target.domain,
        after={"holder": holder, **{k: v for k, v in after.items() if v}},
    )


def stopped(p: Platform, account: str, sender: str) -> bool:
    """Whether mail of this account, accepted earlier, must not leave now.

    `sender` is its return path, an address of the account; what has none is the service's own and leaves.
    """
    if not account or not sender:
        return False
    found = p.directory.lookup([sender])[sender]
    entry = found.entry
    if not isinstance(entry, Account) or entry.id != account:
        return False
    return bool(entry.holds) or (found.domain is not None and found.domain.suspended)
