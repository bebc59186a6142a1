"""Capacity units of what a piece of code asks of DynamoDB, counted from the items themselves.

Writes by AWS's rules: 1 unit per KB begun, of the larger of the old and the new item; twice in a transaction.
An index entry is written when it comes, goes or changes, and is written twice (gone, come) when its key
changes. Whether a transaction doubles local index writes too AWS's guide does not say: `careful` counts that.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from typing import Any
from unittest import mock

from chalicelib.aws import clients
from chalicelib.aws.table import Table
from local.capacity import item_size
from tests.cloud import resources

Attributes = dict[str, Any]


@dataclass
class Count:
    """What was consumed. `calls` by operation."""

    write: float = 0
    careful: float = 0
    read: float = 0
    calls: list[str] = field(default_factory=list)


def _indexes(table: str) -> list[tuple[set[str], set[str] | None]]:
    """Key attributes and projected attributes (None: all) of each index of the template's table."""
    [made] = [r for r in resources("AWS::DynamoDB::Table") if r["Properties"]["TableName"] == table]
    found = []
    properties = made["Properties"]
    for index in properties.get("LocalSecondaryIndexes", []) + properties.get("GlobalSecondaryIndexes", []):
        keys = {k["AttributeName"] for k in index["KeySchema"]} | {"pk", "sk"}
        projection = index["Projection"]
        more = set(projection.get("NonKeyAttributes", []))
        found.append((keys, None if projection["ProjectionType"] == "ALL" else keys | more))
    return found


def _entry(item: Attributes | None, keys: set[str], projected: set[str] | None) -> Attributes | None:
    if item is None or not keys <= item.keys():
        return None
    return {k: v for k, v in item.items() if projected is None or k in projected}


def _blocks(*items: Attributes | None) -> int:
    return max(1, ceil(max(item_size(i) for i in items) / 1024))


def written(table: str, old: Attributes | None, new: Attributes | None) -> tuple[int, int]:
    """Units of the table itself and of its indexes, outside a transaction."""
    units = 0
    for keys, projected in _indexes(table):
        before, after = _entry(old, keys, projected), _entry(new, keys, projected)
        if before == after:
            continue
        if before and after and any(before[k] != after[k] for k in keys):
            units += _blocks(before) + _blocks(after)
        else:
            units += _blocks(before, after)
    return _blocks(old, new), units


def _snapshot(table: Table) -> dict[tuple[str, str], Attributes]:
    rows = clients.dynamodb().scan(TableName=table.name)["Items"]
    return {(str(r["pk"]["S"]), str(r["sk"]["S"])): dict(r) for r in rows}


@contextmanager
def counted(table: Table) -> Iterator[Count]:
    """What is consumed inside the block. Writes: from the table before and after each of them."""
    count, client = Count(), clients.dynamodb()
    original = client._make_api_call  # type: ignore[attr-defined]

    def call(operation: str, request: dict[str, Any]) -> Any:
        count.calls.append(operation)
        if operation in ("Query", "GetItem", "BatchGetItem"):
            answer = original(operation, request)
            count.read += _reads(operation, request, answer)
            return answer
        with mock.patch.object(client, "_make_api_call", original):
            before = _snapshot(table)
        answer = original(operation, request)
        with mock.patch.object(client, "_make_api_call", original):
            after = _snapshot(table)
        factor = 2 if operation == "TransactWriteItems" else 1
        for key in before.keys() | after.keys():
            if before.get(key) != after.get(key):
                base, indexes = written(table.name, before.get(key), after.get(key))
                count.write += factor * base + indexes
                count.careful += factor * (base + indexes)
        return answer

    with mock.patch.object(client, "_make_api_call", call):
        yield count


def _reads(operation: str, request: dict[str, Any], answer: dict[str, Any]) -> float:
    """Units by the sizes of what came back; an item that is not there costs the least there is."""
    if operation == "BatchGetItem":
        total = 0.0
        for name, asked in request["RequestItems"].items():
            found = answer["Responses"][name]
            sizes = [item_size(i) for i in found] + [0] * (len(asked["Keys"]) - len(found))
            total += sum(_read(size, asked.get("ConsistentRead", False)) for size in sizes)
        return total
    items = answer["Items"] if operation == "Query" else [answer.get("Item", {})]
    return _read(sum(item_size(i) for i in items), request.get("ConsistentRead", False))


def _read(size: int, consistent: bool) -> float:
    return max(1, ceil(size / 4096)) * (1.0 if consistent else 0.5)
