"""A domain that was ordered by mistake is taken back, and given back if that was the mistake (S10).

It is marked first, with what billing must know; putting by what it had goes on in steps, each of which may be
the last before a crash: the request's repeat goes on, a new order of the name does, and so does the clock.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.aws import clock
from chalicelib.aws.log import logger
from chalicelib.aws.table import Item
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.hosted import HostedDomain
from chalicelib.rules.ledger import Entry
from chalicelib.rules.mailboxes import kept_until
from chalicelib.rules.values import Caller
from chalicelib.services import audit, entries
from chalicelib.services.platform import Platform
from chalicelib.store.gone import gone_of

SECONDS = 15.0  # of the 29 that a request has
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Reversal:
    """How far one is. `finished` False: it goes on by itself."""

    domain: HostedDomain
    until: datetime
    finished: bool


def until_of(p: Platform, domain: HostedDomain) -> datetime:
    """How long a reversal can be undone."""
    return kept_until(domain.reversed_at or clock.now(), p.figures)


# -------------------------------------------------------------------------------------------- taking back
def would_write(p: Platform, domain: HostedDomain) -> Sequence[Entry]:
    """The ledger entries of a reversal, which is not made; none where it was made."""
    if domain.state == "reversed":
        return ()
    return entries.entries(p, "reversed", domain, p.gone.mailboxes(domain))


def reverse(p: Platform, caller: Caller, domain: HostedDomain, seconds: float = SECONDS) -> Reversal:
    """Take a domain back, with all its mailboxes; a repeat goes on with what is left to do.

    Raises ServiceError conflict.
    """
    if domain.state != "reversed":
        domain = _mark(p, caller, domain)
    if domain.returning:
        raise ServiceError("conflict", "The reversal of this domain is being undone.")
    finished = domain.cleared or _clear(p, domain, time.monotonic() + seconds)
    return Reversal(domain, until_of(p, domain), finished)


def _mark(p: Platform, caller: Caller, domain: HostedDomain) -> HostedDomain:
    for _ in range(ATTEMPTS):
        made, now = p.gone.made(domain), clock.now()
        accounts = p.gone.mailboxes(domain)
        note = audit.note(
            caller,
            "domain.reversed",
            domain.name,
            reseller=domain.reseller,
            domain=domain.name,
            before={"state": domain.state, "mailboxes": len(accounts)},
            after={"state": "reversed", "mailboxes": 0},
        )
        told = entries.puts(entries.entries(p, "reversed", domain, accounts))
        if p.gone.reverse(domain, made, now, kept_until(now, p.figures), [*told, note]):
            p.sessions.accounts.forget_where(lambda known: known.domain == domain.name)
            logger.info("domain reversed", extra={"domain": domain.name, "mailboxes": len(accounts)})
        found = p.directory.domain(domain.name)
        if found and found.order == domain.order and found.state == "reversed":
            return found
    raise ServiceError("conflict", "The domain was changed at the same moment. Please try again.")


def _clear(p: Platform, domain: HostedDomain, stop: float) -> bool:
    """Put by all that is there, and make the name free. Whether that is done."""
    if not _sweep(p, domain, stop):
        return False
    p.mail.delete_identity(domain.name)
    return p.gone.cleared(domain)


def _sweep(p: Platform, domain: HostedDomain, stop: float) -> bool:
    at = domain.reversed_at or clock.now()
    while p.gone.clear_some(domain, at, kept_until(at, p.figures)):
        if time.monotonic() > stop:
            return False
    return True


def make_way(p: Platform, name: str) -> None:
    """Before a name is ordered: nothing of who had it may be left. Raises ServiceError: unavailable; conflict
    where the operator suspended it, for nobody else lifts that (S33).
    """
    domain = p.directory.domain(name)
    if domain is None or domain.state != "reversed" or domain.returning:
        return
    if "operator" in domain.holds:
        raise ServiceError("conflict", "This domain cannot be ordered at present.")
    work = _sweep if domain.cleared else _clear
    if not work(p, domain, time.monotonic() + SECONDS):
        detail = "This domain is being made free just now. Please try again in a moment."
        raise ServiceError("unavailable", detail, extra={"retry_after": 20})


# -------------------------------------------------------------------------------------------- giving back
def undo(p: Platform, caller: Caller, name: str, seconds: float = SECONDS) -> Reversal:
    """Give a domain back as it was, waiting for its MX. `name` in the directory's form.

    Raises ServiceError: not_found, conflict (in use by now, not reversed, too late), unavailable.
    """
    stop = time.monotonic() + seconds
    domain = _undoable(p, caller, name)
    until = until_of(p, domain)
    if not domain.returning:
        if not domain.cleared and not _clear(p, domain, stop):
            raise ServiceError("unavailable", "The reversal is not finished. Please try again in a moment.")
        _begin(p, caller, domain, until)
    finished = _return(p, domain, stop)
    return Reversal(p.directory.domain(name) or domain, until, finished)


def _undoable(p: Platform, caller: Caller, name: str) -> HostedDomain:
    domain = p.directory.domain(name)
    if domain is None or domain.reseller != caller.reseller:
        if p.gone.reversed_by(caller.reseller, name):
            raise ServiceError("conflict", "This domain is in use: its reversal cannot be undone.")
        raise ServiceError("not_found", "There is no such domain.")
    if domain.state != "reversed":
        raise ServiceError("conflict", "This domain is in use: there is no reversal to undo.")
    if not domain.returning and clock.now() >= until_of(p, domain):
        raise _too_late()
    return domain


def _too_late() -> ServiceError:
    return ServiceError("conflict", "This can no longer be undone: it was kept for 30 days.")


def _begin(p: Platform, caller: Caller, domain: HostedDomain, until: datetime) -> None:
    accounts = [gone_of(item).account for item in p.gone.of_reversal(domain)]
    note = audit.note(
        caller,
        "domain.restored",
        domain.name,
        reseller=domain.reseller,
        domain=domain.name,
        before={"state": "reversed", "mailboxes": 0},
        after={"state": "pending", "mailboxes": len(accounts)},
    )
    told = entries.puts(entries.entries(p, "restored", domain, accounts))
    if not p.gone.begin_return(domain, until, int(clock.now().timestamp()), [*told, note]):
        raise ServiceError("conflict", "This domain is in use, or its time is over.")


def _return(p: Platform, domain: HostedDomain, stop: float) -> bool:
    """Put everything back; then wait for the MX as after an order. Can be repeated after a crash."""
    row = p.gone.begun_return(domain)
    if row is None:
        return True
    for _ in p.gone.bring_back(domain):
        if time.monotonic() > stop:
            return False
    identity = p.mail.create_identity(domain.name)
    p.gone.returned(domain, {"tokens": list(identity.tokens), "dkim_zone": identity.zone})
    run = int(row["run"])  # no execution of this order had such a number: a name serves once
    now = clock.now().isoformat()
    first = {"domain": domain.name, "order": domain.order, "run": run, "polls": 0, "started_at": now}
    p.workflows.start(p.settings.activation_machine, f"{domain.order}-{run}", first)
    p.gone.finish("return", domain.name)
    return True


# -------------------------------------------------------------------------------------------- by the clock
def resume(p: Platform, row: Item, stop: float) -> None:
    """Go on with a reversal, or its undoing, that was begun."""
    kind = row["sk"].partition("#")[0]
    domain = p.directory.domain(row["domain"])
    if kind == "return" and domain:
        _return(p, domain, stop)
    elif domain and domain.state == "reversed" and not domain.returning:
        _clear(p, domain, stop)
    else:
        p.gone.finish(kind, row["domain"])
