"""Addresses of a domain that are no mailboxes, its catch-all, and what a mailbox passes on (S9, S22)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Any

from chalicelib.aws.table import Item
from chalicelib.rules.addresses import AddressError, mailbox_local
from chalicelib.rules.addresses import normalise as normalised
from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.rules.hosted import HostedDomain
from chalicelib.rules.limits import sendable
from chalicelib.rules.values import Account, Caller, Forward, MailingList, Posting, ReplyTo, Unknown
from chalicelib.services import audit
from chalicelib.services.platform import Platform
from chalicelib.store.addresses import Kind, Overtaken, forward_of, list_fields, list_of
from chalicelib.store.directory import DAEMON

GIVEN_AWAY = frozenset({"postmaster", "abuse"})  # S9: the admin may give them to someone
LONGEST_NAME = 100  # characters, of a list


@dataclass(frozen=True, slots=True)
class Alias:
    """Another name of a mailbox. `mailbox`: its local part by now; None: the mailbox is gone."""

    local: str
    mailbox: str | None


# ------------------------------------------------------------------------------------------------- names
def present(p: Platform, domain: HostedDomain, local: str, kind: Kind) -> Item | None:
    """The address of that kind and name, where there is one."""
    try:
        item = p.addresses.item(domain.name, mailbox_local(local))
    except AddressError:
        return None
    return item if item and item.get("kind") == kind else None


def find(p: Platform, domain: HostedDomain, local: str, kind: Kind) -> Item:
    """The address of that kind and name. Raises ServiceError not_found."""
    item = present(p, domain, local, kind)
    if item is None:
        raise ServiceError("not_found", f"There is no such {kind}.")
    return item


def place(p: Platform, domain: HostedDomain, local: str, kind: Kind) -> tuple[str, Item | None]:
    """A name that may be given to an address of that kind, and what is there now.

    Raises ServiceError: invalid (no name), conflict (taken, or too many).
    """
    try:
        name = mailbox_local(local)
    except AddressError as error:
        raise ServiceError("invalid", str(error), (Fault("", str(error)),)) from None
    old = p.addresses.item(domain.name, name)
    automatic = old is not None and name in GIVEN_AWAY and old.get("kind") == "emailadmin"
    if name == DAEMON or (old is None and name in p.figures.reserved_locals - GIVEN_AWAY):
        raise ServiceError("conflict", f"{name}@{domain.name} belongs to the service itself.")
    if old is not None and not automatic and old.get("kind") != kind:
        raise ServiceError("conflict", f"{name}@{domain.name} is in use as something else.")
    if old is None or automatic:
        limit = {
            "alias": p.figures.max_aliases,
            "forward": p.figures.max_forwards,
            "list": p.figures.max_lists,
        }
        unit = {"alias": "aliases"}.get(kind, f"{kind}s")
        check_room(p.addresses.count(domain.name, kind) + 1, limit[kind], unit)
    return name, old


def check_room(wanted: int, limit: int, unit: str) -> None:
    """Raises ServiceError conflict where there would be more than the limit."""
    if wanted > limit:
        numbers = {"limit": limit, "used": wanted - 1, "remaining": max(0, limit - wanted + 1), "unit": unit}
        raise ServiceError("conflict", f"There can be {limit:,} {unit} at most.", extra=numbers)


def remove(p: Platform, caller: Caller, domain: HostedDomain, local: str, kind: Kind) -> None:
    """Take an address away; postmaster@ and abuse@ reach emailadmin@ again then (S9).

    Raises ServiceError: not_found, conflict.
    """
    item = find(p, domain, local, kind)
    shown: dict[str, Any] = {
        name: item[name] for name in ("to", "name", "posting", "members") if name in item
    }
    event = _event(caller, domain, f"{kind}.deleted", str(item["gsk"]), shown, {})
    try:
        p.addresses.remove(domain.name, item, [event])
    except Overtaken as error:
        raise _overtaken() from error


def _put(
    p: Platform,
    caller: Caller,
    domain: HostedDomain,
    where: tuple[str, Item | None],
    kind: Kind,
    fields: Mapping[str, Any],
    shown: tuple[Mapping[str, Any], Mapping[str, Any]],
) -> bool:
    """Write an address with its event; whether it is new. Raises ServiceError conflict."""
    local, old = where
    new = old is None or old.get("kind") != kind
    event = _event(caller, domain, f"{kind}.{'created' if new else 'changed'}", local, *shown)
    try:
        p.addresses.put(domain.name, local, kind, fields, old, event)
    except Overtaken as error:
        raise _overtaken() from error
    return new


def _event(
    caller: Caller,
    domain: HostedDomain,
    type: str,
    local: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> Any:
    subject = f"{local}@{domain.name}" if local else domain.name
    where = {"reseller": domain.reseller, "domain": domain.name}
    return audit.note(caller, type, subject, **where, before=before, after=after)


def _overtaken() -> ServiceError:
    return ServiceError("conflict", "The address has changed meanwhile. Look at it again first.")


def mailbox(p: Platform, domain: HostedDomain, local: str, pointer: str) -> Account:
    """The mailbox of that name in the domain. Raises ServiceError invalid."""
    address = f"{local.lower()}@{domain.name}"
    entry = p.directory.lookup([address])[address].entry
    if not isinstance(entry, Account) or entry.address != address:
        detail = "There is no such mailbox in this domain."
        raise ServiceError("invalid", detail, (Fault(pointer, detail),))
    return entry


def targets(p: Platform, given: Sequence[str], own: str) -> tuple[str, ...]:
    """Addresses that mail is passed on to, each once. Raises ServiceError invalid."""
    found: dict[str, None] = {}
    faults: list[Fault] = []
    for number, text in enumerate(given):
        try:
            address = normalised(text)
        except AddressError as error:
            faults.append(Fault(f"/to/{number}", str(error)))
            continue
        if sendable(address) is None:
            faults.append(Fault(f"/to/{number}", "Mail cannot be sent to such an address."))
        elif address == own:
            faults.append(Fault(f"/to/{number}", "An address cannot pass mail on to itself."))
        found[address] = None
    limit = p.figures.max_targets
    if not given or len(found) > limit:
        faults.append(Fault("/to", f"Name 1 to {limit} addresses."))
    if faults:
        numbers = {"limit": limit, "used": len(found), "remaining": max(0, limit - len(found))}
        raise ServiceError("invalid", "Mail cannot be passed on to these.", tuple(faults), numbers)
    return tuple(found)


# ----------------------------------------------------------------------------------------------- aliases
def aliases(p: Platform, domain: HostedDomain, items: Sequence[Item]) -> list[Alias]:
    """Aliases with the mailboxes that they reach by now."""
    addresses = {str(item["gsk"]): f"{item['gsk']}@{domain.name}" for item in items}
    found = p.directory.lookup(addresses.values()) if addresses else {}
    entries = {local: found[address].entry for local, address in addresses.items()}
    return [
        Alias(local, entry.address.rpartition("@")[0] if isinstance(entry, Account) else None)
        for local, entry in entries.items()
    ]


def put_alias(p: Platform, caller: Caller, domain: HostedDomain, local: str, of: str) -> tuple[Alias, bool]:
    """Give a mailbox another name; whether the alias is new. Raises ServiceError: invalid, conflict."""
    where = place(p, domain, local, "alias")
    account = mailbox(p, domain, of, "/mailbox")
    name = account.address.rpartition("@")[0]
    known = where[1] is not None and where[1].get("kind") == "alias"
    before = aliases(p, domain, [where[1]])[0] if where[1] and known else None
    shown = ({"mailbox": before.mailbox} if before else {}, {"mailbox": name})
    new = _put(p, caller, domain, where, "alias", {"target": account.id}, shown)
    return Alias(where[0], name), new


# ---------------------------------------------------------------------------------------------- forwards
def put_forward(
    p: Platform, caller: Caller, domain: HostedDomain, local: str, to: Sequence[str]
) -> tuple[Forward, bool]:
    """An address that passes its mail on; whether it is new. Raises ServiceError: invalid, conflict."""
    where = place(p, domain, local, "forward")
    address = f"{where[0]}@{domain.name}"
    chosen = targets(p, to, address)
    known = where[1] is not None and where[1].get("kind") == "forward"
    before = {"to": list(where[1]["to"])} if where[1] and known else {}
    new = _put(p, caller, domain, where, "forward", {"to": chosen}, (before, {"to": list(chosen)}))
    return Forward(address, chosen), new


def forwards(items: Sequence[Item]) -> list[Forward]:
    """Forwards from their items."""
    return [forward_of(item) for item in items]


def some(given: Sequence[str]) -> Sequence[str]:
    """What was given; nothing is a fault where something is to be set. Raises ServiceError invalid."""
    if not given:
        fault = "Name at least one address."
        raise ServiceError("invalid", fault, (Fault("/to", fault),))
    return given


def set_mailbox_forward(
    p: Platform, caller: Caller, account: Account, to: Sequence[str], keep: bool
) -> Account:
    """What a mailbox passes on, and whether a copy stays; nothing where `to` is empty.

    Raises ServiceError: invalid, conflict.
    """
    chosen = targets(p, to, account.address) if to else ()
    event = audit.note(
        caller,
        "mailbox.forward-changed",
        account.address,
        reseller=account.reseller,
        domain=account.domain,
        before={"to": list(account.forward), "keep_copy": account.keep_copy},
        after={"to": list(chosen), "keep_copy": keep},
    )
    try:
        p.addresses.set_forward(account, chosen, keep, event)
    except Overtaken as error:
        raise _overtaken() from error
    return replace(account, forward=chosen, keep_copy=keep if chosen else True)


# ------------------------------------------------------------------------------------------------- lists
def lists(items: Sequence[Item]) -> list[MailingList]:
    """Lists from their items."""
    return [list_of(item) for item in items]


def get_list(p: Platform, domain: HostedDomain, local: str) -> MailingList:
    """A list. Raises ServiceError not_found."""
    return list_of(find(p, domain, local, "list"))


def put_list(
    p: Platform, caller: Caller, domain: HostedDomain, local: str, given: tuple[str, Posting, ReplyTo]
) -> tuple[MailingList, bool]:
    """A list by name, who may post, and whom answers go to; its members stay. Whether it is new.

    Raises ServiceError: invalid, conflict.
    """
    name, posting, reply_to = given
    where = place(p, domain, local, "list")
    if len(name) > LONGEST_NAME or any(ord(c) < 32 or ord(c) == 127 for c in name):
        fault = f"A name has one line of at most {LONGEST_NAME} characters."
        raise ServiceError("invalid", fault, (Fault("/name", fault),))
    known = where[1] is not None and where[1].get("kind") == "list"
    old = list_of(where[1]) if where[1] and known else None
    start = old or MailingList(f"{where[0]}@{domain.name}", id=token_hex(6))
    entry = replace(start, name=name, posting=posting, reply_to=reply_to)
    shown = (_list_shown(old) if old else {}, _list_shown(entry))
    return entry, _put(p, caller, domain, where, "list", list_fields(entry), shown)


def _list_shown(entry: MailingList) -> dict[str, Any]:
    return {"name": entry.name, "posting": entry.posting, "reply_to": entry.reply_to}


# --------------------------------------------------------------------------------------------- catch-all
def set_unknown(
    p: Platform, caller: Caller, domain: HostedDomain, unknown: Unknown, local: str | None
) -> HostedDomain:
    """S22: what happens to mail for unknown addresses. Raises ServiceError invalid."""
    account: Account | None = None
    if unknown == "deliver":
        account = mailbox(p, domain, local or "", "/mailbox")
    elif local is not None:
        fault = 'Only "deliver" takes a mailbox.'
        raise ServiceError("invalid", fault, (Fault("/mailbox", fault),))
    before = {"unknown": domain.unknown, "mailbox": caught_by(p, domain)}
    after = {"unknown": unknown, "mailbox": account.address.rpartition("@")[0] if account else None}
    event = _event(caller, domain, "domain.catch-all-changed", "", before, after)
    catch_all = account.id if account else ""
    try:
        p.addresses.set_unknown(domain.name, unknown, catch_all, event)
    except Overtaken as error:
        raise _overtaken() from error
    return replace(domain, unknown=unknown, catch_all=catch_all)


def caught_by(p: Platform, domain: HostedDomain) -> str | None:
    """The mailbox that gets mail for unknown addresses; None: none does, or it is gone."""
    account = p.directory.account(domain.catch_all) if domain.catch_all else None
    return account.address.rpartition("@")[0] if account else None
