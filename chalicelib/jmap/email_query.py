"""Email/query (RFC 8621 §4.4): a folder newest first from its index, words from the search index, and other
filters by a bounded scan.

What cannot be finished within MAX_SCAN rows is refused (unsupportedFilter), never answered wrongly.
"""

import heapq
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from chalicelib.jmap import arguments, email_filter, limits
from chalicelib.jmap.context import Context
from chalicelib.jmap.email_filter import Node
from chalicelib.jmap.errors import Json, MethodError
from chalicelib.jmap.mailboxes import window
from chalicelib.rules.values import Row
from chalicelib.services import finding, mailbox

_MARKS_KEPT = 1_000
LOOKED_AT_ONCE = 100  # hits whose records are read together


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, checked."""

    folders: list[str]  # where to look
    test: Node | None  # beyond the folder
    ascending: bool
    collapse: bool
    total: bool
    limit: int

    @property
    def plain(self) -> bool:
        """One folder as its index has it."""
        return len(self.folders) == 1 and self.test is None and not self.ascending and not self.collapse


def query(ctx: Context, args: Json) -> Json:
    """Email/query."""
    state = ctx.state_of("Email")
    asked = _asked(ctx, args)
    if asked.test is not None and email_filter.by_words(asked.test) and asked.folders:
        return _searched(ctx, args, state, asked, asked.test)
    if not asked.plain:
        return _scanned(ctx, args, state, asked)
    [folder] = asked.folders
    total = ctx.state().counters[folder][0]
    at, rows = _Window(ctx, folder, state, asked.limit, total).rows(args)
    answer: Json = {
        "accountId": ctx.acct,
        "queryState": state,
        "canCalculateChanges": False,
        "position": at,
        "ids": [row.id for row in rows],
    }
    if asked.total:
        answer["total"] = total
    if args.get("limit") != asked.limit:
        answer["limit"] = asked.limit
    return answer


def _asked(ctx: Context, args: Json) -> Asked:
    given = arguments.integer(args, "limit", None, least=0)
    folders, test = _filter(ctx, args.get("filter"))
    return Asked(
        folders,
        test,
        _ascending(args.get("sort")),
        arguments.boolean(args, "collapseThreads"),
        arguments.boolean(args, "calculateTotal"),
        limits.MAX_QUERY if given is None else min(given, limits.MAX_QUERY),
    )


def _ascending(sort: Any) -> bool:
    """Whether the oldest come first. Raises MethodError unsupportedSort."""
    if sort is None or sort == []:
        return False
    if not isinstance(sort, list) or not all(isinstance(c, dict) for c in sort):
        raise arguments.wrong("sort", "a list of comparators")
    names = [arguments.string(comparator, "property") for comparator in sort]
    if names[0] != "receivedAt":
        raise MethodError("unsupportedSort", "Emails can be sorted by receivedAt.")
    return arguments.boolean(sort[0], "isAscending", True)


# ----------------------------------------------------------- a folder's window
@dataclass(frozen=True, slots=True)
class _Mark:
    """How far a page reached: rows before it, the store's cursor, the last row."""

    after: int
    cursor: str
    last: str


#: Marks of folders in a state, of late: the next page of a list needs no reading from the top.
_marks: OrderedDict[tuple[str, str, str], dict[int, _Mark]] = OrderedDict()


@dataclass
class _Window:
    """Part of a folder's list, newest first."""

    ctx: Context
    folder: str
    state: str
    limit: int
    total: int
    marks: dict[int, _Mark] = field(init=False)

    def __post_init__(self) -> None:
        key = (self.ctx.acct, self.folder, self.state)
        self.marks = _marks.setdefault(key, {})
        _marks.move_to_end(key)
        while len(_marks) > _MARKS_KEPT:
            _marks.popitem(last=False)

    def rows(self, args: Json) -> tuple[int, list[Row]]:
        """Position and rows that position, or anchor and offset, ask for (RFC 8620 §5.5)."""
        anchor = arguments.optional_string(args, "anchor")
        offset = arguments.integer(args, "anchorOffset", 0) or 0
        at = arguments.integer(args, "position", 0) or 0
        if anchor is not None:
            at = max(0, self._find(anchor) + offset)
        elif at < 0:
            at = max(0, self.total + at)
        return at, self._slice(at)

    def _find(self, anchor: str) -> int:
        """The position of an email. Raises MethodError anchorNotFound."""
        for mark in self.marks.values():
            if mark.last == anchor:
                return mark.after - 1
        for at, row in enumerate(self._read(0)):
            if row.id == anchor:
                return at
        raise MethodError("anchorNotFound", "The anchor is not in this list.")

    def _slice(self, at: int) -> list[Row]:
        if at >= self.total or not self.limit:
            return []
        known = [mark for mark in self.marks.values() if mark.after <= at]
        nearest = max(known, key=lambda mark: mark.after, default=None)
        start = nearest.after if nearest else 0
        rows: list[Row] = []
        for position, row in enumerate(
            self._read(start, nearest.cursor if nearest else None, at - start), start
        ):
            if position >= at:
                rows.append(row)
            if len(rows) == self.limit:
                break
        self.ctx.remember(rows)
        return rows

    def _read(self, start: int, cursor: str | None = None, skip: int = 0) -> Iterator[Row]:
        """Rows from a position on, page by page; each page leaves a mark."""
        at, size = start, min(skip, 500) or self.limit or limits.MAX_QUERY
        while True:
            page = mailbox.page(self.ctx.p, self.ctx.acct, self.folder, size, cursor)
            yield from self._marked(page.rows, at, page.cursor)
            at, cursor = at + len(page.rows), page.cursor
            if cursor is None:
                return
            size = self.limit if at - start >= skip else min(skip - (at - start), 500)
            size = size or limits.MAX_QUERY

    def _marked(self, rows: tuple[Row, ...], at: int, cursor: str | None) -> tuple[Row, ...]:
        if cursor is not None and rows:
            self.marks[at + len(rows)] = _Mark(at + len(rows), cursor, rows[-1].id)
        return rows


# --------------------------------------------------------------------- search
def _searched(ctx: Context, args: Json, state: str, asked: Asked, node: Node) -> Json:
    """A query with words in it: what the index names, looked at newest first until the page is full."""
    position = arguments.integer(args, "position", 0) or 0
    whole = asked.total or position < 0 or args.get("anchor") is not None
    enough = None if whole else position + asked.limit
    opened = finding.look(ctx.p, ctx.acct, tuple(dict.fromkeys(email_filter.terms(node))))
    hits = finding.in_order(opened, lambda part: email_filter.possible(node, part), asked.ascending)
    chosen: list[str] = []
    threads: set[str] = set()
    looked = 0
    while (enough is None or len(chosen) < enough) and (batch := list(islice(hits, LOOKED_AT_ONCE))):
        looked += len(batch)
        if looked > limits.MAX_SCAN:
            raise MethodError("unsupportedFilter", "There are too many messages to look at for this.")
        found = ctx.emails(hit.id for hit in batch)
        for hit in batch:
            row = found.get(hit.id)
            if row is None or row.folder not in asked.folders or not email_filter.holds(node, row, hit):
                continue
            if not (asked.collapse and row.thread in threads):
                chosen.append(row.id)
            threads.add(row.thread)
    return window(ctx, args, state, chosen, limits.MAX_QUERY)


# ----------------------------------------------------------------------- scan
def _scanned(ctx: Context, args: Json, state: str, asked: Asked) -> Json:
    """A query no index serves: every row of its folders is looked at, if they are few enough."""
    counters = ctx.state().counters
    if sum(counters[folder][0] for folder in asked.folders) > limits.MAX_SCAN:
        if asked.ascending:
            raise MethodError("unsupportedSort", "A folder this large is shown newest first only.")
        raise MethodError("unsupportedFilter", "There are too many messages to look at for this.")
    rows = list(_every(ctx, asked.folders))
    ctx.remember(rows)
    chosen = [row for row in rows if asked.test is None or email_filter.holds(asked.test, row)]
    if asked.ascending:
        chosen.reverse()
    if asked.collapse:
        newest = {row.thread: row.id for row in reversed(chosen)}
        chosen = [row for row in chosen if newest[row.thread] == row.id]
    return window(ctx, args, state, [row.id for row in chosen], limits.MAX_QUERY)


def _every(ctx: Context, folders: list[str]) -> Iterator[Row]:
    """Rows of several folders, newest first."""
    lists = [_rows(ctx, folder) for folder in folders]
    return heapq.merge(*lists, key=lambda row: (row.received_at, row.id), reverse=True)


def _rows(ctx: Context, folder: str) -> Iterator[Row]:
    cursor: str | None = None
    while True:
        page = mailbox.page(ctx.p, ctx.acct, folder, 500, cursor)
        yield from page.rows
        cursor = page.cursor
        if cursor is None:
            return


# --------------------------------------------------------------------- filter
def _filter(ctx: Context, given: Any) -> tuple[list[str], Node | None]:
    """Folders to look in, and what must hold beyond that."""
    folders = list(ctx.state().counters)
    if given is None:
        return folders, None
    if not isinstance(given, dict):
        raise arguments.wrong("filter", "an object or null")
    if "operator" in given:
        return folders, email_filter.read(given)
    inside, rest = given.get("inMailbox"), {n: v for n, v in given.items() if n != "inMailbox"}
    if inside is not None:
        if not isinstance(inside, str):
            raise arguments.wrong("inMailbox", "a mailbox id")
        folders = [folder for folder in folders if folder == inside]
    return folders, email_filter.read(rest) if rest else None
