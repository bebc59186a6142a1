"""Tells when a newer moto makes local/moto_dynamodb.py and the locks needless. A failure here is good news:
read what moto does now, then take the patch out (or bring this test up to date).
"""

import copy
from collections.abc import Iterator
from typing import Any
from unittest import mock

import boto3
import moto
import moto.dynamodb.models as models
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core.serialize import AttributePicker
from moto.dynamodb.models.table import Table

TRIED = "5.2.5"


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """moto without us, one table `t` (pk, sk), 20 items in two partitions."""
    for name, value in {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        client: Any = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(
            TableName="t",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")],
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
        )
        for n in range(20):
            client.put_item(TableName="t", Item={"pk": {"S": f"p{n % 2}"}, "sk": {"S": f"{n:02}"}})
        yield client


def test_this_is_the_moto_that_the_patches_were_written_for() -> None:
    assert moto.__version__ == TRIED, "look at the other tests here, and at local/, before moving this on"


def test_query_still_reads_the_whole_table(bare: Any) -> None:
    with mock.patch.object(Table, "all_items", autospec=True, side_effect=Table.all_items) as everything:
        bare.query(
            TableName="t",
            KeyConditionExpression="pk = :p",
            ExpressionAttributeValues={":p": {"S": "p0"}},
        )
    assert everything.called


def test_a_failed_update_is_still_half_done(bare: Any) -> None:
    bare.put_item(TableName="t", Item={"pk": {"S": "p"}, "sk": {"S": "u"}, "n": {"N": "1"}, "w": {"S": "w"}})
    with pytest.raises(ClientError):
        bare.update_item(
            TableName="t",
            Key={"pk": {"S": "p"}, "sk": {"S": "u"}},
            UpdateExpression="SET n = :two ADD w :two",
            ExpressionAttributeValues={":two": {"N": "2"}},
        )
    item = bare.get_item(TableName="t", Key={"pk": {"S": "p"}, "sk": {"S": "u"}})["Item"]
    assert item["n"] == {"N": "2"}


def test_transactions_still_copy_the_table(bare: Any) -> None:
    copied: list[type] = []

    def watched(value: Any, *more: Any) -> Any:
        copied.append(type(value))
        return copy.deepcopy(value, *more)

    put = {"TableName": "t", "Item": {"pk": {"S": "p"}, "sk": {"S": "new"}}}
    with mock.patch.object(models, "copy", mock.Mock(deepcopy=watched)):
        bare.transact_write_items(TransactItems=[{"Put": put}])
    assert Table in copied


def test_client_request_tokens_are_still_ignored(bare: Any) -> None:
    add = {
        "TableName": "t",
        "Key": {"pk": {"S": "p"}, "sk": {"S": "n"}},
        "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    for _ in range(2):
        bare.transact_write_items(TransactItems=[{"Update": add}], ClientRequestToken="same")
    item = bare.get_item(TableName="t", Key={"pk": {"S": "p"}, "sk": {"S": "n"}})["Item"]
    assert item["n"] == {"N": "2"}


def test_answers_are_still_walked_by_the_service_model(bare: Any) -> None:
    with mock.patch.object(
        AttributePicker, "__call__", autospec=True, side_effect=AttributePicker.__call__
    ) as pick:
        bare.query(
            TableName="t",
            KeyConditionExpression="pk = :p",
            ExpressionAttributeValues={":p": {"S": "p0"}},
        )
    assert pick.call_count > 50


def test_backends_still_have_no_lock(bare: Any) -> None:
    del bare
    backend = models.dynamodb_backends["123456789012"]["us-east-1"]
    held = [name for name, value in vars(backend).items() if "lock" in type(value).__name__.lower()]
    assert held == []
