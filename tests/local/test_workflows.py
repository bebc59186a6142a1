"""State machines run by moto, their tasks by our runtime, their waits by the test clock."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from local.engine import ACCOUNT, REGION
from local.stack import Stack
from local.workflows import HISTORY_LIMIT
from tests.local.small import machine, small

HOUR = timedelta(hours=1)


@pytest.fixture
def cloud() -> Iterator[Stack]:
    with small("tests.local.smallapp") as running:
        yield running


def start(cloud: Stack, name: str, value: Any, execution: str = "one") -> str:
    made = cloud.client("stepfunctions").start_execution(
        stateMachineArn=machine(name), name=execution, input=json.dumps(value)
    )
    cloud.settle()
    return str(made["executionArn"])


def end(cloud: Stack, execution: str) -> tuple[str, Any]:
    found = cloud.client("stepfunctions").describe_execution(executionArn=execution)
    return found["status"], json.loads(found.get("output", "null"))


def keep_tokens(cloud: Stack) -> list[str]:
    tokens: list[str] = []

    def watch(event: dict[str, Any], _context: Any) -> None:
        tokens.append(event["token"])

    cloud.runtime.add("watch", watch)
    return tokens


def test_polls_every_30_minutes_for_10_days(cloud: Stack) -> None:
    execution = start(cloud, "poll", {"polls": 0, "until": 10_000, "wait_seconds": 1800})
    cloud.advance(timedelta(days=10))
    assert end(cloud, execution)[0] == "RUNNING"
    events: list[Any] = []
    pages = cloud.client("stepfunctions").get_paginator("get_execution_history")
    for page in pages.paginate(executionArn=execution):
        events += page["events"]
    entered = [event for event in events if event["type"] == "WaitStateEntered"]
    assert len(entered) == 481
    gap = entered[-1]["timestamp"] - entered[-2]["timestamp"]
    assert abs(gap - timedelta(minutes=30)) < timedelta(seconds=5), "history has the test clock's time"


def test_a_poll_that_finds_ends_the_execution(cloud: Stack) -> None:
    execution = start(cloud, "poll", {"polls": 0, "until": 3, "wait_seconds": 900})
    cloud.advance(HOUR)
    status, output = end(cloud, execution)
    assert (status, output["polls"]) == ("SUCCEEDED", 3)


def test_hundreds_of_executions_wait_with_one_thread_each(cloud: Stack) -> None:
    before = threading.active_count()
    for n in range(200):
        value = {"polls": 0, "until": 2, "wait_seconds": 3600}
        cloud.client("stepfunctions").start_execution(
            stateMachineArn=machine("poll"), name=f"many-{n}", input=json.dumps(value)
        )
    cloud.settle()
    assert cloud.workflows.waiting() == 200
    assert threading.active_count() - before <= 210
    cloud.advance(2 * HOUR)
    assert cloud.workflows.waiting() == 0


def test_a_token_is_answered(cloud: Stack) -> None:
    tokens = keep_tokens(cloud)
    execution = start(cloud, "watch", {"at": "2030-01-01T00:00:00Z"})
    cloud.advance(3 * HOUR)
    assert end(cloud, execution)[0] == "RUNNING"
    cloud.client("stepfunctions").send_task_success(taskToken=tokens[0], output='{"state": "delivered"}')
    cloud.settle()
    status, output = end(cloud, execution)
    assert (status, output["outcome"]) == ("SUCCEEDED", {"state": "delivered"})
    assert len(tokens) == 1


def test_a_token_answered_by_its_own_task_is_not_lost(cloud: Stack) -> None:
    """The outcome may be there before the machine comes to wait for it."""

    def watch(event: dict[str, Any], _context: Any) -> None:
        cloud.client("stepfunctions").send_task_success(taskToken=event["token"], output='"early"')

    cloud.runtime.add("watch", watch)
    status, output = end(cloud, start(cloud, "watch", {}))
    assert (status, output["outcome"]) == ("SUCCEEDED", "early")


def test_a_token_that_nobody_answers_times_out_on_the_test_clock(cloud: Stack) -> None:
    tokens = keep_tokens(cloud)
    pause = (cloud.clock.now() + 10 * HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")
    execution = start(cloud, "watch", {"at": pause})
    cloud.advance(4 * HOUR - timedelta(minutes=1))
    assert end(cloud, execution)[0] == "RUNNING"
    cloud.advance(timedelta(minutes=2))
    with pytest.raises(ClientError):
        cloud.client("stepfunctions").send_task_success(taskToken=tokens[0], output="{}")
    cloud.advance(5 * HOUR)
    assert end(cloud, execution)[0] == "RUNNING", "pauses until its timestamp"
    cloud.advance(2 * HOUR)
    status, output = end(cloud, execution)
    assert (status, output["late"]["Error"]) == ("SUCCEEDED", "States.Timeout")


def test_a_failed_task_is_retried_on_the_test_clock(cloud: Stack) -> None:
    moments: list[float] = []

    def watch(event: dict[str, Any], _context: Any) -> None:
        moments.append(cloud.clock.time())
        if len(moments) < 3:
            raise RuntimeError("not yet")
        cloud.client("stepfunctions").send_task_success(taskToken=event["token"], output="1")

    cloud.runtime.add("watch", watch)
    execution = start(cloud, "watch", {})
    assert len(moments) == 1, "the retry waits"
    cloud.advance(timedelta(minutes=1))
    assert end(cloud, execution)[0] == "SUCCEEDED"
    assert round(moments[1] - moments[0]) == 5


def test_a_function_error_reaches_the_machine_by_its_type(cloud: Stack) -> None:
    def poll(_event: Any, _context: Any) -> None:
        raise LookupError("no such order")

    cloud.runtime.add("poll", poll)
    execution = start(cloud, "poll", {})
    found = cloud.client("stepfunctions").describe_execution(executionArn=execution)
    assert (found["status"], found["error"]) == ("FAILED", "LookupError")
    assert "no such order" in found["cause"]


def test_a_name_is_used_once(cloud: Stack) -> None:
    value = {"polls": 0, "until": 2, "wait_seconds": 60}
    first = start(cloud, "poll", value, "order-1")
    assert start(cloud, "poll", value, "order-1") == first, "the same input is the same execution"
    cloud.advance(HOUR)
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        start(cloud, "poll", value, "order-1")


@pytest.mark.parametrize("name", ["poll", "watch"])
def test_a_waiting_execution_can_be_stopped(cloud: Stack, name: str) -> None:
    keep_tokens(cloud)
    execution = start(cloud, name, {"polls": 0, "until": 9, "wait_seconds": 60, "at": "2030-01-01T00:00:00Z"})
    cloud.client("stepfunctions").stop_execution(executionArn=execution)
    cloud.settle()
    assert end(cloud, execution)[0] == "ABORTED"
    assert cloud.workflows.waiting() == 0


def test_the_history_limit_of_aws_holds(cloud: Stack) -> None:
    execution = start(cloud, "poll", {"polls": 0, "until": 10_000, "wait_seconds": 60})
    with cloud.engine.locks["stepfunctions"]:
        backend = stepfunctions_parser_backends[ACCOUNT][REGION]
        executions: list[Any] = backend.describe_state_machine(machine("poll")).executions
        history = executions[0].exec_worker.env.event_manager._history_event_list
        history += history[:1] * (HISTORY_LIMIT - len(history))
    cloud.advance(timedelta(minutes=2))
    assert end(cloud, execution)[0] == "FAILED"


def test_nothing_is_left_running_when_the_cloud_stops() -> None:
    before = set(threading.enumerate())
    with small("tests.local.smallapp") as cloud:
        start(cloud, "poll", {"polls": 0, "until": 9, "wait_seconds": 60})
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive(), thread.name
