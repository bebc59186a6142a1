"""The packaged template: accepted by cfn-lint as it is, and what the service promises is in it."""

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from chalicelib.settings import Settings
from tests.packaged import Node, functions, packaged, resources, template
from tools.package import ROOT

ALL_EVENTS = {"SEND", "REJECT", "BOUNCE", "COMPLAINT", "DELIVERY", "DELIVERY_DELAY"}


def text(node: Any) -> str:
    return json.dumps(node, sort_keys=True)


def timeout(function: Node) -> int:
    return int(function["Timeout"])


def sources() -> dict[str, tuple[str, Node]]:
    """SQS event sources: queue's logical id → (function, source properties)."""
    found = {}
    for name, function in functions().items():
        for event in function.get("Events", {}).values():
            if event["Type"] == "SQS":
                queue = event["Properties"]["Queue"]["Fn::Sub"].removeprefix("${").removesuffix(".Arn}")
                found[queue] = (name, event["Properties"])
    return found


def test_cfn_lint_finds_nothing_and_ignores_nothing() -> None:
    lint = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run(
        [lint, "--non-zero-exit-code", "informational", packaged().template],
        capture_output=True,
        text=True,
        check=False,
        cwd=packaged().template.parent,  # away from any configuration file
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not list(ROOT.glob(".cfnlintrc*"))
    assert "cfn-lint" not in text(template()), "Metadata could switch rules off"


NAMES = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
    "AWS::Serverless::Function": "FunctionName",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::SecretsManager::Secret": "Name",
}


@pytest.mark.parametrize("kind", NAMES)
def test_every_resource_that_can_be_named_carries_the_stage(kind: str) -> None:
    for name, resource in resources(kind).items():
        assert resource["Properties"][NAMES[kind]]["Fn::Sub"].startswith("plainpost-${Stage}-"), name


@pytest.mark.parametrize("name", ["DirectoryTable", "MailTable"])
def test_tables_can_be_restored_expire_items_and_outlive_the_stack(name: str) -> None:
    table = template()["Resources"][name]
    assert table["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert table["Properties"]["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert table["Properties"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"


def test_buckets_are_private_and_encrypted() -> None:
    for bucket in resources("AWS::S3::Bucket").values():
        assert all(bucket["Properties"]["PublicAccessBlockConfiguration"].values())
        assert len(bucket["Properties"]["PublicAccessBlockConfiguration"]) == 4
        assert bucket["Properties"]["OwnershipControls"]["Rules"] == [
            {"ObjectOwnership": "BucketOwnerEnforced"}
        ]
        assert "AES256" in text(bucket["Properties"]["BucketEncryption"])


def test_uploads_and_extracted_parts_go_away_by_themselves() -> None:
    rules = template()["Resources"]["MailBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    ends = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "Prefix" in rule}
    assert ends == {"up/": 2, "part/": 1}, "raw mail must never expire"


def test_each_queue_has_dead_letters_and_an_alarm_on_them() -> None:
    queues, alarms = resources("AWS::SQS::Queue"), text(resources("AWS::CloudWatch::Alarm"))
    working = {name for name in queues if not name.endswith("DeadQueue")}
    assert working == set(sources())
    for name in working:
        dead = name.removesuffix("Queue") + "DeadQueue"
        redrive = queues[name]["Properties"]["RedrivePolicy"]
        often = 20 if name == "ArrivalsQueue" else 5  # a busy mailbox puts arrivals off
        assert redrive == {"deadLetterTargetArn": {"Fn::GetAtt": [dead, "Arn"]}, "maxReceiveCount": often}
        assert text({"Fn::GetAtt": [dead, "QueueName"]}) in alarms


def test_queue_functions_answer_item_by_item_and_are_given_time_to() -> None:
    queues = resources("AWS::SQS::Queue")
    for queue, (name, source) in sources().items():
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        visible = queues[queue]["Properties"]["VisibilityTimeout"]
        assert visible >= 6 * timeout(functions()[name]), f"{queue} would hand out a message twice"


def test_topics_reach_queues_raw_and_only_SES_may_publish() -> None:
    found = resources("AWS::SNS::Subscription")
    ends = {n: s["Properties"] for n, s in found.items() if s["Properties"]["Protocol"] == "sqs"}
    assert {text(s["TopicArn"]) for s in ends.values()} == {
        text({"Ref": "MailReceivedTopic"}),
        text({"Ref": "MailEventsTopic"}),
    }
    assert all(s["RawMessageDelivery"] is True for s in ends.values())
    for policy in resources("AWS::SNS::TopicPolicy").values():
        [statement] = policy["Properties"]["PolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "ses.amazonaws.com"}
        assert set(statement["Condition"]["StringEquals"]) == {"aws:SourceAccount", "aws:SourceArn"}


def test_every_function_has_the_environment_that_settings_read() -> None:
    shared = set(template()["Globals"]["Function"]["Environment"]["Variables"])
    assert {f.name.upper() for f in fields(Settings)} <= shared
    assert not [name for name, function in functions().items() if "Environment" in function]


def test_every_function_has_its_log_group_and_an_alarm() -> None:
    groups = {text(g["Properties"]["LogGroupName"]) for g in resources("AWS::Logs::LogGroup").values()}
    alarms = resources("AWS::CloudWatch::Alarm").values()
    watched = {
        text(a["Properties"]["Dimensions"]) for a in alarms if a["Properties"]["MetricName"] == "Errors"
    }
    for name, function in functions().items():
        assert text({"Fn::Sub": "/aws/lambda/" + function["FunctionName"]["Fn::Sub"]}) in groups, name
        assert text([{"Name": "FunctionName", "Value": {"Ref": name}}]) in watched, name
    assert all(g["Properties"]["RetentionInDays"] for g in resources("AWS::Logs::LogGroup").values())


def test_S27_ses_gives_up_after_three_hours_and_tells_of_everything() -> None:
    [config] = resources("AWS::SES::ConfigurationSet").values()
    assert config["Properties"]["DeliveryOptions"]["MaxDeliverySeconds"] == 10_800
    assert config["Properties"]["SuppressionOptions"] == {"SuppressedReasons": []}
    [events] = resources("AWS::SES::ConfigurationSetEventDestination").values()
    destination = events["Properties"]["EventDestination"]
    assert set(destination["MatchingEventTypes"]) == ALL_EVENTS
    assert destination["SnsDestination"] == {"TopicARN": {"Ref": "MailEventsTopic"}}


def test_S25_one_scanning_rule_takes_mail_for_every_domain() -> None:
    [rule] = [r["Properties"]["Rule"] for r in resources("AWS::SES::ReceiptRule").values()]
    assert "Recipients" not in rule
    assert rule["ScanEnabled"] is True
    [action] = rule["Actions"]
    assert action["S3Action"]["ObjectKeyPrefix"] == "in/"
    assert action["S3Action"]["TopicArn"] == {"Ref": "MailReceivedTopic"}


def test_every_body_reaches_the_api_as_it_was_sent() -> None:
    api = template()["Resources"]["RestAPI"]["Properties"]
    assert api["BinaryMediaTypes"] == ["*/*"]
    assert api["DefinitionBody"]["x-amazon-apigateway-binary-media-types"] == ["*/*"]
    answers = api["DefinitionBody"]["x-amazon-apigateway-gateway-responses"]
    for answer in answers.values():
        assert json.loads(answer["responseTemplates"]["application/json"])["type"] == "about:blank"
    assert answers["MISSING_AUTHENTICATION_TOKEN"]["statusCode"] == "404"
