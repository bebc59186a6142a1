"""One transaction on a mailbox: read STATE, work out the changes, write them all if STATE is as it was.

Everything that changes a mailbox goes through here, so whatever is read after STATE is as if locked, and a
modseq is never seen before all modseqs below it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from chalicelib.aws.clock import now
from chalicelib.aws.table import (
    ConditionFailed,
    Item,
    Put,
    Table,
    Update,
    Write,
    equals,
    pause,
)
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.figures import Figures
from chalicelib.rules.indexing import Mark, due
from chalicelib.store.mailbox_items import (
    BY_THREAD,
    account_pk,
    email_key,
    item_folder,
    item_id,
    item_keywords,
    item_thread,
    unread,
)
from chalicelib.store.mailbox_log import Entry
from chalicelib.store.mailbox_places import Places, standing
from chalicelib.store.mailbox_state import (
    Member,
    State,
    count_email,
    count_thread,
    read_state,
    state_key,
)

T = TypeVar("T")
ATTEMPTS = 20  # some 15 s: a burst of arrivals takes turns
UNEVEN = 5  # attempts in which what was read did not add up; after more it is not somebody else's doing
FIXED_WRITES = 2  # STATE and the log's row come first in a transaction


class WriteRefused(ConditionFailed):
    """A condition other than STATE's failed. Indexes into the turn's own writes, and into `extra`."""

    def __init__(self, own: tuple[int, ...], extra: tuple[int, ...]) -> None:
        super().__init__(own + extra)
        self.own, self.extra = own, extra


def read_or_refuse(table: Table, acct: str) -> State:
    """The account's state: one read unit. Raises ServiceError not_found."""
    item = table.get(state_key(acct))
    if item is None:
        raise ServiceError("not_found", "There is no such mailbox.")
    return read_state(item)


def as_member(item: Item) -> Member:
    """An email's item as its thread sees it."""
    return Member(item_folder(item), unread(item_keywords(item)))


class Turn:
    """A transaction in the making. `state` is the copy that will be written."""

    def __init__(self, table: Table, acct: str, figures: Figures) -> None:
        self._table, self._figures = table, figures
        self.acct = acct
        self._old = read_or_refuse(table, acct)
        self.state = self._old.copy()
        self.log = Entry()
        self._before: dict[str, dict[str, Member]] = {}  # threads as they were: email → member
        self._after: dict[str, dict[str, Member]] = {}
        self._known: dict[str, Item] = {}
        self._places = Places()
        self._writes: list[Write | Callable[[int], Write]] = []

    def write(self, write: Write | Callable[[int], Write]) -> None:
        """Add a write, or what makes it once the transaction's modseq is known."""
        self._writes.append(write)

    def emails(self, ids: Sequence[str]) -> Mapping[str, Item]:
        """Items of these emails, tombstones too."""
        keys = [email_key(self.acct, i) for i in ids]
        self._known |= {item_id(i): i for i in self._table.batch_get(keys, consistent=True)}
        return self._known

    def thread(self, thread: str) -> dict[str, Member]:
        """Members of a thread, to be changed by the caller. Siblings are read only where there are any."""
        if thread not in self._after:
            index = self._table.query_all(
                account_pk(self.acct), begins=f"{thread}#", index=BY_THREAD, consistent=True
            )
            ids = [item_id(entry) for entry in index]
            missing = [i for i in ids if i not in self._known]
            known = self.emails(missing) if missing else self._known
            if any("fk" not in known.get(i, {}) for i in ids):
                raise ConditionFailed  # destroyed since the index was read: STATE has moved on too
            self._before[thread] = {i: as_member(known[i]) for i in ids}
            self._after[thread] = dict(self._before[thread])
        return self._after[thread]

    def place(self, item: Item) -> None:
        """Count a new email in."""
        member, thread = as_member(item), item_thread(item)
        self.thread(thread)[item_id(item)] = member
        self._places.email(item_id(item), None, standing(item))
        count_email(self.state.tallies[member.folder], member, 1)
        self.state.used += int(item["size"])
        self.log.note("Mailbox", "n", member.folder)

    def replace(self, item: Item, folder: str, words: frozenset[str]) -> None:
        """Count an email that moved, or whose keywords changed."""
        old, member, thread = as_member(item), Member(folder, unread(words)), item_thread(item)
        was = standing(item)
        now_is = was._replace(folder=folder, unseen="$seen" not in words, flagged="$flagged" in words)
        self._places.email(item_id(item), was, now_is)
        if old == member:
            return
        self.thread(thread)[item_id(item)] = member
        count_email(self.state.tallies[old.folder], old, -1)
        count_email(self.state.tallies[member.folder], member, 1)
        self.log.note("Mailbox", "n", old.folder, member.folder)

    def remove(self, item: Item) -> None:
        """Count an email out."""
        old, thread = as_member(item), item_thread(item)
        del self.thread(thread)[item_id(item)]
        self._places.email(item_id(item), standing(item), None)
        count_email(self.state.tallies[old.folder], old, -1)
        self.state.used -= int(item["size"])
        self.log.note("Mailbox", "n", old.folder)

    def take_uid(self, folder: str) -> int:
        """The folder's next uid."""
        tally = self.state.tallies[folder]
        tally.uidnext += 1
        return tally.uidnext - 1

    def asks_for_index(self) -> bool:
        """Whether the search index is to catch up after this; if so, it counts as asked with it."""
        mark = Mark(self._old.modseq + self.log.length(), now().date().toordinal())
        asks = due(self.state.indexed, mark)
        if asks:
            self.state.indexed = mark
        return asks

    def _count_threads(self) -> None:
        """Bring thread counters from before to after; note folders and threads that changed by it."""
        for thread, after in self._after.items():
            before = self._before[thread]
            if before == after:
                continue
            self._places.thread(before, after, self._known)
            touched = count_thread(self.state.tallies, before.values(), -1)
            touched |= count_thread(self.state.tallies, after.values(), 1)
            changed = [f for f in sorted(touched) if self._tally_changed(f)]
            self.log.note("Mailbox", "n", *changed)
            if before.keys() != after.keys():
                self.log.note("Thread", "c" if not before else "u" if after else "d", thread)

    def _tally_changed(self, folder: str) -> bool:
        return self._old.tallies.get(folder) != self.state.tallies[folder]

    def commit(self, extra: Sequence[Write] = ()) -> int:
        """Write everything, `extra` last; the new modseq. Nothing to do: the old one.

        Raises ConditionFailed when STATE changed meanwhile, WriteRefused when another condition failed.
        """
        if not self._writes and not self.log.ids:
            return self._old.modseq
        self._count_threads()
        self.log.places = self._places.told()
        modseq = self._old.modseq + self.log.length()
        self.state.modseq = modseq
        self.state.types |= dict.fromkeys(self.log.kinds(), modseq)
        row = self.log.item(self.acct, modseq, now=now(), life=self._figures.change_log_life)
        guarded = Update(
            state_key(self.acct),
            set=self.state.attributes(),
            check=equals(modseq=self._old.modseq),
        )
        own = [w(modseq) if callable(w) else w for w in self._writes]
        try:
            self._table.transact([guarded, Put(row), *own, *extra])
        except ConditionFailed as failed:
            if 0 in failed.indexes:
                raise
            first_extra = FIXED_WRITES + len(own)
            raise WriteRefused(
                tuple(i - FIXED_WRITES for i in failed.indexes if i < first_extra),
                tuple(i - first_extra for i in failed.indexes if i >= first_extra),
            ) from failed
        return modseq


def in_turn(attempt: Callable[[], T]) -> T:
    """What one attempt gives; made again while others change the mailbox. Raises ServiceError unavailable."""
    for number in range(ATTEMPTS):
        try:
            return attempt()
        except WriteRefused:
            raise
        except ConditionFailed:
            pause(number)
        except (KeyError, ValueError):
            # What was read after STATE may be newer than it; then counters and folders do not add up.
            if number >= UNEVEN:
                raise
            pause(number)
    raise ServiceError("unavailable", "The mailbox is busy. Please try again in a moment.")
