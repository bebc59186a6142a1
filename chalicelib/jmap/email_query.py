"""Email/query (RFC 8621 §4.4): a folder newest first from its index; other filters by a bounded scan.

What the scan cannot finish within MAX_SCAN rows is refused (unsupportedFilter), never answered wrongly.
"""

import heapq
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chalicelib.jmap import arguments, limits
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json, MethodError
from chalicelib.jmap.mailboxes import operator, window
from chalicelib.rules.values import Correspondent, Row
from chalicelib.services import mailbox

Test = Callable[[Row], bool]
_FLAGS = ("hasKeyword", "notKeyword")
_TEXTS = ("from", "to", "subject")
_MARKS_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, checked."""

    folders: list[str]  # where to look
    test: Test | None  # beyond the folder
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
    chosen = [row for row in rows if asked.test is None or asked.test(row)]
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
def _filter(ctx: Context, given: Any) -> tuple[list[str], Test | None]:
    """Folders to look in, and the test beyond that."""
    folders = list(ctx.state().counters)
    if given is None:
        return folders, None
    if not isinstance(given, dict):
        raise arguments.wrong("filter", "an object or null")
    if "operator" in given:
        return folders, operator(given, _test)
    inside, rest = given.get("inMailbox"), {n: v for n, v in given.items() if n != "inMailbox"}
    if inside is not None:
        if not isinstance(inside, str):
            raise arguments.wrong("inMailbox", "a mailbox id")
        folders = [folder for folder in folders if folder == inside]
    if not folders:
        return [], None
    return folders, _test(rest) if rest else None


def _test(given: Any) -> Test:
    """A filter condition, or an operator over them, as a test of a row."""
    if not isinstance(given, dict):
        raise arguments.wrong("filter", "an object")
    if "operator" in given:
        return operator(given, _test)
    tests = [_condition(name, value) for name, value in given.items()]
    return lambda row: all(test(row) for test in tests)


def _condition(name: str, value: Any) -> Test:
    """One condition of RFC 8621 §4.4.1. Raises MethodError unsupportedFilter, invalidArguments."""
    if name in ("before", "after"):
        return _date(name, value)
    if name in ("minSize", "maxSize"):
        size = arguments.integer({name: value}, name, None, least=0) or 0
        return (lambda row: row.size >= size) if name == "minSize" else (lambda row: row.size < size)
    if name == "hasAttachment" and isinstance(value, bool):
        return lambda row: row.has_attachment == value
    if name in ("inMailbox", *_FLAGS, *_TEXTS) and isinstance(value, str):
        return _worded(name, value)
    if name == "inMailboxOtherThan" and isinstance(value, list):
        return lambda row: row.folder not in value
    if name in ("inMailbox", "hasAttachment", "inMailboxOtherThan", *_FLAGS, *_TEXTS):
        raise arguments.wrong(name, "of the right type")
    raise MethodError("unsupportedFilter", f"There is no filter {name[:100]}.")


def _worded(name: str, value: str) -> Test:
    wanted = value.casefold()
    match name:
        case "inMailbox":
            return lambda row: row.folder == value
        case "hasKeyword":
            return lambda row: wanted in row.keywords
        case "notKeyword":
            return lambda row: wanted not in row.keywords
        case "subject":
            return lambda row: wanted in row.subject.casefold()
        case "from":
            return lambda row: _named(row.from_, wanted)
    return lambda row: _named(row.to, wanted)


def _named(people: tuple[Correspondent, ...], wanted: str) -> bool:
    return any(wanted in f"{person.name} <{person.email}>".casefold() for person in people)


def _date(name: str, value: Any) -> Test:
    when: datetime | None = arguments.utc_date(value)
    if when is None:
        raise arguments.wrong(name, "a date")
    moment = when
    return (
        (lambda row: row.received_at < moment)
        if name == "before"
        else (lambda row: row.received_at >= moment)
    )
