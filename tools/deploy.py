"""`make deploy STAGE=…`: what `make package` built, to the account that the environment's credentials open.

Code and template go to a bucket for artifacts, the stack is created or changed by a change set, the pages are
uploaded, and the SES rule set is made the active one where none is. docs/deploy.md goes through it.
"""

import argparse
import hashlib
import json
import mimetypes
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.exceptions import ClientError, WaiterError

from tools.package import ROOT

Node = dict[str, Any]
_WAIT = {"Delay": 5, "MaxAttempts": 720}  # an hour: CloudFront takes its time
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]


class DeployError(Exception):
    """The deployment stopped; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Stack:
    """What is being deployed. `wait`: how long and how often to look (botocore's WaiterConfig)."""

    stage: str
    parameters: Mapping[str, str]
    wait: Mapping[str, int]

    @property
    def name(self) -> str:
        """The stack's name."""
        return f"plainpost-{self.stage}"


def client(service: str) -> Any:
    """A boto3 client from the environment."""
    build: Any = boto3.client
    return build(service)


def settings(stage: str) -> dict[str, str]:
    """The stage's parameters, from infra/stages/<stage>.json. Raises DeployError."""
    path = ROOT / "infra" / "stages" / f"{stage}.json"
    if not path.exists():
        raise DeployError(
            f"{path.relative_to(ROOT)} is missing: copy infra/stages/example.json and fill it in"
        )
    return {**json.loads(path.read_text()), "Stage": stage}


def artifacts() -> str:
    """The account's bucket for code and templates, made when missing."""
    region = client("s3").meta.region_name
    name = f"plainpost-artifacts-{client('sts').get_caller_identity()['Account']}-{region}"
    try:
        client("s3").head_bucket(Bucket=name)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
            raise
        elsewhere = {} if region == "us-east-1" else {"LocationConstraint": region}
        more = {"CreateBucketConfiguration": elsewhere} if elsewhere else {}
        client("s3").create_bucket(Bucket=name, **more)
    return name


def upload(bucket: str, folder: str, content: bytes, suffix: str) -> str:
    """Store content under its own hash; the key."""
    key = f"{folder}/{hashlib.sha256(content).hexdigest()}{suffix}"
    client("s3").put_object(Bucket=bucket, Key=key, Body=content)
    return key


def located(template: Node, bucket: str, key: str) -> Node:
    """The template with every function's code where it was uploaded."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = f"s3://{bucket}/{key}"
    return template


def release(stack: Stack, template: Node, code: Path) -> dict[str, str]:
    """Upload and apply; the stack's outputs. Raises DeployError."""
    bucket = artifacts()
    key = upload(bucket, "code", code.read_bytes(), ".zip")
    body = json.dumps(located(template, bucket, key)).encode()
    url = client("s3").generate_presigned_url(
        "get_object", Params={"Bucket": bucket, "Key": upload(bucket, "templates", body, ".json")}
    )
    _change(stack, url.partition("?")[0], set(template["Parameters"]))
    return outputs(stack)


def outputs(stack: Stack) -> dict[str, str]:
    """What the stack says of itself."""
    found = client("cloudformation").describe_stacks(StackName=stack.name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}


def _exists(stack: Stack) -> bool:
    """Whether there is something to change. A stack whose creation was rolled back must be deleted first."""
    try:
        found = client("cloudformation").describe_stacks(StackName=stack.name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        return False
    if found["StackStatus"] == "ROLLBACK_COMPLETE":
        raise DeployError(f"{stack.name} is a failed creation: delete the stack, then deploy again")
    return bool(found["StackStatus"] != "REVIEW_IN_PROGRESS")


def _change(stack: Stack, url: str, known: set[str]) -> None:
    cloud, kind = client("cloudformation"), "UPDATE" if _exists(stack) else "CREATE"
    name = f"deploy-{secrets.token_hex(8)}"
    given = [
        {"ParameterKey": k, "ParameterValue": v} for k, v in stack.parameters.items() if k in known and v
    ]
    which = {"StackName": stack.name, "ChangeSetName": name}
    cloud.create_change_set(
        **which, ChangeSetType=kind, TemplateURL=url, Parameters=given, Capabilities=CAPABILITIES
    )
    try:
        cloud.get_waiter("change_set_create_complete").wait(**which, WaiterConfig=stack.wait)
    except WaiterError as error:
        reason = cloud.describe_change_set(**which).get("StatusReason", "")
        if "didn't contain changes" in reason or "No updates" in reason:
            return
        raise DeployError(f"change set refused: {reason}") from error
    cloud.execute_change_set(**which)
    _settle(stack, kind)


def _settle(stack: Stack, kind: str) -> None:
    cloud = client("cloudformation")
    waiter = cloud.get_waiter(f"stack_{kind.lower()}_complete")
    try:
        waiter.wait(StackName=stack.name, WaiterConfig=stack.wait)
    except WaiterError as error:
        events = cloud.describe_stack_events(StackName=stack.name)["StackEvents"]
        failed = [
            f"{e['LogicalResourceId']}: {e.get('ResourceStatusReason', '')}"
            for e in events
            if e["ResourceStatus"].endswith("_FAILED")
        ]
        raise DeployError("\n".join(["the stack failed:", *failed])) from error


def pages(dist: Path, bucket: str, distribution: str) -> int:
    """Upload the built pages; how many files. Old assets stay: a page that is open may still ask for them."""
    files = sorted(path for path in dist.rglob("*") if path.is_file())
    # Pages last, so that none is served before what it needs is there.
    for path in sorted(files, key=lambda p: p.suffix == ".html"):
        name = path.relative_to(dist).as_posix()
        hashed = name.startswith("assets/")
        client("s3").put_object(
            Bucket=bucket,
            Key=name,
            Body=path.read_bytes(),
            ContentType=mimetypes.guess_type(name)[0] or "application/octet-stream",
            CacheControl="public, max-age=31536000, immutable" if hashed else "no-cache",
        )
    client("cloudfront").create_invalidation(
        DistributionId=distribution,
        InvalidationBatch={
            "Paths": {"Quantity": 1, "Items": ["/*"]},
            "CallerReference": hashlib.sha256(b"".join(p.read_bytes() for p in files)).hexdigest(),
        },
    )
    return len(files)


def activate(rule_set: str, say: Callable[[str], None]) -> None:
    """Make our rule set the active one where none is: an account has one, and another's would be replaced."""
    active = client("ses").describe_active_receipt_rule_set().get("Metadata", {}).get("Name")
    if active == rule_set:
        say(f"SES receives by {rule_set}")
    elif active:
        say(
            f"SES receives by another rule set, {active}, and a region has one active. Nothing was "
            f"changed: {rule_set} gets no mail until it is made active (docs/deploy.md, Receiving)."
        )
    else:
        client("ses").set_active_receipt_rule_set(RuleSetName=rule_set)
        say(f"SES now receives by {rule_set}")


def run(stage: str, built: Path, dist: Path) -> None:
    """The whole deployment. Raises DeployError."""
    stack = Stack(stage, settings(stage), _WAIT)
    if not (dist / "mail.html").exists():
        raise DeployError(f"{dist.relative_to(ROOT)} holds no pages: build them first (docs/deploy.md)")
    template = yaml.safe_load((built / "template.yaml").read_text())
    made = release(stack, template, built / "deployment.zip")
    print(f"{pages(dist, made['WebBucketName'], made['DistributionId'])} files of pages")
    activate(made["ReceiptRuleSetName"], print)
    for name, value in sorted(made.items()):
        print(f"{name}: {value}")


def main() -> None:
    """Command line: `python -m tools.deploy --stage dev`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", required=True)
    parser.add_argument("--package", type=Path, default=ROOT / "build" / "package")
    parser.add_argument("--pages", type=Path, default=ROOT / "webmail-frontend" / "dist")
    arguments = parser.parse_args()
    try:
        run(arguments.stage, arguments.package, arguments.pages)
    except DeployError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
