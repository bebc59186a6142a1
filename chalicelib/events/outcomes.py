"""The outcomes queue: what SES says became of the mail we sent."""

from typing import Any

from chalicelib.events.batch import each
from chalicelib.services import outcomes
from chalicelib.services.platform import platform


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """SQS batch of SES event publishing records."""
    return each(event, context, lambda body: outcomes.record(platform(), body))
