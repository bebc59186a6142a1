"""What infra/ describes is what the local cloud has."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib import settings
from local.cloudformation import Template
from local.stack import Stack
from tests.local.small import BUCKET, TABLE, small
from tools.template import whole


@pytest.fixture(scope="module")
def described() -> Iterator[Stack]:
    """infra/'s own resources, without the app."""
    with Stack(app=None, parameters={"MailZone": "emailmx.test"}) as running:
        yield running


def test_the_environment_is_what_the_settings_need(described: Stack) -> None:
    loaded = settings.load(described.environ)
    assert loaded.stage == "local"
    assert loaded.mail_zone == "emailmx.test"
    assert loaded.arrivals_queue == f"{described.engine.url}/123456789012/plainpost-local-arrivals"


def test_tables_have_their_indexes_and_expiry(described: Stack) -> None:
    db = described.client("dynamodb")
    for logical, table in described.template.resources("AWS::DynamoDB::Table").items():
        found = db.describe_table(TableName=table["TableName"])["Table"]
        for kind in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
            wanted = [(index["IndexName"], index["Projection"]) for index in table.get(kind, [])]
            assert [(index["IndexName"], index["Projection"]) for index in found.get(kind, [])] == wanted, (
                logical
            )
        expiry = db.describe_time_to_live(TableName=table["TableName"])["TimeToLiveDescription"]
        assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}


def test_queues_have_their_dead_letters_and_time_outs(described: Stack) -> None:
    sqs = described.client("sqs")
    for name in ("arrivals", "outgoing", "outcomes", "bounces"):
        url = sqs.get_queue_url(QueueName=f"plainpost-local-{name}")["QueueUrl"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        redrive = json.loads(found["RedrivePolicy"])
        assert redrive["maxReceiveCount"] == (20 if name == "arrivals" else 5)
        assert redrive["deadLetterTargetArn"].endswith(f"plainpost-local-{name}-dead")
        assert int(found["VisibilityTimeout"]) >= 360


def test_topics_reach_their_queues_raw(described: Stack) -> None:
    sns = described.client("sns")
    found = sns.list_subscriptions()["Subscriptions"]
    routes = {one["TopicArn"].rsplit(":", 1)[1]: one["Endpoint"].rsplit(":", 1)[1] for one in found}
    assert routes == {
        "plainpost-local-mail-received": "plainpost-local-arrivals",
        "plainpost-local-mail-events": "plainpost-local-outcomes",
    }
    for one in found:
        attributes = sns.get_subscription_attributes(SubscriptionArn=one["SubscriptionArn"])["Attributes"]
        assert attributes["RawMessageDelivery"] == "true"


def test_state_machines_name_functions_by_arn(described: Stack) -> None:
    client = described.client("stepfunctions")
    for arn in (described.environ["ACTIVATION_MACHINE"], described.environ["DELIVERY_MACHINE"]):
        definition = client.describe_state_machine(stateMachineArn=arn)["definition"]
        assert "${" not in definition
        assert "arn:aws:lambda:us-east-1:123456789012:function:plainpost-local-" in definition


def test_every_value_of_the_template_can_be_resolved() -> None:
    body = whole()
    template = Template(body, {"Stage": "local"}, account="123456789012", region="us-east-1")
    for kind in {resource["Type"] for resource in body["Resources"].values() if "Type" in resource}:
        assert "Fn::" not in json.dumps(template.resources(kind)), kind


BODY: dict[str, Any] = {
    "Parameters": {"Stage": {"Default": "dev"}, "Mail": {"Default": ""}},
    "Conditions": {
        "Told": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Mail"}, ""]}]},
        "Dev": {"Fn::And": [{"Condition": "Told"}, {"Fn::Equals": [{"Ref": "Stage"}, "dev"]}]},
    },
    "Resources": {
        "Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "q-${Stage}"}}},
        "T": {"Type": "AWS::SNS::Topic", "Condition": "Told", "Properties": {"TopicName": "t"}},
    },
}


@pytest.mark.parametrize(
    ("node", "value"),
    [
        ({"Ref": "Q"}, "http://aws/1/q-dev"),
        ({"Ref": "T"}, "arn:aws:sns:r:1:t"),
        ({"Fn::GetAtt": ["Q", "Arn"]}, "arn:aws:sqs:r:1:q-dev"),
        ({"Fn::GetAtt": ["Q", "QueueName"]}, "q-dev"),
        ({"Fn::Sub": "${Q.Arn}/${!literal}/${AWS::Region}"}, "arn:aws:sqs:r:1:q-dev/${literal}/r"),
        ({"Fn::Sub": ["${a}-${Stage}", {"a": {"Ref": "AWS::AccountId"}}]}, "1-dev"),
        ({"Fn::Join": ["/", ["a", {"Ref": "Stage"}]]}, "a/dev"),
        ({"Fn::Select": ["1", {"Fn::Split": [",", "a,b"]}]}, "b"),
        ({"Fn::If": ["Told", "yes", {"Ref": "Stage"}]}, "dev"),
        ({"Fn::If": ["Dev", "yes", "no"]}, "no"),
    ],
)
def test_intrinsic_functions(node: Any, value: Any) -> None:
    template = Template(BODY, {}, account="1", region="r")
    template.endpoint = "http://aws"
    assert template.resolve(node) == value
    assert template.resources("AWS::SNS::Topic") == {}, "its condition does not hold"


def test_an_unknown_function_is_an_error() -> None:
    with pytest.raises(LookupError, match="Cidr"):
        Template(BODY, {}, account="1", region="r").resolve({"Fn::Cidr": []})


def test_items_and_objects_expire_on_the_test_clock(described: Stack) -> None:
    described.stop()  # one engine at a time
    with small() as cloud:
        db, s3 = cloud.client("dynamodb"), cloud.client("s3")
        later = str(int(cloud.clock.time()) + 86_400)
        for sk, more in {"stays": {}, "goes": {"ttl": {"N": later}, "fk": {"S": "f"}}}.items():
            db.put_item(TableName=TABLE, Item={"pk": {"S": "p"}, "sk": {"S": sk}, **more})
        for name in ("up/part", "in/mail"):
            s3.put_object(Bucket=BUCKET, Key=name, Body=b"x")
        cloud.advance(timedelta(hours=20))
        assert db.scan(TableName=TABLE)["Count"] == 2
        cloud.advance(timedelta(hours=10))
        assert [item["sk"]["S"] for item in db.scan(TableName=TABLE)["Items"]] == ["stays"]
        assert db.scan(TableName=TABLE, IndexName="folder")["Count"] == 0
        assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 2
        cloud.advance(timedelta(hours=24))
        assert [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == ["in/mail"]
