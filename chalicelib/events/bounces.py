"""The bounces queue: senders outside who are to be told."""

from typing import Any

from chalicelib.events.batch import each
from chalicelib.services import bounces
from chalicelib.services.platform import platform


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """SQS batch of {"original", "sender", "from_domain", "recipients"}."""
    return each(event, context, lambda body: bounces.send(platform(), body))
