"""A platform over moto, in this process, made from infra/'s own files. One thread only: moto is not safe."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
import yaml
from moto import mock_aws

from chalicelib.aws import clients
from chalicelib.settings import Settings

INFRA = Path(__file__).parent.parent / "infra"
REGION, ACCOUNT, STAGE = "us-east-1", "123456789012", "test"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "POWERTOOLS_TRACE_DISABLED": "true",
    "POWERTOOLS_METRICS_NAMESPACE": "plainpost",
}
TABLE_FIELDS = (
    "TableName",
    "BillingMode",
    "AttributeDefinitions",
    "KeySchema",
    "LocalSecondaryIndexes",
    "GlobalSecondaryIndexes",
)


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's tags, as far as names of resources need them."""


def _tag(loader: _Loader, suffix: str, node: yaml.Node) -> Any:
    if not isinstance(node, yaml.ScalarNode):
        return loader.construct_sequence(node) if isinstance(node, yaml.SequenceNode) else None
    text = str(loader.construct_scalar(node))
    return text.replace("${Stage}", STAGE).replace("${AWS::AccountId}", ACCOUNT) if suffix == "Sub" else text


_Loader.add_multi_constructor("!", _tag)


@cache
def _template() -> dict[str, Any]:
    template: dict[str, Any] = _Loader((INFRA / "template.yaml").read_text()).get_data()
    return template


def resources(kind: str) -> list[dict[str, Any]]:
    """The resources of one CloudFormation type in infra/template.yaml."""
    return [r for r in _template()["Resources"].values() if r["Type"] == kind]


@dataclass
class Clock:
    """Time that stands still until a test moves it."""

    seconds: float = datetime(2026, 3, 2, 9, 0, tzinfo=UTC).timestamp()

    def now(self) -> datetime:
        """The present moment."""
        return datetime.fromtimestamp(self.seconds, UTC)

    def advance(self, **delta: float) -> None:
        """Move on by a timedelta's arguments."""
        self.seconds += timedelta(**delta).total_seconds()


def _tables() -> None:
    for resource in resources("AWS::DynamoDB::Table"):
        given = resource["Properties"]
        boto3.client("dynamodb").create_table(**{k: given[k] for k in TABLE_FIELDS if k in given})


def _queues() -> dict[str, str]:
    """Queue URLs by short name; redrive after five receptions, as the template says."""
    client, urls = boto3.client("sqs"), {}
    for resource in resources("AWS::SQS::Queue"):
        name = str(resource["Properties"]["QueueName"])
        urls[name.removeprefix(f"plainpost-{STAGE}-")] = client.create_queue(QueueName=name)["QueueUrl"]
    for name in [n for n in urls if not n.endswith("-dead")]:
        dead = f"arn:aws:sqs:{REGION}:{ACCOUNT}:plainpost-{STAGE}-{name}-dead"
        policy = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 5})
        client.set_queue_attributes(QueueUrl=urls[name], Attributes={"RedrivePolicy": policy})
    return urls


def _machines() -> dict[str, str]:
    """State machine ARNs by short name. moto records executions; nothing runs."""
    client, arns = boto3.client("stepfunctions"), {}
    role = f"arn:aws:iam::{ACCOUNT}:role/tests"
    for resource in resources("AWS::StepFunctions::StateMachine"):
        name = str(resource["Properties"]["StateMachineName"])
        definition = (INFRA / resource["Metadata"]["Definition"]).read_text()
        made = client.create_state_machine(name=name, definition=definition, roleArn=role)
        arns[name.removeprefix(f"plainpost-{STAGE}-")] = made["stateMachineArn"]
    return arns


def _settings(urls: dict[str, str], machines: dict[str, str]) -> Settings:
    return Settings(
        stage=STAGE,
        directory_table=f"plainpost-{STAGE}-directory",
        mail_table=f"plainpost-{STAGE}-mail",
        mail_bucket=f"plainpost-{STAGE}-mail-{ACCOUNT}",
        web_bucket=f"plainpost-{STAGE}-web-{ACCOUNT}",
        arrivals_queue=urls["arrivals"],
        outgoing_queue=urls["outgoing"],
        bounces_queue=urls["bounces"],
        jobs_queue=urls["jobs"],
        activation_machine=machines["activation"],
        delivery_machine=machines["delivery"],
        configuration_set=f"plainpost-{STAGE}",
        mail_zone="emailmx.test",
        web_host="web.emailmx.test",
        admin_host="admin.emailmx.test",
        status_url="http://status.emailmx.test",
        public_url="http://api.emailmx.test",
        ses_id_domain="email.amazonses.com",
        identity_gate="off",
        service_secret=f"plainpost-{STAGE}-service",
        origin_secret="the edge of tests",
        abuse_address="abuse@emailmx.test",
        resolver="",
    )


@contextmanager
def cloud() -> Iterator[Settings]:
    """moto with every table, bucket, queue and state machine of the template; the settings that name them."""
    with mock.patch.dict("os.environ", ENVIRONMENT), mock_aws():
        clients.forget()
        _tables()
        for resource in resources("AWS::SecretsManager::Secret"):
            name = resource["Properties"]["Name"]
            boto3.client("secretsmanager").create_secret(Name=name, SecretString="a secret of tests")
        for resource in resources("AWS::S3::Bucket"):
            boto3.client("s3").create_bucket(Bucket=resource["Properties"]["BucketName"])
        yield _settings(_queues(), _machines())
    clients.forget()
