"""Address books and the contacts in them (RFC 9610): their values, and how many of them there may be.

An account's books are one shelf. One that nobody touched has the first book alone, without any of it stored:
there is always a default book, and none is made by reading.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.rules.jscontact import MAX_CARD, octets

Json = dict[str, Any]
MAX_BOOKS = 20
MAX_NAME, MAX_DESCRIPTION = 255, 1_000  # octets
MAX_CONTACTS = 5_000  # of an account: one request can read them all
MAX_OCTETS = 8 * 1024 * 1024  # of all of them together


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact: in one book, a card of JSContact without what RFC 9610 adds (id, addressBookIds)."""

    id: str
    book: str
    card: Json


@dataclass(frozen=True, slots=True)
class Book:
    """An address book."""

    id: str
    name: str
    description: str | None = None
    sort: int = 0
    subscribed: bool = True


FIRST = Book("b1", "Contacts")


@dataclass(frozen=True, slots=True)
class Shelf:
    """The books of an account, the one that is the default, and the number that the next one gets."""

    books: Mapping[str, Book] = field(default_factory=lambda: {FIRST.id: FIRST})
    default: str = FIRST.id
    next: int = 2

    def need(self, book: str) -> Book:
        """Raises ServiceError not_found."""
        if book not in self.books:
            raise ServiceError("not_found", "There is no such address book.")
        return self.books[book]


def _invalid(pointer: str, detail: str) -> ServiceError:
    return ServiceError("invalid", detail, (Fault(pointer, detail),))


def check_book(book: Book) -> None:
    """Raises ServiceError invalid with pointers of AddressBook's properties."""
    found = []
    if not book.name.strip() or any(ord(c) < 32 or ord(c) == 127 for c in book.name):
        found.append(Fault("/name", "An address book needs a name without control characters."))
    elif len(book.name.encode(errors="surrogatepass")) > MAX_NAME:
        found.append(Fault("/name", f"An address book's name has at most {MAX_NAME} octets."))
    if len((book.description or "").encode(errors="surrogatepass")) > MAX_DESCRIPTION:
        found.append(Fault("/description", f"A description has at most {MAX_DESCRIPTION} octets."))
    if found:
        raise ServiceError("invalid", found[0].detail, tuple(found))


def check_place(contact: Contact, shelf: Shelf) -> None:
    """Raises ServiceError invalid for a book that is not there."""
    if contact.book not in shelf.books:
        raise _invalid("/addressBookIds", "There is no such address book.")


def size(contact: Contact) -> int:
    """What a contact counts in the quota (S14). Raises ServiceError too_large."""
    found = octets(contact.card)
    if found > MAX_CARD:
        detail = f"A contact has at most {MAX_CARD} octets; this one has {found}."
        raise ServiceError("too_large", detail, extra={"limit": MAX_CARD, "used": found, "unit": "bytes"})
    return found


def check_room(count: int, total: int) -> None:
    """Whether an account may have so many contacts of so many octets. Raises ServiceError over_quota."""
    if count > MAX_CONTACTS:
        raise ServiceError("over_quota", f"An account has at most {MAX_CONTACTS} contacts.")
    if total > MAX_OCTETS:
        raise ServiceError("over_quota", f"All contacts together have at most {MAX_OCTETS} octets.")


def made_uid(card: Json) -> str:
    """The uid of a card that came without one: the same card again gets the same."""
    told = {name: value for name, value in card.items() if name not in ("uid", "created", "updated")}
    digest = sha256(json.dumps(told, sort_keys=True).encode()).digest()
    return f"urn:uuid:{UUID(bytes=digest[:16], version=5)}"
