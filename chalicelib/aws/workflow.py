"""Step Functions: executions that start once per name, and answers to their tasks."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from chalicelib.aws import clients

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

GONE = {"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"}


class Workflows:
    """State machines by ARN."""

    @property
    def _client(self) -> "SFNClient":
        made: SFNClient = clients.client("stepfunctions")
        return made

    def start(self, machine: str, name: str, data: Mapping[str, Any]) -> bool:
        """Start an execution. False when the name was used within 90 days: it runs, or ran, already."""
        try:
            self._client.start_execution(stateMachineArn=machine, name=name, input=json.dumps(data))
        except ClientError as error:
            if error.response["Error"].get("Code") != "ExecutionAlreadyExists":
                raise
            return False
        return True

    def succeed(self, token: str, output: Mapping[str, Any]) -> bool:
        """Answer a waiting task. False when nobody waits for it any more."""
        try:
            self._client.send_task_success(taskToken=token, output=json.dumps(output))
        except ClientError as error:
            if error.response["Error"].get("Code") not in GONE:
                raise
            return False
        return True
