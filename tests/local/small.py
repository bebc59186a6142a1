"""A small cloud for tests of the local cloud: a table, a queue with dead letters, a topic, two machines."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local.stack import Stack

POLL = {
    "StartAt": "Poll",
    "States": {
        "Poll": {"Type": "Task", "Resource": "${PollArn}", "Next": "Again"},
        "Again": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.next", "StringEquals": "wait", "Next": "Wait"}],
            "Default": "Done",
        },
        "Wait": {"Type": "Wait", "SecondsPath": "$.wait_seconds", "Next": "Poll"},
        "Done": {"Type": "Succeed"},
    },
}
WATCH = {
    "StartAt": "Watch",
    "States": {
        "Watch": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Parameters": {"FunctionName": "${WatchArn}", "Payload": {"token.$": "$$.Task.Token"}},
            "TimeoutSeconds": 14400,
            "ResultPath": "$.outcome",
            "Retry": [{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 5, "MaxAttempts": 2}],
            "Catch": [{"ErrorEquals": ["States.Timeout"], "ResultPath": "$.late", "Next": "Pause"}],
            "Next": "Done",
        },
        "Pause": {"Type": "Wait", "TimestampPath": "$.at", "Next": "Done"},
        "Done": {"Type": "Succeed"},
    },
}


def _machine(name: str, definition: dict[str, Any], **functions: str) -> dict[str, Any]:
    return {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "StateMachineName": name,
            "DefinitionString": json.dumps(definition),
            "DefinitionSubstitutions": {key: {"Fn::GetAtt": [one, "Arn"]} for key, one in functions.items()},
            "RoleArn": "arn:aws:iam::123456789012:role/machine",
        },
    }


TEMPLATE: dict[str, Any] = {
    "Parameters": {"Stage": {"Type": "String"}},
    "Globals": {"Function": {"Environment": {"Variables": {"WORK_QUEUE": {"Ref": "Work"}}}}},
    "Resources": {
        "Mail": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "TableName": {"Fn::Sub": "plainpost-${Stage}-mail"},
                "BillingMode": "PAY_PER_REQUEST",
                "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": True},
                "AttributeDefinitions": [
                    {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "fk", "blob")
                ],
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "sk", "KeyType": "RANGE"},
                ],
                "LocalSecondaryIndexes": [
                    {
                        "IndexName": "folder",
                        "KeySchema": [
                            {"AttributeName": "pk", "KeyType": "HASH"},
                            {"AttributeName": "fk", "KeyType": "RANGE"},
                        ],
                        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["row"]},
                    }
                ],
                "GlobalSecondaryIndexes": [
                    {
                        "IndexName": "blob",
                        "KeySchema": [{"AttributeName": "blob", "KeyType": "HASH"}],
                        "Projection": {"ProjectionType": "KEYS_ONLY"},
                    }
                ],
            },
        },
        "Blobs": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "BucketName": {"Fn::Sub": "plainpost-${Stage}-mail-${AWS::AccountId}"},
                "LifecycleConfiguration": {
                    "Rules": [{"Id": "up", "Status": "Enabled", "Prefix": "up/", "ExpirationInDays": 2}]
                },
            },
        },
        "Work": {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "QueueName": {"Fn::Sub": "plainpost-${Stage}-work"},
                "VisibilityTimeout": 360,
                "RedrivePolicy": {
                    "deadLetterTargetArn": {"Fn::GetAtt": ["WorkDead", "Arn"]},
                    "maxReceiveCount": 5,
                },
            },
        },
        "WorkDead": {
            "Type": "AWS::SQS::Queue",
            "Properties": {"QueueName": {"Fn::Join": ["-", ["plainpost", {"Ref": "Stage"}, "work-dead"]]}},
        },
        "News": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "plainpost-local-news"}},
        "NewsToWork": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {
                "TopicArn": {"Ref": "News"},
                "Protocol": "sqs",
                "Endpoint": {"Fn::GetAtt": ["Work", "Arn"]},
                "RawMessageDelivery": True,
            },
        },
        "Worker": {
            "Properties": {
                "FunctionName": "plainpost-local-work",
                "Events": {"Queue": {"Properties": {"FunctionResponseTypes": ["ReportBatchItemFailures"]}}},
            }
        },
        "Poll": {"Properties": {"FunctionName": {"Fn::Sub": "plainpost-${Stage}-poll"}}},
        "Watch": {"Properties": {"FunctionName": {"Fn::Sub": "plainpost-${Stage}-watch"}}},
        "PollMachine": _machine("poll", POLL, PollArn="Poll"),
        "WatchMachine": _machine("watch", WATCH, WatchArn="Watch"),
    },
}

QUEUE = "plainpost-local-work"
TABLE = "plainpost-local-mail"
BUCKET = "plainpost-local-mail-123456789012"
TOPIC = "arn:aws:sns:us-east-1:123456789012:plainpost-local-news"


def machine(name: str) -> str:
    """The ARN of a state machine."""
    return f"arn:aws:states:us-east-1:123456789012:stateMachine:{name}"


@contextmanager
def small(app: str | None = None) -> Iterator[Stack]:
    """The small cloud, running; with an app module, or functions added by hand."""
    with Stack(template=TEMPLATE, app=app) as stack:
        yield stack
