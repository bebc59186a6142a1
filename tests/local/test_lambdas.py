"""The runtime in this process behaves as Lambda does towards its functions and its callers."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import botocore.handlers
import pytest

from local.lambdas import API, PAYLOAD_LIMIT, FunctionError
from local.stack import Stack
from tests.local.small import small


@pytest.fixture(scope="module")
def cloud() -> Iterator[Stack]:
    with small("tests.local.smallapp") as running:
        yield running


def api_event(path: str, query: dict[str, str] | None = None) -> dict[str, Any]:
    """What API Gateway sends for GET /echo/{word}."""
    return {
        "httpMethod": "GET",
        "path": path,
        "resource": "/echo/{word}",
        "pathParameters": {"word": path.rsplit("/", 1)[-1]},
        "multiValueQueryStringParameters": {k: [v] for k, v in (query or {}).items()} or None,
        "headers": {"accept": "application/json"},
        "multiValueHeaders": {},
        "requestContext": {"httpMethod": "GET", "resourcePath": "/echo/{word}", "identity": {}},
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
    }


def test_requests_at_the_same_time_do_not_mix(cloud: Stack) -> None:
    """Chalice keeps the request on the app, as a Lambda process serves one at a time."""

    def ask(n: int) -> Any:
        return cloud.runtime.invoke(API, api_event(f"/echo/w{n}", {"n": str(n)}))

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(100)))
    assert [answer["body"] for answer in answers] == [
        f'{{"word":"w{n}","query":{{"n":"{n}"}}}}' for n in range(100)
    ]


def test_the_context_is_lambdas(cloud: Stack) -> None:
    seen: list[Any] = []
    cloud.runtime.add("look", lambda _event, context: seen.append(context))
    cloud.runtime.invoke("look", {})
    [context] = seen
    assert context.function_name == "look"
    assert 59_000 < context.get_remaining_time_in_millis() <= 60_000
    assert context.invoked_function_arn.endswith(":function:look")
    assert len(context.aws_request_id) == 36


def test_events_and_results_pass_through_json(cloud: Stack) -> None:
    given: list[Any] = []

    def handler(event: Any, _context: Any) -> Any:
        given.append(event)
        return {"pair": (1, 2), "keys": {1: "one"}}

    cloud.runtime.add("json", handler)
    event = {"list": [1]}
    assert cloud.runtime.invoke("json", event) == {"pair": [1, 2], "keys": {"1": "one"}}
    assert given == [event]
    assert given[0] is not event


def test_an_answer_that_is_no_json_is_an_error(cloud: Stack) -> None:
    cloud.runtime.add("bytes", lambda _event, _context: {"body": b"raw"})
    with pytest.raises(FunctionError) as failed:
        cloud.runtime.invoke("bytes", {})
    assert failed.value.payload["errorType"] == "TypeError"


def test_an_exception_becomes_lambdas_error_document(cloud: Stack) -> None:
    def broken(_event: Any, _context: Any) -> None:
        raise ValueError("what was wrong")

    cloud.runtime.add("broken", broken)
    with pytest.raises(FunctionError) as failed:
        cloud.runtime.invoke("broken", {})
    payload = failed.value.payload
    assert (payload["errorType"], payload["errorMessage"]) == ("ValueError", "what was wrong")
    assert any("broken" in line for line in payload["stackTrace"])


def test_a_time_out_ends_the_call_and_the_functions_powers(cloud: Stack) -> None:
    """A thread cannot be killed as Lambda kills a process, but nothing it does afterwards counts."""
    go_on, tried = threading.Event(), list[str]()

    def slow(_event: Any, _context: Any) -> None:
        go_on.wait(10)
        try:
            cloud.client("s3").list_buckets()
            tried.append("called AWS")
        except TimeoutError:
            tried.append("was stopped")

    cloud.runtime.add("slow", slow, seconds=0.1)
    began = time.monotonic()
    with pytest.raises(FunctionError, match=r"timed out after 0\.10 seconds") as failed:
        cloud.runtime.invoke("slow", {})
    assert time.monotonic() - began < 5
    assert failed.value.payload["errorType"] == "Sandbox.Timedout"
    go_on.set()
    deadline = time.monotonic() + 5
    while not tried and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    assert tried == ["was stopped"]
    cloud.settle(1)


@pytest.mark.parametrize("order", [1, -1])
def test_the_stopped_call_nothing_whichever_hook_came_first(
    cloud: Stack, monkeypatch: pytest.MonkeyPatch, order: int
) -> None:
    """Hooks stay for the process; those behind the one that carries out a call come too late."""
    ours = [hook for hook in botocore.handlers.BUILTIN_HANDLERS if hook[1].__module__.startswith("local.")]
    others = [hook for hook in botocore.handlers.BUILTIN_HANDLERS if hook not in ours]
    assert {hook[1].__module__ for hook in ours} >= {"local.direct", "local.lambdas"}
    monkeypatch.setattr(botocore.handlers, "BUILTIN_HANDLERS", [*others, *ours[::order]])
    s3 = boto3.Session("local", "local", region_name="us-east-1").client("s3", endpoint_url=cloud.engine.url)

    def stopped(_event: Any, context: Any) -> None:
        context.killed = True
        s3.create_bucket(Bucket=f"never{order}")

    cloud.runtime.add("stopped", stopped)
    with pytest.raises(FunctionError, match="timed out before this call"):
        cloud.runtime.invoke("stopped", {})
    assert f"never{order}" not in [one["Name"] for one in cloud.client("s3").list_buckets()["Buckets"]]


def test_payloads_have_lambdas_limits(cloud: Stack) -> None:
    cloud.runtime.add("big", lambda event, _context: "x" * event["size"])
    assert len(cloud.runtime.invoke("big", {"size": 4_000_000})) == 4_000_000
    with pytest.raises(FunctionError, match="ResponseSizeTooLarge"):
        cloud.runtime.invoke("big", {"size": PAYLOAD_LIMIT})
    with pytest.raises(FunctionError, match="RequestSizeTooLarge"):
        cloud.runtime.invoke("big", {"size": 1, "padding": "x" * PAYLOAD_LIMIT})


@pytest.mark.parametrize(
    "name",
    [
        "delivery_attempt",
        "DeliveryAttempt",
        "plainpost-local-delivery_attempt",
        "arn:aws:lambda:us-east-1:123456789012:function:plainpost-local-delivery_attempt",
        "arn:aws:lambda:us-east-1:123456789012:function:plainpost-local-delivery_attempt:$LATEST",
    ],
)
def test_functions_are_found_by_every_name_they_have(cloud: Stack, name: str) -> None:
    for one in ("attempt", "delivery_attempt"):
        cloud.runtime.add(one, lambda _event, _context: None)
    assert cloud.runtime.resolve(name) == "delivery_attempt"
    with pytest.raises(LookupError, match="nobody"):
        cloud.runtime.resolve("nobody")


def test_time_outs_come_from_chalices_configuration(cloud: Stack) -> None:
    seen: list[Any] = []
    cloud.runtime.add(API + "_look", lambda _event, _context: None)
    cloud.runtime.add("receive", lambda _event, context: seen.append(context.get_remaining_time_in_millis()))
    cloud.runtime.invoke("receive", {})
    assert 119_000 < seen[0] <= 120_000
