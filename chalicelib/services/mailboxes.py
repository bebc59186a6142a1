"""Mailboxes of a hosted domain: made, changed, renamed, deleted and brought back (S10, S11).

What costs money is the reseller's: to make one, its size, its end. Names, recovery addresses and who is an
email admin are also the admin's.
"""

from collections.abc import Mapping
from dataclasses import replace
from secrets import token_hex
from typing import Any

from chalicelib.aws import clock
from chalicelib.aws.log import logger
from chalicelib.aws.table import Item, Put, Write
from chalicelib.rules import mailboxes as rules
from chalicelib.rules.addresses import AddressError, mailbox_local, parse
from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.rules.figures import MB
from chalicelib.rules.hosted import HostedDomain
from chalicelib.rules.ids import account_id
from chalicelib.rules.ledger import Entry
from chalicelib.rules.mailboxes import GoneMailbox, MailboxRequest
from chalicelib.rules.values import Account, Caller
from chalicelib.services import audit, entries, mailbox, passwords, quota, signin
from chalicelib.services.platform import Platform
from chalicelib.store.gone import gone_of
from chalicelib.store.holdings import Changed, Taken

ATTEMPTS = 3
#: A setting's attribute in the directory.
STORED = {
    "name": "name",
    "imap": "imap",
    "storage_mb": "mb",
    "admin": "admin",
    "recovery_address": "recovery",
}


def settings(account: Account) -> dict[str, Any]:
    """What can be set of a mailbox, as the API names it."""
    return {
        "name": account.name,
        "imap": account.imap,
        "storage_mb": account.quota_bytes // MB,
        "admin": account.admin,
        "recovery_address": account.recovery,
    }


def used(p: Platform, account: Account) -> int:
    """Bytes in a mailbox; none in one that is being made."""
    try:
        return mailbox.state(p, account.id).used_bytes
    except ServiceError as error:
        if error.kind != "not_found":
            raise
        return 0


def find(p: Platform, domain: HostedDomain, local: str) -> Account | None:
    """The mailbox of just that name. Raises ServiceError invalid for what no mailbox can be called."""
    try:
        return p.holdings.mailbox(domain, mailbox_local(local))
    except AddressError as error:
        raise _invalid([("local", str(error))]) from None


# -------------------------------------------------------------------------------------------- making
def planned(p: Platform, domain: HostedDomain, wanted: MailboxRequest) -> Account:
    """A new mailbox as it would be. Raises ServiceError: invalid, conflict (the order was reversed)."""
    _check(p, domain, wanted)
    if domain.state == "reversed":
        raise ServiceError("conflict", "The order of this domain was reversed.")
    wanted = wanted.normalised()
    return Account(
        id=account_id(domain.order, f"{wanted.local} {token_hex(8)}"),
        address=f"{wanted.local}@{domain.name}",
        domain=domain.name,
        quota_bytes=wanted.storage_mb * MB,
        reseller=domain.reseller,
        name=wanted.name,
        imap=wanted.imap,
        admin=wanted.admin,
        recovery=wanted.recovery_address,
    )


def _check(p: Platform, domain: HostedDomain, wanted: MailboxRequest) -> None:
    wrong = list(rules.faults(wanted, (), p.figures))
    if not wrong:
        try:
            parse(f"{wanted.local}@{domain.name}")
        except AddressError as error:
            wrong = [("local", str(error))]
    if wrong:
        raise _invalid(wrong)


def _invalid(wrong: list[tuple[str, str]]) -> ServiceError:
    faults = tuple(Fault(f"/{field}", detail) for field, detail in wrong)
    return ServiceError("invalid", "The mailbox cannot be as it is wanted.", faults)


def create(p: Platform, caller: Caller, domain: HostedDomain, wanted: MailboxRequest) -> Account:
    """A new mailbox; it can be used at once. Raises ServiceError: invalid, conflict."""
    account = planned(p, domain, wanted)
    if wanted.password is not None:
        passwords.require_good(p, account, wanted.password)
    stored = passwords.hashed(wanted.password) if wanted.password is not None else None
    told = entries.puts([entries.entry(p, "created", domain, account)])
    note = _note(caller, "mailbox.created", account, after=settings(account))
    try:
        p.holdings.add(domain, account, stored, [*told, note])
    except Taken:
        raise taken(account.address) from None
    except Changed:
        raise ServiceError("conflict", "The order of this domain was reversed.") from None
    mailbox.create(p, account)
    p.holdings.made(account.id)
    logger.info("mailbox created", extra={"account": account.id, "domain": domain.name})
    return account


def taken(address: str) -> ServiceError:
    """A name that something has."""
    return ServiceError("conflict", f"{address} is in use already.")


def put(p: Platform, caller: Caller, domain: HostedDomain, wanted: MailboxRequest) -> tuple[Account, bool]:
    """Make a mailbox, or give the one of that name these settings; whether it is new.

    A password is a new mailbox's first; one that is there keeps its own. Raises ServiceError.
    """
    known = find(p, domain, wanted.local)
    if known is None:
        return create(p, caller, domain, wanted), True
    mailbox.create(p, known)  # had a crash kept it from being made
    return change(p, caller, domain, known, replaced(wanted)), False


def replaced(wanted: MailboxRequest) -> dict[str, Any]:
    """All settings, as a patch."""
    return {name: getattr(wanted, name) for name in rules.SETTINGS}


# -------------------------------------------------------------------------------------------- changing
def changed(p: Platform, domain: HostedDomain, account: Account, patch: Mapping[str, Any]) -> Account:
    """A mailbox as a patch would make it; a null removes. Raises ServiceError: invalid, over_quota."""
    given = {**settings(account), **patch}
    if given["name"] is None:
        given["name"] = ""
    wanted = MailboxRequest(local=account.address.rpartition("@")[0], **given)
    _check(p, domain, wanted)
    wanted = wanted.normalised()
    if wanted.storage_mb * MB < account.quota_bytes:
        rules.check_size(wanted.storage_mb, used(p, account))
    return replace(
        account,
        name=wanted.name,
        imap=wanted.imap,
        quota_bytes=wanted.storage_mb * MB,
        admin=wanted.admin,
        recovery=wanted.recovery_address,
    )


def resized(p: Platform, domain: HostedDomain, before: Account, after: Account) -> list[Entry]:
    """The ledger entries of a change: only size costs money."""
    if before.quota_bytes == after.quota_bytes:
        return []
    return [entries.entry(p, "resized", domain, after)]


def change(
    p: Platform, caller: Caller, domain: HostedDomain, account: Account, patch: Mapping[str, Any]
) -> Account:
    """Change settings, at once in force. Raises ServiceError: forbidden, invalid, over_quota, conflict."""
    if caller.role == "admin" and rules.FOR_RESELLERS & set(patch):
        raise ServiceError("forbidden", "IMAP and storage are changed by whom you bought this mailbox from.")
    after = changed(p, domain, account, patch)
    was, becomes = settings(account), settings(after)
    different = [name for name in was if was[name] != becomes[name]]
    if not different:
        return account
    also: list[Write] = [*entries.puts(resized(p, domain, account, after))]
    also += _notes(caller, account, {n: was[n] for n in different}, {n: becomes[n] for n in different})
    if caller.role == "admin" and account.admin and not after.admin:
        also.append(_another_admin(p, domain, account))
    given = {STORED[name]: was[name] for name in different}
    try:
        p.holdings.change(account, given, {STORED[name]: becomes[name] for name in different}, also)
    except Changed:
        raise _at_once() from None
    p.sessions.forget_account(account.id)
    if after.quota_bytes < account.quota_bytes:
        quota.resized(p, after)
    return after


def _notes(caller: Caller, account: Account, was: dict[str, Any], becomes: dict[str, Any]) -> list[Put]:
    """A change of size by its own name: it is what billing is asked about."""
    notes = []
    if "storage_mb" in was:
        before, after = {"storage_mb": was.pop("storage_mb")}, {"storage_mb": becomes.pop("storage_mb")}
        notes.append(_note(caller, "mailbox.resized", account, before, after))
    if was:
        notes.append(_note(caller, "mailbox.changed", account, was, becomes))
    return notes


def _another_admin(p: Platform, domain: HostedDomain, account: Account) -> Write:
    """An admin leaves a domain with one: without, nobody could make another but the reseller."""
    other = next((a for a in p.holdings.admins(domain) if a.id != account.id), None)
    if other is None:
        raise ServiceError("conflict", "A domain keeps one email administrator: make another one first.")
    return p.holdings.still_admin(other)


def _at_once() -> ServiceError:
    return ServiceError("conflict", "The mailbox was changed at the same moment. Please try again.")


def _note(
    caller: Caller,
    type: str,
    account: Account,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> Put:
    return audit.note(
        caller,
        type,
        account.address,
        reseller=account.reseller,
        domain=account.domain,
        before=before,
        after=after,
    )


# -------------------------------------------------------------------------------------------- renaming
def rename(
    p: Platform, caller: Caller, domain: HostedDomain, account: Account, local: str, *, keep_alias: bool
) -> Account:
    """Another name in its domain; all mail is kept, and its aliases go on. Raises ServiceError.

    `keep_alias`: the old name stays as an alias. Kinds: invalid, conflict (the name is in use).
    """
    if detail := rules.local_fault(local, (), p.figures):
        raise _invalid([("local", detail)])
    local = local.lower()
    after = replace(account, address=f"{local}@{domain.name}")
    _check(p, domain, MailboxRequest(local, account.quota_bytes // MB))
    if after.address == account.address:
        return account
    also: list[Write] = [*entries.puts([entries.entry(p, "renamed", domain, after)])]
    addresses = {"address": account.address}, {"address": after.address}
    also.append(_note(caller, "mailbox.renamed", account, *addresses))
    try:
        p.holdings.rename(p.holdings.item(account), account, local, keep_alias, also)
    except Taken:
        raise taken(after.address) from None
    except Changed:
        raise _at_once() from None
    p.sessions.forget_account(account.id)
    return after


# -------------------------------------------------------------------------------------------- the end
def delete(p: Platform, caller: Caller, domain: HostedDomain, account: Account) -> None:
    """Delete a mailbox; kept 30 days for `restore`. Raises ServiceError conflict."""
    now = clock.now()
    until = rules.kept_until(now, p.figures)
    also: list[Write] = [*entries.puts([entries.entry(p, "removed", domain, account)])]
    also.append(_note(caller, "mailbox.deleted", account, before=settings(account)))
    for _ in range(ATTEMPTS):
        try:
            p.holdings.remove(domain, p.holdings.item(account), now, until, also)
        except Changed:
            continue
        p.sessions.forget_account(account.id)
        return
    raise _at_once()


def deleted(p: Platform, caller: Caller, account_id: str) -> tuple[GoneMailbox, Item]:
    """What is kept of a mailbox that is gone. Raises ServiceError not_found (somebody else's, too)."""
    item = p.gone.find(caller.reseller, account_id)
    if item is None:
        raise ServiceError("not_found", "There is no such deleted mailbox.")
    return gone_of(item), item


def restorable(p: Platform, gone: GoneMailbox) -> HostedDomain:
    """The domain that a deleted mailbox can go back to. Raises ServiceError conflict with why it cannot."""
    domain = p.directory.domain(gone.account.domain)
    if domain is None or domain.order != gone.order:
        raise ServiceError("conflict", "The domain was ordered anew: this mailbox was of the order before.")
    if gone.why == "reversed" or domain.state == "reversed":
        raise ServiceError("conflict", "The order of this domain was reversed: undo that instead.")
    if gone.purged or clock.now() >= gone.until:
        raise ServiceError("conflict", "This can no longer be undone: it was kept for 30 days.")
    return domain


def restore(p: Platform, caller: Caller, account_id: str) -> Account:
    """Bring a deleted mailbox back, with all that it had. Raises ServiceError: not_found, conflict."""
    gone, item = deleted(p, caller, account_id)
    signin.require(caller, "mailboxes:write", gone.account.domain)
    domain = restorable(p, gone)
    also: list[Write] = [*entries.puts([entries.entry(p, "restored", domain, gone.account)])]
    also.append(_note(caller, "mailbox.restored", gone.account, after=settings(gone.account)))
    try:
        p.holdings.restore(domain, item, also)
    except Taken:
        raise taken(gone.account.address) from None
    except Changed:
        raise _at_once() from None
    return gone.account
