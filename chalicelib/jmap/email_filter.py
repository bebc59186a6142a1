"""Filters of Email/query (RFC 8621 §4.4.1) as a tree of tests: of what a row shows, of words in the index."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from chalicelib.jmap import arguments
from chalicelib.jmap.errors import Json, MethodError
from chalicelib.rules.values import Row
from chalicelib.services import finding
from chalicelib.services.finding import Hit, Opened, Term

Test = Callable[[Row], bool]
_FLAGS = ("hasKeyword", "notKeyword")
WORDS = ("text", *finding.FIELDS)
MOST_TERMS = 40
DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Rows:
    """Holds by the row of an email alone."""

    test: Test


@dataclass(frozen=True, slots=True)
class Words:
    """Holds where all its words are."""

    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Join:
    """AND, OR, or NOT: none of them (RFC 8620 §5.5)."""

    operator: Literal["AND", "OR", "NOT"]
    nodes: tuple["Node", ...]


Node = Rows | Words | Join


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


def holds(node: Node, row: Row, hit: Hit | None = None) -> bool:
    """Whether an email is what is looked for; `hit` where words are."""
    match node:
        case Rows(test):
            return test(row)
        case Words(found):
            return hit is not None and all(hit.number in hit.part.found[term] for term in found)
        case Join("AND", nodes):
            return all(holds(inner, row, hit) for inner in nodes)
        case Join("OR", nodes):
            return any(holds(inner, row, hit) for inner in nodes)
        case Join(_, nodes):
            return not any(holds(inner, row, hit) for inner in nodes)


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
        return Words(tuple(finding.terms(value, name)))
    return Rows(_test(name, value))


def _test(name: str, value: Any) -> Test:
    if name in ("before", "after"):
        return _date(name, value)
    if name in ("minSize", "maxSize"):
        size = arguments.integer({name: value}, name, None, least=0) or 0
        return (lambda row: row.size >= size) if name == "minSize" else (lambda row: row.size < size)
    if name == "hasAttachment" and isinstance(value, bool):
        return lambda row: row.has_attachment == value
    if name in ("inMailbox", *_FLAGS) and isinstance(value, str):
        return _named(name, value)
    if name == "inMailboxOtherThan" and isinstance(value, list):
        others: Sequence[Any] = value
        return lambda row: row.folder not in others
    if name in ("inMailbox", "hasAttachment", "inMailboxOtherThan", *_FLAGS):
        raise arguments.wrong(name, "of the right type")
    raise MethodError("unsupportedFilter", f"There is no filter {name[:100]}.")


def _named(name: str, value: str) -> Test:
    keyword = value.casefold()
    match name:
        case "inMailbox":
            return lambda row: row.folder == value
        case "hasKeyword":
            return lambda row: keyword in row.keywords
    return lambda row: keyword not in row.keywords


def _date(name: str, value: Any) -> Test:
    when: datetime | None = arguments.utc_date(value)
    if when is None:
        raise arguments.wrong(name, "a date")
    moment = when
    if name == "before":
        return lambda row: row.received_at < moment
    return lambda row: row.received_at >= moment
