"""Tasks of the delivery state machine. Each takes {"submission", "chunk"}, `watch` a "token" besides."""

from typing import Any

from chalicelib.services import delivery
from chalicelib.services.platform import platform

Json = dict[str, Any]


def watch(event: Json) -> Json:
    """Keep the task token until the attempt's outcome is known."""
    delivery.watch(platform(), str(event["submission"]), int(event["chunk"]), str(event["token"]))
    return {}


def next_step(event: Json) -> Json:
    """{"action": "retry" | "done", "at": time stamp}."""
    return dict(delivery.next_step(platform(), str(event["submission"]), int(event["chunk"])))


def attempt(event: Json) -> Json:
    """Begin the next attempt."""
    delivery.retry(platform(), str(event["submission"]), int(event["chunk"]))
    return {}
