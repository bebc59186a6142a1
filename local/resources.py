"""Creates by API what infra/'s template describes: moto's CloudFormation ignores most of it."""

import json
import random
import string
from typing import Any

from local.cloudformation import Node, Template

_TABLE = (
    "TableName",
    "BillingMode",
    "AttributeDefinitions",
    "KeySchema",
    "LocalSecondaryIndexes",
    "GlobalSecondaryIndexes",
)
_QUEUE = ("VisibilityTimeout", "MessageRetentionPeriod", "DelaySeconds", "RedrivePolicy")

DAY = 86_400


def create(template: Template, client: Any) -> None:
    """Tables, buckets, queues, topics with subscriptions, state machines. `client(service)` is boto3's."""
    for table in template.resources("AWS::DynamoDB::Table").values():
        _table(client("dynamodb"), table)
    for bucket in template.resources("AWS::S3::Bucket").values():
        _bucket(client("s3"), bucket)
    queues = list(template.resources("AWS::SQS::Queue").values())
    for queue in sorted(queues, key=lambda queue: "RedrivePolicy" in queue):  # dead letters' queues first
        attributes = {key: _text(queue[key]) for key in _QUEUE if key in queue}
        client("sqs").create_queue(QueueName=queue["QueueName"], Attributes=attributes)
    for secret in template.resources("AWS::SecretsManager::Secret").values():
        _secret(client("secretsmanager"), secret)
    for topic in template.resources("AWS::SNS::Topic").values():
        client("sns").create_topic(Name=topic["TopicName"])
    for subscription in template.resources("AWS::SNS::Subscription").values():
        _subscription(client("sns"), subscription)
    for machine in template.resources("AWS::StepFunctions::StateMachine").values():
        _machine(client("stepfunctions"), machine)


def expiries(template: Template) -> list[tuple[str, str, float]]:
    """(bucket, prefix, seconds) of every lifecycle rule that expires objects."""
    return [
        (bucket["BucketName"], rule.get("Prefix", ""), rule["ExpirationInDays"] * DAY)
        for bucket in template.resources("AWS::S3::Bucket").values()
        for rule in bucket.get("LifecycleConfiguration", {}).get("Rules", [])
        if rule.get("Status") == "Enabled" and "ExpirationInDays" in rule
    ]


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _table(dynamodb: Any, table: Node) -> None:
    dynamodb.create_table(**{key: table[key] for key in _TABLE if key in table})
    if expiry := table.get("TimeToLiveSpecification"):
        dynamodb.update_time_to_live(TableName=table["TableName"], TimeToLiveSpecification=expiry)


def _bucket(s3: Any, bucket: Node) -> None:
    s3.create_bucket(Bucket=bucket["BucketName"])
    if rules := bucket.get("CorsConfiguration", {}).get("CorsRules"):
        names = {"MaxAge": "MaxAgeSeconds"}
        allowed = [{names.get(key, key): value for key, value in rule.items()} for rule in rules]
        s3.put_bucket_cors(Bucket=bucket["BucketName"], CORSConfiguration={"CORSRules": allowed})


def _secret(manager: Any, secret: Node) -> None:
    """With a value of its own, as CloudFormation generates one."""
    length = secret["GenerateSecretString"]["PasswordLength"]
    value = "".join(random.choices(string.ascii_letters + string.digits, k=length))
    manager.create_secret(Name=secret["Name"], SecretString=value)


def _subscription(sns: Any, subscription: Node) -> None:
    attributes = {"RawMessageDelivery": "true"} if subscription.get("RawMessageDelivery") else {}
    sns.subscribe(
        TopicArn=subscription["TopicArn"],
        Protocol=subscription["Protocol"],
        Endpoint=subscription["Endpoint"],
        Attributes=attributes,
    )


def _machine(stepfunctions: Any, machine: Node) -> None:
    definition = machine["DefinitionString"]
    for name, value in machine.get("DefinitionSubstitutions", {}).items():
        definition = definition.replace("${" + name + "}", str(value))
    stepfunctions.create_state_machine(
        name=machine["StateMachineName"], definition=definition, roleArn=machine["RoleArn"]
    )
