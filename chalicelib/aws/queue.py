"""SQS: JSON bodies out, one or many, now or later."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chalicelib.aws import clients
from chalicelib.aws.table import Busy

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

BATCH = 10  # messages in one call
LONGEST_DELAY = 900  # seconds, by SQS
ROUNDS = 3  # of sending again what SQS refused in a batch

Body = Mapping[str, Any]


class Queues:
    """Queues by URL."""

    @property
    def _client(self) -> "SQSClient":
        made: SQSClient = clients.client("sqs")
        return made

    def send(self, url: str, body: Body, *, delay: int = 0) -> None:
        """One message, visible after `delay` seconds (at most 900)."""
        self._client.send_message(
            QueueUrl=url, MessageBody=json.dumps(body), DelaySeconds=min(delay, LONGEST_DELAY)
        )

    def postpone(self, url: str, receipt: str, seconds: int) -> None:
        """Let a message that is being handled come again after so long, not after the queue's own time."""
        self._client.change_message_visibility(QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=seconds)

    def send_all(self, url: str, bodies: Sequence[Body], *, delay: int = 0) -> None:
        """Many messages, ten a call, visible after `delay` seconds (at most 900).

        Raises Busy when some were refused again and again (others are sent).
        """
        for at in range(0, len(bodies), BATCH):
            self._send_batch(url, bodies[at : at + BATCH], min(delay, LONGEST_DELAY))

    def _send_batch(self, url: str, bodies: Sequence[Body], delay: int) -> None:
        pending = {str(i): json.dumps(body) for i, body in enumerate(bodies)}
        for _ in range(ROUNDS):
            answer = self._client.send_message_batch(
                QueueUrl=url,
                Entries=[
                    {"Id": i, "MessageBody": body, "DelaySeconds": delay} for i, body in pending.items()
                ],
            )
            pending = {f["Id"]: pending[f["Id"]] for f in answer.get("Failed", [])}
            if not pending:
                return
        raise Busy(f"{len(pending)} messages refused")
