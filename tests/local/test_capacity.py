"""Capacity units against the examples and rules of the DynamoDB developer guide."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.capacity import Meter, View, entry_units, item_size, read_units, value_size, write_units
from local.stack import Stack
from tests.local.small import TABLE, small

FOLDER = View(("pk", "fk", "sk"), frozenset({"pk", "sk", "fk", "row"}))


def text(size: int) -> dict[str, Any]:
    return {"S": "x" * size}


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "añ"}, 3),
        ({"N": "7"}, 2),
        ({"N": "-12345"}, 5),
        ({"N": "1500000"}, 2),
        ({"N": "0"}, 2),
        ({"B": b"12345"}, 5),
        ({"B": "MTIzNDU="}, 5),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"SS": ["ab", "c"]}, 3),
        ({"L": [{"S": "ab"}, {"N": "1"}]}, 3 + 3 + 3),
        ({"M": {"key": {"S": "v"}}}, 3 + 1 + 3 + 1),
        ({"M": {}}, 3),
    ],
)
def test_sizes_of_values(value: dict[str, Any], size: int) -> None:
    assert value_size(value) == size


def test_an_item_has_the_bytes_of_its_names_and_values() -> None:
    assert item_size({"pk": {"S": "abc"}, "n": {"N": "10"}}) == 2 + 3 + 1 + 2
    assert item_size(None) == 0


@pytest.mark.parametrize(
    ("size", "consistent", "units"),
    [(0, True, 1), (0, False, 0.5), (4096, True, 1), (4097, True, 2), (4097, False, 1), (8000, False, 1)],
)
def test_reads_by_4_KB(size: int, consistent: bool, units: float) -> None:
    assert read_units(size, consistent) == units


def test_a_page_is_rounded_as_a_whole() -> None:
    meter = Meter()
    meter.page_read([400] * 50, consistent=True)
    assert meter.read == 5


def test_writes_by_the_larger_of_old_and_new() -> None:
    assert write_units(None, {"pk": text(100)}) == 1
    assert write_units({"pk": text(3000)}, {"pk": text(10)}) == 3
    assert write_units(None, None) == 1


def entry(fk: str | None, row: str = "r", cold: str = "c") -> dict[str, Any]:
    item = {"pk": {"S": "p"}, "sk": {"S": "s"}, "row": {"S": row}, "cold": {"S": cold}}
    return item | ({"fk": {"S": fk}} if fk else {})


@pytest.mark.parametrize(
    ("before", "after", "units"),
    [
        (None, entry("f"), 1),  # the entry is put
        (entry("f"), None, 1),  # deleted
        (entry("f"), entry("g"), 2),  # the key changed: deleted and put
        (entry("f"), entry("f", row="new"), 1),  # a projected attribute
        (entry("f"), entry("f", cold="new"), 0),  # not projected
        (entry(None), entry(None, row="new"), 0),  # never in the index
        (entry("f"), entry(None), 1),
        (entry("f", row="x" * 1500), entry("f", row="y"), 2),
    ],
)
def test_index_writes(before: Any, after: Any, units: float) -> None:
    assert entry_units(FOLDER, before, after) == units


def test_transactions_count_the_table_twice_and_indexes_once() -> None:
    meter = Meter(factor=2)
    meter.item_written(None, entry("f"), [FOLDER])
    assert meter.write == 3


@pytest.fixture(scope="module")
def cloud() -> Iterator[Stack]:
    with small() as running:
        yield running


def units(cloud: Stack, operation: str, **asked: Any) -> tuple[float, float]:
    """What one call consumed by the engine's own counting: (read, write)."""
    cloud.ops.reset()
    getattr(cloud.client("dynamodb"), operation)(**asked)
    totals = cloud.ops.snapshot()["totals"]
    return totals["read_units"], totals["write_units"]


def test_the_engine_counts_real_calls(cloud: Stack) -> None:
    key = {"pk": {"S": "a"}, "sk": {"S": "1"}}
    item = {**key, "fk": {"S": "f"}, "blob": {"S": "b"}, "row": text(600), "cold": {"B": b"\0" * 3000}}
    assert units(cloud, "put_item", TableName=TABLE, Item=item) == (0, 4 + 1 + 1)
    assert units(cloud, "get_item", TableName=TABLE, Key=key) == (0.5, 0)
    assert units(cloud, "get_item", TableName=TABLE, Key=key, ConsistentRead=True) == (1, 0)
    absent = {"pk": {"S": "a"}, "sk": {"S": "none"}}
    wanted = {TABLE: {"Keys": [key, absent]}}
    assert units(cloud, "batch_get_item", RequestItems=wanted) == (1, 0)
    both = [{"Get": {"TableName": TABLE, "Key": one}} for one in (key, absent)]
    assert units(cloud, "transact_get_items", TransactItems=both) == (4, 0)
    change = {
        "TableName": TABLE,
        "Key": key,
        "UpdateExpression": "SET cold = :c",
        "ExpressionAttributeValues": {":c": {"S": "small"}},
    }
    assert units(cloud, "update_item", **change) == (0, 4)
    assert units(cloud, "delete_item", TableName=TABLE, Key=key) == (0, 1 + 1 + 1)
    assert units(cloud, "delete_item", TableName=TABLE, Key=key) == (0, 1)


def test_the_engine_counts_pages_by_what_the_index_holds(cloud: Stack) -> None:
    for n in range(60):
        item = {"pk": {"S": "page"}, "sk": {"S": f"{n:02}"}, "fk": {"S": f"f{n:02}"}, "row": text(300)}
        put = {"PutRequest": {"Item": {**item, "cold": text(2000)}}}
        cloud.client("dynamodb").batch_write_item(RequestItems={TABLE: [put]})
    asked: dict[str, Any] = {
        "TableName": TABLE,
        "KeyConditionExpression": "pk = :p",
        "ExpressionAttributeValues": {":p": {"S": "page"}},
        "Limit": 50,
    }
    entries = 50 * (2 + 4 + 2 + 2 + 2 + 3 + 3 + 300)
    assert units(cloud, "query", **asked, IndexName="folder") == (read_units(entries, False), 0)
    whole = entries + 50 * (4 + 2000)
    assert units(cloud, "query", **asked, ConsistentRead=True) == (read_units(whole, True), 0)
    fetched = units(cloud, "query", **asked, IndexName="folder", ProjectionExpression="cold")
    assert fetched == (read_units(entries, False) + 50 * 0.5, 0)


def test_the_engine_counts_transactions_and_refusals(cloud: Stack) -> None:
    key = {"pk": {"S": "t"}, "sk": {"S": "1"}}
    put = {"Put": {"TableName": TABLE, "Item": {**key, "fk": {"S": "f"}}}}
    check = {"TableName": TABLE, "Key": {"pk": {"S": "t"}, "sk": {"S": "2"}}}
    absent = {"ConditionCheck": {**check, "ConditionExpression": "attribute_not_exists(pk)"}}
    assert units(cloud, "transact_write_items", TransactItems=[put, absent]) == (0, 2 + 1 + 2)
    present = {"ConditionCheck": {**check, "ConditionExpression": "attribute_exists(pk)"}}
    client = cloud.client("dynamodb")
    cloud.ops.reset()
    with pytest.raises(client.exceptions.TransactionCanceledException):
        client.transact_write_items(TransactItems=[put, present])
    with pytest.raises(client.exceptions.ConditionalCheckFailedException):
        client.put_item(TableName=TABLE, Item=key, ConditionExpression="attribute_not_exists(pk)")
    assert cloud.ops.snapshot()["totals"]["write_units"] == 4 + 1
