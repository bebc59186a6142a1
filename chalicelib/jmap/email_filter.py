"""Filters of Email/query (RFC 8621 §4.4.1) as a tree of tests: of a row, of its thread, of words, of what
only the message itself tells."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from chalicelib.jmap import arguments
from chalicelib.jmap.errors import Json, MethodError
from chalicelib.rules import words
from chalicelib.rules.values import Email, Row
from chalicelib.services import finding, listing
from chalicelib.services.finding import Content, Hit, Opened, Term

Test = Callable[[Row], bool]
_FLAGS = ("hasKeyword", "notKeyword")
_IN_THREAD = ("allInThreadHaveKeyword", "someInThreadHaveKeyword", "noneInThreadHaveKeyword")
_LISTS = {  # what folders have lists of, those first that are shorter as a rule
    ("hasKeyword", "$flagged"): "flagged",
    ("notKeyword", "$seen"): "unseen",
    ("hasKeyword", "$seen"): "seen",
    ("notKeyword", "$flagged"): "unflagged",
}
WORDS = ("text", *finding.FIELDS)
MOST_TERMS = 40
DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Rows:
    """Holds by the row of an email alone. `name` and `value`: the condition; dates as moments."""

    test: Test
    name: str = ""
    value: Any = None


@dataclass(frozen=True, slots=True)
class InThread:
    """Holds by the keywords of a thread."""

    name: str
    keyword: str

    def holds(self, keywords: Sequence[frozenset[str]]) -> bool:
        """For emails with these keywords."""
        having = sum(self.keyword in words for words in keywords)
        match self.name:
            case "allInThreadHaveKeyword":
                return having == len(keywords)
            case "someInThreadHaveKeyword":
                return having > 0
        return having == 0


@dataclass(frozen=True, slots=True)
class Words:
    """Holds where all its words are."""

    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Inside:
    """Holds by the message itself."""

    test: Callable[[Content], bool]


@dataclass(frozen=True, slots=True)
class Join:
    """AND, OR, or NOT: none of them (RFC 8620 §5.5)."""

    operator: Literal["AND", "OR", "NOT"]
    nodes: tuple["Node", ...]


Node = Rows | InThread | Words | Inside | Join


class Facts(Protocol):
    """What a row does not tell. Raises TooDeep where too much would have to be read."""

    def keywords(self, row: Row) -> Sequence[frozenset[str]]:
        """Of each email of the row's thread."""

    def content(self, row: Row) -> Content:
        """Of the message."""

    def records(self, rows: Sequence[Row]) -> list[Email]:
        """All that is kept of emails; those that went meanwhile are left out."""


@dataclass
class Places:
    """Where a filter looks, and what must hold there beyond that."""

    folders: list[str]
    name: str = "all"  # the list of a folder
    before: int = listing.NEWEST + 1
    after: int = 0
    rest: list[Node] = field(default_factory=list)

    @property
    def test(self) -> Node | None:
        """The rest, if any."""
        return Join("AND", tuple(self.rest)) if self.rest else None


def places(node: Node | None, folders: Sequence[str]) -> Places:
    """What of a filter says where to look, of these folders."""
    out = Places(list(folders))
    parts = list(_parts(node)) if node else []
    named = {_LISTS[key]: part for part in parts if (key := _condition_of(part)) in _LISTS}
    for name in _LISTS.values():
        if name in named:
            out.name = name
            parts.remove(named[name])
            break
    for part in parts:
        _narrow(out, part)
    return out


def _parts(node: Node) -> Iterator[Node]:
    """What must hold, all of it."""
    if isinstance(node, Join) and node.operator == "AND":
        for inner in node.nodes:
            yield from _parts(inner)
    else:
        yield node


def _condition_of(node: Node) -> tuple[str, str]:
    known = isinstance(node, Rows) and isinstance(node.value, str)
    return (node.name, node.value) if known and isinstance(node, Rows) else ("", "")


def _narrow(out: Places, node: Node) -> None:
    match node:
        case Rows(_, "inMailbox", folder):
            out.folders = [f for f in out.folders if f == folder]
        case Rows(_, "inMailboxOtherThan", others):
            out.folders = [f for f in out.folders if f not in others]
        case Rows(_, "before", moment):
            out.before = min(out.before, moment)
        case Rows(_, "after", moment):
            out.after = max(out.after, moment)
        case _:
            out.rest.append(node)


def terms(node: Node) -> Iterator[Term]:
    """Every word that the index is asked for."""
    match node:
        case Words(found):
            yield from found
        case Join(_, nodes):
            for inner in nodes:
                yield from terms(inner)


def by_words(node: Node) -> bool:
    """Whether the index is needed at all."""
    return isinstance(node, Words) or (isinstance(node, Join) and any(map(by_words, node.nodes)))


def by_content(node: Node) -> bool:
    """Whether messages must be opened."""
    return isinstance(node, Inside) or (isinstance(node, Join) and any(map(by_content, node.nodes)))


def by_row(node: Node) -> bool:
    """Whether the row of an email alone tells."""
    return isinstance(node, Rows) or (isinstance(node, Join) and all(map(by_row, node.nodes)))


def holds(node: Node, row: Row, facts: Facts, hit: Hit | None = None) -> bool:
    """Whether an email is what is looked for; `hit` where words are."""
    match node:
        case Rows(test):
            return test(row)
        case InThread():
            return node.holds(facts.keywords(row))
        case Words(found):
            return hit is not None and all(hit.number in hit.part.found[term] for term in found)
        case Inside(inside):
            return inside(facts.content(row))
        case Join("AND", nodes):
            return all(holds(inner, row, facts, hit) for inner in nodes)
        case Join("OR", nodes):
            return any(holds(inner, row, facts, hit) for inner in nodes)
        case Join(_, nodes):
            return not any(holds(inner, row, facts, hit) for inner in nodes)


def possible(node: Node, part: Opened) -> set[int]:
    """Documents of a part for which it may hold, as far as the index tells."""
    match node:
        case Words(found):
            sets = sorted((part.found[term] for term in found), key=len)
            return set.intersection(*map(set, sets)) if sets else _all(part)
        case Join("AND", nodes) if nodes:
            return set.intersection(*(possible(inner, part) for inner in nodes))
        case Join("OR", nodes):
            return set().union(*(possible(inner, part) for inner in nodes))
        case Join("NOT", nodes):
            return _all(part).difference(*(_certain(inner, part) for inner in nodes))
    return _all(part)


def _certain(node: Node, part: Opened) -> set[int]:
    """Documents of a part for which it surely holds."""
    match node:
        case Words():
            return possible(node, part)
        case Join("AND", nodes) if nodes:
            return set.intersection(*(_certain(inner, part) for inner in nodes))
        case Join("OR", nodes):
            return set().union(*(_certain(inner, part) for inner in nodes))
        case Join("NOT", nodes):
            return _all(part).difference(*(possible(inner, part) for inner in nodes))
    return set()


def _all(part: Opened) -> set[int]:
    return set(range(part.part.count))


# ------------------------------------------------------------------------------------------------- reading
def read(given: Json) -> Node:
    """A filter as a tree. Raises MethodError unsupportedFilter, invalidArguments."""
    node = _read(given, 0)
    if len(list(terms(node))) > MOST_TERMS:
        raise MethodError("unsupportedFilter", f"A search has at most {MOST_TERMS} words.")
    return node


def _read(given: Any, depth: int) -> Node:
    if not isinstance(given, dict):
        raise arguments.wrong("filter", "an object")
    if depth > DEEPEST:
        raise MethodError("unsupportedFilter", f"Operators can be nested {DEEPEST} deep.")
    if "operator" in given:
        return _join(given, depth)
    return Join("AND", tuple(_condition(name, value) for name, value in given.items()))


def _join(given: Json, depth: int) -> Node:
    conditions = given.get("conditions")
    if given.keys() - {"operator", "conditions"}:
        raise arguments.wrong("filter", "an operator with conditions in it, or a condition, not both")
    if not isinstance(conditions, list):
        raise arguments.wrong("conditions", "a list")
    nodes = tuple(_read(condition, depth + 1) for condition in conditions)
    match given["operator"]:
        case "AND" | "OR" | "NOT" as operator:
            return Join(operator, nodes)
    raise arguments.wrong("operator", "AND, OR or NOT")


def _condition(name: str, value: Any) -> Node:
    """One condition of RFC 8621 §4.4.1. Raises MethodError unsupportedFilter, invalidArguments."""
    if name in WORDS:
        if not isinstance(value, str):
            raise arguments.wrong(name, "of the right type")
        return _worded(name, value)
    if name == "header":
        return _header(value)
    if name in _IN_THREAD:
        if not isinstance(value, str):
            raise arguments.wrong(name, "a keyword")
        return InThread(name, value.casefold())
    return _row_test(name, value)


def _worded(name: str, value: str) -> Node:
    """Words, and of those between quotes also that they stand so (the index knows of no order)."""
    found = Words(tuple(finding.terms(value, name)))
    phrases = words.phrases(value)
    if not phrases:
        return found
    return Join("AND", (found, Inside(lambda content: all(content.has(one, name) for one in phrases))))


def _header(value: Any) -> Inside:
    if not isinstance(value, list) or not 1 <= len(value) <= 2 or not all(isinstance(v, str) for v in value):
        raise arguments.wrong("header", "the name of a field, and a text or nothing")
    name, text = value[0], (value[1] if len(value) == 2 else None)
    return Inside(lambda content: content.has_field(name, text))


def _row_test(name: str, value: Any) -> Rows:
    if name in ("before", "after"):
        return _date(name, value)
    if name in ("minSize", "maxSize"):
        size = arguments.integer({name: value}, name, None, least=0) or 0
        return Rows((lambda row: row.size >= size) if name == "minSize" else (lambda row: row.size < size))
    if name == "hasAttachment" and isinstance(value, bool):
        return Rows(lambda row: row.has_attachment == value)
    if name in ("inMailbox", *_FLAGS) and isinstance(value, str):
        return _named(name, value)
    if name == "inMailboxOtherThan":
        others = arguments.strings({name: value}, name) or []
        return Rows(lambda row: row.folder not in others, name, others)
    if name in ("inMailbox", "hasAttachment", "inMailboxOtherThan", *_FLAGS):
        raise arguments.wrong(name, "of the right type")
    raise MethodError("unsupportedFilter", f"There is no filter {name[:100]}.")


def _named(name: str, value: str) -> Rows:
    keyword = value.casefold()
    match name:
        case "inMailbox":
            return Rows(lambda row: row.folder == value, name, value)
        case "hasKeyword":
            return Rows(lambda row: keyword in row.keywords, name, keyword)
    return Rows(lambda row: keyword not in row.keywords, name, keyword)


def _date(name: str, value: Any) -> Rows:
    when = arguments.utc_date(value)
    if when is None:
        raise arguments.wrong(name, "a date in UTC, with a Z")
    moment = listing.moment_of(when)
    if name == "before":
        return Rows(lambda row: listing.moment_of(row.received_at) < moment, name, moment)
    return Rows(lambda row: listing.moment_of(row.received_at) >= moment, name, moment)
