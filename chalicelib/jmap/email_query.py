"""Email/query (RFC 8621 §4.4): lists of a folder by position, words from the search index, and other filters
and sorts by a bounded scan.

What cannot be finished within MAX_SCAN rows (MAX_SORTED of a sort) is refused (unsupportedFilter,
unsupportedSort), never answered wrongly.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from chalicelib.jmap import arguments, email_filter, email_sort, limits
from chalicelib.jmap.context import Context
from chalicelib.jmap.email_facts import Looked
from chalicelib.jmap.email_filter import Node, Places
from chalicelib.jmap.email_sort import By
from chalicelib.jmap.errors import Json, MethodError
from chalicelib.jmap.querying import Result, window
from chalicelib.rules.values import Row
from chalicelib.services import finding
from chalicelib.services.listing import Listing, TooDeep


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, checked."""

    filter: Node | None
    places: Places
    sort: tuple[By, ...]
    collapse: bool
    total: bool
    limit: int
    position: int
    anchor: str | None
    offset: int

    @property
    def by_date(self) -> bool:
        """Whether it is by receivedAt alone, which lists are kept in."""
        return len(self.sort) == 1 and self.sort[0].name == "receivedAt"

    @property
    def ascending(self) -> bool:
        """Whether the oldest come first."""
        return self.by_date and self.sort[0].ascending

    def listing(self, ctx: Context) -> Listing | None:
        """The one list of one folder that is asked for; None: a scan is needed."""
        there = self.places
        if len(there.folders) != 1 or there.rest or not self.by_date:
            return None
        bounds = (there.before, there.after)
        found = Listing(ctx.p, ctx.acct, there.folders[0], there.name, ctx.state(), *bounds)
        if not self.collapse:
            return found
        if found.name != "all" or found.bounded or self.ascending:
            return None
        return Listing(ctx.p, ctx.acct, there.folders[0], "threads", ctx.state())

    def plain(self, listed: Listing | None) -> bool:
        """Whether the change log alone tells what becomes of it."""
        return listed is not None and listed.name == "all" and not listed.bounded and not self.ascending

    def small(self, ctx: Context) -> bool:
        """Whether reading it all tells that: it is small, and each email's place follows from itself."""
        alone = self.filter is None or email_filter.by_row(self.filter)
        if self.collapse or not alone or any(by.of_thread for by in self.sort):
            return False
        return sum(ctx.state().counters[folder][0] for folder in self.places.folders) <= limits.MAX_FOLLOWED


def query(ctx: Context, args: Json) -> Json:
    """Email/query."""
    state = ctx.state_of("Email")
    asked = read(ctx, args)
    try:
        if asked.filter is not None and email_filter.by_words(asked.filter) and asked.places.folders:
            return _searched(ctx, args, state, asked, asked.filter)
        listed = asked.listing(ctx)
        if listed is None:
            return Scan(ctx, asked).answer(args, state)
        return _listed(ctx, args, state, asked, listed)
    except TooDeep:
        what = "unsupportedFilter" if asked.by_date else "unsupportedSort"
        raise MethodError(what, "There are too many messages to look at for this.") from None


def read(ctx: Context, args: Json) -> Asked:
    """The arguments that /query and /queryChanges share, and where to look."""
    given = arguments.integer(args, "limit", None, least=0)
    asked = args.get("filter")
    node = None if asked is None else email_filter.read(asked)
    return Asked(
        node,
        email_filter.places(node, list(ctx.state().counters)),
        email_sort.read(args.get("sort")),
        arguments.boolean(args, "collapseThreads"),
        arguments.boolean(args, "calculateTotal"),
        limits.MAX_QUERY if given is None else min(given, limits.MAX_QUERY),
        arguments.integer(args, "position", 0) or 0,
        arguments.optional_string(args, "anchor"),
        arguments.integer(args, "anchorOffset", 0) or 0,
    )


# ----------------------------------------------------------------------- list
def _listed(ctx: Context, args: Json, state: str, asked: Asked, listed: Listing) -> Json:
    """Part of a folder's list (RFC 8620 §5.5)."""
    counts = asked.total or (asked.anchor is None and asked.position < 0)
    total = listed.total() if counts else None
    at = asked.position
    if asked.anchor is not None:
        at = max(0, _anchored(ctx, asked, listed, asked.anchor) + asked.offset)
    elif at < 0:
        at = max(0, (total or 0) + at)
    rows = listed.from_oldest(at, asked.limit) if asked.ascending else listed.rows(at, asked.limit)
    ctx.remember(rows)
    answer: Json = {
        "accountId": ctx.acct,
        "queryState": state,
        "canCalculateChanges": asked.plain(listed) or asked.small(ctx),
        "position": at,
        "ids": [row.id for row in rows],
    }
    if asked.total:
        answer["total"] = total
    if args.get("limit") != asked.limit:
        answer["limit"] = asked.limit
    return answer


def _anchored(ctx: Context, asked: Asked, listed: Listing, anchor: str) -> int:
    """The position of an email. Raises MethodError anchorNotFound."""
    known = ctx.emails([anchor]) if arguments.is_id(anchor) else {}
    at = listed.positions(known.values()).get(anchor)
    if at is None:
        raise MethodError("anchorNotFound", "The anchor is not in this list.")
    return listed.total() - 1 - at if asked.ascending else at


# --------------------------------------------------------------------- search
def _searched(ctx: Context, args: Json, state: str, asked: Asked, node: Node) -> Json:
    """A query with words in it: what the index names, looked at newest first until the page is full."""
    whole = asked.total or asked.position < 0 or asked.anchor is not None or not asked.by_date
    enough = None if whole else asked.position + asked.limit
    opened = finding.look(ctx.p, ctx.acct, tuple(dict.fromkeys(email_filter.terms(node))))
    hits = finding.in_order(opened, lambda part: email_filter.possible(node, part), asked.ascending)
    facts = Looked(ctx, email_filter.by_content(node))
    chosen = _Chosen(asked, facts)
    looked = 0
    while (enough is None or len(chosen.ids) < enough) and (batch := list(islice(hits, facts.at_once))):
        looked += len(batch)
        if looked > limits.MAX_SCAN:
            raise TooDeep
        found = ctx.emails(hit.id for hit in batch)
        there = [h for h in batch if h.id in found and found[h.id].folder in asked.places.folders]
        facts.open([found[hit.id] for hit in there])
        for hit in there:
            if email_filter.holds(node, found[hit.id], facts, hit):
                chosen.take(found[hit.id])
    chosen.sort()
    return window(ctx, args, Result("Email", state, chosen.ids), limits.MAX_QUERY)


# ----------------------------------------------------------------------- scan
class _Chosen:
    """What is found, in order; with `collapse` the first of each thread."""

    def __init__(self, asked: Asked, facts: Looked) -> None:
        self.asked, self.facts = asked, facts
        self.ids: list[str] = []
        self.threads: set[str] = set()
        self.unsorted: list[Row] = []

    def take(self, row: Row) -> None:
        """One more, in the order of dates."""
        if self.asked.by_date:
            self._next(row)
        else:
            self.unsorted.append(row)

    def _next(self, row: Row) -> None:
        if not (self.asked.collapse and row.thread in self.threads):
            self.ids.append(row.id)
        self.threads.add(row.thread)

    def sort(self) -> None:
        """Put what was taken in order, where that is not the order of dates. Raises TooDeep."""
        for row in email_sort.in_order(self.unsorted, self.asked.sort, self.facts):
            self._next(row)


class Scan:
    """A query no list serves: rows are looked at until the page is full, or all of them."""

    def __init__(self, ctx: Context, asked: Asked) -> None:
        self.ctx, self.asked = ctx, asked
        self.test = asked.places.test
        self.facts = Looked(ctx, self.test is not None and email_filter.by_content(self.test))
        self.chosen = _Chosen(asked, self.facts)

    def answer(self, args: Json, state: str) -> Json:
        """The answer. Raises TooDeep."""
        asked, known = self.asked, self._known_total()
        if asked.by_date:
            self._look((asked.total and known is None) or asked.position < 0, limits.MAX_SCAN)
        else:
            self._look_at_all()
        followed = asked.small(self.ctx)
        answer = window(self.ctx, args, Result("Email", state, self.chosen.ids, followed), limits.MAX_QUERY)
        if asked.total and known is not None:
            answer["total"] = known
        return answer

    def every(self) -> list[str]:
        """Ids of the whole list. Raises TooDeep."""
        self._look(whole=True, most=limits.MAX_SCAN)
        self.chosen.sort()
        return self.chosen.ids

    def _known_total(self) -> int | None:
        """How many emails several folders have, where nothing else is asked."""
        lists = self._lists()
        if self.asked.places.rest or self.asked.collapse or any(one.counted() is None for one in lists):
            return None
        return sum(one.total() for one in lists)

    def _look_at_all(self) -> None:
        """All rows, to be sorted. Raises TooDeep, before any is read where the folders' counters tell."""
        counted = [one.counted() for one in self._lists()]
        if sum(count or 0 for count in counted) > limits.MAX_SORTED:
            raise TooDeep
        self._look(whole=True, most=limits.MAX_SORTED)
        self.chosen.sort()

    def _look(self, whole: bool, most: int) -> None:
        """Look at rows until the page is full, or at all of them. Raises TooDeep."""
        rows, looked = self._rows(), 0
        while (whole or not self._full()) and (batch := list(islice(rows, self._at_once()))):
            looked += len(batch)
            if looked > most:
                raise TooDeep
            self.facts.open(batch)
            for row in batch:
                if self.test is None or email_filter.holds(self.test, row, self.facts):
                    self.ctx.remember([row])
                    self.chosen.take(row)

    def _at_once(self) -> int:
        """One by one, unless messages are opened: a row may be the first of many that a list reads."""
        return self.facts.at_once if self.facts.opens else 1

    def _full(self) -> bool:
        asked, ids = self.asked, self.chosen.ids
        if asked.anchor is None:
            return len(ids) >= asked.position + asked.limit
        if asked.anchor not in ids:
            return False
        return len(ids) >= max(0, ids.index(asked.anchor) + asked.offset) + asked.limit

    def _rows(self) -> Iterator[Row]:
        """Rows of several lists, in order."""
        oldest = self.asked.ascending
        return heapq.merge(
            *(one.each(oldest) for one in self._lists()),
            key=lambda row: (row.received_at, row.id),
            reverse=not oldest,
        )

    def _lists(self) -> list[Listing]:
        there, ctx = self.asked.places, self.ctx
        return [
            Listing(ctx.p, ctx.acct, folder, there.name, ctx.state(), there.before, there.after)
            for folder in there.folders
        ]
