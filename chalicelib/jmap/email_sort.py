"""Sorts of Email/query (RFC 8621 §4.4.2): by receivedAt, which folders' lists are kept in, and by what rows,
records and threads tell, which takes looking at all of a list.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.jmap import arguments, querying
from chalicelib.jmap.email_filter import Facts, InThread
from chalicelib.jmap.errors import Json, MethodError
from chalicelib.rules import collation, subjects
from chalicelib.rules.values import Correspondent, Email, Row

_OF_ROW: dict[str, Callable[[Row], Any]] = {
    "receivedAt": lambda row: row.received_at,
    "size": lambda row: row.size,
    "from": lambda row: _person(row.from_),
    "to": lambda row: _person(row.to),
    "subject": lambda row: subjects.base(row.subject),
}
_TEXTS = ("from", "to", "subject")
_BY_KEYWORD = ("hasKeyword", "allInThreadHaveKeyword", "someInThreadHaveKeyword")
PROPERTIES = (*_OF_ROW, "sentAt", *_BY_KEYWORD)
MOST = 10  # comparators


@dataclass(frozen=True, slots=True)
class By:
    """A comparator; `keyword` where its property is of one."""

    name: str
    ascending: bool
    collation: str | None = None
    keyword: str = ""

    @property
    def of_thread(self) -> bool:
        """Whether other emails than the one have a say."""
        return self.name in ("allInThreadHaveKeyword", "someInThreadHaveKeyword")

    def key(self, facts: Facts) -> Callable[[Row], Any]:
        """What it compares."""
        match self.name:
            case "sentAt":  # as RFC 5256 §3 has it: without a date of its own, by when it came
                return lambda row: (row.sent_at if isinstance(row, Email) else None) or row.received_at
            case "hasKeyword":
                return lambda row: self.keyword in row.keywords
            case "allInThreadHaveKeyword" | "someInThreadHaveKeyword":
                thread = InThread(self.name, self.keyword)
                return lambda row: thread.holds(facts.keywords(row))
        key, fold = _OF_ROW[self.name], collation.KEYS[self.collation]
        return (lambda row: fold(key(row))) if self.name in _TEXTS else key


NEWEST_FIRST = (By("receivedAt", ascending=False),)


def _person(people: tuple[Correspondent, ...]) -> str:
    """The first one's name, or address without one."""
    return people[0].name or people[0].email if people else ""


def read(given: Any) -> tuple[By, ...]:
    """The comparators, the first above all; newest first where there are none.

    Raises MethodError unsupportedSort, invalidArguments.
    """
    if given is None or given == []:
        return NEWEST_FIRST
    if not isinstance(given, list) or not all(isinstance(c, dict) for c in given):
        raise arguments.wrong("sort", "a list of comparators")
    if len(given) > MOST:
        raise MethodError("unsupportedSort", f"A sort has at most {MOST} comparators.")
    return tuple(_comparator(one) for one in given)


def _comparator(given: Json) -> By:
    usual = {name: value for name, value in given.items() if name != "keyword"}
    by = querying.comparator(usual, PROPERTIES, _TEXTS)
    keyword = arguments.string(given, "keyword").casefold() if by.property in _BY_KEYWORD else ""
    return By(by.property, by.ascending, by.collation, keyword)


def in_order(rows: Sequence[Row], sort: tuple[By, ...], facts: Facts) -> list[Row]:
    """Rows, sorted; those that compare equal the newest first. Raises TooDeep."""
    rows = facts.records(rows) if any(by.name == "sentAt" for by in sort) else rows
    out = sorted(rows, key=lambda row: (row.received_at, row.id), reverse=True)
    for by in reversed(sort):
        out.sort(key=by.key(facts), reverse=not by.ascending)
    return out
