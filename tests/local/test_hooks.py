"""Hooks into calls of AWS, whenever the session that makes them was made."""

from typing import Any

import boto3
import botocore.handlers
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from local import hooks


class Body:
    """An empty one."""

    def stream(self, **_: Any) -> list[bytes]:
        return []


@pytest.fixture
def usual(monkeypatch: pytest.MonkeyPatch) -> None:
    """A usual session that was there before any hook."""
    monkeypatch.setattr(botocore.handlers, "BUILTIN_HANDLERS", [*botocore.handlers.BUILTIN_HANDLERS])
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto3.Session("local", "local", region_name="us-east-1"))


@pytest.mark.usefixtures("usual")
@pytest.mark.parametrize("made", ["before", "after"])
def test_a_hook_sees_each_call_once_and_the_last_one_comes_last(
    monkeypatch: pytest.MonkeyPatch, made: str
) -> None:
    seen: list[str] = []

    def answer(request: Any, **_: Any) -> AWSResponse:
        seen.append("answer")
        return AWSResponse(request.url, 200, HTTPHeaders(), Body())

    def look(**_: Any) -> None:
        seen.append("look")

    for _ in range(2):
        hooks.before_send(answer, last=True)
        hooks.before_send(look)
    if made == "after":
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    boto3.client("sqs", region_name="us-east-1", endpoint_url="http://127.0.0.1:9").delete_queue(QueueUrl="q")
    assert seen == ["look", "answer"]
