"""Contacts (RFC 9610): read, changed, brought in from files and handed out as files. Counted in S14.

Nothing is collected by itself, from mail that is sent or otherwise: a contact is there when somebody made it.
"""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.aws import clock
from chalicelib.rules import contactcsv, vcardin, vcardlines, vcardout
from chalicelib.rules.contacts import MAX_CONTACTS, Contact, Shelf, made_uid
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.ids import contact_id
from chalicelib.rules.jscontact import VERSION, faults
from chalicelib.rules.values import Account
from chalicelib.services import quota
from chalicelib.services.platform import Platform
from chalicelib.store.contacts import Done, Make, Wanted
from chalicelib.store.mailbox_write import PER_TRANSACTION

__all__ = ["Done", "Make", "Wanted"]
Json = dict[str, Any]
IMPORT_SECONDS = 20.0  # API Gateway waits for 29
SERVER_SET = ("created", "updated")


def shelf(p: Platform, acct: str) -> Shelf:
    """The address books: one read unit."""
    return p.contacts.shelf(acct)


def every(p: Platform, acct: str, state: int | None = None) -> dict[str, Contact]:
    """Every contact by id. `state`: that of ContactCard, where it was read already."""
    return p.contacts.all(acct, p.contacts.state(acct) if state is None else state)


def get(p: Platform, acct: str, ids: Sequence[str]) -> dict[str, Contact]:
    """Contacts by id; those that are not there are left out."""
    return p.contacts.get(acct, ids)


def write(p: Platform, account: Account, wanted: Sequence[Wanted]) -> tuple[Done, ...]:
    """Change contacts, as far as there is room (S17); what became of each, in order."""
    now = quota.current(p, account)
    written = p.contacts.write(account.id, wanted, quota_bytes=now.quota_bytes)
    if written.warn:
        quota.over_the_line(p, now)
    return written.done


def moment() -> str:
    """Now, as JSContact has it."""
    return clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def stamped(card: Json, was: Json | None) -> Json:
    """A card with the times that are set here; one that says nothing new is the card that was."""
    now, old = moment(), was or {}
    kept = {n: v for n, v in card.items() if n != "updated"}
    kept = {
        "@type": "Card",
        "version": VERSION,
        **kept,
        "created": card.get("created", old.get("created", now)),
    }
    if kept == {n: v for n, v in old.items() if n != "updated"}:
        return old
    return kept | {"updated": now}


def check(card: Json) -> None:
    """Raises ServiceError invalid with pointers into the card."""
    found = faults(card)
    if found:
        raise ServiceError("invalid", f"{found[0].pointer or '/'}: {found[0].detail}", tuple(found[:50]))


# ------------------------------------------------------------------------------------------------- books
def change_shelf(p: Platform, acct: str, change: Callable[[Shelf], Shelf]) -> Shelf:
    """Create or change address books, or choose another default; what `change` raises ends it."""
    return p.contacts.change_shelf(acct, change)


def remove_book(p: Platform, account: Account, book: str, *, with_contents: bool) -> None:
    """Remove an address book, and what is in it where that is wanted.

    Raises ServiceError not_found; forbidden for the default one; conflict, with `extra["reason"]`
    addressBookHasContents (RFC 9610 §2.3).
    """
    while not p.contacts.remove_book(account.id, book):
        if not with_contents:
            reason = {"reason": "addressBookHasContents"}
            raise ServiceError("conflict", "There are contacts in this address book.", extra=reason)
        ids = p.contacts.inside(account.id, book)
        write(p, account, [Wanted(id, _removed_from(book)) for id in ids])


def _removed_from(book: str) -> Make:
    return lambda was, _shelf: None if was is None or was.book == book else was


# ------------------------------------------------------------------------------------------------ export
def vcards(p: Platform, acct: str) -> str:
    """Every contact as vCard 4.0."""
    return vcardout.document(contact.card for contact in _in_order(p, acct))


def table(p: Platform, acct: str) -> str:
    """Every contact that is no group as CSV."""
    return contactcsv.document(contact.card for contact in _in_order(p, acct))


def parked(p: Platform, text: str, name: str, kind: str) -> str:
    """Where a file too large for an answer can be fetched, for five minutes; it is gone in a day."""
    key = f"part/contacts/{secrets.token_hex(16)}"
    p.blobs.put(key, text.encode(), type=kind)
    return p.blobs.url(key, name=name, type=kind)


def _in_order(p: Platform, acct: str) -> list[Contact]:
    return sorted(every(p, acct).values(), key=lambda c: (str(c.card.get("created")), c.id))


# ------------------------------------------------------------------------------------------------ import
@dataclass(frozen=True, slots=True)
class Read:
    """A contact as a file has it, by its number there; or why it is none.

    `partial`: what the file does not say of a contact that is there stays as it is.
    """

    row: int
    card: Json = field(default_factory=dict)
    fault: str = ""
    left_out: tuple[str, ...] = ()
    partial: bool = False


@dataclass
class Imported:
    """What became of a file's contacts. `notes`: what was left out of which; 0 is the file itself."""

    created: int = 0
    updated: int = 0
    same: int = 0
    failed: list[tuple[int, str]] = field(default_factory=list)
    notes: list[tuple[int, str]] = field(default_factory=list)


def bring_in_vcards(p: Platform, account: Account, octets: bytes, book: str = "") -> Imported:
    """Keep the contacts of a vCard file; one whose uid is known is replaced, so a repeat doubles nothing.

    A new one goes into `book`, else the default one. Raises ServiceError not_found for a book that is none,
    bad_request, too_large.
    """
    return _bring_in(p, account, list(_read_vcards(octets)), book)


def bring_in_table(p: Platform, account: Account, octets: bytes, book: str = "") -> Imported:
    """Keep the contacts of a CSV file; of one whose uid is known, what its row says is changed.

    `book` as above. Raises ServiceError not_found, bad_request, invalid (no column is known), too_large.
    """
    made = _bring_in(p, account, list(_read_table(octets)), book)
    unknown = contactcsv.unknown(octets)
    if unknown:
        made.notes.insert(0, (0, f"Columns that say nothing here: {', '.join(unknown)[:500]}."))
    return made


def _read_vcards(octets: bytes) -> Iterator[Read]:
    row = 0
    for row, found in enumerate(vcardlines.cards(octets), 1):
        if row > MAX_CONTACTS:
            raise ServiceError("too_large", f"A file has at most {MAX_CONTACTS} contacts.")
        if isinstance(found, str):
            yield Read(row, fault=found)
        else:
            card, left_out = vcardin.card(found)
            yield Read(row, _named(card), left_out=tuple(left_out))
    if not row:
        raise ServiceError("bad_request", "There is no vCard in this file.")


def _read_table(octets: bytes) -> Iterator[Read]:
    for row, (card, left_out) in enumerate(contactcsv.rows(octets, MAX_CONTACTS), 1):
        fault = "" if card.keys() - {"uid"} else "There is nothing in this row."
        yield Read(row, _named(card), fault, tuple(left_out), partial=True)


def _named(card: Json) -> Json:
    """A card with a uid."""
    return card if "uid" in card else {"uid": made_uid(card), **card}


def _bring_in(p: Platform, account: Account, given: Sequence[Read], book: str) -> Imported:
    if book:
        shelf(p, account.id).need(book)
    made, stop = Imported(), time.monotonic() + IMPORT_SECONDS
    good = list(_sound(given, made))
    for at in range(0, len(good), PER_TRANSACTION):
        if time.monotonic() > stop:
            late = "Not done: time ran out before this one. Please send the file again."
            made.failed += [(read.row, late) for read in good[at:]]
            break
        batch = good[at : at + PER_TRANSACTION]
        wanted = [Wanted(contact_id(read.card["uid"]), _put(read, book)) for read in batch]
        for read, done in zip(batch, write(p, account, wanted), strict=True):
            _count(made, read, done)
    made.failed.sort()
    return made


def _sound(given: Sequence[Read], made: Imported) -> Iterator[Read]:
    """Those that are cards; what is wrong with the others is noted."""
    for read in given:
        found = [] if read.fault else faults(read.card)
        made.notes += [(read.row, note) for note in read.left_out]
        if read.fault or found:
            made.failed.append((read.row, read.fault or f"{found[0].pointer}: {found[0].detail}"))
        else:
            yield read


def _count(made: Imported, read: Read, done: Done) -> None:
    match done.outcome:
        case "created":
            made.created += 1
        case "updated":
            made.updated += 1
        case "same":
            made.same += 1
        case _:
            made.failed.append((read.row, done.refusal.detail if done.refusal else ""))


def _put(read: Read, book: str) -> Make:
    """The card of a file in the place of what has its uid; that one's book and age stay."""

    def make(was: Contact | None, on: Shelf) -> Contact:
        id = contact_id(read.card["uid"])
        if was is None:
            return Contact(id, book or on.default, stamped(read.card, None))
        card = contactcsv.merged(read.card, was.card) if read.partial else read.card
        return Contact(id, was.book, stamped(card | _age(was.card), was.card))

    return make


def _age(card: Mapping[str, Any]) -> Json:
    return {"created": card["created"]} if "created" in card else {}
