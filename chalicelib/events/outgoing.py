"""The outgoing queue: chunks to be handed to SES."""

from typing import Any

from chalicelib.events.batch import each
from chalicelib.services import send
from chalicelib.services.platform import platform


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """SQS batch of {"submission", "chunk"}."""
    return each(event, context, lambda b: send.attempt(platform(), str(b["submission"]), int(b["chunk"])))
