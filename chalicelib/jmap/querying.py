"""What the /query of every type has in common that reads its whole list (RFC 8620 §5.5): filters as tests,
comparators, and the window that is shown."""

from collections.abc import Callable, Collection
from typing import Any

from chalicelib.jmap import arguments, limits
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json, MethodError

Test = Callable[[Any], bool]


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


def sort(args: Json, known: Collection[str], default: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """The comparators as (property, ascending), the first above all. Raises MethodError unsupportedSort."""
    given = args.get("sort")
    if given is None:
        return default
    if not isinstance(given, list) or not all(isinstance(c, dict) for c in given):
        raise arguments.wrong("sort", "a list of comparators")
    out = []
    for comparator in given:
        name = arguments.string(comparator, "property")
        if name not in known:
            raise MethodError("unsupportedSort", f"There is no sort by {name[:100]}.")
        if arguments.optional_string(comparator, "collation") is not None:
            raise MethodError("unsupportedSort", "There are no collations here.")
        out.append((name, arguments.boolean(comparator, "isAscending", True)))
    return out


def window(
    ctx: Context, args: Json, state: str, ids: list[str], most: int = limits.MAX_OBJECTS_IN_GET
) -> Json:
    """The part of a whole result that a /query asked for (RFC 8620 §5.5); `most`: ids in an answer."""
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
        "queryState": state,
        "canCalculateChanges": False,
        "position": at,
        "ids": ids[at : at + given],
    }
    if arguments.boolean(args, "calculateTotal"):
        answer["total"] = len(ids)
    if asked is None or asked > given:
        answer["limit"] = given
    return answer
