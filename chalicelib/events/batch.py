"""A batch of SQS: each message on its own, only those that failed come again."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from chalicelib.aws.log import logger

Json = dict[str, Any]


def each(event: Json, context: Any, handle: Callable[[Json], None]) -> Json:
    """`handle` each JSON body; the answer names the messages it raised for (`batchItemFailures`)."""

    def one(record: SQSRecord) -> None:
        try:
            handle(record.json_body)
        except Exception:
            logger.exception("message failed", extra={"message_id": record.message_id})
            raise

    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return dict(process_partial_response(event, one, processor, context))
