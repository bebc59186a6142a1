"""Contacts and address books in the mail table, in the account's partition (RFC 9610, S14).

`K#id`: a contact, its card packed. `BOOKS`: the account's address books, all in one item; not there until one
is changed. Every change is a turn on STATE (mailbox_turn): states, the change log, the quota's figure and the
number of contacts move with it, and what is read behind STATE is as if locked.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Literal

from chalicelib.aws.table import Delete, Item, Put, Table
from chalicelib.rules import contacts as rules
from chalicelib.rules.contacts import Book, Contact, Shelf
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.figures import Figures
from chalicelib.rules.quota import crosses, fits
from chalicelib.store.mailbox_items import account_pk
from chalicelib.store.mailbox_marks import warn_row
from chalicelib.store.mailbox_turn import Turn, in_turn, read_or_refuse
from chalicelib.store.mailbox_write import batches
from chalicelib.store.packing import pack, unpack
from chalicelib.store.recent import Recent

REMEMBERED, REMEMBERED_OCTETS = 8, 1_048_576  # accounts, and octets of the contacts of each
#: The contact as it is to be, from what is there; None: none. What is there itself: nothing is written.
Make = Callable[[Contact | None, Shelf], Contact | None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A change of one contact. `make` may be called more than once."""

    id: str
    make: Make


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a Wanted. `contact`: as it is now. `refusal`: why it is as it was."""

    id: str
    outcome: Literal["created", "updated", "destroyed", "same", "refused"]
    contact: Contact | None = None
    refusal: ServiceError | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What became of each, in order. `warn`: with these the mailbox came over the line of S16."""

    done: tuple[Done, ...] = ()
    warn: bool = False


def _card_key(acct: str, id: str) -> dict[str, str]:
    return {"pk": account_pk(acct), "sk": f"K#{id}"}


def _books_key(acct: str) -> dict[str, str]:
    return {"pk": account_pk(acct), "sk": "BOOKS"}


def _contact(item: Item) -> Contact:
    return Contact(str(item["sk"])[2:], item["book"], unpack(item["card"]))


def _shelf(item: Item | None) -> Shelf:
    if item is None:
        return Shelf()
    books = {str(row[0]): Book(*row) for row in item["books"]}
    return Shelf(books, item["default"], item["next"])


def _shelf_item(acct: str, shelf: Shelf) -> Item:
    rows = [[b.id, b.name, b.description, b.sort, b.subscribed] for b in shelf.books.values()]
    return {**_books_key(acct), "books": rows, "default": shelf.default, "next": shelf.next}


@dataclass
class _Plan:
    """One transaction's contacts: as they are stored, and as they are to be."""

    turn: Turn
    shelf: Shelf
    quota: int
    stored: Mapping[str, Item]
    after: dict[str, tuple[Contact, int] | None] = field(default_factory=dict)

    def there(self, id: str) -> tuple[Contact, int] | None:
        """The contact with its octets, as it is after what was planned so far."""
        if id in self.after:
            return self.after[id]
        item = self.stored.get(id)
        return (_contact(item), int(item["size"])) if item else None

    def take(self, wanted: Wanted) -> Done:
        """Plan one change, or say why not."""
        old = self.there(wanted.id)
        was = old[0] if old else None
        try:
            new = wanted.make(was, self.shelf)
            if new == was:
                return Done(wanted.id, "same", was)
            self._place(wanted.id, old, new)
        except ServiceError as refusal:
            return Done(wanted.id, "refused", was, refusal)
        return Done(wanted.id, "updated" if was and new else "created" if new else "destroyed", new)

    def _place(self, id: str, old: tuple[Contact, int] | None, new: Contact | None) -> None:
        """Count one out and the other in."""
        state, before = self.turn.state, old[1] if old else 0
        size = 0
        if new is not None:
            rules.check_place(new, self.shelf)
            size = rules.size(new)
        more = size - before
        if more > 0:
            rules.check_room(state.cards + (old is None), state.card_octets + more)
            if not fits(state.used, more, self.quota):
                raise full(self.quota, state.used)
        state.cards += (new is not None) - (old is not None)
        state.card_octets += more
        state.used += more
        self.after[id] = (new, size) if new is not None else None

    def write(self) -> None:
        """The writes and the log's entries."""
        for id, new in self.after.items():
            key, was = _card_key(self.turn.acct, id), id in self.stored
            if new is not None:
                contact, size = new
                self.turn.log.note("ContactCard", "u" if was else "c", id)
                item = {**key, "book": contact.book, "size": size, "card": pack(contact.card)}
                self.turn.write(Put(item))
            elif was:
                self.turn.log.note("ContactCard", "d", id)
                self.turn.write(Delete(key))


def full(limit: int, used: int) -> ServiceError:
    """S17, S18."""
    numbers = {"limit": limit, "used": used, "remaining": max(0, limit - used), "unit": "bytes"}
    return ServiceError("over_quota", "The mailbox is full.", extra={**numbers, "resets_at": None})


class Contacts:
    """Every account's contacts. Every method: ServiceError not_found without a mailbox, unavailable."""

    def __init__(self, table: Table, figures: Figures) -> None:
        self._table, self._figures = table, figures
        self._recent: Recent[tuple[int, dict[str, Contact]]] = Recent(timedelta(hours=1), REMEMBERED)

    # ------------------------------------------------------------------ read
    def shelf(self, acct: str) -> Shelf:
        """The address books: one read unit."""
        return _shelf(self._table.get(_books_key(acct)))

    def all(self, acct: str, state: int) -> dict[str, Contact]:
        """Every contact by id; nothing else is read. `state`: that of ContactCard, read before.

        A process remembers what it read of late: nothing is read again while the state is the same.
        """
        known = self._recent.get(acct)
        if known and known[0] == state:
            return known[1]
        items = list(self._table.query_all(account_pk(acct), begins="K#", consistent=True))
        found = {c.id: c for c in map(_contact, items)}
        if sum(int(i["size"]) for i in items) <= REMEMBERED_OCTETS:
            self._recent.put(acct, (state, found))
        return found

    def get(self, acct: str, ids: Iterable[str]) -> dict[str, Contact]:
        """Contacts by id; those that are not there are left out."""
        items = self._table.batch_get([_card_key(acct, i) for i in ids], consistent=True)
        return {c.id: c for c in map(_contact, items)}

    # ------------------------------------------------------------- contacts
    def write(self, acct: str, wanted: Sequence[Wanted], *, quota_bytes: int) -> Written:
        """Change contacts, up to 40 in a transaction, as far as the quota goes."""
        whole = Written()
        for batch in batches(wanted):
            part = in_turn(partial(self._attempt, acct, batch, quota_bytes))
            whole = Written(whole.done + part.done, whole.warn or part.warn)
        return whole

    def _attempt(self, acct: str, wanted: Sequence[Wanted], quota: int) -> Written:
        turn = Turn(self._table, acct, self._figures)
        keys = [_books_key(acct), *(_card_key(acct, w.id) for w in wanted)]
        found = {str(i["sk"]): i for i in self._table.batch_get(keys, consistent=True)}
        shelf = _shelf(found.pop("BOOKS", None))
        plan = _Plan(turn, shelf, quota, {sk[2:]: item for sk, item in found.items()})
        before = turn.state.used
        done = tuple(plan.take(one) for one in wanted)
        plan.write()
        warn = crosses(before, turn.state.used, quota, self._figures)
        if warn:
            turn.write(lambda modseq: warn_row(acct, modseq))
        turn.commit()
        return Written(done, warn)

    # ---------------------------------------------------------------- books
    def change_shelf(self, acct: str, change: Callable[[Shelf], Shelf]) -> Shelf:
        """Create or change address books, or choose another default; a book that goes is `remove_book`'s.

        What `change` gives is logged by comparison; what it raises ends it.
        """

        def attempt() -> Shelf:
            turn = Turn(self._table, acct, self._figures)
            old = self.shelf(acct)
            new = change(old)
            if new != old:
                self._put_shelf(turn, old, new)
            return new

        return in_turn(attempt)

    def _put_shelf(self, turn: Turn, old: Shelf, new: Shelf) -> None:
        for id, book in new.books.items():
            was = old.books.get(id)
            if was is None:
                turn.log.note("AddressBook", "c", id)
            elif was != book or (id == old.default) != (id == new.default):
                turn.log.note("AddressBook", "u", id)
        turn.log.note("AddressBook", "d", *(id for id in old.books if id not in new.books))
        turn.write(Put(_shelf_item(turn.acct, new)))
        turn.commit()

    def remove_book(self, acct: str, book: str) -> bool:
        """Remove an empty address book; False: there is something in it. Reads every contact.

        Raises ServiceError not_found, forbidden for the default one.
        """

        def attempt() -> bool:
            turn = Turn(self._table, acct, self._figures)
            shelf = self.shelf(acct)
            shelf.need(book)
            if book == shelf.default:
                raise ServiceError("forbidden", "The default address book stays.")
            if self.inside(acct, book):
                return False
            rest = {id: one for id, one in shelf.books.items() if id != book}
            self._put_shelf(turn, shelf, replace(shelf, books=rest))
            return True

        return in_turn(attempt)

    def inside(self, acct: str, book: str) -> list[str]:
        """Ids of the contacts of an address book."""
        items = self._table.query_all(account_pk(acct), begins="K#", consistent=True)
        return [str(i["sk"])[2:] for i in items if i["book"] == book]

    def state(self, acct: str) -> int:
        """The state of ContactCard: one read unit."""
        state = read_or_refuse(self._table, acct)
        return state.types.get("ContactCard", state.floor)
