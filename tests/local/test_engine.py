"""moto as we run it: safe under threads, transactions whole or not at all, Query within its partition."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from local.stack import Stack
from tests.local.small import BUCKET, TABLE, small

THREADS = 16


@pytest.fixture(scope="module")
def cloud() -> Iterator[Stack]:
    with small() as running:
        yield running


@pytest.fixture
def db(cloud: Stack) -> Any:
    return cloud.client("dynamodb")


def key(pk: str, sk: str = "x") -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def number(db: Any, pk: str, sk: str = "x") -> int:
    item = db.get_item(TableName=TABLE, Key=key(pk, sk), ConsistentRead=True).get("Item", {})
    return int(item.get("n", {"N": "0"})["N"])


def step(pk: str, sk: str, old: int, new: int) -> dict[str, Any]:
    """A transaction's update of `n` from old to new."""
    return {
        "Update": {
            "TableName": TABLE,
            "Key": key(pk, sk),
            "UpdateExpression": "SET n = :new",
            "ConditionExpression": "n = :old",
            "ExpressionAttributeValues": {":new": {"N": str(new)}, ":old": {"N": str(old)}},
        }
    }


def everyone(job: Callable[[int], Any]) -> list[Any]:
    """The job in 16 threads that start together."""
    gate = threading.Barrier(THREADS)

    def run(number: int) -> Any:
        gate.wait(30)
        return job(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def test_16_threads_lose_no_update(db: Any) -> None:
    db.put_item(TableName=TABLE, Item={**key("count"), "n": {"N": "0"}})

    def add(_: int) -> None:
        for _ in range(5):
            db.update_item(
                TableName=TABLE,
                Key=key("count"),
                UpdateExpression="ADD n :one",
                ExpressionAttributeValues={":one": {"N": "1"}},
            )

    everyone(add)
    assert number(db, "count") == THREADS * 5


def test_a_condition_is_won_once(db: Any) -> None:
    def claim(n: int) -> bool:
        try:
            item = {**key("claim"), "by": {"N": str(n)}}
            db.put_item(TableName=TABLE, Item=item, ConditionExpression="attribute_not_exists(pk)")
        except db.exceptions.ConditionalCheckFailedException:
            return False
        return True

    assert sum(everyone(claim)) == 1


def test_optimistic_transactions_serialise(db: Any) -> None:
    """What every mailbox change does: read the counter, transact on its old value, again on conflict."""
    for sk in ("state", "shadow"):
        db.put_item(TableName=TABLE, Item={**key("box", sk), "n": {"N": "0"}})

    def change(_: int) -> None:
        for _ in range(3):
            while True:
                old = number(db, "box", "state")
                try:
                    db.transact_write_items(
                        TransactItems=[
                            step("box", "state", old, old + 1),
                            step("box", "shadow", old, old + 1),
                        ]
                    )
                    break
                except db.exceptions.TransactionCanceledException:
                    continue

    everyone(change)
    assert (number(db, "box", "state"), number(db, "box", "shadow")) == (THREADS * 3, THREADS * 3)


def test_nobody_sees_half_a_transaction(db: Any) -> None:
    for sk in ("left", "right"):
        db.put_item(TableName=TABLE, Item={**key("pair", sk), "n": {"N": "50"}})
    done = threading.Event()

    def look() -> set[int]:
        sums = set()
        while not done.is_set():
            items = db.batch_get_item(
                RequestItems={TABLE: {"Keys": [key("pair", "left"), key("pair", "right")]}}
            )
            sums.add(sum(int(item["n"]["N"]) for item in items["Responses"][TABLE]))
        return sums

    with ThreadPoolExecutor(4) as pool:
        lookers = [pool.submit(look) for _ in range(3)]
        for n in range(50, 20, -1):
            moves = [step("pair", "left", n, n - 1), step("pair", "right", 100 - n, 101 - n)]
            db.transact_write_items(TransactItems=moves)
        done.set()
        assert set().union(*(looker.result() for looker in lookers)) == {100}


def test_a_failed_transaction_leaves_nothing_in_table_and_indexes(db: Any) -> None:
    db.put_item(TableName=TABLE, Item={**key("whole"), "n": {"N": "7"}, "fk": {"S": "inbox#1"}})
    new = {**key("whole", "new"), "fk": {"S": "inbox#2"}, "blob": {"S": "whole-blob"}}
    moved = {
        "TableName": TABLE,
        "Key": key("whole"),
        "UpdateExpression": "SET fk = :fk, n = :n",
        "ExpressionAttributeValues": {":fk": {"S": "trash#1"}, ":n": {"N": "8"}},
    }
    gone = step("whole", "absent", 1, 2)
    with pytest.raises(db.exceptions.TransactionCanceledException) as cancelled:
        db.transact_write_items(
            TransactItems=[{"Put": {"TableName": TABLE, "Item": new}}, {"Update": moved}, gone]
        )
    codes = [reason["Code"] for reason in cancelled.value.response["CancellationReasons"]]
    assert codes == ["None", "None", "ConditionalCheckFailed"]
    assert number(db, "whole") == 7
    assert folder(db, "whole") == ["inbox#1"]
    found = db.query(
        TableName=TABLE,
        IndexName="blob",
        KeyConditionExpression="blob = :b",
        ExpressionAttributeValues={":b": {"S": "whole-blob"}},
    )
    assert found["Items"] == []


def test_a_failed_update_leaves_the_item_as_it_was(db: Any) -> None:
    db.put_item(TableName=TABLE, Item={**key("half"), "n": {"N": "1"}, "word": {"S": "w"}})
    with pytest.raises(ClientError):
        db.update_item(
            TableName=TABLE,
            Key=key("half"),
            UpdateExpression="SET n = :two ADD word :two",
            ExpressionAttributeValues={":two": {"N": "2"}},
        )
    assert number(db, "half") == 1


def test_the_same_token_does_a_transaction_once(db: Any) -> None:
    add = {
        "TableName": TABLE,
        "Key": key("token"),
        "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    for _ in range(3):
        db.transact_write_items(TransactItems=[{"Update": add}], ClientRequestToken="one-token")
    assert number(db, "token") == 1
    other = {**add, "Key": key("token", "other")}
    with pytest.raises(ClientError, match="IdempotentParameterMismatch"):
        db.transact_write_items(TransactItems=[{"Update": other}], ClientRequestToken="one-token")


def folder(db: Any, pk: str, condition: str = "", **named: Any) -> list[str]:
    """Sort keys of the folder index, all pages."""
    values = {
        ":p": {"S": pk},
        **{f":{name}": {"S": value} for name, value in named.pop("values", {}).items()},
    }
    pages = db.get_paginator("query").paginate(
        TableName=TABLE,
        IndexName="folder",
        KeyConditionExpression="pk = :p" + condition,
        ExpressionAttributeValues=values,
        **named,
    )
    return [item["fk"]["S"] for page in pages for item in page["Items"]]


@pytest.mark.parametrize(
    ("condition", "values", "holds"),
    [
        ("", {}, lambda _: True),
        (" AND begins_with(fk, :a)", {"a": "in#"}, lambda fk: fk.startswith("in#")),
        (" AND fk BETWEEN :a AND :b", {"a": "in#05", "b": "in#20"}, lambda fk: "in#05" <= fk <= "in#20"),
        (" AND fk > :a", {"a": "in#10"}, lambda fk: fk > "in#10"),
        (" AND fk >= :a", {"a": "in#10"}, lambda fk: fk >= "in#10"),
        (" AND fk < :a", {"a": "in#10"}, lambda fk: fk < "in#10"),
        (" AND fk <= :a", {"a": "in#10"}, lambda fk: fk <= "in#10"),
        (" AND fk = :a", {"a": "in#10"}, lambda fk: fk == "in#10"),
    ],
)
@pytest.mark.parametrize("forward", [True, False])
def test_query_finds_what_a_sorted_list_finds(
    db: Any, condition: str, values: dict[str, str], holds: Callable[[str], bool], forward: bool
) -> None:
    pk = f"order-{abs(hash(condition)) % 10_000}-{forward}"
    chance = random.Random(7)
    keys = [f"{chance.choice(['in', 'out'])}#{chance.randrange(25):02}" for _ in range(40)]
    for n, fk in enumerate(keys):
        db.put_item(TableName=TABLE, Item={**key(pk, f"m{n:02}"), "fk": {"S": fk}, "other": {"S": "no"}})
    for n in range(0, 40, 3):  # entries that moved, and some that left the index
        moved = {"UpdateExpression": "SET fk = :f", "ExpressionAttributeValues": {":f": {"S": "in#10"}}}
        left = {"UpdateExpression": "REMOVE fk"}
        db.update_item(TableName=TABLE, Key=key(pk, f"m{n:02}"), **(left if n % 2 else moved))
        keys[n] = "" if n % 2 else "in#10"
    db.delete_item(TableName=TABLE, Key=key(pk, "m01"))
    keys[1] = ""
    expected = sorted((fk for fk in keys if fk and holds(fk)), reverse=not forward)
    paging = {"PaginationConfig": {"PageSize": 7}}
    assert folder(db, pk, condition, values=values, ScanIndexForward=forward, **paging) == expected


def test_an_index_answers_with_what_it_projects(db: Any) -> None:
    item = {**key("shown"), "fk": {"S": "f"}, "row": {"B": b"\0row"}, "cold": {"S": "c"}}
    db.put_item(TableName=TABLE, Item=item)
    asked: dict[str, Any] = {
        "TableName": TABLE,
        "IndexName": "folder",
        "KeyConditionExpression": "pk = :p",
        "ExpressionAttributeValues": {":p": {"S": "shown"}},
    }
    [entry] = db.query(**asked)["Items"]
    assert entry == {name: value for name, value in item.items() if name != "cold"}
    [fetched] = db.query(**asked, ProjectionExpression="sk, cold")["Items"]
    assert fetched == {"sk": {"S": "x"}, "cold": {"S": "c"}}, "a local index fetches the rest from the table"


def test_100_000_items_stay_fast(cloud: Stack, db: Any) -> None:
    """Filled past the API, as that is not what is measured."""
    table = cloud.engine.backend("dynamodb").tables[TABLE]
    with cloud.engine.locks["dynamodb"]:
        for n in range(100_000):
            values = {"pk": f"big-{n % 10}", "sk": f"E#{n:06}", "fk": f"inbox#{n:06}"}
            typed = {name: DynamoType({"S": value}) for name, value in values.items()}
            table.items[typed["pk"]][typed["sk"]] = Item(
                typed["pk"], typed["sk"], {name: {"S": value} for name, value in values.items()}
            )
        vars(table).pop("local_orders", None)
    folder(db, "big-0", " AND fk = :a", values={"a": "none"})  # builds the order once
    began = time.process_time()  # of this process alone, however busy the machine is
    for n in range(50):
        newest = folder_page(db, "big-1")
        assert newest[0] == "inbox#099991"
        put = {"TableName": TABLE, "Item": {**key("big-2", f"new{n}"), "fk": {"S": f"inbox#1{n:05}"}}}
        db.transact_write_items(TransactItems=[{"Put": put}])
    per_pair = (time.process_time() - began) / 50
    assert per_pair < 0.1, f"a page and a transaction took {per_pair * 1000:.0f} ms; bare moto takes over 2 s"


def folder_page(db: Any, pk: str) -> list[str]:
    page = db.query(
        TableName=TABLE,
        IndexName="folder",
        KeyConditionExpression="pk = :p",
        ExpressionAttributeValues={":p": {"S": pk}},
        ScanIndexForward=False,
        Limit=50,
    )
    assert page["Count"] == 50
    return [item["fk"]["S"] for item in page["Items"]]


def test_scan_reads_everything_once(cloud: Stack, db: Any) -> None:
    with cloud.engine.locks["dynamodb"]:
        table = cloud.engine.backend("dynamodb").tables[TABLE]
        table.items.clear()
        vars(table).pop("local_orders", None)
    for n in range(30):
        db.put_item(TableName=TABLE, Item={**key(f"p{n % 4}", f"s{n:02}"), "n": {"N": str(n)}})
    pages = db.get_paginator("scan").paginate(TableName=TABLE, PaginationConfig={"PageSize": 7})
    found = sorted(int(item["n"]["N"]) for page in pages for item in page["Items"])
    assert found == list(range(30))
    few = db.scan(
        TableName=TABLE,
        FilterExpression="n < :n",
        ExpressionAttributeValues={":n": {"N": "5"}},
        ProjectionExpression="n",
    )
    assert (few["Count"], few["ScannedCount"]) == (5, 30)


def test_two_engines_in_one_process_are_refused(cloud: Stack) -> None:
    del cloud
    with pytest.raises(RuntimeError, match="one engine at a time"):
        Stack(template={"Resources": {}}, app=None).start()


def test_objects_keep_every_byte(cloud: Stack) -> None:
    s3, body = cloud.client("s3"), bytes(range(256)) * 20_000
    s3.put_object(Bucket=BUCKET, Key="in/a b#ü", Body=body)
    assert s3.get_object(Bucket=BUCKET, Key="in/a b#ü")["Body"].read() == body


def test_who_comes_by_the_port_finds_the_same(cloud: Stack, db: Any) -> None:
    """boto3 in this process takes a short cut to 127.0.0.1; by another name it goes through the socket."""
    session: Any = boto3.Session("other", "other", region_name="us-east-1")
    outside = session.client("dynamodb", endpoint_url=f"http://localhost:{cloud.engine.port}")
    db.put_item(TableName=TABLE, Item={**key("port"), "n": {"N": "3"}})
    assert number(outside, "port") == 3
    s3 = session.client("s3", endpoint_url=f"http://localhost:{cloud.engine.port}")
    body = bytes(range(256)) * 4_000
    s3.put_object(Bucket=BUCKET, Key="by port", Body=body, Metadata={"a_b": "c"})
    found = cloud.client("s3").get_object(Bucket=BUCKET, Key="by port")
    assert (found["Body"].read(), found["Metadata"]) == (body, {"a_b": "c"})
    assert s3.head_object(Bucket=BUCKET, Key="by port")["ContentLength"] == len(body)
    assert cloud.client("s3").head_object(Bucket=BUCKET, Key="by port")["ContentLength"] == len(body)
