"""What the /query of every type has in common that reads its whole list (RFC 8620 §5.5): filters as tests,
comparators, and the window that is shown."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple, TypeVar

from chalicelib.jmap import arguments, limits
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json, MethodError
from chalicelib.rules import collation
from chalicelib.services import mailbox

T = TypeVar("T")
Test = Callable[[Any], bool]
_OPERATOR = frozenset({"operator", "conditions"})
_COMPARATOR = frozenset({"property", "isAscending", "collation"})


def filter_(given: Any, condition: Callable[[Json, str], Test]) -> Test:
    """A FilterOperator, a FilterCondition or null as a test; `condition` reads one of its properties.
    Raises MethodError."""
    if given is None:
        return lambda _one: True
    if not isinstance(given, dict):
        raise arguments.wrong("filter", "an object or null")
    if "operator" in given:
        return _operator(given, condition)
    tests = [condition(given, name) for name in given]
    return lambda one: all(test(one) for test in tests)


def _operator(given: Json, condition: Callable[[Json, str], Test]) -> Test:
    conditions = given.get("conditions")
    if given.keys() - _OPERATOR:
        raise arguments.wrong("filter", "an operator with conditions in it, or a condition, not both")
    if not isinstance(conditions, list):
        raise arguments.wrong("conditions", "a list")
    tests = [filter_(inner, condition) for inner in conditions]
    match given["operator"]:
        case "AND":
            return lambda one: all(test(one) for test in tests)
        case "OR":
            return lambda one: any(test(one) for test in tests)
        case "NOT":
            return lambda one: not any(test(one) for test in tests)
    raise arguments.wrong("operator", "AND, OR or NOT")


def no_filter(name: str) -> MethodError:
    """unsupportedFilter for a condition of this name."""
    return MethodError("unsupportedFilter", f"There is no filter {name[:100]}.")


class By(NamedTuple):
    """A comparator."""

    property: str
    ascending: bool
    collation: str | None = None


def comparators(
    args: Json, known: Collection[str], default: list[By], texts: Collection[str] = ()
) -> list[By]:
    """The comparators, the first above all; of what is not among `texts` no collation is looked at.

    Raises MethodError unsupportedSort, invalidArguments.
    """
    given = args.get("sort")
    if given is None:
        return default
    if not isinstance(given, list) or not all(isinstance(c, dict) for c in given):
        raise arguments.wrong("sort", "a list of comparators")
    return [comparator(one, known, texts) for one in given]


def comparator(given: Json, known: Collection[str], texts: Collection[str]) -> By:
    """One of them."""
    if given.keys() - _COMPARATOR:
        raise arguments.wrong("sort", "a list of comparators: property, isAscending, collation")
    name = arguments.string(given, "property")
    if name not in known:
        raise MethodError("unsupportedSort", f"There is no sort by {name[:100]}.")
    rule = arguments.optional_string(given, "collation")
    if name in texts and rule not in collation.KEYS:
        raise MethodError("unsupportedSort", f"The collations here are {', '.join(collation.NAMES)}.")
    return By(name, arguments.boolean(given, "isAscending", True), rule if name in texts else None)


def sort(args: Json, known: Collection[str], default: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """The comparators of a type that sorts by no text, as (property, ascending). Raises MethodError."""
    order = comparators(args, known, [By(*one) for one in default])
    return [(by.property, by.ascending) for by in order]


def in_order(
    found: list[T], order: list[By], keys: Mapping[str, Callable[[T], Any]], texts: Collection[str]
) -> None:
    """Sort what was found; `keys`: what each property compares."""
    for by in reversed(order):
        key = keys[by.property]
        found.sort(key=_folded(key, by) if by.property in texts else key, reverse=not by.ascending)


def _folded(key: Callable[[T], str], by: By) -> Callable[[T], str]:
    fold = collation.KEYS[by.collation]
    return lambda one: fold(key(one))


class Result(NamedTuple):
    """All ids that a query finds, in order, and the state they were found in.

    `followed`: each one's place follows from itself alone, so that the change log tells what moved.
    """

    kind: str
    state: str
    ids: list[str]
    followed: bool = False


def window(ctx: Context, args: Json, result: Result, most: int = limits.MAX_OBJECTS_IN_GET) -> Json:
    """The part of a whole result that a /query asked for (RFC 8620 §5.5); `most`: ids in an answer."""
    ids = result.ids
    at = arguments.integer(args, "position", 0) or 0
    anchor = arguments.optional_string(args, "anchor")
    if anchor is not None:
        if anchor not in ids:
            raise MethodError("anchorNotFound")
        at = max(0, ids.index(anchor) + (arguments.integer(args, "anchorOffset", 0) or 0))
    elif at < 0:
        at = max(0, len(ids) + at)
    asked = arguments.integer(args, "limit", None, least=0)
    given = most if asked is None else min(asked, most)
    answer: Json = {
        "accountId": ctx.acct,
        "queryState": result.state,
        "canCalculateChanges": result.followed,
        "position": at,
        "ids": ids[at : at + given],
    }
    if arguments.boolean(args, "calculateTotal"):
        answer["total"] = len(ids)
    if asked is None or asked > given:
        answer["limit"] = given
    return answer


def query_changes(ctx: Context, args: Json, result: Result) -> Json:
    """What became of a query's result (RFC 8620 §5.6). The change log is read after the result, so that it
    tells of all that the result has; all that changed is named as removed, and as added where it now stands.

    Raises MethodError cannotCalculateChanges, tooManyChanges; ServiceError cannot_calculate_changes.
    """
    since = arguments.state(args, "sinceQueryState")
    if not result.followed:
        raise MethodError("cannotCalculateChanges", "Please query again.")
    found = mailbox.changes(ctx.p, ctx.acct, since, limits.MAX_CHANGES, result.kind)
    if found.more:
        raise MethodError("cannotCalculateChanges", "Too much has changed: please query again.")
    changed = {*found.created, *found.updated}
    added = [{"id": id, "index": at} for at, id in enumerate(result.ids) if id in changed]
    return changes_answer(ctx, args, result.state, [*found.updated, *found.destroyed], added, len(result.ids))


def changes_answer(
    ctx: Context, args: Json, state: str, removed: list[str], added: list[Json], total: int
) -> Json:
    """The answer of a /queryChanges. Raises MethodError tooManyChanges."""
    most = arguments.integer(args, "maxChanges", None, least=0)
    arguments.optional_string(args, "upToId")  # it would save little: what is above it has to be told anyway
    if most is not None and len(removed) + len(added) > most:
        raise MethodError("tooManyChanges", f"There are more than {most} changes.")
    answer: Json = {
        "accountId": ctx.acct,
        "oldQueryState": args["sinceQueryState"],
        "newQueryState": state,
        "removed": removed,
        "added": added,
    }
    return answer | ({"total": total} if arguments.boolean(args, "calculateTotal") else {})
