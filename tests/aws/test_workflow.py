"""Executions start once per name; answers to tasks nobody waits for are no error."""

from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws import clients
from chalicelib.aws.workflow import Workflows


def failing(operation: str, code: str) -> Any:
    """A client whose operation fails."""
    client = mock.Mock()
    getattr(client, operation).side_effect = ClientError({"Error": {"Code": code}}, operation)
    return mock.patch.object(clients, "client", return_value=client)


def test_an_execution_starts_once_per_name() -> None:
    client = mock.Mock()
    with mock.patch.object(clients, "client", return_value=client):
        assert Workflows().start("arn", "s1-0", {"submission": "s1"})
    client.start_execution.assert_called_once_with(
        stateMachineArn="arn", name="s1-0", input='{"submission": "s1"}'
    )
    with failing("start_execution", "ExecutionAlreadyExists"):
        assert not Workflows().start("arn", "s1-0", {})
    with failing("start_execution", "StateMachineDoesNotExist"), pytest.raises(ClientError):
        Workflows().start("arn", "s1-0", {})


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_an_answer_that_comes_too_late_is_let_go(code: str) -> None:
    with failing("send_task_success", code):
        assert not Workflows().succeed("t", {})


def test_other_errors_are_raised() -> None:
    with failing("send_task_success", "AccessDenied"), pytest.raises(ClientError):
        Workflows().succeed("t", {})
    client = mock.Mock()
    with mock.patch.object(clients, "client", return_value=client):
        assert Workflows().succeed("t", {"a": 1})
    client.send_task_success.assert_called_once_with(taskToken="t", output='{"a": 1}')
