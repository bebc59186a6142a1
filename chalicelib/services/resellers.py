"""Resellers and what they have, as the operator sees and changes them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from chalicelib.rules.addresses import AddressError, normalise, parse_domain
from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.rules.hosted import Brand, Reseller
from chalicelib.rules.values import Account, Caller, Entry
from chalicelib.services import audit
from chalicelib.services.platform import Platform

SHOWN = ("name", "contact", "state")


@dataclass(frozen=True, slots=True)
class Hit:
    """A domain or address, and whose it is."""

    kind: str  # domain, mailbox, automatic, forward, list or alias
    name: str
    domain: str
    reseller: str
    state: str
    holds: tuple[str, ...]


def find(p: Platform, id: str) -> Reseller:
    """A reseller. Raises ServiceError not_found."""
    found = p.directory.reseller(id)
    if found is None:
        raise ServiceError("not_found", "There is no such reseller.")
    return found


def create(p: Platform, caller: Caller, id: str, name: str, contact: str, product: str) -> Reseller:
    """A reseller with its first brand. Raises ServiceError: invalid, conflict."""
    made = Reseller(id, name, _contact(contact), id)
    brand = Brand(id=id, product=product, reseller=id)
    note = audit.note(caller, "reseller.created", id, reseller=id, after=_shown(made))
    if not p.brands.save(brand, None, [p.resellers.put(made, None), note]):
        raise ServiceError("conflict", "There is a reseller of this id.")
    return made


def change(p: Platform, caller: Caller, present: Reseller, given: Mapping[str, Any]) -> Reseller:
    """Change name, contact or state. Raises ServiceError: invalid, conflict."""
    if "contact" in given:
        given = {**given, "contact": _contact(str(given["contact"]))}
    changed = replace(present, **given)
    if changed == present:
        return present
    note = audit.note(
        caller,
        "reseller.changed",
        present.id,
        reseller=present.id,
        before=_shown(present),
        after=_shown(changed),
    )
    if not p.resellers.save(changed, present, [note]):
        raise ServiceError("conflict", "It was changed meanwhile: read it again.")
    return changed


def _shown(reseller: Reseller) -> dict[str, str]:
    return {name: str(asdict(reseller)[name]) for name in SHOWN}


def _contact(text: str) -> str:
    try:
        return normalise(text)
    except AddressError as error:
        fault = Fault("/contact", str(error))
        raise ServiceError("invalid", "A reseller needs a contact address.", (fault,)) from error


def search(p: Platform, text: str) -> list[Hit]:
    """What is hosted under just this domain or address; a domain is among the results for its addresses."""
    text = text.strip().lower()
    try:
        domain = parse_domain(text.rpartition("@")[2])
    except AddressError:
        return []
    hosted = p.directory.domain(domain)
    if hosted is None:
        return []
    held = tuple(sorted(hosted.holds))
    hits = [Hit("domain", domain, domain, hosted.reseller, hosted.state, held)]
    if "@" in text:
        found = p.directory.lookup([text])[text]
        if found.entry is not None and found.via != "catch_all":
            hits.insert(0, _hit(text, domain, hosted.reseller, found.entry, found.via))
    return hits


def _hit(text: str, domain: str, reseller: str, entry: Entry, via: str) -> Hit:
    if isinstance(entry, Account):
        kind, state, held = via or "mailbox", entry.state, tuple(sorted(entry.holds))
        return Hit(kind, entry.address, domain, reseller, state, held)
    names = {"Automatic": "automatic", "Forward": "forward", "MailingList": "list"}
    return Hit(names[type(entry).__name__], text, domain, reseller, "active", ())
