"""Least privilege: a role of its own for each function, which names what it may touch."""

from collections.abc import Iterator
from typing import Any

from tests.packaged import Node, functions, resources, template

#: Resources with a wildcard, and why no narrower name can be written.
WILDCARDS = {
    "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/*": "customers' domains come and go",
    "${MailBucket.Arn}/*": "blobs are read under every prefix",
    "${MailBucket.Arn}/in/*": "keys are SES's message ids",
    "${MailBucket.Arn}/own/*": "keys are ids",
    "${MailBucket.Arn}/idx/*": "keys are accounts and ids",
    "${MailBucket.Arn}/up/*": "keys are ids",
    "${MailBucket.Arn}/part/*": "keys are ids",
    "${WebBucket.Arn}/status/*": "page, style, document and feed",
}
LOGS = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/"


def statements(role: Node) -> Iterator[Node]:
    for policy in role["Properties"].get("Policies", []):
        yield from policy["PolicyDocument"]["Statement"]


def many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def roles() -> dict[str, Node]:
    return resources("AWS::IAM::Role")


def test_each_function_has_a_role_of_its_own() -> None:
    used = {name: function["Role"]["Fn::GetAtt"][0] for name, function in functions().items()}
    assert used == {name: f"{name}Role" for name in functions()}
    machines = {
        m["Properties"]["RoleArn"]["Fn::GetAtt"][0]
        for m in resources("AWS::StepFunctions::StateMachine").values()
    }
    assert set(roles()) == set(used.values()) | machines
    assert not any("ManagedPolicyArns" in role["Properties"] for role in roles().values())


def test_no_role_may_touch_everything() -> None:
    for name, role in roles().items():
        for statement in statements(role):
            for resource in many(statement["Resource"]):
                assert resource != "*", name
                pattern = resource.get("Fn::Sub", "") if isinstance(resource, dict) else resource
                if "*" in pattern and not pattern.startswith(LOGS):
                    assert pattern in WILDCARDS, f"{name}: {pattern}"


def test_no_role_may_do_everything() -> None:
    for name, role in roles().items():
        for statement in statements(role):
            assert statement["Effect"] == "Allow"
            for action in many(statement["Action"]):
                assert "*" not in action, f"{name}: {action}"


def test_a_function_writes_only_its_own_log() -> None:
    for name, function in functions().items():
        own = f"{LOGS}{function['FunctionName']['Fn::Sub']}:*"
        found = [s for s in statements(roles()[f"{name}Role"]) if "logs:PutLogEvents" in many(s["Action"])]
        assert [s["Resource"] for s in found] == [{"Fn::Sub": own}], name


def test_received_mail_is_written_by_SES_alone() -> None:
    for name, role in roles().items():
        for statement in statements(role):
            if "s3:PutObject" in many(statement["Action"]):
                assert not [
                    r for r in many(statement["Resource"]) if "/in/" in str(r) or str(r).endswith("Arn}/*")
                ], name


def test_bucket_policies_open_no_bucket() -> None:
    for policy in resources("AWS::S3::BucketPolicy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Allow":
                assert set(statement["Principal"]) == {"Service"}
                assert "aws:SourceArn" in str(statement["Condition"])


def test_queues_take_messages_only_from_their_topic() -> None:
    for policy in resources("AWS::SQS::QueuePolicy").values():
        [statement] = policy["Properties"]["PolicyDocument"]["Statement"]
        assert statement["Action"] == "sqs:SendMessage"
        assert "aws:SourceArn" in statement["Condition"]["ArnEquals"]


def test_nothing_beside_the_template_makes_roles() -> None:
    assert "Policies" not in str(list(functions().values())), "SAM would write a policy by itself"
    assert template()["Transform"] == "AWS::Serverless-2016-10-31"
