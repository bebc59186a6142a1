"""A batch of SQS: each message on its own, only those that failed come again."""

import random
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from chalicelib.aws.log import logger
from chalicelib.rules.errors import ServiceError

Json = dict[str, Any]


Postpone = Callable[[str, int], None]  # receipt handle, seconds
SOON_SECONDS = (5, 30)


def each(event: Json, context: Any, handle: Callable[[Json], None], postpone: Postpone | None = None) -> Json:
    """`handle` each JSON body; the answer names the messages it raised for (`batchItemFailures`).

    What only failed because something was busy comes again soon where `postpone` says how: the queue's own
    time is for functions that died.
    """

    def one(record: SQSRecord) -> None:
        try:
            handle(record.json_body)
        except ServiceError as error:
            logger.warning("message put off", extra={"message_id": record.message_id, "kind": error.kind})
            if postpone and error.kind == "unavailable":
                postpone(record.receipt_handle, random.randint(*SOON_SECONDS))
            raise
        except Exception:
            logger.exception("message failed", extra={"message_id": record.message_id})
            raise

    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return dict(process_partial_response(event, one, processor, context))
