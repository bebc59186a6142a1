"""DynamoDB's typed values and expression strings, from plain Python values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Item = dict[str, Any]
Key = Mapping[str, str]


def wire(value: Any) -> dict[str, Any]:
    """A Python value in DynamoDB's JSON. Numbers are integers: a float raises TypeError."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int():
            return {"N": str(value)}
        case bytes():
            return {"B": value}
        case Mapping():
            return {"M": wire_item(value)}
        case set() | frozenset():
            return {"SS": sorted(value)}
        case list() | tuple():
            return {"L": [wire(v) for v in value]}
    raise TypeError(f"{type(value).__name__} cannot be stored")


def wire_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item in DynamoDB's JSON; an empty set is left out, for DynamoDB has none."""
    return {k: wire(v) for k, v in item.items() if not (isinstance(v, set | frozenset) and not v)}


def plain(value: Mapping[str, Any]) -> Any:
    """The Python value of DynamoDB's JSON."""
    ((kind, inner),) = value.items()
    match kind:
        case "S" | "B" | "BOOL":
            return inner
        case "N":
            return int(inner)
        case "NULL":
            return None
        case "M":
            return plain_item(inner)
        case "L":
            return [plain(v) for v in inner]
        case "SS":
            return set(inner)
    raise TypeError(f"stored type {kind} is not used here")


def plain_item(item: Mapping[str, Any]) -> Item:
    """The Python values of an item in DynamoDB's JSON."""
    return {k: plain(v) for k, v in item.items()}


@dataclass(frozen=True, slots=True)
class Check:
    """A condition expression with its values and names, combined by `&` and `|`."""

    expression: str
    values: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def __and__(self, other: "Check") -> "Check":
        return self._joined("AND", other)

    def __or__(self, other: "Check") -> "Check":
        return self._joined("OR", other)

    def _joined(self, how: str, other: "Check") -> "Check":
        return Check(
            f"({self.expression}) {how} ({other.expression})",
            {**self.values, **other.values},
            {**self.names, **other.names},
        )


ABSENT = Check("attribute_not_exists(pk)")
PRESENT = Check("attribute_exists(pk)")


def equals(**attributes: Any) -> Check:
    """Holds when each attribute has just this value; None: when it is not there."""
    parts, values, names = [], {}, {}
    for name, value in attributes.items():
        names[f"#is_{name}"] = name
        if value is None:
            parts.append(f"attribute_not_exists(#is_{name})")
        else:
            parts.append(f"#is_{name} = :is_{name}")
            values[f":is_{name}"] = value
    return Check(" AND ".join(parts), values, names)


@dataclass(frozen=True, slots=True)
class Put:
    """Write a whole item."""

    item: Mapping[str, Any]
    check: Check | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """Set, add to and remove attributes of an item (which comes to be if it was not there).

    `paths` sets inside maps that are there: {("recipients", "a@b.test"): …}.
    """

    key: Key
    set: Mapping[str, Any] = field(default_factory=dict)
    add: Mapping[str, int] = field(default_factory=dict)
    remove: Sequence[str] = ()
    paths: Mapping[tuple[str, ...], Any] = field(default_factory=dict)
    check: Check | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove an item."""

    key: Key
    check: Check | None = None


@dataclass(frozen=True, slots=True)
class Verify:
    """Only a condition, inside a transaction."""

    key: Key
    check: Check


Write = Put | Update | Delete | Verify


class _Names:
    """Aliases for attribute names, so that none can clash with DynamoDB's 573 reserved words."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, Any] = {}

    def name(self, attribute: str) -> str:
        alias = f"#u{len(self.names)}"
        self.names[alias] = attribute
        return alias

    def path(self, steps: Sequence[str]) -> str:
        return ".".join(self.name(step) for step in steps)

    def value(self, value: Any) -> str:
        alias = f":u{len(self.values)}"
        self.values[alias] = value
        return alias


def _conditioned(check: Check | None, names: _Names | None = None) -> dict[str, Any]:
    """The condition's part of a request, merged with the names and values of an update."""
    request: dict[str, Any] = {"ConditionExpression": check.expression} if check else {}
    all_names = {**(names.names if names else {}), **(check.names if check else {})}
    all_values = {**(names.values if names else {}), **(check.values if check else {})}
    if all_names:
        request["ExpressionAttributeNames"] = all_names
    if all_values:
        request["ExpressionAttributeValues"] = {k: wire(v) for k, v in all_values.items()}
    return request


def _update_expression(write: Update, names: _Names) -> str:
    """The SET, ADD and REMOVE clauses of an update."""
    clauses = []
    sets = [f"{names.name(k)} = {names.value(v)}" for k, v in write.set.items()]
    sets += [f"{names.path(k)} = {names.value(v)}" for k, v in write.paths.items()]
    if sets:
        clauses.append("SET " + ", ".join(sets))
    if write.add:
        clauses.append("ADD " + ", ".join(f"{names.name(k)} {names.value(v)}" for k, v in write.add.items()))
    if write.remove:
        clauses.append("REMOVE " + ", ".join(names.name(k) for k in write.remove))
    return " ".join(clauses)


def request(write: Write) -> tuple[str, dict[str, Any]]:
    """The operation's name in a transaction, and its request without the table."""
    match write:
        case Put(item, check):
            return "Put", {"Item": wire_item(item), **_conditioned(check)}
        case Update(key, check=check):
            names = _Names()
            expression = _update_expression(write, names)
            return "Update", {
                "Key": wire_item(key),
                "UpdateExpression": expression,
                **_conditioned(check, names),
            }
        case Delete(key, check):
            return "Delete", {"Key": wire_item(key), **_conditioned(check)}
        case Verify(key, check):
            return "ConditionCheck", {"Key": wire_item(key), **_conditioned(check)}
