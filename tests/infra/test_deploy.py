"""tools/deploy.py but for CloudFormation, which tests/ministack runs: pages, rule set, what is refused."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
import pytest
from moto import mock_aws

from tests.local.world import world
from tools import deploy
from tools.package import ROOT

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
}


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def ses() -> Iterator[Any]:
    """The local SES without an active rule set, for boto3 as for tools/deploy.py."""
    with world() as made:
        made.state.activate("")
        made.state.create_rule_set("plainpost-test")
        url = f"http://127.0.0.1:{made.api.port}"
        with mock.patch.dict("os.environ", ENVIRONMENT | {"AWS_ENDPOINT_URL_SES": url}):
            yield made.state


def test_the_rule_set_is_made_active_where_none_is(ses: Any, said: list[str]) -> None:
    deploy.activate("plainpost-test", said.append)
    assert ses.active_rule_set == "plainpost-test"
    deploy.activate("plainpost-test", said.append)
    assert said == ["SES now receives by plainpost-test", "SES receives by plainpost-test"]


def test_another_rule_set_is_never_replaced(ses: Any, said: list[str]) -> None:
    ses.activate("rules")
    deploy.activate("plainpost-test", said.append)
    assert ses.active_rule_set == "rules"
    assert "Nothing was changed" in said[0]


def test_a_stage_without_parameters_is_refused() -> None:
    with pytest.raises(deploy.DeployError, match=r"infra/stages/nowhere\.json is missing"):
        deploy.settings("nowhere")


def test_the_example_gives_every_parameter_a_value_or_leaves_it_to_its_default() -> None:
    example = json.loads((ROOT / "infra" / "stages" / "example.json").read_text())
    from tools.template import whole

    known = whole()["Parameters"]
    assert set(example) <= set(known)
    assert {name for name, one in known.items() if "Default" not in one} <= set(example)


def test_pages_are_uploaded_whole_and_stay_fresh(tmp_path: Path) -> None:
    for name, content in {"mail.html": "<p>", "assets/mail-1a2b.js": "x()", "logo.svg": "<svg/>"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    cloudfront = mock.Mock()
    with mock.patch.dict("os.environ", ENVIRONMENT), mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="web", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        with mock.patch.object(deploy, "client", {"s3": s3, "cloudfront": cloudfront}.__getitem__):
            assert deploy.pages(tmp_path, "web", "D1") == 3
        page = s3.head_object(Bucket="web", Key="mail.html")
        script = s3.head_object(Bucket="web", Key="assets/mail-1a2b.js")
    assert (page["ContentType"], page["CacheControl"]) == ("text/html", "no-cache")
    assert re.fullmatch(r"(text|application)/javascript", script["ContentType"])
    assert "immutable" in script["CacheControl"]
    assert cloudfront.create_invalidation.call_args.kwargs["DistributionId"] == "D1"


def test_code_and_templates_have_a_bucket_of_their_own() -> None:
    with mock.patch.dict("os.environ", ENVIRONMENT), mock_aws():
        name = deploy.artifacts()
        assert name == deploy.artifacts() == "plainpost-artifacts-123456789012-eu-central-1"
        key = deploy.upload(name, "code", b"zip", ".zip")
        assert boto3.client("s3").get_object(Bucket=name, Key=key)["Body"].read() == b"zip"


def test_every_function_runs_the_uploaded_code() -> None:
    template = {
        "Resources": {
            "One": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "./deployment.zip"}},
            "Two": {"Type": "AWS::SNS::Topic"},
        }
    }
    found = deploy.located(template, "bucket", "code/1.zip")["Resources"]
    assert found["One"]["Properties"]["CodeUri"] == "s3://bucket/code/1.zip"
    assert found["Two"] == {"Type": "AWS::SNS::Topic"}
