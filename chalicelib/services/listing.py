"""Lists of a folder by position: every email, the newest of each thread, the unread, the flagged.

A page near the top is read from the index. A deeper one is found by the folder's outline (rules.positions),
which is made when first needed: then it costs what the first page does, at any depth.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from chalicelib.rules import positions as rules
from chalicelib.rules.positions import Counts, Place, length
from chalicelib.rules.values import MailboxState, Row
from chalicelib.services.platform import Platform
from chalicelib.store.mailbox_items import moment_of
from chalicelib.store.outlining import Enough, TooDeep
from chalicelib.store.positions import Folder, Gone

__all__ = ["LISTS", "Listing", "TooDeep", "moment_of"]

LISTS: dict[str, Callable[[Row], bool]] = {  # what a row tells; of threads it tells nothing
    "all": lambda _row: True,
    "threads": lambda _row: True,
    "unseen": lambda row: "$seen" not in row.keywords,
    "flagged": lambda row: "$flagged" in row.keywords,
    "seen": lambda row: "$seen" in row.keywords,
    "unflagged": lambda row: "$flagged" not in row.keywords,
}
SKIPPED = 32  # rows read past rather than asking the outline
AT_ONCE = 100  # rows read together where it is not known how many are wanted
GAP = 24  # rows not wanted that are read rather than asking once more
NEWEST = 2**50 - 1  # a moment after all
TRIES = 4

T = TypeVar("T")


@dataclass
class Listing:
    """One list of a folder, newest first. `before`, `after`: moments, as RFC 8621 §4.4.1 has them.

    `threads` has no bounds: the newest email of a thread within them may not be its newest.
    Methods raise TooDeep, ServiceError unavailable, not_found.
    """

    p: Platform
    acct: str
    folder: str
    name: str
    state: MailboxState
    before: int = NEWEST + 1
    after: int = 0

    @property
    def bounded(self) -> bool:
        """Whether it is part of a folder only."""
        return self.before <= NEWEST or self.after > 0

    @property
    def empty(self) -> bool:
        """Whether its bounds leave nothing."""
        return self.before <= self.after

    def counted(self) -> int | None:
        """How long it is, where the folder's counters tell."""
        if self.empty:
            return 0
        at = {"all": 0, "threads": 2}.get(self.name)
        return None if at is None or self.bounded else self.state.counters[self.folder][at]

    def total(self) -> int:
        """How long it is."""
        known = self.counted()
        return (
            known if known is not None else self._told(self._length, lambda _counts, last: last <= self.after)
        )

    def rows(self, at: int, many: int) -> list[Row]:
        """Emails from a position on."""
        total = self.counted()
        many = many if total is None else min(many, total - at)
        if many <= 0:
            return []
        if at <= SKIPPED and self.name == "all":
            return list(islice(self._down(at + many), at, None))
        if at == 0 and self.name == "threads":
            return list(islice(self._first_of_threads(many), many))
        if total is not None and self.name == "all" and total - at - many <= SKIPPED:
            return list(islice(self._up(total - at), max(0, total - at - many), None))[::-1]
        return self._told(lambda known: self._page(known, at, many), self._reaches(at + many))

    def from_oldest(self, at: int, many: int) -> list[Row]:
        """Emails from a position on, oldest first."""
        if at <= SKIPPED and self.name == "all":
            return list(islice(self._up(at + many), at, None))
        there = self.total() - at
        first = max(0, there - many)
        return self.rows(first, there - first)[::-1]

    def each(self, oldest_first: bool = False) -> Iterator[Row]:
        """All of it, read as it is asked for."""
        if self.empty:
            return
        if self.name == "all":
            yield from self._up(None) if oldest_first else self._down(None)
            return
        at, read = 0, self.from_oldest if oldest_first else self.rows
        while some := read(at, AT_ONCE):
            yield from some
            at += len(some)

    def positions(self, rows: Iterable[Row]) -> dict[str, int]:
        """Where emails stand, as far as they are in the list."""
        here = {row.id: row for row in rows if self._may_have(row)}
        if not here:
            return {}
        oldest = min(moment_of(row.received_at) for row in here.values())

        def tell(known: Folder) -> dict[str, int]:
            found = {id: self._stands(known, row) for id, row in here.items()}
            return {id: at for id, at in found.items() if at is not None}

        return self._told(tell, lambda _counts, last: last <= oldest)

    def _may_have(self, row: Row) -> bool:
        within = self.after <= moment_of(row.received_at) < self.before
        return within and row.folder == self.folder and LISTS[self.name](row)

    # ------------------------------------------------------------- the index
    def _down(self, most: int | None) -> Iterator[Row]:
        return self._from_index(most, up=False)

    def _up(self, most: int | None) -> Iterator[Row]:
        return self._from_index(most, up=True)

    def _from_index(self, most: int | None, up: bool) -> Iterator[Row]:
        read = self.p.mailboxes.stretch
        found = read(self.acct, self.folder, self.before - 1, self.after, most or AT_ONCE, up)
        return islice(found, most)

    def _first_of_threads(self, many: int) -> Iterator[Row]:
        threads: set[str] = set()
        for row in self.p.mailboxes.stretch(self.acct, self.folder, NEWEST, 0, many + many // 4):
            if row.thread not in threads:
                threads.add(row.thread)
                yield row

    # ----------------------------------------------------------- the outline
    def _reaches(self, rank: int) -> Enough:
        """Whether so many of the list are counted; with `before`, everything down to `after`."""
        if self.before > NEWEST:
            return lambda counts, last: length(self.name, counts) >= rank or last <= self.after
        return lambda _counts, last: last <= self.after

    def _told(self, tell: Callable[[Folder], T], enough: Enough) -> T:
        """What an outline tells that knows enough."""
        for _ in range(TRIES):
            try:
                return tell(self._known(enough))
            except Gone:
                continue
        return tell(self.p.mailboxes.outlines.make(self.acct, self.folder, enough))

    def _known(self, enough: Enough) -> Folder:
        outlines = self.p.mailboxes.outlines
        known = outlines.open(self.acct, self.folder, self.state.modseq)
        if known is None:
            return outlines.make(self.acct, self.folder, enough)
        outline = known.outline
        counts = outline.counts()
        if outline.complete or enough(counts, outline.floor + 1):
            return known
        return outlines.make(self.acct, self.folder, enough, counts[0])

    def _younger(self, known: Folder, moment: int) -> int:
        """How many of the list are younger than a moment."""
        if moment >= NEWEST:
            return 0
        number = known.outline.at(moment + 1) if moment >= 0 else None
        if number is None:
            return length(self.name, known.outline.counts())
        return known.outline.before(self.name, number) + rules.rank(self.name, known.entries(number), moment)

    def _length(self, known: Folder) -> int:
        return self._younger(known, self.after - 1) - self._younger(known, self.before - 1)

    def _page(self, known: Folder, at: int, many: int) -> list[Row]:
        first = self._younger(known, self.before - 1) + at
        try:
            number = known.outline.holding(self.name, first)
        except IndexError:
            return []
        skip = first - known.outline.before(self.name, number)
        left_out, found = rules.places(self.name, self._spans(known, number, skip + many), skip, many)
        found = [place for place in found if place.moment >= self.after]
        return list(islice(self._read(found), left_out, left_out + many))

    def _spans(self, known: Folder, first: int, many: int) -> list[tuple[Counts, rules.Entries]]:
        """Spans from one on that hold so many of the list; those that hold none are not read."""
        spans = known.outline.spans
        wanted, last = [], first
        while last < len(spans) and many > 0:
            here = length(self.name, spans[last].counts)
            wanted += [last] if here else []
            many -= here
            last += 1
        entries = dict(zip(wanted, known.some(wanted), strict=True))
        return [(spans[n].counts, entries.get(n, {})) for n in range(first, last)]

    def _read(self, found: Sequence[Place]) -> Iterator[Row]:
        """The list's emails at some moments."""
        places = {place.moment: place.counts for place in found}
        for newest, oldest in rules.runs(found, GAP):
            for row in self.p.mailboxes.stretch(self.acct, self.folder, newest, oldest):
                counts = places.get(moment_of(row.received_at))
                if counts is not None and self._has(row, counts):
                    yield row

    def _has(self, row: Row, counts: Counts) -> bool:
        """Whether an email is in the list, where so many stand at its moment."""
        if self.name != "threads":
            return LISTS[self.name](row)
        return counts[1] > 0 and (counts[0] == counts[1] or self._newest(row))

    def _newest(self, row: Row) -> bool:
        """Whether no later email of its thread is in the folder: one of several of the same millisecond."""
        ids = self.p.mailboxes.thread(self.acct, [row.thread]).get(row.thread, [])
        later = ids[ids.index(row.id) + 1 :] if row.id in ids else []
        found = self.p.mailboxes.get(self.acct, later) if later else {}
        return all(other.folder != self.folder for other in found.values())

    def _stands(self, known: Folder, row: Row) -> int | None:
        when = moment_of(row.received_at)
        number = known.outline.at(when)
        counts = known.entries(number).get(when, rules.NONE) if number is not None else rules.NONE
        if not self._has(row, counts):
            return None
        before = self._younger(known, when) - self._younger(known, self.before - 1)
        if length(self.name, counts) <= 1:
            return before
        beside = [one.id for one in self._read([Place(when, counts, 0)])]
        return before + beside.index(row.id) if row.id in beside else None
